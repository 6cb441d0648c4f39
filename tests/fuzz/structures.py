"""Costs of random structure: what an attacker would try against a solver that guesses what costs are like."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import scipy.sparse

from lapmark import DenseCost, PointCost, SparseCost
from lapmark.solvers.costs import Cost

Rng = np.random.Generator


def _marks(rng: Rng, k: int) -> np.ndarray:
    """Numbers (k,) on a line: spread in one way or another, perhaps whole, perhaps with some that are equal."""
    marks = {
        "normal": rng.normal,
        "even": rng.random,
        "heavy": lambda size: rng.standard_cauchy(size),
        "clumps": lambda size: rng.integers(0, 5, size) + 0.01 * rng.normal(size=size),
        "ranks": lambda size: rng.permutation(size).astype(float),
        "times": lambda size: np.cumsum(rng.exponential(size=size)),
    }
    drawn = marks[str(rng.choice(list(marks)))](size=k)
    return np.rint(drawn * rng.choice([10, 1000])) if rng.random() < 0.3 else drawn


def _points(rng: Rng, k: int, d: int) -> np.ndarray:
    """Points (k, d): alone, in clusters, on a lattice, near a line, or some far out."""
    kind = str(rng.choice(["even", "normal", "clusters", "lattice", "near a line", "outliers", "sphere"]))
    if kind == "clusters":
        return 10 * rng.normal(size=(6, d))[rng.integers(0, 6, k)] + rng.normal(size=(k, d))
    if kind == "lattice":
        return rng.integers(0, max(2, round(k ** (1 / d))), (k, d)).astype(float)
    if kind == "near a line":
        return rng.normal(size=(k, 1)) * rng.normal(size=d) + 10.0 ** rng.uniform(-8, -1) * rng.normal(size=(k, d))
    drawn = rng.random((k, d)) if kind == "even" else rng.normal(size=(k, d))
    if kind == "outliers":
        drawn[rng.random(k) < 0.02] *= 10.0 ** rng.uniform(1, 4)
    if kind == "sphere":
        drawn /= np.linalg.norm(drawn, axis=1, keepdims=True)
    return drawn


def _apart(rng: Rng, n: int, m: int, metric: str, power: float = 1.0) -> np.ndarray:
    from scipy.spatial.distance import cdist

    d = int(rng.integers(1, 6))
    return cdist(_points(rng, n, d), _points(rng, m, d), metric) ** power


def _differences(rng: Rng, n: int, m: int) -> np.ndarray:
    return np.abs(np.subtract.outer(_marks(rng, n), _marks(rng, m)))


def _hamming(rng: Rng, n: int, m: int) -> np.ndarray:
    words, others = rng.integers(0, 2, (n, 1, 12)), rng.integers(0, 2, (m, 12))
    return np.count_nonzero(words != others, axis=2).astype(float)


def _circle(rng: Rng, n: int, m: int) -> np.ndarray:
    apart = np.abs(rng.random(n)[:, None] - rng.random(m))
    return np.minimum(apart, 1 - apart) ** rng.choice([0.5, 1, 2])


def _layers(rng: Rng, n: int, m: int) -> np.ndarray:
    """Cheap only from each layer to itself and the next, as in tracking or scheduling."""
    layers = int(rng.integers(2, 10))
    step = rng.integers(0, layers, m) - rng.integers(0, layers, n)[:, None]
    return np.where((step == 0) | (step == 1), rng.random((n, m)), 10 + rng.random((n, m)))


def _tree(rng: Rng, n: int, m: int) -> np.ndarray:
    """Distances between leaves of a tree of many levels: by how deep two of them part."""
    depth = int(rng.integers(3, 10))
    x, y = (rng.integers(0, 2**depth, k) for k in (n, m))
    parted = np.bitwise_xor(x[:, None], y)
    return np.frexp(parted.astype(float))[1].astype(float) ** rng.choice([1, 2, 4])


#: Matrices (n, m) by name, from (generator, n, m).
BASES: dict[str, Callable[[Rng, int, int], np.ndarray]] = {
    "uniform": lambda rng, n, m: rng.random((n, m)),
    "whole": lambda rng, n, m: rng.integers(0, 10 ** int(rng.integers(1, 6)), (n, m)).astype(float),
    "line": lambda rng, n, m: _differences(rng, n, m) ** rng.choice([0.5, 1, 1.5, 2, 3]),
    "line, one side whole": lambda rng, n, m: np.abs(np.subtract.outer(rng.integers(0, n, n), n * rng.random(m))),
    "circle": _circle,
    "euclidean": lambda rng, n, m: _apart(rng, n, m, "euclidean", rng.choice([0.5, 1, 2, 4])),
    "cityblock": lambda rng, n, m: _apart(rng, n, m, "cityblock"),
    "chebyshev": lambda rng, n, m: _apart(rng, n, m, "chebyshev"),
    "hamming": _hamming,
    "product": lambda rng, n, m: np.outer(_marks(rng, n), _marks(rng, m)),
    "machol-wien": lambda rng, n, m: np.outer(np.arange(1.0, n + 1), np.arange(1.0, m + 1)),
    "low rank": lambda rng, n, m: rng.normal(size=(n, 3)) @ rng.normal(size=(3, m)),
    "sum": lambda rng, n, m: np.add.outer(_marks(rng, n), _marks(rng, m)),
    "larger": lambda rng, n, m: np.maximum.outer(_marks(rng, n), _marks(rng, m)),
    "difference, one way": lambda rng, n, m: np.maximum(np.subtract.outer(_marks(rng, n), _marks(rng, m)), 0),
    "layers": _layers,
    "tree": _tree,
    "heavy": lambda rng, n, m: rng.pareto(1, (n, m)),
    "lognormal": lambda rng, n, m: np.exp(rng.uniform(1, 6) * rng.normal(size=(n, m))),
    "two values": lambda rng, n, m: (rng.random((n, m)) < rng.uniform(0.01, 0.99)).astype(float),
    "rare": lambda rng, n, m: np.where(rng.random((n, m)) < 3 / min(n, m), rng.random((n, m)), 1.0),
    "few rows": lambda rng, n, m: rng.random((max(2, n // 20), m))[rng.integers(0, max(2, n // 20), n)],
}  # fmt: skip


def _compose(rng: Rng, n: int, m: int, depth: int) -> tuple[str, np.ndarray]:
    """A base, or what two of them make together."""
    if depth == 0 or rng.random() < 0.4:
        name = str(rng.choice(list(BASES)))
        return name, BASES[name](rng, n, m)
    (one, first), (other, second) = (_compose(rng, n, m, depth - 1) for _ in range(2))
    first, second = (each / (np.abs(each).max() or 1.0) for each in (first, second))
    how = str(rng.choice(["+", "−", "·", "min", "max", "blocks", "trace"]))
    if how == "blocks":
        part = rng.random(n)[:, None] < 0.5, rng.random(m) < 0.5
        return f"blocks({one}, {other})", np.where(part[0] == part[1], first, second + rng.choice([0, 1]))
    if how == "trace":
        return f"{one} + traces of {other}", first + 10.0 ** rng.uniform(-12, -2) * second
    joined = {"+": np.add, "−": np.subtract, "·": np.multiply, "min": np.minimum, "max": np.maximum}[how]
    return f"({one} {how} {other})", joined(first, second)


def draw_dense(rng: Rng, n: int, m: int) -> tuple[str, Cost]:
    """A matrix, in words and as a cost."""
    name, matrix = _compose(rng, n, m, 2)
    twist = rng.random()
    if twist < 0.1:
        noise = 10.0 ** rng.uniform(-12, -1) * np.abs(matrix).max()
        matrix, name = matrix + noise * rng.random((n, m)), f"{name}, noise"
    elif twist < 0.2:
        matrix, name = np.rint(matrix / (np.abs(matrix).max() or 1.0) * 10 ** rng.uniform(1, 5)), f"{name}, whole"
    elif twist < 0.25:
        matrix, name = matrix.astype(np.float32), f"{name}, float32"
    elif twist < 0.3:
        matrix, name = np.where(rng.random((n, m)) < 0.02, 1e6 * (np.abs(matrix).max() + 1), matrix), f"{name}, never"
    elif twist < 0.35:
        matrix, name = matrix + 1e3 * np.add.outer(rng.random(n), rng.random(m)), f"{name}, shifted"
    if rng.random() < 0.5:  # a generator may leave an order that no user has
        matrix = matrix[rng.permutation(n)][:, rng.permutation(m)]
    return name, DenseCost(np.ascontiguousarray(matrix))


def draw_points(rng: Rng, n: int, m: int) -> tuple[str, Cost]:
    d = int(rng.integers(1, 5))
    x, y = (_marks(rng, k)[:, None] if d == 1 else _points(rng, k, d) for k in (n, m))
    p = float(rng.choice([0.5, 1, 1.5, 2, 3]))
    with np.errstate(over="ignore"):
        return f"points in {d} dimensions, p = {p:g}", PointCost(x, y, p)


def draw_sparse(rng: Rng, n: int, m: int) -> tuple[str, Cost]:
    """A graph with a complete matching."""
    n, m = min(n, m), max(n, m)
    kind = str(rng.choice(["band", "random", "layers", "tree", "near", "blocks"]))
    rows, own = np.arange(n), np.arange(n)
    if kind == "band":
        width = int(rng.integers(1, 6))
        more = [(rows, np.clip(rows + step, 0, m - 1)) for step in range(-width, width + 1)]
    elif kind == "layers":
        more = [(rows, (rows + n // 10 + rng.integers(0, 5, n)) % m) for _ in range(4)]
    elif kind == "tree":
        more = [(rows, rows // 2), (rows, np.minimum(2 * rows + 1, m - 1))]
    elif kind == "near":
        where = np.sort(rng.random(n)), np.sort(rng.random(m))
        near = np.searchsorted(where[1], where[0])
        more = [(rows, np.clip(near + step, 0, m - 1)) for step in range(-3, 4)]
    elif kind == "blocks":
        more = [(rows, np.minimum(rows // 20 * 20 + rng.integers(0, 20, n), m - 1)) for _ in range(6)]
    else:
        more = [(rows, rng.integers(0, m, n)) for _ in range(int(rng.integers(1, 12)))]
    i, j = (np.concatenate(each) for each in zip((rows, own), *more, strict=True))
    places = np.unique(i * m + j)
    i, j = places // m, places % m
    cost = str(rng.choice(["uniform", "whole", "equal", "apart", "heavy"]))
    values = {
        "uniform": rng.random(len(i)),
        "whole": rng.integers(0, 10, len(i)).astype(float),
        "equal": np.ones(len(i)),
        "apart": np.abs(i / n - j / m),
        "heavy": rng.pareto(1, len(i)),
    }[cost]
    order = rng.permutation(n), rng.permutation(m)
    if rng.random() < 0.5:
        i, j = order[0][i], order[1][j]
    csr = scipy.sparse.csr_array((values, (i, j)), shape=(n, m))
    return f"sparse {kind}, {cost}", SparseCost(csr)


def draw_structure(rng: Rng, least: int, most: int) -> tuple[str, Cost]:
    """Return what the cost is, in words, and the cost, of `least` to `most` rows."""
    n = round(float(np.exp(rng.uniform(np.log(least), np.log(most)))))
    shape = rng.random()
    m = n if shape < 0.6 else n + int(rng.integers(1, n + 1)) if shape < 0.8 else max(1, round(n * rng.random()))
    m = min(m, most)
    kind = rng.random()
    return (draw_dense if kind < 0.7 else draw_points if kind < 0.85 else draw_sparse)(rng, n, m)
