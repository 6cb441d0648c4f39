"""Candidates of the advisor: a solver each, with the lines of Python that call it.

The lines are what the advice shows to be pasted, and what is measured (`call_timing`). Packages that are called on a
matrix alone are called directly: below 200 rows the classes of `lapmark.solve` take longer than the solving.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from lapmark.bench.environments import available_solvers
from lapmark.bench.environments.available_solvers import AvailableSolver
from lapmark.bench.util import spec
from lapmark.solvers import registry
from lapmark.solvers.auto import automatic
from lapmark.solvers.problem import Assignment, Problem
from lapmark.solvers.registry import Capabilities
from lapmark.solvers.result import Matching, Result

#: The drop-in for SciPy's function, the policy of `lapmark.solve`, and the call for many problems at once: candidates
#: that are no solvers of their own.
DROP_IN, AUTO, BATCH = "linear_sum_assignment", "auto", "solve_batch"

#: Candidates that are not chosen for a single problem.
NOT_CHOSEN = (AUTO, BATCH)

#: Solvers that never end on some problems, and why: they are advised for families that they were measured on only.
HAZARDS = {"csgraph": "takes exponential time on some graphs (issue 26147 of SciPy)"}

#: The solver whose capabilities the drop-in has.
BEHIND_DROP_IN = "cascade"


@dataclass(frozen=True)
class DirectCall:
    """A function of a package that takes a cost matrix: import, expression with `{}` for the matrix, and its answer.

    The answer is a pair of arrays: the matched rows and their columns, or the column of each row and another array.
    """

    imports: str
    expression: str
    answer: Literal["pairs", "columns"] = "pairs"
    single: str = ""  # the expression for a matrix in float32, where that differs


DIRECT_CALLS: Mapping[str, DirectCall] = {
    DROP_IN: DirectCall("from lapmark import linear_sum_assignment", "linear_sum_assignment({})"),
    "scipy": DirectCall("from scipy.optimize import linear_sum_assignment", "linear_sum_assignment({})"),
    "lap": DirectCall("import lap", "lap.lapjv({}, extend_cost=True, return_cost=False)", "columns"),
    "lapcpp": DirectCall("import lapcpp", "lapcpp.lapjv({}, extend_cost=True, return_cost=False)"),
    "laprust": DirectCall("import laprust", "laprust.lapjv({}, extend_cost=True, return_cost=False)"),
    "lapjv": DirectCall("from lapjv import lapjv", "lapjv({}, force_doubles=True)", "columns", "lapjv({})"),
}


#: Functions that take a list of pairs, a SciPy sparse array; csgraph's reads a stored 0 as a forbidden pair.
SPARSE_CALLS: Mapping[str, DirectCall] = {
    "csgraph": DirectCall(
        "from scipy.sparse.csgraph import min_weight_full_bipartite_matching",
        "min_weight_full_bipartite_matching(costs)",
    ),
}


@dataclass(frozen=True)
class Lines:
    """Lines to paste: imports, one a line, and an expression in the variables of a problem."""

    imports: tuple[str, ...]
    expression: str

    @property
    def text(self) -> str:
        """The lines as a program."""
        return "\n".join([*self.imports, f"answer = {self.expression}"])

    def compiled(self, problem: Problem) -> Callable[[], Any]:
        """Return a function that runs the expression on a problem."""
        names = dict(variables(problem))
        exec("\n".join(self.imports), names)
        call: Callable[[], Any] = eval(f"lambda: {self.expression}", names)
        return call


def available(name: str) -> AvailableSolver:
    """Return the solver that says where a candidate runs and what it takes; a ValueError for an unknown name."""
    return available_solvers.get(BEHIND_DROP_IN if name in (DROP_IN, *NOT_CHOSEN) else spec.parse(name)[0])


def refuses(name: str, problem: Problem, capabilities: Capabilities) -> str | None:
    """Return why a candidate whose solver has these capabilities cannot be called on a problem, or None."""
    if name == AUTO:
        return None
    if name == DROP_IN and (not _is_plain(problem) or problem.cost.kind == "sparse"):
        return "takes a cost matrix and nothing else"
    if name == BATCH and (not _is_plain(problem) or problem.cost.kind != "dense"):
        return "takes cost matrices and nothing else"
    return capabilities.refuses(problem)


def is_ours(name: str) -> bool:
    """Return whether a candidate is Lapmark's own: its code needs no other package."""
    if name in (DROP_IN, *NOT_CHOSEN):
        return True
    found = registry.solvers().get(spec.parse(name)[0])
    return found is not None and found.is_built_in and not found.requires


