"""Few distinct rows, or rows and columns, each repeated many times, as in quantised data.

Copies tie everywhere, so that many of them compete for the same column. The setting `of` says what is repeated:

- `points`: both sides are drawn from the same few points of the unit square, at squared distance. Many costs are 0.
- `rows`: each row is one of a few random rows; no two columns are equal.
- `blocks`: rows and columns belong to a few classes, which alone determine the cost: up to order, the matrix consists
of
  constant blocks.
"""

from typing import Literal

import numpy as np

from lapmark.bench.problems import FloatType, family
from lapmark.solvers import Assignment, DenseCost, PointCost


@family(
    "duplicates",
    source="made for this benchmark: the degenerate end of the classes “geometric” and “uniform”",
    sizes=(256, 1024, 2048),
    variants=({"of": "points"}, {"of": "rows"}, {"of": "blocks"}),
)
def build(
    n: int,
    seed: int = 0,
    of: Literal["points", "rows", "blocks"] = "points",
    distinct: int = 20,
    dtype: FloatType = "float32",
) -> Assignment:
    """Build the problem, a matrix of `dtype` in [0, 2]; `distinct`: number of points, rows, or classes on each side."""
    if distinct < 1:
        raise ValueError(f"distinct = {distinct}; there must be at least one")
    rng = np.random.default_rng(seed)
    if of == "rows":
        kinds = rng.random((distinct, n), dtype=dtype)
        return Assignment(DenseCost(kinds[rng.integers(distinct, size=n)]))
    if of == "blocks":
        kinds = rng.random((distinct, distinct), dtype=dtype)
    else:
        places = rng.random((distinct, 2))
        kinds = PointCost(places, places).dense().astype(dtype)
    rows, cols = rng.integers(distinct, size=(2, n))
    return Assignment(DenseCost(kinds[np.ix_(rows, cols)]))
