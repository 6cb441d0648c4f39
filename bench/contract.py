"""What every solver must do, whoever wrote it: its claims held against answers that are known otherwise.

A check is a function of a solver. It raises `Broken`, with the input, where the solver breaks a promise of its
capabilities, and returns what it could try: `Verdict(ran, refused)`. A refusal is never a pass; a caller shows it as
skipped. Exact solvers must meet the optimum up to the rounding of float64, the others only answer with a matching.

The inputs are small and seeded: a benchmark this is not, and a solver that passes may still be slow.
"""

from __future__ import annotations

import functools
import itertools
import math
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field

import numpy as np
import scipy.sparse
from scipy.optimize import linear_sum_assignment, linprog

from solvers.certificate import certify
from solvers.problem import Assignment, DenseCost, Infeasible, PointCost, SparseCost, Transport, Unsupported
from solvers.registry import Solver, get, solve
from solvers.result import Matching, Plan

#: An exact solver may miss the optimum by this many rounding units of the largest cost for each matched pair.
ROUNDING = 4 * float(np.finfo(np.float64).eps)

#: Duals may be this far from feasible and tight, relative to the largest cost.
DUAL_ERROR = 1e-9

Matrix = np.ndarray
Rng = np.random.Generator


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


@dataclass(frozen=True)
class Case:
    """A problem whose optimum is known."""

    label: str
    problem: Assignment
    optimum: float


Check = Callable[[Solver], Verdict]
CHECKS: dict[str, Check] = {}


def check(solver: str, name: str) -> Verdict:
    """Run one check of `CHECKS` on a registered solver."""
    return CHECKS[name](get(solver))


def _check(name: str) -> Callable[[Check], Check]:
    def add(function: Check) -> Check:
        CHECKS[name] = function
        return function

    return add


def _cases(name: str) -> Callable[[Callable[[], Iterable[Case]]], None]:
    """Make a check of a list of cases: every answer must be a matching, and an optimal one if the solver is exact."""

    def add(build: Callable[[], Iterable[Case]]) -> None:
        built = functools.cache(lambda: tuple(build()))

        def run(solver: Solver) -> Verdict:
            # Whoever is not exact promises a matching only, and is often slow: a sample shows that.
            cases = built() if solver.capabilities.exact else built()[::6]
            return _each(solver, cases, lambda case, answer: _judge(solver, case, answer))

        CHECKS[name] = run

    return add


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
            raise Broken(f"{_show(case)}\nraises {type(error).__name__}: {error}") from error
        judge(case, answer)
        ran += 1
    return Verdict(ran, refused)


def _judge(solver: Solver, case: Case, answer: Matching) -> None:
    certificate = certify(case.problem, answer)
    if not certificate.valid:
        raise Broken(f"{_show(case)}\nanswer is invalid: {certificate.fault}")
    rows = np.flatnonzero(answer.row_to_col >= 0)
    entries = case.problem.cost.entries(rows, answer.row_to_col[rows])
    excess = math.fsum([*entries, -case.optimum])
    allowed = ROUNDING * len(rows) * _largest(case.problem)
    if excess < -allowed:
        raise AssertionError(f"{_show(case)}\ncosts less than the optimum: the check is wrong, not the solver")
    if solver.capabilities.exact and excess > allowed:
        raise Broken(
            f"{_show(case)}\nanswer {answer.row_to_col} costs {excess:.6g} more than the optimum, {case.optimum!r}"
        )


def _largest(problem: Assignment) -> float:
    matrix = problem.cost.dense()
    return float(np.abs(matrix[np.isfinite(matrix)].astype(np.float64)).max(initial=0.0))


def _show(case: Case) -> str:
    matrix = case.problem.cost.dense()
    shown = np.array2string(matrix, precision=17, threshold=64) if matrix.size <= 64 else "too large to show"
    return f"{case.label}: {matrix.shape[0]}×{matrix.shape[1]} {matrix.dtype} {shown}"


# Known optima.


@functools.cache
def _injections(n: int, m: int) -> Matrix:
    return np.array(list(itertools.permutations(range(m), n)), dtype=np.intp).reshape(-1, n)


