"""Plugin that raises an error while a worker loads it; the harness can load it."""

from __future__ import annotations

import sys

from lapmark import Assignment, Capabilities, register

if getattr(sys.modules["__main__"].__spec__, "name", "") == "lapmark.bench.worker.worker":
    raise OSError("no licence")


@register("raises-at-import", Capabilities(exact=True))
def solver(problem: Assignment) -> object:
    raise AssertionError("no worker comes so far")
