"""SciPy's `min_weight_full_bipartite_matching`: Jonker–Volgenant over the allowed pairs only."""

import numpy as np

from lapmark.solvers.costs.sparse import allowed_pairs
from lapmark.solvers.errors import Infeasible
from lapmark.solvers.problem import Assignment
from lapmark.solvers.registry import Capabilities, register
from lapmark.solvers.result import Matching


@register(
    "csgraph",
    Capabilities(
        exact=True,
        costs={"dense", "sparse"},
        rectangular=True,
        forbidden=True,
        dtypes={"float32", "float64"},
        family="shortest augmenting path",
        source="R. Jonker, A. Volgenant, Computing 38 (1987) 325–340, its sparse variant; https://scipy.org",
    ),
    requires=("scipy",),
)
def csgraph(problem: Assignment) -> Matching:
    """Solve in float64.

    The package reads a stored 0 as a forbidden pair: if there is one, costs are shifted above 0, by at most twice the
    largest, which shifts all matchings alike. On costs that nearly tie it may not terminate.
    """
    from scipy.sparse.csgraph import min_weight_full_bipartite_matching

    pairs = allowed_pairs(problem.cost).astype(np.float64)
    if not pairs.data.all():
        pairs.data += (np.abs(pairs.data).max() or 1.0) - pairs.data.min()
    try:
        rows, cols = min_weight_full_bipartite_matching(pairs)
    except ValueError as error:
        # The problem is already validated, so that only an infeasible one is left.
        raise Infeasible(str(error)) from None
    return Matching.from_pairs(problem, rows, cols)
