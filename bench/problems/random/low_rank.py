"""Costs of low rank: the sum of `rank` products u_i·v_j.

Rank one is `product` with random factors, which sorting solves, though few solvers exploit it. Rank three has about as
much structure as points in the plane, and no such shortcut.
"""

import numpy as np

from lapmark.bench.problems import FloatType, family
from lapmark.solvers import Assignment, DenseCost


@family(
    "low-rank",
    source="after R. E. Machol, M. Wien, Operations Research 24 (1976) 190–192, whose costs i·j have rank one",
    sizes=(256, 1024, 2048),
    variants=({"rank": 1}, {"rank": 3}),
)
def build(n: int, seed: int = 0, rank: int = 1, dtype: FloatType = "float32") -> Assignment:
    """Build the problem: factors are uniform on [0, 1), and the sum is rounded once, to `dtype`."""
    if rank < 1:
        raise ValueError(f"rank = {rank}; it must be 1 or more")
    rng = np.random.default_rng(seed)
    u, v = rng.random((n, rank)), rng.random((n, rank))
    # One product at a time: the order of sums in a library's matrix product differs between machines.
    costs = sum(np.multiply.outer(u[:, k], v[:, k]) for k in range(rank))
    return Assignment(DenseCost(np.asarray(costs, dtype=dtype)))
