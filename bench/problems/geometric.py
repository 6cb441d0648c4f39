"""Random points of the unit square matched to random points of it, at their Euclidean distance.

Costs with structure: near points are near to the same columns, augmenting paths are long, and solvers that are quick on
`uniform` slow down.
"""

from __future__ import annotations

import numpy as np

from solvers import Assignment, DenseCost, PointCost

from . import FloatType, check_setting, family


@family(
    "geometric",
    source="the class “geometric” of M. Dell’Amico, P. Toth, Discrete Applied Mathematics 100 (2000) 17–48, "
    "with distances as they are instead of rounded down",
    sizes=(256, 1024, 2048),
)
def build(n: int, seed: int = 0, cost: str = "dense", dtype: FloatType = "float32") -> Assignment:
    """`cost`: "dense" for a matrix of `dtype`, "points" for the points alone, in float64."""
    check_setting("cost", cost, "dense", "points")
    check_setting("dtype", dtype, "float32", "float64")
    x, y = np.random.default_rng(seed).random((2, n, 2))
    distance = PointCost(x, y, p=1)
    return Assignment(distance if cost == "points" else DenseCost(distance.dense().astype(dtype)))
