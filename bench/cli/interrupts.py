"""Ctrl-C, and the other signals that end a command: at once before a verb works, as a KeyboardInterrupt while it does.

An exception would be printed or swallowed in places where nobody can handle it: in imports, in callbacks of the
interpreter, and at its end. This module imports next to nothing: a signal before `exit_at_once` shows a traceback.
"""

import os
import signal
from types import FrameType

#: Exit status that shells expect after Ctrl-C.
INTERRUPTED = 130

#: Job queues, services and closed terminals send the last two: handled like Ctrl-C, they keep finished work.
SIGNALS = tuple(filter(None, (signal.SIGINT, signal.SIGTERM, getattr(signal, "SIGHUP", None))))  # none on Windows

#: File of every frame that imports a module.
_IMPORT = "<frozen importlib._bootstrap>"

#: Escape sequence that shows the cursor, which a progress bar may have hidden.
_SHOW_CURSOR = b"\x1b[?25h"


def exit_at_once() -> None:
    """Let the signals end the process without a word, as long as there is nothing to keep.

    A signal that is ignored, as in a job started with `nohup`, stays ignored.
    """
    for number in SIGNALS:
        if signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, _exit)


def raise_in_verb() -> None:
    """Let the signals raise a KeyboardInterrupt, so that a verb can keep what is finished.

    This does nothing where `exit_at_once` has not been called, as in a program that runs a command in its own process.
    """
    for number in SIGNALS:
        if signal.getsignal(number) is _exit:
            signal.signal(number, _raise_or_exit)


def _exit(number: int, frame: FrameType | None) -> None:
    os._exit(INTERRUPTED)


def _raise_or_exit(number: int, frame: FrameType | None) -> None:
    while frame is not None:
        if frame.f_code.co_filename == _IMPORT:
            for stream in (1, 2):
                if os.isatty(stream):
                    os.write(stream, _SHOW_CURSOR)
            os._exit(INTERRUPTED)
        frame = frame.f_back
    raise KeyboardInterrupt
