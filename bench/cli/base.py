"""The application, its commands with examples in their help, and the display of errors."""

from __future__ import annotations

import contextlib
import importlib.metadata
import os
import shlex
import traceback
import warnings
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from typer.core import TyperCommand, TyperGroup

from lapmark.bench.util import missing_package
from lapmark.bench.util.plain_text import plain

from . import terminal
from .interrupts import INTERRUPTED, exit_at_once, raise_in_verb

if TYPE_CHECKING:
    from rich.console import Console

__all__ = ["INTERRUPTED", "RESULTS", "app", "group", "plain_console", "typed_command", "user_errors"]

RESULTS = Path("results")


#: Key of a command's own words in its context.
_TYPED = "lapmark.typed"


#: Exit status of a fault of Lapmark itself, EX_SOFTWARE of sysexits.h: 1 is a verdict.
FAULT = 70


class UserError(typer.BadParameter):
    """An error that the user can fix; the exit status is 2."""

    def format_message(self) -> str:
        return self.message


def _examples(shown: Mapping[str, str]) -> str:
    """Return the end of a help page: example commands with descriptions."""
    return "**Examples**\n\n" + "\n".join(f"- `{command}`  \n  {what}" for command, what in shown.items())


def _plain(parameters: list[Any]) -> list[Any]:
    """Return the parameters without a type in the help of flags and arguments."""
    for parameter in parameters:
        if getattr(parameter, "is_flag", False):
            parameter.metavar = ""
        if parameter.param_type_name == "argument":
            parameter.display_type_rich = lambda ctx: None
    return parameters


class _Group(TyperGroup):
    def get_params(self, ctx: Any) -> list[Any]:
        return _plain(super().get_params(ctx))


class _Command(TyperCommand):
    def get_params(self, ctx: Any) -> list[Any]:
        return _plain(super().get_params(ctx))

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        ctx.meta[_TYPED] = tuple(args)  # parsing takes them out of the list
        return super().parse_args(ctx, args)

    def invoke(self, ctx: Any) -> Any:
        """Run the verb; Ctrl-C, a closed pipe and errors of the system end it without a traceback."""
        raise_in_verb()
        try:
            return super().invoke(ctx)
        except KeyboardInterrupt:
            typer.echo("Stopped.", err=True)
            raise typer.Exit(INTERRUPTED) from None
        except OSError as error:
            if terminal.is_closed(error):
                raise typer.Exit(terminal.CLOSED) from None
            raise UserError(_message(error), ctx) from None
        except MemoryError as error:
            raise UserError(plain(f"not enough memory: {error}".removesuffix(": ")), ctx) from None
        except (typer.Exit, typer.Abort, typer.BadParameter):
            raise
        except ModuleNotFoundError as error:
            raise UserError(str(missing_package.explained(error, f"lapmark {ctx.info_name}")), ctx) from None
        except ImportError as error:  # of the kernels, if LAPMARK_ISA is none of their instruction sets
            raise UserError(plain(str(error)), ctx) from None
        except Exception:
            traceback.print_exc()
            typer.echo("This is a fault of Lapmark; please report it with the lines above.", err=True)
            raise typer.Exit(FAULT) from None
        finally:
            exit_at_once()


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
    show_elsewhere = warnings.showwarning

    def show(message: Warning | str, category: type[Warning], *where: Any, **more: Any) -> None:
        if category.__module__.startswith("lapmark."):  # for users of the command, who have no line of source to see
            typer.echo(f"note: {plain(str(message))}", err=True)
        else:
            show_elsewhere(message, category, *where, **more)

    warnings.showwarning = show


def plain_console(stderr: bool = False) -> Console:
    """Return a console that does not colour numbers and names, and breaks lines only on a terminal.

    Rich is loaded here, since completion needs none.
    """
    from rich.console import Console

    from lapmark.bench.util.status_line import console_settings

    class PlainConsole(Console):
        def print(self, *objects: Any, **settings: Any) -> None:
            soft_wrap = not self.is_terminal  # whole lines, for other programs
            super().print(*objects, **{"soft_wrap": soft_wrap, "crop": False, **settings})

        def on_broken_pipe(self) -> None:
            self.quiet = True
            raise  # the BrokenPipeError, for the command to handle

    return PlainConsole(highlight=False, **console_settings(stderr))


def typed_command(context: typer.Context, *more: str, without: Collection[str] = ()) -> str:
    """Return the running command as the user typed it, with more words at its end, to show what to run next.

    `without` lists what to leave out: flags, and options with a value, each followed by "=".
    """
    words, typed = [], iter(context.meta[_TYPED])
    for word in typed:
        if f"{word}=" in without:
            next(typed, None)
        elif word not in without and f"{word.partition('=')[0]}=" not in without:
            words.append(word)
    verbs = context.command_path.removeprefix(context.find_root().command_path).split()
    return shlex.join(["lapmark", *verbs, *words, *more])


def _message(error: Exception) -> str:
    """Return what an error says, and what is wrong with which file; it may contain names from elsewhere."""
    text = str(error)
    if isinstance(error, OSError) and error.strerror:
        name = os.fsdecode(error.filename) if isinstance(error.filename, str | bytes) else ""
        text = f"{name}: {error.strerror}" if name else error.strerror
        if isinstance(error, FileNotFoundError):
            try:
                Path.cwd()
            except FileNotFoundError:
                text = "the current folder no longer exists; change to another one"
    return plain(text)


@contextlib.contextmanager
def user_errors() -> Iterator[None]:
    """Show an error that the user can fix in one line, with exit status 2."""
    try:
        yield
    except (ValueError, OSError) as error:
        if terminal.is_closed(error):
            raise
        raise UserError(_message(error)) from None
