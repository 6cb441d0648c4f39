"""The package `lap`, sparse: Volgenant's LAPMOD, which only visits the allowed pairs."""

import numpy as np

from lapmark.solvers.costs.sparse import allowed_pairs
from lapmark.solvers.errors import Infeasible, Unsupported
from lapmark.solvers.problem import Assignment
from lapmark.solvers.registry import Capabilities, register
from lapmark.solvers.result import Matching

from .lapx import in_place_of


@register(
    "lapmod",
    Capabilities(
        exact=True,
        costs={"dense", "sparse"},
        forbidden=True,
        dtypes={"float32", "float64"},
        family="shortest augmenting path",
        source="A. Volgenant, Computers & Operations Research 23 (1996) 917–932",
    ),
    requires=("lap",),
    condition=in_place_of("lap", "lapx"),
)
def lapmod(problem: Assignment) -> Matching:
    """Solve in float64; costs must lie in [0, 1e6), the range that the package takes.

    On some problems without a matching of the allowed pairs the package crashes.
    """
    from lap import LARGE
    from lap import lapmod as package

    csr = allowed_pairs(problem.cost)
    if not csr.nnz:
        raise Infeasible("no pair is allowed")  # the package raises another error
    if not (csr.data.min() >= 0 and csr.data.max() < LARGE):
        span = f"{csr.data.min():g} to {csr.data.max():g}"
        raise Unsupported(f"lapmod takes costs in [0, {LARGE:g}) only, not {span}; shift or scale them")
    cost, row_to_col, _ = package(problem.shape[0], csr.data.astype(np.float64), csr.indptr, csr.indices)
    if np.isinf(cost):
        raise Infeasible("lapmod found no matching of finite cost")
    return Matching.of(problem, row_to_col)
