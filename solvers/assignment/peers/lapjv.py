"""The package `lapjv`: Jonker–Volgenant with AVX2, known from notebooks with grid layouts of t-SNE."""

import numpy as np

from lapmark.solvers.errors import Unsupported
from lapmark.solvers.problem import Assignment
from lapmark.solvers.registry import Capabilities, register
from lapmark.solvers.result import Matching

#: Rows of a square matrix with more entries than the package's 32-bit row offsets can count.
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
    """Solve float32 costs in float32 and all others in float64, which the package only does on request."""
    from lapjv import lapjv as package

    if problem.shape[0] >= TOO_LARGE:
        raise Unsupported(f"lapjv indexes entries with 32 bits: at most {TOO_LARGE - 1} rows, not {problem.shape[0]}")
    matrix = problem.cost.dense()
    # Its `row_ind` holds the column of each row, despite its name.
    row_to_col, _, (_, u, v) = package(matrix, force_doubles=matrix.dtype != np.float32)
    return Matching.of(problem, row_to_col, u.astype(np.float64), v.astype(np.float64))
