"""All costs are equal, so that every matching is optimal; some solvers still fail."""

import numpy as np

from lapmark.bench.problems import FloatType, check_only_instance, family
from lapmark.solvers import Assignment, DenseCost


@family(
    "equal",
    source="the trivial instance; some well-known packages answer it with no permutation",
    sizes=(256, 1024, 2048),
)
def build(n: int, seed: int = 0, value: float = 1, dtype: FloatType = "float32") -> Assignment:
    """Build the problem; `value`: cost of every pair."""
    check_only_instance(seed)
    return Assignment(DenseCost(np.full((n, n), value, dtype=dtype)))
