"""The command `lapmark`: arguments and output, one file per verb. The work is done elsewhere, and imported on use."""

from . import interrupts

TYPE_CHECKING = False  # as in `typing`, which takes time to import, while Ctrl-C still shows a traceback
if TYPE_CHECKING:
    from .base import app

__all__ = ["app", "main"]


def main() -> None:
    """Run the command."""
    interrupts.exit_at_once()
    import os
    import sys
    import warnings

    from . import completion, terminal

    terminal.use_stand_ins()
    completion.join_words(os.environ)
    if "_LAPMARK_COMPLETE" in os.environ:
        warnings.simplefilter("ignore")  # about a plugin, say: they would be in the way on the command line
    try:
        application = __getattr__("app")
    except ModuleNotFoundError as error:  # of Typer, say: the library was installed alone
        from lapmark.bench.util.missing_package import explained

        print(explained(error, " ".join(["lapmark", *sys.argv[1:2]])), file=sys.stderr)
        raise SystemExit(2) from None
    assert callable(application)
    try:
        application()
    except OSError as error:  # a help page that cannot be written
        raise SystemExit(terminal.not_written(error)) from None
    finally:
        interrupts.exit_at_once()
        terminal.flush()


def __getattr__(name: str) -> object:
    """Return the application with all verbs, which takes time to import."""
    if name != "app":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    # Each module adds its verb to the application, in the order of the help.
    # isort: off
    from . import run, listing, env, check, check_problem, report, serve, site, export  # noqa: F401
    from . import compare, gate, history, choose, calibrate, record, map, gallery  # noqa: F401

    # isort: on
    from .base import app

    return app
