"""The application, its commands with examples in their help, and the display of errors."""

from __future__ import annotations

import contextlib
import importlib.metadata
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from typer.core import TyperCommand, TyperGroup

from lapmark.bench.util.plain_text import plain

if TYPE_CHECKING:
    from rich.console import Console

#: Exit status that shells expect after Ctrl-C.
INTERRUPTED = 130

RESULTS = Path("results")


def _examples(shown: Mapping[str, str]) -> str:
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
    def command(self, name: str | None = None, *, examples: Mapping[str, str], note: str = "") -> Any:  # type: ignore[override]
        """Add a command whose help ends with examples, their descriptions and a note."""
        return super().command(name, cls=_Command, epilog="\n\n".join(filter(None, (_examples(examples), note))))


app = _App(
    cls=_Group,
    no_args_is_help=True,
    rich_markup_mode="markdown",
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def group(name: str, help: str, examples: Mapping[str, str]) -> _App:
    """Add a verb with subcommands."""
    verbs = _App(cls=_Group, help=help, epilog=_examples(examples), no_args_is_help=True, rich_markup_mode="markdown")
    app.add_typer(verbs, name=name)
    return verbs


def _print_version(asked: bool) -> None:
    if asked:
        typer.echo(f"lapmark {importlib.metadata.version('lapmark')}")
        raise typer.Exit


@app.callback(
    epilog=_examples(
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


def plain_console(stderr: bool = False) -> Console:
    """Return a console that does not colour numbers and names; Rich is loaded here, since completion needs none."""
    from rich.console import Console

    return Console(highlight=False, stderr=stderr)


@contextlib.contextmanager
def user_errors() -> Iterator[None]:
    """Show an error that the user can fix in one line, with exit status 2."""
    try:
        yield
    except (ValueError, OSError) as error:
        raise typer.BadParameter(plain(str(error))) from None  # it may contain names from elsewhere