def _brute(label: str, matrix: Matrix) -> Case:
    """The optimum over all matchings; the best few are summed without rounding."""
    wide = np.asarray(matrix if matrix.shape[0] <= matrix.shape[1] else matrix.T, dtype=np.float64)
    every = _injections(*wide.shape)
    entries = wide[np.arange(wide.shape[0]), every]
    nearest = np.argsort(entries.sum(axis=1))[:50]
    return Case(label, Assignment(DenseCost(matrix)), min(math.fsum(entries[k]) for k in nearest))


def _refereed(label: str, problem: Assignment | Matrix) -> Case:
    """The optimum according to SciPy."""
    if not isinstance(problem, Assignment):
        problem = Assignment(DenseCost(problem))
    matrix = problem.cost.dense()
    rows, cols = linear_sum_assignment(matrix)
    return Case(label, problem, math.fsum(problem.cost.entries(rows, cols)))


def _planted(label: str, rng: Rng, n: int, m: int, dtype: str) -> Case:
    """Costs u_i + v_j + slack_ij of whole numbers, the slack 0 on one matching: optimal by construction."""
    if n > m:
        case = _planted(label, rng, m, n, dtype)
        return Case(label, Assignment(DenseCost(case.problem.cost.dense().T)), case.optimum)
    u = rng.integers(1000, 2000, n)
    v = rng.integers(-1000, 1, m)
    slack = rng.integers(0, 50, (n, m))
    cols = rng.permutation(m)
    slack[np.arange(n), cols[:n]] = 0
    v[cols[n:]] = 0  # what a free column must have
    matrix = (u[:, None] + v + slack).astype(dtype)
    return Case(label, Assignment(DenseCost(matrix)), float(u.sum() + v.sum()))


# Checks by cases. Each list keeps to one capability, so that it is refused as a whole or not at all.


@_cases("brute-force")
def _() -> Iterator[Case]:
    rng = np.random.default_rng(1)
    for n in range(1, 8):
        for k in range(4):
            yield _brute(f"uniform {n}, {k}", rng.random((n, n)))
            yield _brute(f"few values {n}, {k}", rng.integers(0, 4, (n, n)).astype(np.float64))
            yield _brute(f"integers {n}, {k}", rng.integers(0, 100, (n, n)))


@_cases("brute-force-rectangular")
def _() -> Iterator[Case]:
    rng = np.random.default_rng(2)
    for n, m in itertools.permutations(range(1, 8), 2):
        yield _brute(f"uniform {n}×{m}", rng.random((n, m)))
        yield _brute(f"few values {n}×{m}", rng.integers(-2, 3, (n, m)).astype(np.float64))


@_cases("planted")
def _() -> Iterator[Case]:
    rng = np.random.default_rng(3)
    for n, dtype in itertools.product((50, 120, 200), ("float64", "float32", "int32")):
        yield _planted(f"planted {n} {dtype}", rng, n, n, dtype)


@_cases("planted-rectangular")
def _() -> Iterator[Case]:
    rng = np.random.default_rng(4)
    for (n, m), dtype in itertools.product(((60, 150), (150, 60), (99, 100)), ("float64", "float32")):
        yield _planted(f"planted {n}×{m} {dtype}", rng, n, m, dtype)


def _size(rng: Rng) -> int:
    return int(rng.integers(2, 40))


def _referee(name: str, count: int, draw: Callable[[Rng, int], Matrix | Assignment]) -> None:
    """A check of `count` random problems against SciPy."""

    @_cases(f"referee-{name}")
    def _() -> Iterator[Case]:
        rng = np.random.default_rng(5)
        for k in range(count):
            yield _refereed(f"{name} {k}", draw(rng, k))


def _square(rng: Rng) -> Matrix:
    n = _size(rng)
    return rng.random((n, n))


def _integers(rng: Rng, dtype: str) -> Matrix:
    limit = min(np.iinfo(dtype).max, 100_000)
    n = _size(rng)
    return rng.integers(0, limit, (n, n), endpoint=True).astype(dtype)


def _forbidding(rng: Rng, matrix: Matrix) -> Matrix:
    """Forbid up to nine pairs in ten, at least one, and none of one matching."""
    n, m = matrix.shape
    forbidden = rng.random((n, m)) < rng.random() * 0.9
    k = min(n, m)
    rows, cols = rng.permutation(n)[:k], rng.permutation(m)[:k]
    forbidden[rows, cols] = False
    forbidden[rows[0], cols[1]] = True
    return np.where(forbidden, np.inf, matrix)


