"""The contract (`lapmark.bench.contract`) put to a solver where it runs, and in a process of its own.

A check that crashes the process, or does not end, is a failure like any other, and the rest go on in another process.
What the checks are is no business of this module.
"""

from __future__ import annotations

import json
import os
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from lapmark.bench.environments.available_solvers import AvailableSolver
from lapmark.bench.system.process_tree import ProcessTree
from lapmark.bench.util.plain_text import plain
from lapmark.bench.worker.limits import EXIT_TIME, START_UP
from lapmark.bench.worker.monitor import Monitor
from lapmark.solvers import registry

from . import CHECKS

#: What can become of a check.
STATUSES = ("pass", "fail", "skipped")


@dataclass(frozen=True)
class Finding:
    """What became of a check; the message tells how it failed, on which input, or why it was skipped."""

    check: str
    status: str
    message: str = ""


def select(entrant: AvailableSolver, parts: Sequence[str] = ()) -> list[str]:
    """The checks for a solver of this kind; of those, where parts are given, the ones with such a part in the name."""
    fitting = [name for name, check in CHECKS.items() if entrant.capabilities.solves(check.kind)]
    for part in parts:
        if not any(part in name for name in fitting):
            raise registry.unknown("check", part, fitting)
    return [name for name in fitting if not parts or any(part in name for part in parts)]


def examine(
    entrant: AvailableSolver, checks: Sequence[str], timeout: float, show: Callable[[str | Finding], None]
) -> None:
    """Run checks on a solver.

    Parameters
    ----------
    entrant : AvailableSolver
    checks : sequence of str
        Names from `CHECKS`.
    timeout : float
        Seconds for one check.
    show : callable
        Is told the name of each check as it begins, and what became of it.

    Raises
    ------
    ValueError
        Where the solver cannot run on this machine, or its process dies before the first check.
    """
    if entrant.missing:
        raise ValueError(f"solver {entrant.name} cannot run here: {entrant.missing}")
    left = deque(checks)
    while left:
        _run(entrant, left, timeout, show)


def _run(entrant: AvailableSolver, left: deque[str], timeout: float, show: Callable[[str | Finding], None]) -> None:
    """Run the checks that are left, in one process, to the end or to the first that the process does not survive."""
    read, write = os.pipe()
    with open(read, "rb", buffering=0) as events:
        with open(write, "wb", buffering=0):
            job = {
                "solver": entrant.solver.name,
                "checks": list(left),
                "plugins": [entrant.plugin] if entrant.plugin else [],
                "events": write,
            }
            command = [str(entrant.python), "-P", "-m", "lapmark.bench.contract", json.dumps(job)]
            tree = ProcessTree(command, {}, (write,))
        with tree:
            _CheckMonitor(tree, events.fileno(), left, timeout, show).follow()
            if not left:
                tree.wait(EXIT_TIME)


class _CheckMonitor(Monitor):
    """Follows a process through the checks, and takes each off the list once it is done with."""

    def __init__(
        self, tree: ProcessTree, events: int, left: deque[str], timeout: float, show: Callable[[str | Finding], None]
    ) -> None:
        super().__init__(tree, events, START_UP)
        self._left, self._timeout, self._show = left, timeout, show
        self._started = False
        self._problem = ""  # the one that the solver is at

    def on_event(self, event: Mapping[str, Any]) -> None:
        match event["event"]:
            case "check" if event["name"] == self._left[0]:
                self._started = True
                self._problem = ""
                self._show(event["name"])
                self.wait("the check", self._timeout)
            case "call":
                self._problem = plain(str(event["problem"]))
            case "verdict" if event["name"] == self._left[0] and event["status"] in STATUSES:
                self._show(Finding(self._left.popleft(), event["status"], plain(str(event["message"]))))
                self.wait("the next check", START_UP)
                self.finished = not self._left
            case unknown:
                raise ValueError(f"{unknown} has no place here")

    def on_failure(self, status: str, message: str) -> None:
        if not self._started:
            raise ValueError(f"the solver's process failed before a check: {message}")
        self._show(Finding(self._left.popleft(), "fail", "\n".join(filter(None, (self._problem, message)))))

    def check_limits(self, now: float) -> None:
        pass
