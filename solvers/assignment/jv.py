"""Jonker and Volgenant's algorithm, in scalar C and with AVX2: one source, two builds, the same answers."""

from dataclasses import replace

import numpy as np

from lapmark.solvers.deadline import Deadline
from lapmark.solvers.native import _matrix
from lapmark.solvers.problem import Assignment
from lapmark.solvers.registry import Capabilities, register
from lapmark.solvers.result import Matching

from .matching_refinement import refined
from .wide_matrix import solve_wide

CAPABILITIES = Capabilities(
    exact=True,
    rectangular=True,
    forbidden=True,
    limit=True,
    dtypes={"float32", "float64"},
    duals=True,
    time_limit=True,
    counters={"row_scans", "augmentations", "reductions"},
    family="shortest augmenting path",
    source="R. Jonker, A. Volgenant, Computing 38 (1987) 325–340",
)


def solve_native(method: str, problem: Assignment, avx2: bool, time_limit: float | None) -> Matching:
    """Solve a problem of any shape by a native method, 'jv' or 'auction'."""
    limit, deadline = np.inf if problem.limit is None else problem.limit, Deadline(time_limit)
    matching = solve_wide(
        problem, lambda matrix, seconds: _matrix.assign(method, matrix, avx2, seconds, limit), deadline
    )
    return refined(problem, matching, deadline)


@register("jv", CAPABILITIES)
def jv(problem: Assignment, time_limit: float | None = None) -> Matching:
    """Solve an assignment problem by shortest augmenting paths, in scalar C."""
    return solve_native("jv", problem, False, time_limit)


@register(
    "jv-avx2",
    replace(CAPABILITIES, variant_of="jv"),
    condition=lambda: None if _matrix.HAS_AVX2 else "this processor has no AVX2",
)
def jv_avx2(problem: Assignment, time_limit: float | None = None) -> Matching:
    """Solve like `jv`, with AVX2 in column reduction, in the two minima of a row and in the relaxation."""
    return solve_native("jv", problem, True, time_limit)
