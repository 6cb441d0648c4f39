"""Isolated run: a solver in a worker process that cannot take the harness down with it, nor deceive it.

The limits hold in native code, with the interpreter's lock held and every signal ignored. The time limit is a deadline
in this process that ends in SIGKILL, and memory is counted from outside (`lapmark.bench.system.memory_limit`). All
processes that the worker has started are killed with it. This side orders each call, on another problem than the one
before (`problem_handover`), and compares the times that the worker states with its own clocks (`clock_check`).
"""

import contextlib
import os
import socket
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import IO

from lapmark.bench.system import instruction_counts
from lapmark.bench.system.cores import usable
from lapmark.bench.system.process_tree import ProcessTree
from lapmark.solvers.problem import Problem

from . import protocol, warm_up_problems
from .calls import AnswerReader, Calls, stated_cost
from .clock_check import ClockCheck
from .measuring_loop import MeasuringLoop, Outcome
from .problem_handover import Handover
from .protocol import Answer, Job
from .resource_limits import EXIT_TIME, WARM_UP_MEMORY, Limits

#: Prefixes of the variables that set the number of threads of the usual libraries.
THREADS = ("OMP", "OPENBLAS", "MKL", "BLIS", "NUMEXPR", "NUMBA")


def run(
    solver: str,
    problem: Problem,
    limits: Limits,
    budget: float,
    threads: int = 1,
    plugins: tuple[str, ...] = (),
    python: Path = Path(sys.executable),
    counting: str = "",
    digest: str | None = None,
    cost_of: Callable[[Answer], float] = stated_cost,
    starts_slowly: bool = True,
    compiles: bool = False,
) -> Outcome:
    """Run a solver on a problem.

    Parameters
    ----------
    solver : str
        A spec, or `protocol.BUILD_MATRIX`.
    budget : float
        Seconds of calls; with 0 the solver is called once.
    threads : int
        Threads that it may use, and cores that it gets.
    plugins : tuple of str
        Files that register further solvers.
    python : Path
        The interpreter of the worker, in whose environment the solver is.
    counting : {"", "hardware", "callgrind"}
        How to count the instructions of a call (`lapmark.bench.system.instruction_counts`). Times under callgrind mean
        nothing, and the limits are extended for it.
    digest : str, optional
        Of the problem, to compare with the digest of what the worker has read.
    cost_of : callable
        Returns the cost of an answer; raises a `protocol.BadAnswer` where it is none. Called for every answer.
    starts_slowly : bool
        Whether the solver's first call may load packages or compile, for as long as imports may take.
    compiles : bool
        Whether to warm up on a problem of the same shape.
    """
    cores = set(usable()[-threads:])  # the first cores serve interrupts and the harness
    exit_time, prefix, variables = EXIT_TIME, list[str](), _variables(threads)
    with (
        tempfile.TemporaryFile() as answer,
        tempfile.TemporaryFile() as practice,
        Handover(problem) as handed,
        contextlib.ExitStack() as ends,
    ):
        events, worker_events = (ends.enter_context(end) for end in _pipe())
        orders, worker_orders = (ends.enter_context(end) for end in socket.socketpair())
        warm_up = warm_up_problems.blank(problem) if compiles else warm_up_problems.small(problem)
        protocol.write_problem(warm_up, practice)
        if counting == "callgrind":
            prefix = instruction_counts.callgrind_prefix()
            limits = limits.slower(instruction_counts.CALLGRIND_SLOWDOWN)
            # Python exits slowly, too, and the count is written after that.
            exit_time *= instruction_counts.CALLGRIND_SLOWDOWN
            variables = {**variables, "PYTHONHASHSEED": "0"}  # dictionaries would differ from run to run
        with worker_events, worker_orders:
            job = Job(
                solver=solver,
                threads=threads,
                memory=limits.memory,
                plugins=plugins,
                counting=counting,
                practice=practice.fileno(),
                orders=worker_orders.fileno(),
                events=worker_events.fileno(),
                answer=answer.fileno(),
            )
            command = [*prefix, str(python), "-P", "-m", "lapmark.bench.worker.worker", job.dump()]
            descriptors = (job.practice, job.orders, job.events, job.answer)
            try:
                tree = ProcessTree(command, variables, descriptors, cores=cores, memory=limits.memory + WARM_UP_MEMORY)
            except OSError as error:
                return Outcome("error", f"its worker cannot be started: {error}")
        with tree:
            reader = None
            if solver != protocol.BUILD_MATRIX:
                reader = AnswerReader(answer, handed, limits.memory, cost_of)
            calls = Calls(orders, handed, budget, reader, digest)
            clock = None if counting == "callgrind" else ClockCheck(tree, threads, cores, starts_slowly)
            loop = MeasuringLoop(tree, events.fileno(), limits, calls, clock, starts_slowly)
            loop.follow()
            if loop.has_reported_end:
                tree.wait(exit_time)
            if counting == "callgrind" and loop.has_reported_end:
                loop.outcome.instructions = instruction_counts.read_callgrind(tree.folder)
    return loop.outcome


def _pipe() -> tuple[IO[bytes], IO[bytes]]:
    read, write = os.pipe()
    return open(read, "rb", buffering=0), open(write, "wb", buffering=0)


def _variables(threads: int) -> dict[str, str]:
    # What a solver prints is read as UTF-8, whatever the terminal's encoding.
    return {"PYTHONIOENCODING": "utf-8"} | {f"{library}_NUM_THREADS": str(threads) for library in THREADS}
