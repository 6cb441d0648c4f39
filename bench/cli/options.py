"""Options that several commands take."""

import re
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from lapmark.bench.util import units

from . import completion

HEADER = typer.Option("--header/--no-header", help="Whether the first line of a table is a heading; default: detected.")
OPEN = typer.Option("--open", help="Open the page in the browser.")
ListFormat = Annotated[Literal["text", "json"], typer.Option("--format", help="Output format: text, or JSON.")]
CHECKS = typer.Option("-k", metavar="NAME", help="Run only checks whose name contains this; may be repeated.")


def solver(help: str, panel: str | None = None) -> Any:
    """Return an option for solvers."""
    complete = completion.solvers
    return typer.Option("--solver", "-s", metavar="SOLVER", help=help, autocompletion=complete, rich_help_panel=panel)


def problem(help: str, panel: str | None = None) -> Any:
    """Return an option for problems."""
    complete = completion.problems
    return typer.Option("--problem", "-p", metavar="PROBLEM", help=help, autocompletion=complete, rich_help_panel=panel)


def size(help: str, panel: str | None = None) -> Any:
    """Return an option for sizes of problems."""
    return typer.Option("-n", metavar="N", min=1, help=help, rich_help_panel=panel)


def plugin(what: str = "solvers or problems", panel: str | None = None) -> Any:
    """Return the option for plugin files, which `load_plugins` loads."""
    words = f"Python file that registers {what}; may be repeated."
    return typer.Option(metavar="FILE", help=words, rich_help_panel=panel)


def load_plugins(files: Iterable[Path] | None) -> None:
    """Load plugin files; a ValueError names the one that fails."""
    from lapmark.solvers import plugins

    for file in files or ():
        plugins.load(file)


def folder(help: str, panel: str | None = None) -> Any:
    """Return an option for a folder."""
    return typer.Option(metavar="DIR", help=help, rich_help_panel=panel)


def data(panel: str | None = None) -> Any:
    """Return the option for the folder of data files."""
    words = "Folder of data files, such as MNIST's; default: $LAPMARK_DATA."
    return folder(words, panel)


def duration(help: str, panel: str | None = None) -> Any:
    """Return an option for a time, in seconds."""
    return typer.Option(parser=reader(units.duration), metavar="TIME", help=help, rich_help_panel=panel)


def memory(help: str, panel: str | None = None) -> Any:
    """Return an option for an amount of memory, in bytes."""
    return typer.Option(parser=reader(units.size), metavar="SIZE", help=help, rich_help_panel=panel)


def threads(help: str, panel: str | None = None) -> Any:
    """Return an option for a number of threads, with −1 for all cores."""
    return typer.Option(parser=reader(_threads), metavar="N", help=help, rich_help_panel=panel)


def share(help: str, panel: str | None = None) -> Any:
    """Return an option for a share, as a fraction."""
    return typer.Option(parser=reader(units.share), metavar="SHARE", help=help, rich_help_panel=panel)


def _threads(text: str) -> int:
    from lapmark.solvers.validation import check_threads

    return check_threads(int(text) if re.fullmatch("[+-]?[0-9]+", text) else text)


def reader(parse: Callable[[str], Any]) -> Callable[[str | float], Any]:
    """Return a parser for an option that turns a ValueError into a usage error."""

    def read(text: str | float) -> Any:
        if not isinstance(text, str):
            return text
        try:
            return parse(text)
        except ValueError as error:
            raise typer.BadParameter(str(error)) from None

    return read
