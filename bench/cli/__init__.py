"""The command `lapmark`: arguments and output, one file per verb. The work is done elsewhere, and imported on use."""

import os
import signal

# Each module adds its verb to the application, in the order of the help.
# isort: off
from . import run, listing, env, check, report, export, compare, gate, choose, map, gallery  # noqa: F401

# isort: on
from . import completion
from .base import app
from .terminal import use_stand_ins

__all__ = ["app", "main"]


def main() -> None:
    """Run the command."""
    use_stand_ins()
    # Job queues, services and closed terminals send these signals: handled like Ctrl-C, they keep finished work.
    for number in (signal.SIGTERM, signal.SIGHUP):
        if signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, signal.default_int_handler)
    completion.join_words(os.environ)
    app()
