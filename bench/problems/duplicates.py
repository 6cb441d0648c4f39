"""Many copies of few places: both sides are drawn, with repetition, from the same `distinct` points of the unit square.

Whole blocks of rows and columns are equal and many costs are 0, as in quantised data. With `distinct=1` all costs are 0
and every matching is optimal, which still brings down some solvers.
"""

from __future__ import annotations

import numpy as np

from solvers import Assignment, DenseCost, PointCost

from . import FloatType, check_setting, family


@family(
    "duplicates",
    source="made for this benchmark: the degenerate end of the class “geometric”",
    sizes=(256, 1024, 2048),
    variants=({"distinct": 20}, {"distinct": 1}),
)
def build(n: int, seed: int = 0, distinct: int = 20, dtype: FloatType = "float32") -> Assignment:
    """Squared Euclidean costs as a matrix of `dtype`."""
    check_setting("dtype", dtype, "float32", "float64")
    if distinct < 1:
        raise ValueError(f"distinct = {distinct}; there must be at least one place")
    rng = np.random.default_rng(seed)
    places = rng.random((distinct, 2))
    x, y = places[rng.integers(distinct, size=(2, n))]
    return Assignment(DenseCost(PointCost(x, y).dense().astype(dtype)))
