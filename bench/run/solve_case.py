"""One case solved in a worker process and certified: an answer to draw, without a measurement."""

from __future__ import annotations

from dataclasses import dataclass

from lapmark.bench.environments import available_solvers
from lapmark.bench.problems import Case
from lapmark.bench.util import spec
from lapmark.bench.worker import isolated_run
from lapmark.bench.worker.limits import Limits
from lapmark.solvers import Certificate, Infeasible, certify
from lapmark.solvers.auto import automatic
from lapmark.solvers.problem import Problem
from lapmark.solvers.result import Result

from . import built_case
from .cells import resolve
from .certify import CostCheck


@dataclass(frozen=True, eq=False)
class SolvedCase:
    """A problem with a valid answer, its certificate, and the name of the solver that found it."""

    problem: Problem
    solver: str
    result: Result
    certificate: Certificate


def solve_case(case: Case, solver: str, limits: Limits) -> SolvedCase:
    """Build a case, solve it in a worker process and certify the answer.

    Parameters
    ----------
    case : Case
    solver : str
        A spec. The solver that `auto` chooses takes the place of one that cannot run on this machine.
    limits : Limits
        Of the one call.

    Raises
    ------
    ValueError
        The case cannot be built, or the worker crashed, passed a limit, failed, or gave no valid answer.
    """
    built = built_case.build(case)
    if isinstance(built, str):
        raise ValueError(built)
    problem = built.problem
    cell = resolve(solver if _can_run(solver) else automatic(problem), case)
    outcome = isolated_run.run(
        cell.worker_spec,
        problem,
        limits,
        budget=0,
        plugins=(cell.plugin,) if cell.plugin else (),
        python=cell.python,
        digest=built.digest,
        cost_of=CostCheck(problem, cell.exact),
        starts_slowly=cell.starts_slowly,
        compiles=cell.compiles,
    )
    if outcome.status is not None:
        raise ValueError(f"{cell.solver} gave no answer ({outcome.status}): {outcome.message}")
    result = outcome.result
    if result is None or isinstance(result, Infeasible):
        raise ValueError(f"{cell.solver} found no answer: {result}")
    certificate = certify(problem, result)
    if not certificate.valid:
        raise ValueError(f"{cell.solver} gave no valid answer: {certificate.fault}")
    return SolvedCase(problem, cell.solver, result, certificate)


def _can_run(solver: str) -> bool:
    """Return whether a solver is known and not missing on this machine."""
    try:
        return available_solvers.get(spec.parse(solver)[0]).missing is None
    except ValueError:
        return False
