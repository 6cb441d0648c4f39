"""One case solved in a worker process and certified: an answer to draw, without a measurement."""

import contextlib
from dataclasses import dataclass

from lapmark.bench.problems import Case
from lapmark.bench.system import measuring_support
from lapmark.bench.worker.resource_limits import Limits
from lapmark.solvers import Certificate, Infeasible, certify
from lapmark.solvers.auto import automatic
from lapmark.solvers.problem import Problem
from lapmark.solvers.result import Result

from . import built_case
from .cells import Cell, resolve
from .measure import run_solver


@dataclass(frozen=True, eq=False)
class SolvedCase:
    """A problem with a valid answer, its certificate, and the name of the solver that found it."""

    problem: Problem
    solver: str
    result: Result
    certificate: Certificate


def solve_case(case: Case, solver: str, limits: Limits) -> SolvedCase:
    """Build a case, solve it in a worker process and certify the answer.

    The solver that `auto` chooses takes the place of one that cannot run on this machine. Raise a ValueError if the
    case cannot be built, this is Windows, or the worker crashes, passes a limit, fails, or gives no valid answer.
    """
    measuring_support.check()
    built = built_case.build(case)
    if isinstance(built, str):
        raise ValueError(built)
    problem = built.problem
    cell = _cell_of(solver, case, problem)
    outcome = run_solver(cell, built, limits, budget=0)
    if outcome.status is not None:
        raise ValueError(f"{cell.solver} gave no answer ({outcome.status}): {outcome.message}")
    result = outcome.result
    if result is None or isinstance(result, Infeasible):
        raise ValueError(f"{cell.solver} found no answer: {result}")
    certificate = certify(problem, result)
    if not certificate.valid:
        raise ValueError(f"{cell.solver} gave no valid answer: {certificate.fault}")
    return SolvedCase(problem, cell.solver, result, certificate)


def _cell_of(solver: str, case: Case, problem: Problem) -> Cell:
    """Return the cell of a solver that can run on this machine, or else of the one that `auto` chooses."""
    with contextlib.suppress(ValueError):
        cell = resolve(solver, case)
        if cell.missing is None:
            return cell
    return resolve(automatic(problem), case)
