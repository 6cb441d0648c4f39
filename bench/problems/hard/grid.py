"""Points laid on a square grid as in `tsne-grid`, in layouts on which methods that assume even spacing fail.

n is the number of nodes. The setting `layout` places the points in the unit square:

- `uniform`: at random.
- `line`: on a line across the square, so that only their order along it matters.
- `near-line`: within about a millionth of that line. This misleads lenient tests of collinearity, and the small
distances
  to the line need precise prices.
- `lattice`: in the middles of 30 × 30 cells, many in each.
- `clusters`: one in a hundred at random, the others in two tight clusters, so that large regions of the grid are far
  from every point, and the points that go there have nearly equal costs.

`distinct` draws the points, with repetition, from that many places of the layout; `share` below 1 leaves nodes empty.
"""

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
    source="made for this benchmark: inputs that slow down or mislead methods for points on a grid",
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
    """Build the problem.

    Parameters
    ----------
    n : int
        Number of nodes; a square.
    layout : {"uniform", "line", "near-line", "lattice", "clusters"}
    distinct : int
        Number of places that the points are drawn from; 0 gives each point its own.
    share : float
        Number of points relative to nodes, above 0 and at most 1; their product with n is rounded down.
    rows : {"points", "nodes"}
        What the rows are.
    cost : {"points", "dense"}
        The points alone, in float64, or a matrix of `dtype`; squared distances, scaled as in `tsne-grid`.
    """
    k = side(n)
    if not 0 < share <= 1:
        raise ValueError(f"share = {share}; it must be above 0 and at most 1")
    if distinct < 0:
        raise ValueError(f"distinct = {distinct}; give a number of places, or 0 for one per point")
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


#: Functions that draw (count, 2) points, by layout.
LAYOUTS: dict[Layout, Callable[[int, np.random.Generator], np.ndarray]] = {
    "uniform": uniform,
    "line": line,
    "near-line": near_line,
    "lattice": lattice,
    "clusters": clusters,
}
