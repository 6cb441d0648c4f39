"""A check, its verdict, and the table of them all."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

from lapmark.solvers.problem import Problem
from lapmark.solvers.registry import Solver, get


class Broken(AssertionError):
    """The solver broke the contract; the message says how, and on which input."""


@dataclass(frozen=True)
class Verdict:
    """How many cases a check ran, and how many were refused for which reason."""

    ran: int
    refused: Counter[str] = field(default_factory=Counter)

    @property
    def skipped(self) -> str | None:
        """The reason why this is no pass, or None where every case was run."""
        if not self.refused:
            return None
        count = self.refused.total()
        return f"{count} of {self.ran + count} cases refused: {next(iter(self.refused))}"


Run = Callable[[Solver], Verdict]


@dataclass(frozen=True)
class Check:
    """What solvers of one kind of problem, `Assignment` or `Transport`, are held to."""

    kind: type[Problem]
    run: Run


CHECKS: dict[str, Check] = {}


def check(solver: str, name: str) -> Verdict:
    """Run one check of `CHECKS` on a registered solver."""
    return CHECKS[name].run(get(solver))


def named(name: str, kind: type[Problem]) -> Callable[[Run], Run]:
    """Decorate a function to make it the check `name`."""

    def add(run: Run) -> Run:
        CHECKS[name] = Check(kind, run)
        return run

    return add
