"""Uniform costs with `ratio` times as many columns as rows, or rows as columns.

Part of the longer side stays unmatched. Solvers that pad the matrix to a square need more time and memory.
"""

from typing import Literal

import numpy as np

from lapmark.bench.problems import family
from lapmark.solvers import Assignment, DenseCost

#: Largest of the whole costs; the longer a row, the more of them tie.
LARGEST = 99


@family(
    "rectangular",
    source="F. Bourgeois, J.-C. Lassalle, Communications of the ACM 14 (1971) 802–804, for the problem; uniform costs",
    sizes=(128, 512, 1024),
    variants=(
        {"ratio": 2, "longer": "columns"},
        {"ratio": 2, "longer": "rows"},
        {"ratio": 10, "longer": "columns"},
        {"ratio": 10, "longer": "rows"},
        {"ratio": 2, "longer": "columns", "dtype": "int32"},
        {"ratio": 10, "longer": "columns", "dtype": "int32"},
    ),
)
def build(
    n: int,
    seed: int = 0,
    ratio: float = 2,
    longer: Literal["columns", "rows"] = "columns",
    dtype: Literal["float32", "float64", "int32"] = "float32",
) -> Assignment:
    """Build the problem.

    Parameters
    ----------
    n : int
        The shorter side.
    ratio : float
        The longer side over the shorter.
    longer : {"columns", "rows"}
        The matrix for "rows" is the transpose of that for "columns", in row-major order.
    dtype : {"float32", "float64", "int32"}
        Costs in [0, 1), or whole ones from 0 to 99.
    """
    if not ratio >= 1 or ratio * n != int(ratio * n):
        raise ValueError(f"ratio = {ratio} at n = {n}; ratio · n must be a whole number of at least n")
    rng = np.random.default_rng(seed)
    shape = (n, int(ratio * n))
    wide = (
        rng.integers(0, LARGEST, shape, np.int32, endpoint=True) if dtype == "int32" else rng.random(shape, dtype=dtype)
    )
    return Assignment(DenseCost(wide if longer == "columns" else np.ascontiguousarray(wide.T)))
