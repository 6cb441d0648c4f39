"""Machol and Wien's costs i·j, with i and j from 1 to n: a worst case of shortest augmenting paths.

The optimum pairs the largest i with the smallest j and costs n(n+1)(n+2)/6. All minima of rows lie in one column, and
those of columns in one row, so that a start from these minima matches one pair only.
"""

import numpy as np

from lapmark.bench.problems import check_only_instance, family
from lapmark.solvers import Assignment, DenseCost

LARGEST = 46_340  # n² still fits int32


def optimum(n: int, seed: int = 0) -> int:
    """Return the least cost: by the rearrangement inequality, the sum of i·(n + 1 − i)."""
    return n * (n + 1) * (n + 2) // 6


@family(
    "product",
    source="R. E. Machol, M. Wien, A “hard” assignment problem, Operations Research 24 (1976) 190–192",
    sizes=(256, 512, 1024),
    optimum=optimum,
)
def build(n: int, seed: int = 0) -> Assignment:
    """Build the problem, with an int32 matrix that does not depend on the seed."""
    check_only_instance(seed)
    if n > LARGEST:
        raise ValueError(f"n = {n}; above {LARGEST} the cost n² does not fit the int32 matrix")
    index = np.arange(1, n + 1, dtype=np.int32)
    return Assignment(DenseCost(np.multiply.outer(index, index)))
