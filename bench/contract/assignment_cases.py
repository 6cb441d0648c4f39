"""Assignment problems with a known optimum: by brute force, by construction, or from SciPy as the referee.

`ASSIGNMENT_CASES` holds the lists by name. All are seeded, small, and the same everywhere.
"""

import functools
import itertools
import math
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

import numpy as np
import scipy.sparse
from scipy.optimize import linear_sum_assignment

from lapmark.solvers.costs import DenseCost, PointCost, SparseCost
from lapmark.solvers.problem import Assignment

from .cases import Case, CaseLists, case_list

Matrix = np.ndarray
Rng = np.random.Generator


@dataclass(frozen=True)
class AssignmentCase(Case[Assignment]):
    """An assignment problem and its optimum; under a limit, the optimum of the sum of c_ij − limit."""

    @property
    def largest(self) -> float:
        """The largest finite |cost|, or |limit| where that is larger."""
        matrix = self.problem.cost.dense()
        largest = np.abs(matrix[np.isfinite(matrix)].astype(np.float64)).max(initial=0.0)
        return float(max(largest, abs(self.problem.limit or 0.0)))

    def excess(self, row_to_col: Matrix) -> float:
        """Return the cost of a matching above the optimum, without rounding; negative for a better one."""
        rows = np.flatnonzero(row_to_col >= 0)
        entries = self.problem.cost.entries(rows, row_to_col[rows])
        limits = np.full(len(rows), -(self.problem.limit or 0.0))
        excess = math.fsum([*entries, *limits, -self.optimum])
        return -excess if self.problem.maximize else excess

    def __str__(self) -> str:
        matrix = self.problem.cost.dense()
        shown = np.array2string(matrix, precision=17, threshold=64) if matrix.size <= 64 else "(too large to show)"
        limit = "" if self.problem.limit is None else f", limit {self.problem.limit!r}"
        return f"{self.label}: {matrix.shape[0]}×{matrix.shape[1]} {matrix.dtype} {shown}{limit}"


ASSIGNMENT_CASES: CaseLists[AssignmentCase] = {}

cases = functools.partial(case_list, ASSIGNMENT_CASES)


@functools.cache
def injections(n: int, m: int) -> Matrix:
    return np.array(list(itertools.permutations(range(m), n)), dtype=np.intp).reshape(-1, n)


def brute_forced(label: str, matrix: Matrix) -> AssignmentCase:
    """Return a case with the optimum over all matchings; the best 50 are summed without rounding."""
    wide = np.asarray(matrix if matrix.shape[0] <= matrix.shape[1] else matrix.T, dtype=np.float64)
    every = injections(*wide.shape)
    entries = wide[np.arange(wide.shape[0]), every]
    nearest = np.argsort(entries.sum(axis=1))[:50]
    return AssignmentCase(label, Assignment(DenseCost(matrix)), min(math.fsum(entries[k]) for k in nearest))


def refereed(label: str, problem: Assignment | Matrix) -> AssignmentCase:
    """Return a case with the optimum according to SciPy."""
    if not isinstance(problem, Assignment):
        problem = Assignment(DenseCost(problem))
    matrix = problem.cost.dense()
    rows, cols = linear_sum_assignment(matrix, problem.maximize)
    return AssignmentCase(label, problem, math.fsum(problem.cost.entries(rows, cols)))


def limited(label: str, matrix: Matrix, limit: float) -> AssignmentCase:
    """Return a case with the optimum according to SciPy, with a dummy partner at no cost for each row and column."""
    problem = Assignment(DenseCost(matrix), limit)
    assert problem.limit is not None
    n, m = matrix.shape
    padded = np.zeros((n + m, n + m))
    padded[:n, :m] = matrix - problem.limit
    rows, cols = linear_sum_assignment(padded)
    pairs = (rows < n) & (cols < m)
    entries = problem.cost.entries(rows[pairs], cols[pairs])
    return AssignmentCase(label, problem, math.fsum([*entries, *np.full(len(entries), -problem.limit)]))


def planted(label: str, rng: Rng, n: int, m: int, dtype: str) -> AssignmentCase:
    """Return a case with whole costs u_i + v_j + slack_ij, the slack 0 on one matching, which is therefore optimal."""
    if n > m:
        case = planted(label, rng, m, n, dtype)
        return AssignmentCase(label, Assignment(DenseCost(case.problem.cost.dense().T)), case.optimum)
    u = rng.integers(1000, 2000, n)
    v = rng.integers(-1000, 1, m)
    slack = rng.integers(0, 50, (n, m))
    cols = rng.permutation(m)
    slack[np.arange(n), cols[:n]] = 0
    v[cols[n:]] = 0  # the dual of a free column
    matrix = (u[:, None] + v + slack).astype(dtype)
    return AssignmentCase(label, Assignment(DenseCost(matrix)), float(u.sum() + v.sum()))


