"""The contract on one solver, check after check, as `bench.contract.runner` has it run in a process that may die of it.

`python -m lapmark.bench.contract JOB`, with a JSON object that names the solver, the checks, the plugins and the descriptor
for the events.
"""

from __future__ import annotations

import functools
import json
import sys
from typing import Any

import numpy as np

from lapmark.bench.worker.worker import Channel, prepare_process
from lapmark.solvers import plugins, register, registry
from lapmark.solvers.problem import Problem
from lapmark.solvers.registry import Solver
from lapmark.solvers.result import Result

from . import Broken, check

#: Entries of a matrix that is shown.
SMALL = 64


def main() -> None:
    job = json.loads(sys.argv[1])
    prepare_process()
    channel = Channel(job["events"])
    for path in job["plugins"]:
        plugins.load(path)
    announce(registry.get(job["solver"]), channel)
    for name in job["checks"]:
        channel.send("check", name=name)
        status, message = examine(job["solver"], name)
        channel.send("verdict", name=name, status=status, message=message)


def announce(solver: Solver, channel: Channel) -> None:
    """Have every problem told before the solver gets it, since a solver that crashes tells nothing after."""

    @functools.wraps(solver.function)
    def function(problem: Problem, /, **options: Any) -> Result:
        channel.send("call", problem=show(problem))
        return solver.function(problem, **options)

    register(solver.name, solver.capabilities, solver.requires, solver.condition)(function)


def show(problem: Problem) -> str:
    """A problem in words, with its matrix where that is small."""
    cost = problem.cost
    shape = f"{type(problem).__name__} of {cost.shape[0]}×{cost.shape[1]} {cost.kind} costs"
    if cost.shape[0] * cost.shape[1] > SMALL:
        return shape
    matrix = cost.dense()
    return f"{shape}, {matrix.dtype} {np.array2string(matrix, precision=17)}"


def examine(solver: str, name: str) -> tuple[str, str]:
    """Status and message of a check."""
    try:
        verdict = check(solver, name)
    except Broken as broken:
        return "fail", str(broken)
    except BaseException as error:  # a solver may raise anything, SystemExit included
        return "fail", f"raises {type(error).__name__}: {error}"
    return ("skipped", verdict.skipped) if verdict.skipped else ("pass", "")


if __name__ == "__main__":
    main()
