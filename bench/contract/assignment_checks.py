"""What every solver of assignments must do, whoever wrote it: its claims held against answers that are known otherwise.

A check is a function of a solver. It raises `Broken`, with the input, where the solver breaks a promise of its
capabilities, and returns what it could try: `Verdict(ran, refused)`. A refusal is never a pass; a caller shows it as
skipped. Exact solvers must meet the optimum up to the rounding of float64, the others only answer with a matching.

The inputs are small: a benchmark this is not, and a solver that passes may still be slow.
"""

from __future__ import annotations

import functools
from collections import Counter
from collections.abc import Callable, Iterable

import numpy as np

from lapmark.solvers.certify import certify
from lapmark.solvers.costs import DenseCost, PointCost
from lapmark.solvers.errors import Infeasible, TimeLimit, Unsupported
from lapmark.solvers.problem import Assignment
from lapmark.solvers.registry import Solver
from lapmark.solvers.result import Matching
from lapmark.solvers.solve import solve

from .assignment_cases import CASES, Case, Matrix, Rng, limited, oblong, refereed, square
from .core import Broken, Verdict, named

#: An exact solver may miss the optimum by this many rounding units of the largest cost for each matched pair.
ROUNDING = 4 * float(np.finfo(np.float64).eps)

#: Duals may be this far from feasible and tight, relative to the largest cost.
DUAL_ERROR = 1e-9

_assignment = functools.partial(named, kind=Assignment)

#: Whoever is not exact promises a matching only, and is often slow: one case in so many shows that.
SAMPLE = 6


def _optimal(name: str, solver: Solver) -> Verdict:
    """Every case of a list is answered with a matching, and with an optimal one if the solver is exact."""
    cases = CASES[name]() if solver.capabilities.exact else CASES[name]()[::SAMPLE]
    return _each(solver, cases, lambda case, answer: _judge(solver, case, answer))


def _each(solver: Solver, cases: Iterable[Case], judge: Callable[[Case, Matching], None]) -> Verdict:
    """Put the cases that the solver takes before it, and its answers before the judge."""
    ran, refused = 0, Counter[str]()
    for case in cases:
        try:
            answer = solve(case.problem, solver.name)
        except Unsupported as refusal:
            refused[str(refusal)] += 1
            continue
        except Exception as error:
            raise Broken(f"{case}\nraises {type(error).__name__}: {error}") from error
        judge(case, answer)
        ran += 1
    return Verdict(ran, refused)


def _judge(solver: Solver, case: Case, answer: Matching) -> None:
    certificate = certify(case.problem, answer)
    if not certificate.valid:
        raise Broken(f"{case}\nanswer is invalid: {certificate.fault}")
    excess, allowed = case.excess(answer.row_to_col), ROUNDING * min(case.problem.shape) * case.largest
    if excess < -allowed:
        raise AssertionError(f"{case}\nis better than the optimum: the check is wrong, not the solver")
    if solver.capabilities.exact and excess > allowed:
        raise Broken(f"{case}\nanswer {answer.row_to_col} costs {excess:.6g} more than the optimum, {case.optimum!r}")


for _name in CASES:
    _assignment(_name)(functools.partial(_optimal, _name))


def _plain(solver: Solver, n: int, seed: int) -> Case:
    """A square problem that any solver takes, as a matrix if it can."""
    rng = np.random.default_rng([seed, n])
    points = PointCost(rng.random((n, 2)), rng.random((n, 2)))
    cost = DenseCost(points.dense()) if "dense" in solver.capabilities.costs else points
    return refereed(f"plane {n}, {seed}", Assignment(cost))


@_assignment("certificate")
def _certificate(solver: Solver) -> Verdict:
    """An exact answer meets a lower bound that is proven without it; any other has a finite gap."""

    def judge(case: Case, answer: Matching) -> None:
        bound = certify(case.problem, solve(case.problem, "jv")).dual_bound
        certificate = certify(case.problem, answer, bound)
        if solver.capabilities.exact and not certificate.optimal:
            raise Broken(f"{case}\nthe certificate finds a relative gap of {certificate.gap:.3g}")
        if not (certificate.valid and np.isfinite(certificate.gap)):
            raise Broken(f"{case}\nthe certificate finds no gap: {certificate}")

    return _each(solver, [_plain(solver, n, seed) for n in (2, 30, 90) for seed in range(3)], judge)


def _duals(name: str, build: Callable[[str, Rng], Case]) -> None:
    @_assignment(name)
    def run(solver: Solver) -> Verdict:
        """The duals are feasible, tight on the matching, and 0 on what a rectangular or limited problem leaves free."""

        def judge(case: Case, answer: Matching) -> None:
            matrix = case.problem.cost.dense()
            allowed = DUAL_ERROR * case.largest
            u, v = answer.u, answer.v
            if u is None or v is None:
                raise Broken(f"{case}\nno duals, though its capabilities promise them")
            if not u.dtype == v.dtype == np.float64:
                raise Broken(f"{case}\nduals are {u.dtype} and {v.dtype}, not float64")
            certificate = certify(case.problem, answer)
            if not certificate.valid or not certificate.max_violation <= allowed:
                raise Broken(f"{case}\nduals are not feasible: {certificate}")
            rows = np.flatnonzero(answer.row_to_col >= 0)
            cols = answer.row_to_col[rows]
            worth = matrix[rows, cols] - (case.problem.limit or 0.0)
            slack = np.abs(worth - u[rows] - v[cols]).max(initial=0.0)
            free = np.abs(np.concatenate([np.delete(u, rows), np.delete(v, cols)])).max(initial=0.0)
            if slack > allowed or free > allowed:
                raise Broken(f"{case}\nduals are off by {slack:.3g} on the matching, {free:.3g} on what is free")

        if not solver.capabilities.duals:
            return Verdict(0, Counter({"claims no duals": 1}))
        rng = np.random.default_rng(9)
        return _each(solver, [build(f"{name} {k}", rng) for k in range(30)], judge)


