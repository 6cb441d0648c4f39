"""Uniform costs with a share of forbidden pairs, whose cost is `inf`.

One random matching stays allowed, so that there is always an answer.
"""

import numpy as np

from lapmark.bench.problems import FloatType, family
from lapmark.solvers import Assignment, DenseCost


@family(
    "forbidden",
    source="uniform costs on a random graph; incomplete instances as in A. Volgenant, "
    "Computers & Operations Research 23 (1996) 917–932",
    sizes=(256, 1024, 2048),
)
def build(n: int, seed: int = 0, share: float = 0.3, dtype: FloatType = "float32") -> Assignment:
    """Build the problem; `share`: probability that a pair is forbidden."""
    if not 0 <= share <= 1:
        raise ValueError(f"share = {share}; give a probability from 0 to 1")
    rng = np.random.default_rng(seed)
    costs = rng.random((n, n), dtype=dtype)
    forbidden = rng.random((n, n)) < share
    forbidden[np.arange(n), rng.permutation(n)] = False
    costs[forbidden] = np.inf
    return Assignment(DenseCost(costs))
