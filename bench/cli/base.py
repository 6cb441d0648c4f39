"""The application, the options that several commands take, and the display of errors."""

from __future__ import annotations

import contextlib
import importlib.metadata
import re
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any

import typer
from typer.core import TyperCommand, TyperGroup

from lapmark.bench.util import units
from lapmark.bench.util.plain_text import plain

from . import completion

#: Exit status that shells expect after Ctrl-C.
INTERRUPTED = 130

RESULTS = Path("results")

#: Option of the commands that read a table.
HEADER = typer.Option("--header/--no-header", help="Whether the first line of a table is a heading; default: detected.")


def examples(shown: Mapping[str, str]) -> str:
    """Return the end of a help page: example commands with descriptions."""
    return "**Examples**\n\n" + "\n".join(f"- `{command}`  \n  {what}" for command, what in shown.items())


def _plain(parameters: list[Any]) -> list[Any]:
    """Return the parameters without a type in the help of flags."""
    for parameter in parameters:
        if getattr(parameter, "is_flag", False):
            parameter.metavar = ""
    return parameters


class _Group(TyperGroup):
    def get_params(self, ctx: Any) -> list[Any]:
        return _plain(super().get_params(ctx))


class _Command(TyperCommand):
    def get_params(self, ctx: Any) -> list[Any]:
        return _plain(super().get_params(ctx))


class _App(typer.Typer):
    def command(self, name: str | None = None, **settings: Any) -> Any:
        """Add a command with plain help."""
        return super().command(name, cls=_Command, **settings)


app = _App(
    cls=_Group,
    no_args_is_help=True,
    rich_markup_mode="markdown",
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def group(name: str, help: str, epilog: str) -> typer.Typer:
    """Add a verb with subcommands."""
    verbs = _App(cls=_Group, help=help, epilog=epilog, no_args_is_help=True, rich_markup_mode="markdown")
    app.add_typer(verbs, name=name)
    return verbs


def _print_version(asked: bool) -> None:
    if asked:
        typer.echo(f"lapmark {importlib.metadata.version('lapmark')}")
        raise typer.Exit


@app.callback(
    epilog=examples(
        {
            "lapmark solvers": "list the solvers, and why some are missing here",
            "lapmark run -s jv -s scipy -p uniform -n 500": "measure two solvers on one family of problems at one size",
            "lapmark report results --open": "show the results as figures and tables on a page",
            "lapmark gallery --open": "draw every application",
            "lapmark map photos -o photos.html": "lay your own images on a grid",
            "lapmark run --help": "show the options of a command",
        }
    )
)
def lapmark(
    version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Show the version and exit.")
    ] = False,
) -> None:
    """Compare, prove and choose solvers of the linear assignment problem and of optimal transport."""


def solver_option(help: str, panel: str | None = None) -> Any:
    """Return an option for solvers."""
    complete = completion.solvers
    return typer.Option("--solver", "-s", metavar="SOLVER", help=help, autocompletion=complete, rich_help_panel=panel)


def problem_option(help: str, panel: str | None = None) -> Any:
    """Return an option for problems."""
    complete = completion.problems
    return typer.Option("--problem", "-p", metavar="PROBLEM", help=help, autocompletion=complete, rich_help_panel=panel)


def size_option(help: str, panel: str | None = None) -> Any:
    """Return an option for sizes of problems."""
    return typer.Option("-n", metavar="N", min=1, help=help, rich_help_panel=panel)


def data_option(panel: str | None = None) -> Any:
    """Return the option for the folder of data files."""
    return typer.Option(
        metavar="DIR", help="Folder of data files, such as MNIST's; default: $LAPMARK_DATA.", rich_help_panel=panel
    )


def time_option(help: str, panel: str | None = None) -> Any:
    """Return an option for a time, in seconds."""
    return typer.Option(parser=_reads(units.duration), metavar="TIME", help=help, rich_help_panel=panel)


def memory_option(help: str, panel: str | None = None) -> Any:
    """Return an option for an amount of memory, in bytes."""
    return typer.Option(parser=_reads(units.size), metavar="SIZE", help=help, rich_help_panel=panel)


def threads_option(help: str, panel: str | None = None) -> Any:
    """Return an option for a number of threads, with −1 for all cores."""
    return typer.Option(parser=_reads(_threads), metavar="N", help=help, rich_help_panel=panel)


def share_option(help: str) -> Any:
    """Return an option for a share, as a fraction."""
    return typer.Option(parser=_reads(units.share), metavar="SHARE", help=help)


@contextlib.contextmanager
def user_errors() -> Iterator[None]:
    """Show an error that the user can fix in one line, with exit status 2."""
    try:
        yield
    except (ValueError, OSError) as error:
        raise typer.BadParameter(plain(str(error))) from None  # it may contain names from elsewhere


def _threads(text: str) -> int:
    from lapmark.solvers.validation import check_threads

    return check_threads(int(text) if re.fullmatch("[+-]?[0-9]+", text) else text)


def _reads(parse: Callable[[str], Any]) -> Callable[[str | float], Any]:
    """Return a parser for an option that turns a ValueError into a usage error."""

    def read(text: str | float) -> Any:
        if not isinstance(text, str):
            return text
        try:
            return parse(text)
        except ValueError as error:
            raise typer.BadParameter(str(error)) from None

    return read