INTEGERS = ("int8", "int16", "int32", "int64", "uint8", "uint16", "uint32")
_referee("float64", 60, lambda rng, k: _square(rng))
_referee("float32", 60, lambda rng, k: _square(rng).astype(np.float32))
_referee("integers", 70, lambda rng, k: _integers(rng, INTEGERS[k % len(INTEGERS)]))
_referee("bool", 20, lambda rng, k: _square(rng) < 0.3)
_referee("ties", 40, lambda rng, k: np.floor(3 * _square(rng)))
_referee("negative", 60, lambda rng, k: _square(rng) * 200 - 100)
_referee("rectangular", 70, lambda rng, k: rng.normal(size=(_size(rng), _size(rng))))
_referee("forbidden", 60, lambda rng, k: _forbidding(rng, _square(rng)))
_referee("forbidden-rectangular", 60, lambda rng, k: _forbidding(rng, rng.normal(size=(_size(rng), _size(rng)))))


@_cases("layouts")
def _() -> Iterator[Case]:
    for n, seed in ((7, 0), (30, 1)):
        base = np.random.default_rng(seed).random((3 * n, 3 * n))
        frozen = base[:n, :n].copy()
        frozen.flags.writeable = False
        unaligned = np.frombuffer(b"." + frozen.tobytes(), dtype=np.float64, offset=1).reshape(n, n)
        layouts = {
            "Fortran order": np.asfortranarray(frozen),
            "strided": base[::3, ::3],
            "negative strides": base[n - 1 :: -1, n - 1 :: -1],
            "transposed": base[:n, :n].T,
            "read-only": frozen,
            "broadcast": np.broadcast_to(base[0, :n], (n, n)),
            "big-endian": frozen.astype(">f8"),
            "unaligned": unaligned,
        }
        for label, matrix in layouts.items():
            yield _refereed(f"{label} {n}", matrix)


@_cases("equal-costs")
def _() -> Iterator[Case]:
    for n in (1, 2, 8, 60):
        for value in (0.0, 1.0, 0.1):
            yield Case(f"all {value}", Assignment(DenseCost(np.full((n, n), value))), math.fsum([value] * n))
    x = np.repeat(np.arange(6.0), 5)
    yield _refereed("five of each row and column", np.abs(x[:, None] - x[::-1]))


@_cases("rank-one")
def _() -> Iterator[Case]:
    for n in (10, 60):
        weights = np.arange(1.0, n + 1)
        yield _refereed(f"i·j {n}", np.outer(weights, weights))
        yield _refereed(f"i·j {n}, scaled", np.outer(weights, weights) / 7)


