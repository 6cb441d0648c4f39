"""Look for costs that the default solver is slow on: `python -m tests.fuzz.cliffs --seconds 3600`.

Every problem is solved by "auto" and by all other solvers here; what counts is the time of "auto" over that of the
best.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import math
import multiprocessing
import time
from dataclasses import asdict, dataclass
from multiprocessing.connection import Connection

import numpy as np
import scipy.sparse

from lapmark import Assignment, DenseCost, PointCost, SparseCost, solve
from lapmark.solvers.registry import get, names

from .structures import draw_structure

#: Solvers are timed again until so many seconds are spent on each, or so many runs; the least counts.
ENOUGH_SECONDS, ENOUGH_RUNS = 0.05, 7

#: Seconds in which a process has begun, and the part by which equal costs differ at most.
STARTED, SAME = 0.1, 1e-11

#: A ratio from which on a problem is timed again, so many times.
DOUBTFUL, AGAIN = 2.0, 3

#: Solvers that have no chance beyond so many rows.
SLOW_FROM = {"hungarian": 100, "highs": 30, "pot-bsp": 0, "ortools-flow": 400}


@dataclass
class Timed:
    """One problem: the seconds of "auto" and of the best of the others."""

    seed: int
    what: str
    n: int
    m: int
    auto: float
    best: float
    solver: str

    @property
    def ratio(self) -> float:
        return self.auto / self.best


def seconds(problem: Assignment, solver: str, runs: int) -> tuple[float, float]:
    """Of the quickest of some runs, and what the answer costs."""
    least, cost = math.inf, math.nan
    for _ in range(runs):
        begin = time.perf_counter()
        cost = solve(problem, solver).cost
        least = min(least, time.perf_counter() - begin)
    return least, cost


def timed_all(problem: Assignment, runs: int, once: float) -> dict[str, float]:
    """Seconds of "auto" and of every rival with an optimal answer that takes not much longer than `once`.

    In a process of their own, since some never end.
    """
    left, timed = ["auto", *rivals(problem)], {}
    context = multiprocessing.get_context("fork")

    def work(pipe: Connection) -> None:
        for name in left:
            took, cost = math.inf, math.nan
            with contextlib.suppress(Exception):  # a peer that fails is no rival
                took, cost = seconds(problem, name, 1)
                if runs > 1 and took < 3 * once + STARTED:
                    took = min(took, seconds(problem, name, runs)[0])
            pipe.send((took, cost))

    optimum = math.nan
    while left:
        here, there = context.Pipe(duplex=False)
        child = context.Process(target=work, args=(there,))
        child.start()
        there.close()
        while left:
            answered = here.recv() if here.poll((runs + (runs > 1)) * once + STARTED) else None
            name = left.pop(0)
            if answered is None:
                break
            took, cost = answered
            optimum = cost if name == "auto" else optimum
            if abs(cost - optimum) <= SAME * abs(optimum):
                timed[name] = took
        child.kill()
        child.join()
    return timed


def time_problem(problem: Assignment) -> tuple[float, float, str]:
    """Seconds of "auto", and of the best of the other exact solvers, with its name."""
    once, _ = seconds(problem, "auto", 1)
    runs = int(np.clip(ENOUGH_SECONDS / once, 1, ENOUGH_RUNS))
    timed = timed_all(problem, runs, once)
    auto = min(once, timed.pop("auto", once))
    best = min(timed, key=timed.__getitem__, default="")
    return auto, timed.get(best, math.inf), best


def rivals(problem: Assignment) -> list[str]:
    """Exact solvers for a problem that are here and have a chance."""
    least = min(problem.shape)
    return [
        name
        for name in names(problem)
        if get(name).capabilities.exact and not get(name).missing and least <= SLOW_FROM.get(name, least)
    ]


def time_seed(seed: int, least: int, most: int) -> Timed:
    """Draw a problem, and time every solver on it; again where "auto" seems to lose: other work may be why."""
    what, cost = draw_structure(np.random.default_rng(seed), least, most)
    problem = Assignment(cost)
    timed = Timed(seed, what, *problem.shape, *time_problem(problem))
    for _ in range(AGAIN):
        if timed.ratio < DOUBTFUL:
            break
        auto, best, solver = time_problem(problem)
        timed.auto = min(timed.auto, auto)
        if best < timed.best:
            timed.best, timed.solver = best, solver
    return timed


def warm_up() -> None:
    """Import all that solvers need, which is not to be timed; on problems that every solver ends on."""
    rng = np.random.default_rng(0)
    matrix = rng.random((20, 20))
    for cost in (
        DenseCost(matrix),
        DenseCost(matrix.astype(np.float32)),
        PointCost(rng.random((20, 2)), rng.random((20, 2))),
        PointCost(rng.random((20, 1)), rng.random((20, 1)), 1),
        SparseCost(scipy.sparse.csr_array(matrix)),
    ):
        problem = Assignment(cost)
        for name in ["auto", *rivals(problem)]:
            solve(problem, name)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz.cliffs", description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=float, default=60, help="how long to go on (default: 60)")
    parser.add_argument("--seed", type=int, default=0, help="the first problem; the others count on (default: 0)")
    parser.add_argument("--least", type=int, default=5, help="rows at least (default: 5)")
    parser.add_argument("--most", type=int, default=3000, help="rows and columns at most (default: 3000)")
    parser.add_argument("--to", help="a file to which every problem is appended, one line of JSON each")
    parser.add_argument("--worst", type=int, default=20, help="how many of the worst to list (default: 20)")
    given = parser.parse_args()
    warm_up()
    end, all_timed = time.monotonic() + given.seconds, []
    while time.monotonic() < end:
        timed = time_seed(given.seed + len(all_timed), given.least, given.most)
        all_timed.append(timed)
        if given.to:
            with open(given.to, "a", encoding="utf-8") as file:
                print(json.dumps(asdict(timed)), file=file)
    all_timed.sort(key=lambda each: -each.ratio)
    ratios = np.array([each.ratio for each in all_timed])
    print(f"{len(ratios)} problems: median {np.median(ratios):.2f}, 99 of 100 below {np.quantile(ratios, 0.99):.2f}")
    for each in all_timed[: given.worst]:
        times = f"{each.ratio:6.2f}  {each.auto:9.3g} s, {each.solver} {each.best:9.3g} s"
        print(f"{times}  {each.n} × {each.m}, {each.what} ({each.seed})")


if __name__ == "__main__":
    main()
