"""Process in which `runner` runs the checks of one solver, which may crash it.

Run as `python -m lapmark.bench.contract.check_process JOB`; the job is a JSON object with the solver, the checks, the
plugins and the descriptor for events.
"""

import functools
import json
import sys
from typing import Any

import numpy as np

from lapmark.bench.worker.worker import Channel, prepare_process, registered
from lapmark.solvers import plugins, register
from lapmark.solvers.problem import Problem
from lapmark.solvers.registry import Solver
from lapmark.solvers.result import Result

from . import Broken, check

#: Most entries of a matrix to show.
SMALL = 64


def main() -> None:
    job = json.loads(sys.argv[1])
    prepare_process()
    channel = Channel(job["events"])
    try:
        for path in job["plugins"]:
            plugins.load(path)
        announce(registered(job["solver"], job["plugins"]), channel)
    except plugins.PluginError as error:
        channel.send("unusable", message=str(error))
        return
    for name in job["checks"]:
        channel.send("check", name=name)
        status, message = run_check(job["solver"], name)
        channel.send("verdict", name=name, status=status, message=message)


def announce(solver: Solver, channel: Channel) -> None:
    """Report every problem before the solver gets it: after a crash nothing can be reported."""

    @functools.wraps(solver.function)
    def function(problem: Problem, /, **options: Any) -> Result:
        channel.send("call", problem=show(problem))
        return solver.function(problem, **options)

    register(solver.name, solver.capabilities, solver.requires, solver.condition)(function)


def show(problem: Problem) -> str:
    """Return a problem in words, with its matrix if that is small."""
    cost = problem.cost
    shape = f"{type(problem).__name__} of {cost.shape[0]}×{cost.shape[1]} {cost.kind} costs"
    if cost.shape[0] * cost.shape[1] > SMALL:
        return shape
    matrix = cost.dense()
    return f"{shape}, {matrix.dtype} {np.array2string(matrix, precision=17)}"


def run_check(solver: str, name: str) -> tuple[str, str]:
    """Run a check and return its status and message."""
    try:
        verdict = check(solver, name)
    except Broken as broken:
        return "fail", str(broken)
    except BaseException as error:  # a solver may raise anything, SystemExit included
        return "fail", f"raises {type(error).__name__}: {error}"
    return ("skipped", verdict.skipped) if verdict.skipped else ("pass", "")


if __name__ == "__main__":
    main()
