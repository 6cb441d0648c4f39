"""The package `lapjv`: Jonker–Volgenant with AVX2, known from the notebooks that lay t-SNE on a grid."""

from __future__ import annotations

import numpy as np

from lapmark.solvers.errors import Unsupported
from lapmark.solvers.problem import Assignment
from lapmark.solvers.registry import Capabilities, register
from lapmark.solvers.result import Matching

#: Its row offsets are 32-bit: a matrix of this height has more entries than they can count.
TOO_LARGE = 46_341


@register(
    "lapjv",
    Capabilities(
        exact=True,
        dtypes={"float32", "float64"},
        duals=True,
        family="shortest augmenting path",
        source="https://github.com/src-d/lapjv",
    ),
    requires=("lapjv",),
)
def lapjv(problem: Assignment) -> Matching:
    """Solves float32 as float32 and every other type in float64, which the package does only when it is asked to."""
    from lapjv import lapjv as package

    if problem.shape[0] >= TOO_LARGE:
        raise Unsupported(f"lapjv indexes entries with 32 bits: at most {TOO_LARGE - 1} rows, not {problem.shape[0]}")
    matrix = problem.cost.dense()
    # Its `row_ind` holds the column of each row, whatever the name suggests.
    row_to_col, _, (_, u, v) = package(matrix, force_doubles=matrix.dtype != np.float32)
    return Matching.of(problem, row_to_col, u.astype(np.float64), v.astype(np.float64))
