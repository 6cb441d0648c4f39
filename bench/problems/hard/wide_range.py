"""Costs over many orders of magnitude: ten to a power that is uniform on [0, `decades`).

The large costs dominate the sum, and small ones decide the rest, which prices or duals as large as the large costs may
not resolve.
"""

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
    """Build the problem, with a matrix of `dtype`."""
    if not 0 <= decades <= MOST_DECADES:
        raise ValueError(f"decades = {decades}; choose from 0 to {MOST_DECADES}")
    return Assignment(DenseCost((10 ** (decades * np.random.default_rng(seed).random((n, n)))).astype(dtype)))
