"""Costs of many orders of magnitude, ten to a power drawn evenly from [0, `decades`).

Sums are decided by the large costs, and the choice among the rest by small ones, which prices or duals of the size of
the large ones may no longer hold.
"""

from __future__ import annotations

import numpy as np

from lapmark.bench.problems import FloatType, family
from lapmark.solvers import Assignment, DenseCost

#: float32 ends at 3.4e38.
MOST_DECADES = 38


@family(
    "wide-range",
    source="made for this benchmark: the wide end of the classes of R. Jonker, A. Volgenant, "
    "Computing 38 (1987) 325–340",
    sizes=(256, 1024, 2048),
)
def build(n: int, seed: int = 0, decades: float = 8, dtype: FloatType = "float32") -> Assignment:
    """A matrix of `dtype`."""
    if not 0 <= decades <= MOST_DECADES:
        raise ValueError(f"decades = {decades}; choose from 0 to {MOST_DECADES}")
    return Assignment(DenseCost((10 ** (decades * np.random.default_rng(seed).random((n, n)))).astype(dtype)))