def lines(name: str, problem: Problem) -> Lines:
    """Return the lines that call a candidate on a problem."""
    if name == BATCH:
        return Lines(("from lapmark import solve_batch",), "solve_batch(list_of_costs)")
    direct = DIRECT_CALLS.get(name)
    if direct and _is_plain(problem) and problem.cost.kind != "sparse":
        imports, matrix = _matrix(problem)
        is_single = problem.cost.kind == "dense" and problem.cost.dtype == np.float32
        expression = direct.single if direct.single and is_single else direct.expression
        return Lines((*imports, direct.imports), expression.format(matrix))
    cost: Any = problem.cost
    if (sparse := SPARSE_CALLS.get(name)) and _is_plain(problem) and cost.kind == "sparse" and cost.csr.data.all():
        return Lines((sparse.imports,), sparse.expression)
    names, statement = _statement(problem)
    solver, options = spec.parse(name)
    given = [] if name == AUTO else [json.dumps(solver)]
    given += [f"{key}={value!r}" for key, value in options.items()]
    line = f"from lapmark import {', '.join([*sorted(names), 'solve'])}"
    return Lines((line,), f"solve({', '.join([statement, *given])})")


def read_answer(name: str, problem: Problem, answer: Any) -> Result:
    """Return what the lines of a candidate returned as a result."""
    if isinstance(answer, Result):
        return answer
    assert isinstance(problem, Assignment)
    first, second = answer[0], answer[1]
    if name in DIRECT_CALLS and DIRECT_CALLS[name].answer == "columns":
        return Matching.of(problem, first)
    return Matching.from_pairs(problem, first, second)


def behind(name: str, problem: Problem) -> str:
    """Return the name of the solver that does the work of a candidate."""
    return automatic(problem) if name in (DROP_IN, *NOT_CHOSEN) else spec.parse(name)[0]


def is_exact(name: str, problem: Problem) -> bool:
    """Return whether a candidate claims the optimum of a problem."""
    return registry.get(behind(name, problem)).capabilities.exact


def variables(problem: Problem) -> dict[str, Any]:
    """Return the arrays of a problem by the names that the lines have for them."""
    cost: Any = problem.cost
    attributes = {"dense": ("matrix",), "points": ("x", "y"), "sparse": ("csr",), "grid": ("rows", "columns")}
    found = {_VARIABLES.get(name, name): getattr(cost, name) for name in attributes[cost.kind]}
    return found if isinstance(problem, Assignment) else {**found, "a": problem.masses[0], "b": problem.masses[1]}


#: Names of attributes of costs in the lines, where they differ.
_VARIABLES = {"matrix": "costs", "csr": "costs"}


def _is_plain(problem: Problem) -> bool:
    """Return whether a problem is a minimal assignment without a limit."""
    return isinstance(problem, Assignment) and problem.limit is None and not problem.maximize


def _matrix(problem: Problem) -> tuple[tuple[str, ...], str]:
    """Return the imports and the expression of the cost matrix."""
    cost: Any = problem.cost
    if cost.kind == "dense":
        return (), "costs"
    power = {1: "cdist(x, y)", 2: 'cdist(x, y, "sqeuclidean")'}.get(cost.p, f"cdist(x, y) ** {cost.p:g}")
    return ("from scipy.spatial.distance import cdist",), power


def _statement(problem: Problem) -> tuple[list[str], str]:
    """Return the names of Lapmark that state a problem, and the statement."""
    cost: Any = problem.cost
    arguments = ["costs"]
    if cost.kind == "points":
        arguments = ["x", "y", *_settings(cost, {"p": 2, "scale": 1})]
    if cost.kind == "grid":
        arguments = [repr(cost.grid), f"spacing={cost.spacing!r}", "rows=rows", "columns=columns"]
    kind = type(cost).__name__
    inner = f"{kind}({', '.join(arguments)})"
    if isinstance(problem, Assignment):
        return [
            "Assignment",
            kind,
        ], f"Assignment({', '.join([inner, *_settings(problem, {'limit': None, 'maximize': False})])})"
    usual = {"blur": 0, "reach": None, "partial": False}
    return ["Transport", kind], f"Transport({', '.join([inner, 'a', 'b', *_settings(problem, usual)])})"


def _settings(of: object, usual: Mapping[str, object]) -> list[str]:
    """Return the settings of a value that are not the usual ones, as arguments."""
    given = {name: getattr(of, name) for name in usual}
    return [f"{name}={value!r}" for name, value in given.items() if value != usual[name]]
