"""Few allowed pairs, listed one by one, at uniform costs: what a solver that looks at every pair is too slow for.

One matching, drawn first, is among them, so that there is always an answer.
"""

from __future__ import annotations

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
    """The problem.

    Parameters
    ----------
    n : int
    seed : int
    share : float
        Part of all pairs that are drawn, besides the matching.
    cost : {"sparse", "dense"}
        A list of the pairs (CSR), or a matrix that is `inf` elsewhere.
    dtype : {"float32", "float64"}
    """
    import scipy.sparse

    if not 0 <= share <= 1:
        raise ValueError(f"share = {share}; it is a part of all pairs, from 0 to 1")
    rng = np.random.default_rng(seed)
    matching = np.arange(n) * n + rng.permutation(n)
    drawn = rng.choice(n * n, round(share * n * n), replace=False, shuffle=False)
    rows, cols = np.divmod(np.union1d(matching, drawn), n)
    pairs = scipy.sparse.csr_array((rng.random(len(rows), dtype=dtype), (rows, cols)), shape=(n, n))
    listed = SparseCost(pairs)
    return Assignment(listed if cost == "sparse" else DenseCost(listed.dense()))
