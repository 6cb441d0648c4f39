"""A file that crashes as a worker loads it, though the harness can."""

from __future__ import annotations

import os
import signal
import sys

from solvers import Assignment, Capabilities, register

if getattr(sys.modules["__main__"].__spec__, "name", "") == "bench.worker":
    os.kill(os.getpid(), signal.SIGSEGV)


@register("crashes-at-import", Capabilities(exact=True))
def solver(problem: Assignment) -> object:
    raise AssertionError("no worker comes so far")
