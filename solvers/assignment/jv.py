"""Jonker and Volgenant's algorithm, in scalar C and with AVX2: one source, two builds, the same answers."""

from __future__ import annotations

import numpy as np

from ..native import _native
from ..problem import Assignment
from ..registry import Capabilities, register
from ..result import Matching

CAPABILITIES = Capabilities(
    exact=True,
    rectangular=True,
    forbidden=True,
    dtypes={"float32", "float64"},
    duals=True,
    counters={"row_scans", "augmentations", "reductions"},
    family="shortest augmenting path",
    source="R. Jonker, A. Volgenant, Computing 38 (1987) 325–340",
)


def solve_native(method: str, problem: Assignment, avx2: bool) -> Matching:
    """Run a native method, which takes n ≤ m, on a problem of any shape."""
    matrix = problem.cost.dense()
    n, m = matrix.shape
    if n <= m:
        row_to_col, u, v, counters = _native.assign(method, matrix, avx2)
    else:
        col_to_row, v, u, counters = _native.assign(method, matrix.T, avx2)
        row_to_col = np.full(n, -1, dtype=np.intp)
        row_to_col[col_to_row] = np.arange(m)
    return Matching.of(problem, row_to_col, u, v, counters)


@register("jv", CAPABILITIES)
def jv(problem: Assignment) -> Matching:
    """Scalar C."""
    return solve_native("jv", problem, avx2=False)


@register("jv-avx2", CAPABILITIES, condition=lambda: None if _native.HAS_AVX2 else "this processor has no AVX2")
def jv_avx2(problem: Assignment) -> Matching:
    """AVX2 in column reduction, in the two minima of a row and in the relaxation."""
    return solve_native("jv", problem, avx2=True)
