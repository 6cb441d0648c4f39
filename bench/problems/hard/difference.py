"""Costs |x_i − y_j| of whole numbers: points on a line, which sorting solves.

Many pairs tie exactly: rows i and k differ by the same amount at every column beyond both x_i and x_k. The setting
`values` chooses the numbers:

- `indices`: x_i = i and y_j = j. Each row has one 0, in a column of its own, and the optimum is 0.
- `random`: both are drawn from 0 to n − 1 with repetition.
"""

from typing import Literal

import numpy as np

from lapmark.bench.problems import check_only_instance, family
from lapmark.solvers import Assignment, DenseCost


def numbers(n: int, seed: int, values: str) -> np.ndarray:
    """Return x and y as a (2, n) int32 array."""
    if values == "indices":
        check_only_instance(seed)
        return np.tile(np.arange(n, dtype=np.int32), (2, 1))
    return np.random.default_rng(seed).integers(0, max(n, 1), (2, n), np.int32)


def optimum(n: int, seed: int, values: str) -> int:
    """Return the least cost: sorted numbers are matched in order."""
    x, y = np.sort(numbers(n, seed, values))
    return int(np.abs(x - y).sum())


@family(
    "difference",
    source="matching on a line, solved by sorting: R. M. Karp, S.-Y. R. Li, Two special cases of the assignment "
    "problem, Discrete Mathematics 13 (1975) 129–142",
    sizes=(256, 1024, 2048),
    variants=({"values": "indices"}, {"values": "random"}),
    optimum=optimum,
)
def build(n: int, seed: int = 0, values: Literal["indices", "random"] = "indices") -> Assignment:
    """Build the problem, with an int32 matrix."""
    x, y = numbers(n, seed, values)
    return Assignment(DenseCost(np.abs(np.subtract.outer(x, y))))
