"""Costs |x_i − y_j| of numbers: points on a line, which sorting solves.

Many pairs tie, exactly if the numbers are whole and up to rounding otherwise: rows i and k differ by the same amount
at every column beyond both x_i and x_k. The setting `values` chooses the numbers:

- `indices`: x_i = i and y_j = j. Each row has one 0, in a column of its own, and the optimum is 0.
- `random`: both are drawn from 0 to n − 1 with repetition.
- `normal`: both are drawn from the normal distribution.
"""

from typing import Literal

import numpy as np

from lapmark.bench.problems import check_only_instance, family
from lapmark.solvers import Assignment, DenseCost


def numbers(n: int, seed: int, values: str) -> np.ndarray:
    """Return x and y as a (2, n) array, int32 but for the normal ones, which are float64."""
    if values == "indices":
        check_only_instance(seed)
        return np.tile(np.arange(n, dtype=np.int32), (2, 1))
    rng = np.random.default_rng(seed)
    return rng.normal(size=(2, n)) if values == "normal" else rng.integers(0, max(n, 1), (2, n), np.int32)


def optimum(n: int, seed: int, values: str) -> float:
    """Return the least cost: sorted numbers are matched in order."""
    x, y = np.sort(numbers(n, seed, values))
    return np.abs(x - y).sum().item()


@family(
    "difference",
    source="matching on a line, solved by sorting: R. M. Karp, S.-Y. R. Li, Two special cases of the assignment "
    "problem, Discrete Mathematics 13 (1975) 129–142",
    sizes=(256, 1024, 2048),
    variants=({"values": "indices"}, {"values": "random"}, {"values": "normal"}),
    optimum=optimum,
)
def build(n: int, seed: int = 0, values: Literal["indices", "random", "normal"] = "indices") -> Assignment:
    """Build the problem, with a matrix of the numbers' dtype."""
    x, y = numbers(n, seed, values)
    return Assignment(DenseCost(np.abs(np.subtract.outer(x, y))))
