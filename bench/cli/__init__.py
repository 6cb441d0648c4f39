"""The command `lapmark`: what it takes and what it says, a file for each verb. The work is done elsewhere, and imported
when asked for.
"""

from __future__ import annotations

import os
import signal

# Each adds its verb to the application, in the order in which the help lists them.
# isort: off
from . import run, listing, env, check, report, export, compare, gate, choose, map, gallery  # noqa: F401

# isort: on
from . import completion
from .base import app
from .terminal import use_stand_ins

__all__ = ["app", "main"]


def main() -> None:
    use_stand_ins()
    # A queue, a service and a terminal that is closed end a job like this: as Ctrl-C does, they keep what is done.
    for number in (signal.SIGTERM, signal.SIGHUP):
        if signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, signal.default_int_handler)
    completion.join_words(os.environ)
    app()
