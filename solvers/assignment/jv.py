"""Jonker and Volgenant's algorithm, in plain C and with vector instructions: one source, the same answers."""

from dataclasses import replace
from typing import get_args

import numpy as np

from lapmark.solvers.deadline import Deadline
from lapmark.solvers.native import InstructionSet, _matrix
from lapmark.solvers.native._kernels import INSTRUCTION_SETS
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


def solve_native(method: str, problem: Assignment, isa: InstructionSet | None, time_limit: float | None) -> Matching:
    """Solve a problem of any shape by a native method, 'jv' or 'auction'; `isa` None is the best instruction set."""
    limit, deadline = np.inf if problem.limit is None else problem.limit, Deadline(time_limit)
    matching = solve_wide(
        problem, lambda matrix, seconds: _matrix.assign(method, matrix, seconds, limit, isa=isa), deadline
    )
    return refined(problem, matching, deadline)


def _register(name: str, isa: InstructionSet, capabilities: Capabilities) -> None:
    def missing() -> str | None:
        known = " and ".join(INSTRUCTION_SETS)
        return None if isa in INSTRUCTION_SETS else f"it needs {isa.upper()}; the instruction sets here: {known}"

    @register(name, capabilities, condition=missing)
    def jv(problem: Assignment, time_limit: float | None = None) -> Matching:
        """Solve an assignment problem by shortest augmenting paths."""
        return solve_native("jv", problem, isa, time_limit)


# A name stands for the same code everywhere, so that results from two machines can be compared by it.
_register("jv", "scalar", CAPABILITIES)
for vectors in get_args(InstructionSet)[1:]:
    _register(f"jv-{vectors}", vectors, replace(CAPABILITIES, variant_of="jv"))
