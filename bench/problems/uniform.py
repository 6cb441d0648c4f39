"""Costs drawn evenly from [0, 1): no structure at all. The usual first benchmark, and an easy one."""

from __future__ import annotations

import numpy as np

from solvers import Assignment, DenseCost

from . import family


@family("uniform", source="the customary random instance; Burkard, Dell’Amico and Martello, Assignment Problems (SIAM 2009), section 4.10", sizes=(256, 1024, 2048))
def build(n: int, seed: int = 0, dtype: str = "float32") -> Assignment:
    rng = np.random.default_rng(seed)
    return Assignment(DenseCost(rng.random((n, n)).astype(dtype)))
