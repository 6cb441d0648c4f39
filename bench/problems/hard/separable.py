"""Costs a_i + b_j, with which every matching costs the same except for rounding.

In float32 each sum is rounded, so that the problem is to optimise the rounding errors of a matrix in which all
matchings nearly tie.
"""

import numpy as np

from lapmark.bench.problems import FloatType, family
from lapmark.solvers import Assignment, DenseCost


@family(
    "separable",
    source="made for this benchmark: sum costs, the constant objective of R. Burkard, M. Dell’Amico, S. Martello, "
    "Assignment Problems (SIAM 2009)",
    sizes=(256, 1024, 2048),
    variants=({"dtype": "float32"}, {"dtype": "float64"}),
)
def build(n: int, seed: int = 0, dtype: FloatType = "float32") -> Assignment:
    """Build the problem: a and b are uniform on [0, 1) in float64, and the sums are rounded to `dtype`."""
    a, b = np.random.default_rng(seed).random((2, n))
    return Assignment(DenseCost(np.add.outer(a, b).astype(dtype)))
