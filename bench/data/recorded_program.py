"""Run a Python program under a recording, as if Python itself ran it.

`python -P -m lapmark.bench.data.recorded_program JOB ARGUMENT…` with the job as JSON: the name and the folder of the
recording, and what the arguments begin with, "-m", "-c" or "" for a script. The summary goes to standard error.
"""

from __future__ import annotations

import json
import os
import runpy
import signal
import sys
import threading
from pathlib import Path
from types import TracebackType
from typing import Any

from lapmark.bench.util.units import show_duration, show_size

from .recorded_sample import Sample
from .recording import recording


def main() -> None:
    job, sys.argv = json.loads(sys.argv[1]), sys.argv[2:]
    made = recording(job["name"], job["folder"])
    status: Any = 0
    with made:
        try:
            _run(job["kind"])
        except SystemExit as end:
            status = end.code
        except BaseException as error:
            error = error.with_traceback(_own_part(error.__traceback__))
            sys.excepthook(type(error), error, error.__traceback__)
            status = -signal.SIGINT if isinstance(error, KeyboardInterrupt) else 1
        for thread in threading.enumerate():
            if thread is not threading.current_thread() and not thread.daemon:
                thread.join()
    sys.stdout.flush()
    print("\n".join(summary(job["name"], made.folder, made.sample)), file=sys.stderr, flush=True)
    if status == -signal.SIGINT:  # as Python ends after Ctrl-C, so that a shell's loop ends, too
        signal.signal(signal.SIGINT, signal.SIG_DFL)
        os.kill(os.getpid(), signal.SIGINT)
    sys.exit(status)


def _run(kind: str) -> None:
    """Run the program of `sys.argv`."""
    match kind:
        case "-m":
            sys.path.insert(0, os.getcwd())
            runpy.run_module(sys.argv[0], run_name="__main__", alter_sys=True)
        case "-c":
            sys.path.insert(0, "")
            code, sys.argv[0] = sys.argv[0], "-c"
            exec(compile(code, "<string>", "exec"), sys.modules["__main__"].__dict__)
        case _:
            sys.path.insert(0, os.path.dirname(os.path.realpath(sys.argv[0])))
            runpy.run_path(sys.argv[0], run_name="__main__")


def _own_part(trace: TracebackType | None) -> TracebackType | None:
    """Return the traceback without the frames of this file and of runpy, which lead to the program."""
    ours = (__file__, runpy.__file__, "<frozen runpy>")
    while trace is not None and trace.tb_frame.f_code.co_filename in ours:
        trace = trace.tb_next
    return trace


def summary(name: str, folder: Path, sample: Sample) -> list[str]:
    """Return what a recording has seen and kept, and what to do with it, as lines."""
    here = os.path.relpath(folder)
    shown = str(folder) if here.startswith("..") else here
    if not sample.calls:
        return [
            f"Recorded {name}: no call of a function that solves assignments, so nothing is kept.",
            "Calls of spawned processes are not seen; see docs/record.md.",
        ]
    kept, (distinct, is_exact) = list(sample.entries.values()), sample.distinct
    solving, seconds = sample.solving, sample.seconds
    share = f", {100 * solving / seconds:.2g} % of {show_duration(seconds)}" if seconds else ""
    lines = [f"Recorded {name}: {_calls(sample.calls)}, {show_duration(solving)} in all{share}."]
    if kept:
        shapes = sorted({entry.shape for entry in kept}, key=lambda shape: (shape[0] * shape[1], shape))
        sizes = " to ".join(dict.fromkeys(f"{n}×{m}" for n, m in (shapes[0], shapes[-1])))
        about = "" if is_exact else "about "
        size = show_size(sum(entry.bytes for entry in kept))
        lines.append(f"Kept {len(kept):,} of {about}{round(distinct):,} distinct problems, {sizes}, {size}, in {shown}")
    lines += [f"Not kept: {_calls(calls)}, {reason}." for reason, calls in sample.unrecorded.items()]
    if kept:
        lines.append(f"Compare solvers on them: lapmark run {shown}")
    return lines


def _calls(count: int) -> str:
    return "1 call" if count == 1 else f"{count:,} calls"


if __name__ == "__main__":
    main()
