"""Checks for every solver of assignment problems: its promises, compared with answers known from elsewhere.

A check is a function of a solver. It raises `Broken`, with the input, where the solver breaks a promise of its
capabilities, and otherwise returns a `Verdict`. A refusal is never a pass; it is shown as skipped. Exact solvers must
meet the optimum up to the rounding of float64, the others only have to return a matching.

The inputs are small. This is no benchmark: a solver that passes may still be slow.
"""

import functools
from collections.abc import Callable, Iterable

import numpy as np

from lapmark.solvers.certify import certify
from lapmark.solvers.costs import DenseCost, PointCost
from lapmark.solvers.errors import Infeasible
from lapmark.solvers.problem import Assignment
from lapmark.solvers.registry import Solver
from lapmark.solvers.result import Matching
from lapmark.solvers.solve import solve

from . import checks
from .assignment_cases import ASSIGNMENT_CASES, AssignmentCase, Matrix, Rng, limited, oblong, refereed, square
from .checks import Broken, Verdict, each_case, fail_on, named, skip

#: An exact solver may miss the optimum by this many rounding units of the largest cost for each matched pair.
ROUNDING = 4 * float(np.finfo(np.float64).eps)

#: Largest infeasibility and slack of duals, relative to the largest cost.
DUAL_ERROR = 1e-9

#: A solver that is not exact promises a matching only, and is often slow: it gets one case in SAMPLE.
SAMPLE = 6

_assignment = functools.partial(named, kind=Assignment)


def _optimal(name: str, solver: Solver) -> Verdict:
    """Check that every case of a list is answered with a matching, an optimal one if the solver is exact."""
    cases = ASSIGNMENT_CASES[name]()
    judge = functools.partial(_judge, solver)
    return each_case(solver, cases if solver.capabilities.exact else cases[::SAMPLE], judge)


def _judge(solver: Solver, case: AssignmentCase, answer: Matching) -> None:
    certificate = certify(case.problem, answer)
    if not certificate.valid:
        raise Broken(f"{case}\nanswer is invalid: {certificate.fault}")
    excess, allowed = case.excess(answer.row_to_col), ROUNDING * min(case.problem.shape) * case.largest
    if excess < -allowed:
        raise AssertionError(f"{case}\nis better than the optimum: the check is wrong, not the solver")
    if solver.capabilities.exact and excess > allowed:
        raise Broken(f"{case}\nanswer {answer.row_to_col} costs {excess:.6g} more than the optimum, {case.optimum!r}")


for _name in ASSIGNMENT_CASES:
    _assignment(_name)(functools.partial(_optimal, _name))


def _case_for(solver: Solver, n: int, seed: int) -> AssignmentCase:
    """Return a square case that any solver takes, as a matrix if the solver takes one."""
    rng = np.random.default_rng([seed, n])
    points = PointCost(rng.random((n, 2)), rng.random((n, 2)))
    cost = DenseCost(points.dense()) if "dense" in solver.capabilities.costs else points
    return refereed(f"plane {n}, {seed}", Assignment(cost))


@_assignment("certificate")
def _certificate(solver: Solver) -> Verdict:
    """Check that an exact answer meets a lower bound proven by another solver, and any other has a finite gap."""

    def judge(case: AssignmentCase, answer: Matching) -> None:
        bound = certify(case.problem, solve(case.problem, "jv")).dual_bound
        certificate = certify(case.problem, answer, bound)
        if solver.capabilities.exact and not certificate.optimal:
            raise Broken(f"{case}\nthe certificate finds a relative gap of {certificate.gap:.3g}")
        if not (certificate.valid and np.isfinite(certificate.gap)):
            raise Broken(f"{case}\nthe certificate finds no gap: {certificate}")

    return each_case(solver, [_case_for(solver, n, seed) for n in (2, 30, 90) for seed in range(3)], judge)


def _judge_duals(case: AssignmentCase, answer: Matching) -> None:
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
    entries = matrix[rows, cols] - (case.problem.limit or 0.0)
    slack = np.abs(entries - u[rows] - v[cols]).max(initial=0.0)
    free = np.abs(np.concatenate([np.delete(u, rows), np.delete(v, cols)])).max(initial=0.0)
    if slack > allowed or free > allowed:
        raise Broken(f"{case}\nduals are off by {slack:.3g} on matched pairs, by {free:.3g} on free rows and columns")