# The lists. Each needs one capability only, so that a solver takes all of it or nothing.


@cases("brute-force")
def _() -> Iterator[AssignmentCase]:
    rng = np.random.default_rng(1)
    for n in range(1, 8):
        for k in range(4):
            yield brute_forced(f"uniform {n}, {k}", rng.random((n, n)))
            yield brute_forced(f"few values {n}, {k}", rng.integers(0, 4, (n, n)).astype(np.float64))
            yield brute_forced(f"integers {n}, {k}", rng.integers(0, 100, (n, n)))


@cases("brute-force-rectangular")
def _() -> Iterator[AssignmentCase]:
    rng = np.random.default_rng(2)
    for n, m in itertools.permutations(range(1, 8), 2):
        yield brute_forced(f"uniform {n}×{m}", rng.random((n, m)))
        yield brute_forced(f"few values {n}×{m}", rng.integers(-2, 3, (n, m)).astype(np.float64))


@cases("planted")
def _() -> Iterator[AssignmentCase]:
    rng = np.random.default_rng(3)
    for n, dtype in itertools.product((50, 120, 200), ("float64", "float32", "int32")):
        yield planted(f"planted {n} {dtype}", rng, n, n, dtype)


@cases("planted-rectangular")
def _() -> Iterator[AssignmentCase]:
    rng = np.random.default_rng(4)
    for (n, m), dtype in itertools.product(((60, 150), (150, 60), (99, 100)), ("float64", "float32")):
        yield planted(f"planted {n}×{m} {dtype}", rng, n, m, dtype)


def size(rng: Rng) -> int:
    return int(rng.integers(2, 40))


def referee(name: str, count: int, draw: Callable[[Rng, int], Matrix | Assignment]) -> None:
    """Add a list of `count` random problems with SciPy as the referee."""

    @cases(f"referee-{name}")
    def _() -> Iterator[AssignmentCase]:
        rng = np.random.default_rng(5)
        for k in range(count):
            yield refereed(f"{name} {k}", draw(rng, k))


def square(rng: Rng) -> Matrix:
    n = size(rng)
    return rng.random((n, n))


def oblong(rng: Rng) -> Matrix:
    """Draw a wide or tall matrix with costs of both signs."""
    n = size(rng)
    wide = rng.normal(size=(n, n + size(rng)))
    return wide if rng.random() < 0.5 else wide.T


def integers(rng: Rng, dtype: str) -> Matrix:
    limit = min(np.iinfo(dtype).max, 100_000)
    n = size(rng)
    return rng.integers(0, limit, (n, n), endpoint=True).astype(dtype)


def forbidding(rng: Rng, matrix: Matrix) -> Matrix:
    """Forbid up to 90 % of the pairs and at least one, but none of a random matching."""
    n, m = matrix.shape
    forbidden = rng.random((n, m)) < rng.random() * 0.9
    k = min(n, m)
    rows, cols = rng.permutation(n)[:k], rng.permutation(m)[:k]
    forbidden[rows, cols] = False
    forbidden[rows[0], cols[1]] = True
    return np.where(forbidden, np.inf, matrix)


INTEGERS = ("int8", "int16", "int32", "int64", "uint8", "uint16", "uint32")
referee("float64", 60, lambda rng, k: square(rng))
referee("float32", 60, lambda rng, k: square(rng).astype(np.float32))
referee("integers", 70, lambda rng, k: integers(rng, INTEGERS[k % len(INTEGERS)]))
referee("bool", 20, lambda rng, k: square(rng) < 0.3)
referee("ties", 40, lambda rng, k: np.floor(3 * square(rng)))
referee("negative", 60, lambda rng, k: square(rng) * 200 - 100)
referee("rectangular", 70, lambda rng, k: oblong(rng))
referee("forbidden", 60, lambda rng, k: forbidding(rng, square(rng)))
referee("forbidden-rectangular", 60, lambda rng, k: forbidding(rng, oblong(rng)))


@cases("maximize")
def _() -> Iterator[AssignmentCase]:
    rng = np.random.default_rng(12)
    for k in range(30):
        matrix = square(rng) if k % 2 else rng.integers(0, 9, (7, 7))
        yield refereed(f"maximize {k}", Assignment(DenseCost(matrix), maximize=True))


