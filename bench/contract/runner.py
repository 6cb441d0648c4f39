"""Runner of checks: of a solver where it runs (`check_process`), of a family of problems (`problem_process`).

A check that crashes the process, or does not end, counts as failed, and the remaining checks run in another process.
"""

import json
import os
import sys
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lapmark.bench.environments.available_solvers import AvailableSolver
from lapmark.bench.problems.family import Family, Settings
from lapmark.bench.system.process_tree import ProcessTree
from lapmark.bench.util.plain_text import plain
from lapmark.bench.worker.monitor import Monitor
from lapmark.bench.worker.resource_limits import EXIT_TIME, START_UP
from lapmark.solvers import registry

from . import CHECKS
from .problem_checks import PROBLEM_CHECKS

#: Statuses of a check.
STATUSES = ("pass", "fail", "skipped")


@dataclass(frozen=True)
class Finding:
    """Result of a check; the message says how it failed, on which input, or why it was skipped."""

    check: str
    status: str
    message: str = ""


def select(solver: AvailableSolver, parts: Sequence[str] = ()) -> list[str]:
    """Return the checks for a solver's kind of problem; with `parts`, those that have one of them in their name."""
    fitting = [name for name, check in CHECKS.items() if solver.capabilities.solves(check.kind)]
    for part in parts:
        if not any(part in name for name in fitting):
            raise registry.unknown("check", part, fitting)
    return [name for name in fitting if not parts or any(part in name for part in parts)]


def examine(
    solver: AvailableSolver, checks: Sequence[str], timeout: float, show: Callable[[str | Finding], None]
) -> None:
    """Run checks, by their names in `CHECKS`, on a solver, each for at most `timeout` seconds.

    `show` is called with the name of each check when it begins, and with its finding. Raise a ValueError where the
    solver cannot run on this machine, or its process dies before the first check.
    """
    if solver.missing:
        raise ValueError(f"solver {solver.name} cannot run here: {solver.missing}")
    job = {"solver": solver.solver.name, "plugins": [solver.plugin] if solver.plugin else []}
    _run_all(solver.python, "check_process", job, checks, timeout, show)


def select_problem_checks(parts: Sequence[str] = ()) -> list[str]:
    """Return the checks of a family of problems; with `parts`, those that have one of them in their name."""
    for part in parts:
        if not any(part in name for name in PROBLEM_CHECKS):
            raise registry.unknown("check", part, PROBLEM_CHECKS)
    return [name for name in PROBLEM_CHECKS if not parts or any(part in name for part in parts)]


def examine_family(
    family: Family,
    variants: Sequence[Settings],
    checks: Sequence[str],
    timeout: float,
    memory: int,
    show: Callable[[str | Finding], None],
) -> None:
    """Run checks of `PROBLEM_CHECKS` on a family of problems with these sets of settings, as `examine` does.

    `memory` is the limit in bytes.
    """
    job = {
        "family": family.name,
        "variants": list(map(dict, variants)),
        "plugins": [family.origin.plugin] if family.origin.plugin else [],
        "memory": memory,
    }
    _run_all(Path(sys.executable), "problem_process", job, checks, timeout, show)


def _run_all(
    python: Path,
    module: str,
    job: Mapping[str, object],
    checks: Sequence[str],
    timeout: float,
    show: Callable[[str | Finding], None],
) -> None:
    """Run checks in processes, each up to the end or to the first check that ends it."""
    left = deque(checks)
    while left:
        read, write = os.pipe()
        with open(read, "rb", buffering=0) as events:
            with open(write, "wb", buffering=0):
                text = json.dumps({**job, "checks": list(left), "events": write})
                command = [str(python), "-P", "-m", f"{__package__}.{module}", text]
                tree = ProcessTree(command, {}, (write,))
            with tree:
                try:
                    _CheckMonitor(tree, events.fileno(), left, timeout, show).follow()
                except Unusable as error:  # only here: an event that raises a ValueError is none
                    raise ValueError(str(error)) from None
                if not left:
                    tree.wait(EXIT_TIME)


class Unusable(Exception):
    """The process of the checks cannot load the plugin."""


class _CheckMonitor(Monitor):
    """Follows a process through the checks, and removes each from the list when it is finished."""

    def __init__(
        self, tree: ProcessTree, events: int, left: deque[str], timeout: float, show: Callable[[str | Finding], None]
    ) -> None:
        super().__init__(tree, events, START_UP)
        self._left, self._timeout, self._show = left, timeout, show
        self._started = False
        self._problem = ""  # of the current call

    def on_event(self, event: Mapping[str, Any]) -> None:
        match event["event"]:
            case "check" if event["name"] == self._left[0]:
                self._started = True
                self._problem = ""
                self._show(event["name"])
                self.wait("the check", self._timeout)
            case "unusable" if not self._started:
                raise Unusable(f"{plain(str(event['message']))}; this happens in the process of the checks only")
            case "call":
                self._problem = plain(str(event["problem"]))
            case "verdict" if event["name"] == self._left[0] and event["status"] in STATUSES:
                self._show(Finding(self._left.popleft(), event["status"], plain(str(event["message"]))))
                self.wait("the next check", START_UP)
                self.finished = not self._left
            case unknown:
                raise ValueError(f"the event {unknown} is out of place here")

    def on_failure(self, status: str, message: str) -> None:
        if not self._started:
            raise ValueError(f"the process of the checks failed before a check: {message}")
        self._show(Finding(self._left.popleft(), "fail", "\n".join(filter(None, (self._problem, message)))))
