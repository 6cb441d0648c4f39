"""What the commands have in common: the application, options that several of them take, and how errors are said."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import typer

from .. import units

#: What a shell expects after Ctrl-C.
INTERRUPTED = 130

RESULTS = Path("results")

app = typer.Typer(
    help="Compare, prove and choose solvers of the linear assignment problem and of optimal transport.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode="markdown",
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def time_option(help: str) -> Any:
    """An option that is a time, in seconds."""
    return typer.Option(parser=_reads(units.duration), metavar="TIME", help=help)


def memory_option(help: str) -> Any:
    """An option that is an amount of memory, in bytes."""
    return typer.Option(parser=_reads(units.size), metavar="SIZE", help=help)


@contextlib.contextmanager
def user_errors() -> Iterator[None]:
    """Say in a line, with exit status 2, what the user can mend."""
    try:
        yield
    except (ValueError, OSError) as error:
        raise typer.BadParameter(str(error)) from None


def _reads(parse: Callable[[str], Any]) -> Callable[[str | float], Any]:
    """A parser for an option, whose ValueError becomes a usage error."""

    def read(text: str | float) -> Any:
        if not isinstance(text, str):
            return text
        try:
            return parse(text)
        except ValueError as error:
            raise typer.BadParameter(str(error)) from None

    return read