@cases("limit")
def _() -> Iterator[AssignmentCase]:
    rng = np.random.default_rng(13)
    for k in range(60):
        matrix = (square, oblong)[k % 2](rng)
        if k % 3 == 0:
            matrix = np.floor(4 * matrix)
        if k % 5 == 0:
            matrix[rng.random(matrix.shape) < 0.6] = np.inf
        finite = matrix[np.isfinite(matrix)]
        limit = (rng.choice(finite), rng.normal(), finite.min() - 1, 1e12)[k % 4] if finite.size else 1.0
        yield limited(f"limit {k}", matrix, float(limit))


@cases("layouts")
def _() -> Iterator[AssignmentCase]:
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
            yield refereed(f"{label} {n}", matrix)


@cases("equal-costs")
def _() -> Iterator[AssignmentCase]:
    for n in (1, 2, 8, 60):
        for value in (0.0, 1.0, 0.1):
            yield AssignmentCase(f"all {value}", Assignment(DenseCost(np.full((n, n), value))), math.fsum([value] * n))
    x = np.repeat(np.arange(6.0), 5)
    yield refereed("five of each row and column", np.abs(x[:, None] - x[::-1]))


@cases("rank-one")
def _() -> Iterator[AssignmentCase]:
    for n in (10, 60):
        weights = np.arange(1.0, n + 1)
        yield refereed(f"i·j {n}", np.outer(weights, weights))
        yield refereed(f"i·j {n}, scaled", np.outer(weights, weights) / 7)


@cases("near-ties")
def _() -> Iterator[AssignmentCase]:
    rng = np.random.default_rng(6)
    for k in range(60):
        n = int(rng.integers(2, 7))
        twins = np.repeat(rng.random((n, 1 + n // 2)), 2, axis=1)[:, :n]
        yield brute_forced(f"columns 1e-14 apart {k}", twins + 1e-14 * rng.integers(0, 3, (n, n)))
    for k in range(20):
        yield brute_forced(f"all 1e-15 apart {k}", 1 + 1e-15 * rng.integers(0, 9, (6, 6)))


@cases("big-m")
def _() -> Iterator[AssignmentCase]:
    rng = np.random.default_rng(11)
    for k in range(20):
        n = size(rng)
        yield refereed(f"big-m {k}", np.where(rng.random((n, n)) < 0.6, 1e9, rng.random((n, n))))


def scaled(name: str, scale: float, offset: float) -> None:
    @cases(name)
    def _() -> Iterator[AssignmentCase]:
        rng = np.random.default_rng(7)
        for k in range(20):
            yield brute_forced(f"{name} {k}", rng.random((6, 6)) * scale + offset)


scaled("tiny-costs", 1e-15, 0.0)
scaled("large-costs", 1e12, 0.0)
scaled("huge-costs", 1e290, 0.0)
scaled("offset-costs", 1.0, 1e9)


@cases("points")
def _() -> Iterator[AssignmentCase]:
    for n, d in ((1, 1), (2, 2), (10, 2), (80, 2), (50, 5)):
        rng = np.random.default_rng([n, d])
        points = PointCost(rng.random((n, d)), rng.random((n, d)), p=2, scale=3.0)
        yield refereed(f"{n} points in {d} dimensions", Assignment(points))


def on_grids(name: str, fewest: int) -> None:
    """Add a list of points of the plane and the nodes of a grid, in any order, the longer side rows or columns."""

    @cases(name)
    def _() -> Iterator[AssignmentCase]:
        for k, (width, height) in enumerate(itertools.product((1, 4, 9), (1, 7))):
            rng = np.random.default_rng([width, height, fewest])
            nodes = np.stack(np.meshgrid(np.arange(width) * 0.3 - 5, np.arange(height) / 7), axis=-1).reshape(-1, 2)
            nodes = rng.permutation(nodes)
            points = rng.normal(size=(max(len(nodes) - fewest * k, 1), 2))
            for x, y in ((points, nodes), (nodes, points), (points.astype("f4"), nodes.astype("f4"))):
                yield refereed(f"{len(points)} points, {width}×{height} nodes", Assignment(PointCost(x, y, scale=2.0)))


on_grids("grid", 0)
on_grids("grid-rectangular", 2)


def listed(name: str, shapes: Iterable[tuple[int, int]]) -> None:
    """Add a list of sparse problems with whole costs, zeros among them."""

    @cases(name)
    def _() -> Iterator[AssignmentCase]:
        rng = np.random.default_rng(8)
        for shape in shapes:
            matrix = np.floor(10 * forbidding(rng, rng.random(shape)))
            pairs = np.nonzero(np.isfinite(matrix))
            stored = scipy.sparse.coo_array((matrix[pairs], pairs), shape=shape)
            yield refereed(f"{name} {shape[0]}×{shape[1]}", Assignment(SparseCost(stored)))


listed("sparse", [(2, 2), (5, 5), (40, 40)])
listed("sparse-rectangular", [(2, 5), (5, 2), (30, 50), (50, 30)])
