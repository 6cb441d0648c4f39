"""Case of the contract: a problem whose optimum is known, and lists of cases by name."""

import functools
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Generic, Self, TypeVar

from lapmark.solvers.problem import Assignment, Transport
from lapmark.solvers.registry import Solver

ProblemType = TypeVar("ProblemType", Assignment, Transport)


@dataclass(frozen=True)
class Case(Generic[ProblemType]):
    """A problem and its optimum."""

    label: str
    problem: ProblemType
    optimum: float

    def for_solver(self, solver: Solver) -> Self:
        """Return the case as this solver gets it."""
        return self


CaseType = TypeVar("CaseType", bound=Case)
CaseLists = dict[str, Callable[[], tuple[CaseType, ...]]]


def case_list(
    lists: CaseLists[CaseType], name: str
) -> Callable[[Callable[[], Iterable[CaseType]]], Callable[[], Iterable[CaseType]]]:
    """Decorate a generator of cases to make it a list in `lists`. The cases are built once, on the first use."""

    def add(build: Callable[[], Iterable[CaseType]]) -> Callable[[], Iterable[CaseType]]:
        lists[name] = functools.cache(lambda: tuple(build()))
        return build

    return add
