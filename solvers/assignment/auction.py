"""Bertsekas's forward auction with ε-scaling, in C; exact at the end."""

from dataclasses import replace

from lapmark.solvers.problem import Assignment
from lapmark.solvers.registry import register
from lapmark.solvers.result import Matching

from .jv import CAPABILITIES, solve_native


@register(
    "auction",
    replace(
        CAPABILITIES,
        limit=False,
        counters={"row_scans", "augmentations", "bids", "phases", "reductions"},
        family="auction",
        source="D. P. Bertsekas, Annals of Operations Research 14 (1988) 105–123",
    ),
)
def auction(problem: Assignment, time_limit: float | None = None) -> Matching:
    """Solve an assignment problem by the auction."""
    return solve_native("auction", problem, None, time_limit)
