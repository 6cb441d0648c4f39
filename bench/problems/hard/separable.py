"""Costs a_i + b_j: every matching costs the same, but for what rounding adds.

In exact arithmetic there is nothing to choose. In float32 the sums are rounded, each for itself, and what is left to
optimise is that noise, spread over a matrix whose ties are all near and none exact.
"""

from __future__ import annotations

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
    """a and b are drawn evenly from [0, 1) in float64; the sums are rounded to `dtype`."""
    a, b = np.random.default_rng(seed).random((2, n))
    return Assignment(DenseCost(np.add.outer(a, b).astype(dtype)))
