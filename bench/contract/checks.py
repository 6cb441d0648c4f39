"""Checks of the contract: the table of them, how one is run, and the checks that all kinds of problem share."""

import warnings
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import scipy.sparse

from lapmark.solvers.errors import TimeLimit, Unsupported
from lapmark.solvers.problem import Problem
from lapmark.solvers.registry import Solver, get
from lapmark.solvers.solve import solve

from .cases import CaseType


class Broken(AssertionError):
    """The solver broke the contract; the message says how, and on which input."""


@dataclass(frozen=True)
class Verdict:
    """Number of cases that a check ran, and of refused cases by reason."""

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
    """A check for the solvers of one kind of problem, `Assignment` or `Transport`."""

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


def skip(reason: str) -> Verdict:
    """Return the verdict of a check that does not apply."""
    return Verdict(0, Counter({reason: 1}))


def answer_of(solver: Solver, problem: Problem) -> Any:
    """Solve a problem. A warning that an iteration ended early is ignored: the stated error says the same."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)
        return solve(problem, solver.name)


def fail_on(case: object, error: Exception) -> bool:
    """Raise a Broken for an error of the solver."""
    raise Broken(f"{case}\nraises {type(error).__name__}: {error}") from error


def each_case(
    solver: Solver,
    cases: Iterable[CaseType],
    judge: Callable[[CaseType, Any], None],
    on_error: Callable[[CaseType, Exception], bool] = fail_on,
) -> Verdict:
    """Solve cases and judge the answers; a case that the solver refuses is counted as refused.

    `judge` raises a Broken for a wrong answer. `on_error` gets every other error of the solver, and returns whether the
    case counts as run.
    """
    ran, refused = 0, Counter[str]()
    for each in cases:
        case = each.for_solver(solver)
        try:
            answer = answer_of(solver, case.problem)
        except Unsupported as refusal:
            refused[str(refusal)] += 1
        except Exception as error:
            ran += on_error(case, error)
        else:
            judge(case, answer)
            ran += 1
    return Verdict(ran, refused)


def check_untouched(
    solver: Solver, cases: Sequence[CaseType], arrays_of: Callable[[CaseType], Sequence[np.ndarray]]
) -> Verdict:
    """Check that the solver does not write to its input, even where it could."""
    before = {case.label: [array.copy() for array in arrays_of(case)] for case in cases}

    def judge(case: CaseType, answer: Any) -> None:
        if not all(map(np.array_equal, arrays_of(case), before[case.label])):
            raise Broken(f"{case}\nthe solver wrote to its input")

    return each_case(solver, cases, judge)


def check_repeatable(solver: Solver, cases: Iterable[CaseType], parts: Sequence[str]) -> Verdict:
    """Check that these parts of an answer and the counters repeat exactly, and that all counters are declared."""

    def judge(case: CaseType, answer: Any) -> None:
        again = answer_of(solver, case.problem)
        if part := _difference(answer, again, parts):
            raise Broken(f"{case}\n{part} differs from run to run")
        if answer.counters != again.counters:
            raise Broken(f"{case}\ncounters differ from run to run: {answer.counters}, {again.counters}")
        if undeclared := set(answer.counters) - set(solver.capabilities.counters):
            raise Broken(f"{case}\ncounters not among its capabilities: {', '.join(sorted(undeclared))}")

    return each_case(solver, cases, judge)


def check_time_limit(
    solver: Solver, cases: Iterable[CaseType], parts: Sequence[str], relative_rounding: float
) -> Verdict:
    """Check that too little time ends in a TimeLimit with a valid bound, and that enough time changes nothing."""

    def judge(case: CaseType, answer: Any) -> None:
        if _difference(answer, solve(case.problem, solver.name, time_limit=600), parts):
            raise Broken(f"{case}\nthe answer changes under a time limit of 600 s")
        try:
            solve(case.problem, solver.name, time_limit=1e-9)
        except TimeLimit as late:
            if not late.bound <= case.optimum * (1 + relative_rounding):
                raise Broken(f"{case}\nstates a bound of {late.bound!r}, the optimum is {case.optimum!r}") from None
        except Exception as error:
            raise Broken(f"{case}\nhas a time limit of 1 ns, but raises {type(error).__name__}: {error}") from error
        else:
            raise Broken(f"{case}\nis answered in spite of a time limit of 1 ns")

    if not solver.capabilities.time_limit:
        return skip("cannot be stopped")
    return each_case(solver, cases, judge)


def _difference(one: Any, other: Any, parts: Sequence[str]) -> str | None:
    """Return the name of the first part in which two answers differ, or None."""
    return next((part for part in parts if not _equal(getattr(one, part), getattr(other, part))), None)


def _equal(one: Any, other: Any) -> bool:
    if one is None or other is None:
        return one is other
    return not (one != other).nnz if scipy.sparse.issparse(one) else np.array_equal(one, other)
