"""Points laid on a square grid as in `tsne-grid`, but from wherever a method that counts on even spacing fails.

n is the number of nodes. The points are drawn over the unit square in a `layout`:

- `uniform`: anywhere.
- `line`: on a line that crosses the square, where only their order along it matters.
- `near-line`: off that line by a millionth. What holds on the line holds nearly: too nearly for a test of collinearity
  that is too lenient, and for prices that tell the two sides of the line apart.
- `lattice`: in the middles of 30 × 30 cells, many in each.
- `clusters`: one in a hundred anywhere, the others tightly in two places: whole neighbourhoods of nodes are far from
  every point, and the points that have to go there are told apart by little.

`distinct` draws the points, with repetition, from that many of the layout, and `share` leaves nodes over.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

import numpy as np

from lapmark.bench.problems import FloatType, family
from lapmark.bench.problems.applied.square_grid import matched_to_nodes, side
from lapmark.solvers import Assignment

Layout = Literal["uniform", "line", "near-line", "lattice", "clusters"]

#: Cells along a side of the lattice.
CELLS = 30

#: Standard deviations, in units of the square's side, around the line and around a cluster's centre.
OFF_LINE, CLUSTER_SIZE = 1e-6, 0.01

OUTLIERS = 0.01

CENTRES = np.array([[0.25, 0.3], [0.7, 0.6]])


@family(
    "grid",
    source="made for this benchmark: the inputs that slow down or mislead methods for points on a grid",
    sizes=(256, 784, 1764),
    variants=(
        {"layout": "uniform"},
        {"distinct": 500},
        {"distinct": 20},
        {"distinct": 1},
        {"layout": "line"},
        {"layout": "near-line"},
        {"layout": "lattice"},
        {"layout": "clusters"},
        {"share": 0.9},
    ),
)
def build(
    n: int,
    seed: int = 0,
    layout: Layout = "uniform",
    distinct: int = 0,
    share: float = 1,
    rows: Literal["points", "nodes"] = "points",
    cost: Literal["points", "dense"] = "points",
    dtype: FloatType = "float32",
) -> Assignment:
    """The problem.

    Parameters
    ----------
    n : int
        Number of nodes; a square.
    seed : int
    layout : {"uniform", "line", "near-line", "lattice", "clusters"}
    distinct : int
        Number of places that the points are drawn from; 0: each has its own.
    share : float
        Number of points over that of nodes, rounded down; above 0 and at most 1.
    rows : {"points", "nodes"}
        What the rows are.
    cost : {"points", "dense"}
        The points alone, in float64, or a matrix of `dtype`; squared distances, scaled as in `tsne-grid`.
    dtype : {"float32", "float64"}
    """
    k = side(n)
    if not 0 < share <= 1:
        raise ValueError(f"share = {share}; points fill a part of the nodes, above 0 and at most 1")
    if distinct < 0:
        raise ValueError(f"distinct = {distinct}; give a number of places, or 0 for as many as points")
    count, rng = max(int(share * n), 1), np.random.default_rng(seed)
    points = LAYOUTS[layout](distinct or count, rng)
    if distinct:
        points = points[rng.integers(distinct, size=count)]
    return matched_to_nodes(points, k, rows, cost, dtype)


def uniform(count: int, rng: np.random.Generator) -> np.ndarray:
    return rng.random((count, 2))


def line(count: int, rng: np.random.Generator) -> np.ndarray:
    along = rng.random(count)
    return np.column_stack([along, 0.25 + along / 2])


def near_line(count: int, rng: np.random.Generator) -> np.ndarray:
    return line(count, rng) + OFF_LINE * rng.standard_normal((count, 2))


def lattice(count: int, rng: np.random.Generator) -> np.ndarray:
    return (rng.integers(CELLS, size=(count, 2)) + 0.5) / CELLS


def clusters(count: int, rng: np.random.Generator) -> np.ndarray:
    points = CENTRES[rng.integers(len(CENTRES), size=count)] + CLUSTER_SIZE * rng.standard_normal((count, 2))
    outliers = rng.random(count) < OUTLIERS
    points[outliers] = uniform(int(outliers.sum()), rng)
    return points


#: How each layout draws (count, 2) points.
LAYOUTS: dict[Layout, Callable[[int, np.random.Generator], np.ndarray]] = {
    "uniform": uniform,
    "line": line,
    "near-line": near_line,
    "lattice": lattice,
    "clusters": clusters,
}
