"""Ctrl-C, as a user presses it: on a Python of its own, while it solves."""

from __future__ import annotations

import signal
import subprocess
import sys
import time


def interrupted(setting: str, solving: str, seconds: float) -> str:
    """What a Python says that is interrupted so many seconds after it has begun to solve; "interrupted" if it heard.

    Unanswered, the call should take minutes: it is given 20 seconds.
    """
    code = (
        f"{setting}\nprint('solving', flush=True)\n"
        f"try:\n    {solving}\nexcept KeyboardInterrupt:\n    print('interrupted', flush=True)\n"
    )
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "solving\n"
        time.sleep(seconds)
        process.send_signal(signal.SIGINT)
        try:
            out, _ = process.communicate(timeout=20)
        finally:
            process.kill()
    return out
