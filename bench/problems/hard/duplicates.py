"""Few kinds of rows, or of rows and of columns: every one of them comes up again and again, as in quantised data.

Copies tie wherever they stand, so that a solver which tells rows apart by their costs alone sends many after the same
column. What repeats is the setting `of`:

- `points`: both sides are drawn from the same few points of the unit square, at their squared distance. Many costs are
  0.
- `rows`: each row is one of a few random rows; no two columns are alike.
- `blocks`: rows and columns are each of one of a few classes, and a pair costs what its two classes cost: up to its
  order, the matrix is made of constant blocks.
"""

from __future__ import annotations

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
    """`distinct`: how many points, rows, or classes on either side; costs are a matrix of `dtype` in [0, 2]."""
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
