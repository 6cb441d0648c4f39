"""Plugin that crashes a worker that loads it; the harness can load it."""

from __future__ import annotations

import os
import signal
import sys

from lapmark import Assignment, Capabilities, register

if getattr(sys.modules["__main__"].__spec__, "name", "") == "lapmark.bench.worker.worker":
    os.kill(os.getpid(), signal.SIGSEGV)


@register("crashes-at-import", Capabilities(exact=True))
def solver(problem: Assignment) -> object:
    raise AssertionError("no worker comes so far")
