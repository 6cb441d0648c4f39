"""The package `fastlap`, in Rust: its dense Jonker–Volgenant code, and the one that walks along the allowed pairs.

Its k best assignments (Murty) and its bottleneck assignment answer other questions, and are no solvers here.
"""

import numpy as np

from lapmark.solvers.costs.sparse import allowed_pairs
from lapmark.solvers.errors import Infeasible
from lapmark.solvers.problem import Assignment
from lapmark.solvers.registry import Capabilities, register
from lapmark.solvers.result import Matching


@register(
    "fastlap",
    Capabilities(
        exact=True,
        rectangular=True,
        dtypes={"float32", "float64"},
        family="shortest augmenting path",
        source="https://github.com/MinLee0210/fastlap",
    ),
    requires=("fastlap",),
)
def fastlap(problem: Assignment) -> Matching:
    """Solve in float64 by `lapjv`, the fastest of its exact algorithms; a rectangle is padded by the package."""
    import fastlap

    row_to_col, _ = fastlap.lapjv(problem.cost.dense(), return_cost=False)
    return Matching.of(problem, row_to_col)


@register(
    "fastlap-sparse",
    Capabilities(
        exact=True,
        costs={"dense", "sparse"},
        rectangular=True,
        forbidden=True,
        dtypes={"float32", "float64"},
        family="shortest augmenting path",
        source="R. Jonker, A. Volgenant, Computing 38 (1987) 325–340, its sparse variant; https://github.com/MinLee0210/fastlap",
    ),
    requires=("fastlap",),
)
def fastlap_sparse(problem: Assignment) -> Matching:
    """Solve in float64 by `lapjvsp`, the fastest of its two sparse algorithms."""
    from fastlap import solve_lap

    pairs = allowed_pairs(problem.cost).astype(np.float64)
    _, columns, _ = solve_lap(pairs, "lapjvsp")
    row_to_col = np.array([-1 if column is None else column for column in columns], dtype=np.intp)
    if np.count_nonzero(row_to_col >= 0) < min(problem.shape):
        raise Infeasible("fastlap-sparse found no matching of the allowed pairs")
    return Matching.of(problem, row_to_col)
