"""A sparse list of allowed pairs with uniform costs, on which solvers that look at every pair are slow.

One random matching is among the pairs, so that there is always an answer.
"""

from typing import Literal

import numpy as np

from lapmark.bench.problems import FloatType, family
from lapmark.solvers import Assignment, DenseCost, SparseCost


@family(
    "sparse",
    source="uniform costs on a sparse random graph, as in A. Volgenant, "
    "Computers & Operations Research 23 (1996) 917–932",
    sizes=(256, 1024, 2048),
)
def build(
    n: int,
    seed: int = 0,
    share: float = 0.01,
    cost: Literal["sparse", "dense"] = "sparse",
    dtype: FloatType = "float32",
) -> Assignment:
    """Build the problem.

    Parameters
    ----------
    share : float
        Share of all pairs that is drawn, in addition to the matching.
    cost : {"sparse", "dense"}
        A sparse matrix (CSR), or a dense one that is `inf` for all other pairs.
    """
    import scipy.sparse

    if not 0 <= share <= 1:
        raise ValueError(f"share = {share}; give a share of all pairs from 0 to 1")
    rng = np.random.default_rng(seed)
    matching = np.arange(n) * n + rng.permutation(n)
    drawn = rng.choice(n * n, round(share * n * n), replace=False, shuffle=False)
    rows, cols = np.divmod(np.union1d(matching, drawn), n)
    pairs = scipy.sparse.csr_array((rng.random(len(rows), dtype=dtype), (rows, cols)), shape=(n, n))
    listed = SparseCost(pairs)
    return Assignment(listed if cost == "sparse" else DenseCost(listed.dense()))
