"""The entry point: solve a problem with a solver of the registry."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, overload

import numpy as np
from numpy.typing import ArrayLike

from .auto import automatic
from .costs import Cost, DenseCost
from .errors import Unsupported
from .problem import Assignment, Problem, Transport
from .registry import get, names
from .result import Matching, Plan, Result
from .validation import check_number, check_threads

if TYPE_CHECKING:
    from .progress import Callback


@overload
def solve(
    problem: Assignment,
    solver: str = "auto",
    *,
    time_limit: float | None = None,
    progress: Callback | None = None,
    **options: Any,
) -> Matching: ...
@overload
def solve(
    problem: Transport,
    solver: str = "auto",
    *,
    time_limit: float | None = None,
    progress: Callback | None = None,
    **options: Any,
) -> Plan: ...
@overload
def solve(
    problem: Problem,
    solver: str = "auto",
    *,
    time_limit: float | None = None,
    progress: Callback | None = None,
    **options: Any,
) -> Result: ...
@overload
def solve(
    problem: ArrayLike,
    solver: str = "auto",
    *,
    time_limit: float | None = None,
    progress: Callback | None = None,
    **options: Any,
) -> Matching: ...
def solve(
    problem: Problem | ArrayLike,
    solver: str = "auto",
    *,
    time_limit: float | None = None,
    progress: Callback | None = None,
    **options: Any,
) -> Result:
    """Solve a problem.

    Parameters
    ----------
    problem : Assignment, Transport or array_like, shape (n, m)
        A matrix stands for `Assignment(DenseCost(matrix))`.
    solver : str
        A name from `names(problem)`, or "auto" for the one of ours that suits the problem.
    time_limit : float, optional
        Seconds after which to give up, finite and above 0.
    progress : callable, optional
        Called with a `Progress` some ten times a second while the solver runs. What it raises ends the solve at once.
        Solvers of other packages call nothing.
    **options
        Options of the solver, as its documentation names them. Solvers that can use several cores take `threads`, with
        −1 for all cores.

    Returns
    -------
    Matching or Plan

    Raises
    ------
    ValueError
        For an unknown name; as `Unsupported` if the solver does not take the problem, or has no time limit; as
        `Infeasible` if there is no complete matching, or no plan, of finite cost.
    TimeLimit
        If the time was over before there was an answer, with the best bound on the optimum so far, and the best answer
        so far, if there is one.
    ImportError
        If the solver's package is not installed.
    """
    if isinstance(problem, Cost):
        raise TypeError(f"wrap the costs, as Assignment({type(problem).__name__}(…)) or Transport(…)")
    if not isinstance(problem, Problem):
        problem = Assignment(DenseCost(problem))  # type: ignore[arg-type]
    chosen = get(automatic(problem) if solver == "auto" else solver)
    if reason := chosen.missing:
        raise ImportError(f"solver {chosen.name} cannot run here: {reason}")
    if reason := chosen.capabilities.refuses(problem):
        raise Unsupported(f"solver {chosen.name} {reason}")
    if time_limit is not None:
        options["time_limit"] = check_number(time_limit, "time_limit", positive=True)
        if not chosen.capabilities.time_limit:
            able = ", ".join(name for name in names(problem) if get(name).capabilities.time_limit)
            raise Unsupported(f"solver {chosen.name} cannot be stopped once it runs; give a time_limit to {able}")
    if "threads" in options:
        options["threads"] = check_threads(options["threads"])
        if solver == "auto" and not chosen.capabilities.threads:
            del options["threads"]  # the caller did not choose a solver of one thread, so this is no error
    if isinstance(problem, Assignment) and 0 in problem.shape:
        # The answer is unique, and empty arrays crash many packages.
        n, m = problem.shape
        return Matching(np.full(n, -1, dtype=np.intp), 0.0, np.zeros(n), np.zeros(m))
    if progress is None:
        return chosen.run(problem, **options)
    from .progress import reporting  # loaded only where it is wanted: native code looks whether it is

    if not callable(progress):
        raise TypeError(f"progress must be a function of a Progress, not {progress!r}")
    with reporting(progress, time_limit):
        return chosen.run(problem, **options)