@_cases("near-ties")
def _() -> Iterator[Case]:
    rng = np.random.default_rng(6)
    for k in range(60):
        n = int(rng.integers(2, 7))
        twins = np.repeat(rng.random((n, 1 + n // 2)), 2, axis=1)[:, :n]
        yield _brute(f"columns 1e-14 apart {k}", twins + 1e-14 * rng.integers(0, 3, (n, n)))
    for k in range(20):
        yield _brute(f"all 1e-15 apart {k}", 1 + 1e-15 * rng.integers(0, 9, (6, 6)))


@_cases("big-m")
def _() -> Iterator[Case]:
    rng = np.random.default_rng(11)
    for k in range(20):
        n = _size(rng)
        yield _refereed(f"big-m {k}", np.where(rng.random((n, n)) < 0.6, 1e9, rng.random((n, n))))


def _scaled(name: str, scale: float, offset: float) -> None:
    @_cases(name)
    def _() -> Iterator[Case]:
        rng = np.random.default_rng(7)
        for k in range(20):
            yield _brute(f"{name} {k}", rng.random((6, 6)) * scale + offset)


_scaled("tiny-costs", 1e-15, 0.0)
_scaled("large-costs", 1e12, 0.0)
_scaled("huge-costs", 1e290, 0.0)
_scaled("offset-costs", 1.0, 1e9)


@_cases("points")
def _() -> Iterator[Case]:
    for n, d in ((1, 1), (2, 2), (10, 2), (80, 2), (50, 5)):
        rng = np.random.default_rng([n, d])
        points = PointCost(rng.random((n, d)), rng.random((n, d)), p=2, scale=3.0)
        yield _refereed(f"{n} points in {d} dimensions", Assignment(points))


@_cases("sparse")
def _() -> Iterator[Case]:
    rng = np.random.default_rng(8)
    for n in (2, 5, 40):
        matrix = np.floor(10 * _forbidding(rng, rng.random((n, n))))
        pairs = np.nonzero(np.isfinite(matrix))
        stored = scipy.sparse.coo_array((matrix[pairs], pairs), shape=matrix.shape)
        yield _refereed(f"sparse {n}", Assignment(SparseCost(stored)))


# Checks of something else than the cost.


def _plain(solver: Solver, n: int, seed: int) -> Case:
    """A square problem that any solver takes, as a matrix if it can."""
    rng = np.random.default_rng([seed, n])
    points = PointCost(rng.random((n, 2)), rng.random((n, 2)))
    cost = DenseCost(points.dense()) if "dense" in solver.capabilities.costs else points
    return _refereed(f"plane {n}, {seed}", Assignment(cost))


@_check("certificate")
def _certificate(solver: Solver) -> Verdict:
    """An exact answer meets a lower bound that is proven without it; any other has a finite gap."""

    def judge(case: Case, answer: Matching) -> None:
        bound = certify(case.problem, solve(case.problem, "jv")).dual_bound
        certificate = certify(case.problem, answer, bound)
        if solver.capabilities.exact and not certificate.optimal:
            raise Broken(f"{_show(case)}\nthe certificate finds a relative gap of {certificate.gap:.3g}")
        if not (certificate.valid and np.isfinite(certificate.gap)):
            raise Broken(f"{_show(case)}\nthe certificate finds no gap: {certificate}")

    return _each(solver, [_plain(solver, n, seed) for n in (2, 30, 90) for seed in range(3)], judge)


def _duals(name: str, build: Callable[[Rng], Matrix]) -> None:
    @_check(name)
    def run(solver: Solver) -> Verdict:
        """The duals are feasible, tight on the matching, and 0 on what a rectangular problem leaves free."""

        def judge(case: Case, answer: Matching) -> None:
            matrix = case.problem.cost.dense()
            allowed = DUAL_ERROR * _largest(case.problem)
            u, v = answer.u, answer.v
            if u is None or v is None:
                raise Broken(f"{_show(case)}\nno duals, though its capabilities promise them")
            if not u.dtype == v.dtype == np.float64:
                raise Broken(f"{_show(case)}\nduals are {u.dtype} and {v.dtype}, not float64")
            certificate = certify(case.problem, answer)
            if not certificate.valid or not certificate.max_violation <= allowed:
                raise Broken(f"{_show(case)}\nduals are not feasible: {certificate}")
            rows = np.flatnonzero(answer.row_to_col >= 0)
            cols = answer.row_to_col[rows]
            slack = np.abs(matrix[rows, cols] - u[rows] - v[cols]).max(initial=0.0)
            free = np.abs(np.concatenate([np.delete(u, rows), np.delete(v, cols)])).max(initial=0.0)
            if slack > allowed or free > allowed:
                raise Broken(f"{_show(case)}\nduals are off by {slack:.3g} on the matching, {free:.3g} on what is free")

        if not solver.capabilities.duals:
            return Verdict(0, Counter({"claims no duals": 1}))
        rng = np.random.default_rng(9)
        return _each(solver, [_refereed(f"{name} {k}", build(rng)) for k in range(30)], judge)


_duals("duals", _square)
_duals("duals-rectangular", lambda rng: rng.normal(size=(_size(rng), _size(rng))))


@_check("untouched")
def _untouched(solver: Solver) -> Verdict:
    """The input is as it was, even where it could be written to."""
    case = _plain(solver, 25, 0)
    cost = case.problem.cost
    arrays = [cost.x, cost.y] if isinstance(cost, PointCost) else [cost.dense()]
    before = [array.copy() for array in arrays]

    def judge(case: Case, answer: Matching) -> None:
        if not all(np.array_equal(array, copy) for array, copy in zip(arrays, before, strict=True)):
            raise Broken(f"{_show(case)}\nthe solver wrote to its input")

    return _each(solver, [case], judge)


@_check("repeatable")
def _repeatable(solver: Solver) -> Verdict:
    """The same answer, duals and counters from run to run."""

    def judge(case: Case, answer: Matching) -> None:
        again = solve(case.problem, solver.name)
        for name in ("row_to_col", "u", "v"):
            if not np.array_equal(getattr(answer, name), getattr(again, name)):
                raise Broken(f"{_show(case)}\n{name} differs from run to run")
        if answer.counters != again.counters:
            raise Broken(f"{_show(case)}\ncounters differ from run to run: {answer.counters}, {again.counters}")

    return _each(solver, [_plain(solver, n, 1) for n in (5, 60)], judge)


def _refuses_infeasible(name: str, matrices: Callable[[], Iterable[Matrix]]) -> None:
    @_check(name)
    def run(solver: Solver) -> Verdict:
        """A problem without a matching of finite cost raises Infeasible."""
        ran, refused = 0, Counter[str]()
        for matrix in matrices():
            case = Case(name, Assignment(DenseCost(matrix)), np.inf)
            try:
                answer = solve(case.problem, solver.name)
            except Infeasible:
                ran += 1
            except Unsupported as refusal:
                refused[str(refusal)] += 1
            except Exception as error:
                raise Broken(f"{_show(case)}\nis infeasible, but raises {type(error).__name__}: {error}") from error
            else:
                raise Broken(f"{_show(case)}\nis infeasible, but was answered with {answer.row_to_col}")
        return Verdict(ran, refused)


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


@_check("empty")
def _empty(solver: Solver) -> Verdict:
    """Nothing to match is an answer."""
    return _each(
        solver,
        [Case("empty", Assignment(DenseCost(np.empty((0, 0)))), 0.0)]
        if "dense" in solver.capabilities.costs
        else [Case("empty", Assignment(PointCost(np.empty((0, 2)), np.empty((0, 2)))), 0.0)],
        lambda case, answer: _judge(solver, case, answer),
    )


@_check("transport")
def _transport(solver: Solver) -> Verdict:
    """A plan meets its marginals as well as it says, and an exact one costs what the linear programme does."""
    ran, refused = 0, Counter[str]()
    for n, m in ((1, 1), (5, 5), (12, 9)):
        rng = np.random.default_rng([n, m])
        a, b = rng.random(n), rng.random(m)
        masses = [(None, None), (a / a.sum(), b / b.sum())]
        for (mass_a, mass_b), dtype in itertools.product(masses, ("float64", "float32")):
            matrix = rng.random((n, m)).astype(dtype)
            blur = 0.0 if solver.capabilities.exact else 0.05
            problem = Transport(DenseCost(matrix), mass_a, mass_b, blur=blur)
            try:
                plan = solve(problem, solver.name)
            except Unsupported as refusal:
                refused[str(refusal)] += 1
                continue
            _judge_plan(solver, problem, plan)
            ran += 1
    return Verdict(ran, refused)


def _judge_plan(solver: Solver, problem: Transport, plan: Plan) -> None:
    label = f"transport {problem.shape[0]}×{problem.shape[1]} {problem.cost.dtype}"
    certificate = certify(problem, plan)
    if not certificate.valid:
        raise Broken(f"{label}: the plan is invalid: {certificate.fault}")
    if plan.marginal_error > 1e-2:
        raise Broken(f"{label}: the plan misses its marginals by {plan.marginal_error:.3g} of the mass")
    matrix = problem.cost.dense().astype(np.float64)
    n, m = matrix.shape
    marginals = np.vstack([np.kron(np.eye(n), np.ones(m)), np.kron(np.ones(n), np.eye(m))])
    optimum = linprog(matrix.ravel(), A_eq=marginals, b_eq=np.concatenate([problem.a, problem.b])).fun
    if solver.capabilities.exact and not plan.cost <= optimum + 1e-9:
        raise Broken(f"{label}: the plan costs {plan.cost:.12g}, the optimum is {optimum:.12g}")