def _duals(name: str, build: Callable[[str, Rng], AssignmentCase]) -> None:
    @_assignment(name)
    def run(solver: Solver) -> Verdict:
        """Check that duals are feasible, tight on matched pairs, and 0 on free rows and columns."""
        if not solver.capabilities.duals:
            return skip("claims no duals")
        rng = np.random.default_rng(9)
        return each_case(solver, [build(f"{name} {k}", rng) for k in range(30)], _judge_duals)


_duals("duals", lambda label, rng: refereed(label, square(rng)))
_duals("duals-rectangular", lambda label, rng: refereed(label, oblong(rng)))
_duals("duals-limit", lambda label, rng: limited(label, oblong(rng), float(rng.normal())))


@_assignment("untouched")
def _untouched(solver: Solver) -> Verdict:
    def arrays_of(case: AssignmentCase) -> list[np.ndarray]:
        cost = case.problem.cost
        return [cost.x, cost.y] if isinstance(cost, PointCost) else [cost.dense()]

    return checks.check_untouched(solver, [_case_for(solver, 25, 0)], arrays_of)


@_assignment("repeatable")
def _repeatable(solver: Solver) -> Verdict:
    return checks.check_repeatable(solver, [_case_for(solver, n, 1) for n in (5, 60)], ("row_to_col", "u", "v"))


@_assignment("time-limit")
def _time_limit(solver: Solver) -> Verdict:
    return checks.check_time_limit(solver, [_case_for(solver, n, 2) for n in (3, 200)], ("row_to_col",), ROUNDING)


def _refuses_infeasible(name: str, matrices: Callable[[], Iterable[Matrix]]) -> None:
    @_assignment(name)
    def run(solver: Solver) -> Verdict:
        """Check that a problem without a matching of finite cost raises Infeasible, with a valid proof if any."""
        cases = [AssignmentCase(name, Assignment(DenseCost(matrix)), np.inf) for matrix in matrices()]
        return each_case(solver, cases, judge, on_error)

    def judge(case: AssignmentCase, answer: Matching) -> None:
        raise Broken(f"{case}\nis infeasible, but was answered with {answer.row_to_col}")

    def on_error(case: AssignmentCase, error: Exception) -> bool:
        if not isinstance(error, Infeasible):
            return fail_on(f"{case}\nis infeasible, but", error)
        if fault := _fault_of_proof(case.problem.cost.dense(), error):
            raise Broken(f"{case}\n{fault}") from error
        return True


def _fault_of_proof(matrix: Matrix, error: Infeasible) -> str | None:
    """Return why the rows and columns that an error names do not violate Hall's condition, or None."""
    if error.rows is None or error.columns is None:
        return None
    allowed, many, few = np.isfinite(matrix), error.rows, error.columns
    if matrix.shape[0] > matrix.shape[1]:
        allowed, many, few = allowed.T, few, many
    if len(set(many)) > len(few) and not set(np.flatnonzero(allowed[many].any(axis=0))) - set(few):
        return None
    return f"rows {error.rows} and columns {error.columns} prove nothing"


def _confined(n: int, m: int) -> Matrix:
    """Return a matrix in which three rows share two columns, against Hall's condition."""
    matrix = np.random.default_rng(10).random((n, m))
    matrix[:3, 2:] = np.inf
    return matrix


def _blocked_row(n: int) -> Matrix:
    matrix = np.ones((n, n))
    matrix[n // 2] = np.inf
    return matrix


_refuses_infeasible("infeasible", lambda: [_blocked_row(1), _blocked_row(5), _blocked_row(5).T, _confined(6, 6)])
_refuses_infeasible("infeasible-rectangular", lambda: [_confined(4, 9), _confined(4, 9).T])


@_assignment("empty")
def _empty(solver: Solver) -> Verdict:
    """Check that a problem without rows and columns is answered."""
    is_dense = "dense" in solver.capabilities.costs
    cost = DenseCost(np.empty((0, 0))) if is_dense else PointCost(np.empty((0, 2)), np.empty((0, 2)))
    case = AssignmentCase("empty", Assignment(cost), 0.0)
    return each_case(solver, [case], functools.partial(_judge, solver))