_duals("duals", lambda label, rng: refereed(label, square(rng)))
_duals("duals-rectangular", lambda label, rng: refereed(label, oblong(rng)))
_duals("duals-limit", lambda label, rng: limited(label, oblong(rng), float(rng.normal())))


@_assignment("untouched")
def _untouched(solver: Solver) -> Verdict:
    """The input is as it was, even where it could be written to."""
    case = _plain(solver, 25, 0)
    cost = case.problem.cost
    arrays = [cost.x, cost.y] if isinstance(cost, PointCost) else [cost.dense()]
    before = [array.copy() for array in arrays]

    def judge(case: Case, answer: Matching) -> None:
        if not all(np.array_equal(array, copy) for array, copy in zip(arrays, before, strict=True)):
            raise Broken(f"{case}\nthe solver wrote to its input")

    return _each(solver, [case], judge)


@_assignment("repeatable")
def _repeatable(solver: Solver) -> Verdict:
    """The same answer, duals and counters from run to run, and no counter that is not declared."""

    def judge(case: Case, answer: Matching) -> None:
        again = solve(case.problem, solver.name)
        for name in ("row_to_col", "u", "v"):
            if not np.array_equal(getattr(answer, name), getattr(again, name)):
                raise Broken(f"{case}\n{name} differs from run to run")
        if answer.counters != again.counters:
            raise Broken(f"{case}\ncounters differ from run to run: {answer.counters}, {again.counters}")
        if undeclared := set(answer.counters) - set(solver.capabilities.counters):
            raise Broken(f"{case}\ncounters not among its capabilities: {', '.join(sorted(undeclared))}")

    return _each(solver, [_plain(solver, n, 1) for n in (5, 60)], judge)


def _refuses_infeasible(name: str, matrices: Callable[[], Iterable[Matrix]]) -> None:
    @_assignment(name)
    def run(solver: Solver) -> Verdict:
        """A problem without a matching of finite cost raises Infeasible; a set of Hall that it names is one."""
        ran, refused = 0, Counter[str]()
        for matrix in matrices():
            case = Case(name, Assignment(DenseCost(matrix)), np.inf)
            try:
                answer = solve(case.problem, solver.name)
            except Infeasible as error:
                if fault := _false_proof(matrix, error):
                    raise Broken(f"{case}\n{fault}") from error
                ran += 1
            except Unsupported as refusal:
                refused[str(refusal)] += 1
            except Exception as error:
                raise Broken(f"{case}\nis infeasible, but raises {type(error).__name__}: {error}") from error
            else:
                raise Broken(f"{case}\nis infeasible, but was answered with {answer.row_to_col}")
        return Verdict(ran, refused)


def _false_proof(matrix: Matrix, error: Infeasible) -> str | None:
    """What is wrong with the set of Hall that an error names, or None."""
    if error.rows is None or error.columns is None:
        return None
    allowed, many, few = np.isfinite(matrix), error.rows, error.columns
    if matrix.shape[0] > matrix.shape[1]:
        allowed, many, few = allowed.T, few, many
    if len(set(many)) > len(few) and not set(np.flatnonzero(allowed[many].any(axis=0))) - set(few):
        return None
    return f"rows {error.rows} and columns {error.columns} prove nothing"


def _confined(n: int, m: int) -> Matrix:
    """Three rows that share two columns: Hall's condition fails."""
    matrix = np.random.default_rng(10).random((n, m))
    matrix[:3, 2:] = np.inf
    return matrix


def _blocked_row(n: int) -> Matrix:
    matrix = np.ones((n, n))
    matrix[n // 2] = np.inf
    return matrix


_refuses_infeasible("infeasible", lambda: [_blocked_row(1), _blocked_row(5), _blocked_row(5).T, _confined(6, 6)])
_refuses_infeasible("infeasible-rectangular", lambda: [_confined(4, 9), _confined(4, 9).T])


@_assignment("time-limit")
def _time_limit(solver: Solver) -> Verdict:
    """Time that is over ends in TimeLimit, with a bound that holds; time enough changes nothing."""

    def judge(case: Case, answer: Matching) -> None:
        patient = solve(case.problem, solver.name, time_limit=600)
        if not np.array_equal(answer.row_to_col, patient.row_to_col):
            raise Broken(f"{case}\nis answered otherwise under a time limit of 600 s")
        try:
            solve(case.problem, solver.name, time_limit=1e-9)
        except TimeLimit as late:
            if not late.bound <= case.optimum * (1 + ROUNDING):
                raise Broken(f"{case}\nstates a bound of {late.bound!r}, the optimum is {case.optimum!r}") from None
        except Exception as error:
            raise Broken(f"{case}\nhas no time, but raises {type(error).__name__}: {error}") from error
        else:
            raise Broken(f"{case}\nis answered, though the time was over before it began")

    if not solver.capabilities.time_limit:
        return Verdict(0, Counter({"cannot be stopped": 1}))
    return _each(solver, [_plain(solver, n, 2) for n in (3, 200)], judge)


@_assignment("empty")
def _empty(solver: Solver) -> Verdict:
    """Nothing to match is an answer."""
    return _each(
        solver,
        [Case("empty", Assignment(DenseCost(np.empty((0, 0)))), 0.0)]
        if "dense" in solver.capabilities.costs
        else [Case("empty", Assignment(PointCost(np.empty((0, 2)), np.empty((0, 2)))), 0.0)],
        lambda case, answer: _judge(solver, case, answer),
    )
