"""Plugin that exceeds the memory limit of a worker while it is loaded."""

from __future__ import annotations

import mmap
import sys

from lapmark import Assignment, Capabilities, register

if getattr(sys.modules["__main__"].__spec__, "name", "") == "lapmark.bench.worker.worker":
    hoard = mmap.mmap(-1, 8 << 30)
    for start in range(0, len(hoard), 1 << 20):
        hoard[start : start + (1 << 20)] = bytes(1 << 20)


@register("greedy-at-import", Capabilities(exact=True))
def solver(problem: Assignment) -> object:
    raise AssertionError("no worker comes so far")
