"""Random points of the unit cube matched to random points, at a power of their distance.

Unlike uniform costs, they have structure: nearby points compete for the same columns, augmenting paths are long, and
solvers that are fast on `uniform` slow down.
"""

from typing import Literal

import numpy as np

from lapmark.bench.problems import FloatType, family
from lapmark.solvers import Assignment, DenseCost, PointCost


@family(
    "geometric",
    source="the class “geometric” of M. Dell’Amico, P. Toth, Discrete Applied Mathematics 100 (2000) 17–48, "
    "with distances that are not rounded down",
    sizes=(256, 1024, 2048),
    variants=({}, {"cost": "points", "p": 2}, {"cost": "points", "d": 3, "p": 2}),
)
def build(
    n: int,
    seed: int = 0,
    p: float = 1,
    d: int = 2,
    cost: Literal["dense", "points"] = "dense",
    dtype: FloatType = "float32",
    cap: float | None = None,
) -> Assignment:
    """Build the problem.

    Parameters
    ----------
    p : float
        Exponent of the Euclidean distance.
    d : int
        Number of coordinates.
    cost : {"dense", "points"}
        A matrix of `dtype`, or the points alone, in float64.
    cap : float or None
        Largest cost of a matrix, as in the gate of a tracker: whatever is farther costs the same.
    """
    if d < 1:
        raise ValueError(f"d = {d}; points have at least one coordinate")
    if cap is not None and not cap > 0:
        raise ValueError(f"cap = {cap}; the largest cost must be positive")
    if cost == "points" and cap is not None:
        raise ValueError(f"cap = {cap}; only a matrix has a largest cost: take cost=dense")
    x, y = np.random.default_rng(seed).random((2, n, d))
    distance = PointCost(x, y, p=p)
    if cost == "points":
        return Assignment(distance)
    matrix = distance.dense() if cap is None else np.minimum(distance.dense(), cap)
    return Assignment(DenseCost(matrix.astype(dtype)))
