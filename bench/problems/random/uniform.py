"""Uniform costs on [0, 1), without any structure: the usual first benchmark, and an easy one."""

import numpy as np

from lapmark.bench.problems import FloatType, family
from lapmark.solvers import Assignment, DenseCost


@family(
    "uniform",
    source="the usual random instance; R. Burkard, M. Dell’Amico, S. Martello, Assignment Problems (SIAM 2009), § 4.10",
    sizes=(256, 1024, 2048),
)
def build(n: int, seed: int = 0, dtype: FloatType = "float32") -> Assignment:
    return Assignment(DenseCost(np.random.default_rng(seed).random((n, n), dtype=dtype)))
