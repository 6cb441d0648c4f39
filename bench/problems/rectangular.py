"""Costs drawn evenly from [0, 1), with `ratio` times as many columns as rows, or as many rows as columns.

Some of the longer side stay unmatched. A solver that pads to a square pays for it in time and in memory.
"""

from __future__ import annotations

import numpy as np

from solvers import Assignment, DenseCost

from . import FloatType, check_setting, family


@family(
    "rectangular",
    source="F. Bourgeois, J.-C. Lassalle, Communications of the ACM 14 (1971) 802–804, for the problem; uniform costs",
    sizes=(128, 512, 1024),
    variants=(
        {"ratio": 2, "longer": "columns"},
        {"ratio": 2, "longer": "rows"},
        {"ratio": 10, "longer": "columns"},
        {"ratio": 10, "longer": "rows"},
    ),
)
def build(n: int, seed: int = 0, ratio: int = 2, longer: str = "columns", dtype: FloatType = "float32") -> Assignment:
    """`n` is the shorter side. The matrix for `longer="rows"` is the transpose of the other, laid out anew."""
    check_setting("longer", longer, "columns", "rows")
    check_setting("dtype", dtype, "float32", "float64")
    if ratio < 1 or ratio * n != int(ratio * n):
        raise ValueError(f"ratio = {ratio} at n = {n}; the longer side must be a whole number, and no shorter")
    wide = np.random.default_rng(seed).random((n, int(ratio * n)), dtype=dtype)
    return Assignment(DenseCost(wide if longer == "columns" else np.ascontiguousarray(wide.T)))
