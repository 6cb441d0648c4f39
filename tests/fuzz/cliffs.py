"""Look for costs that the default solver is slow on: `python -m tests.fuzz.cliffs --seconds 3600`.

Every problem is solved by "auto" and by all other solvers here; what counts is the time of "auto" over that of the best.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import multiprocessing
import sys
import time
from dataclasses import asdict, dataclass

import numpy as np

from solvers import Assignment, solve
from solvers.registry import get, names

from .structures import draw_structure

#: Solvers are timed again until so many seconds are spent on each, or so many runs; the least counts.
ENOUGH_SECONDS, ENOUGH_RUNS = 0.05, 7

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


def seconds(problem: Assignment, solver: str, runs: int) -> float:
    """Of the quickest of some runs."""
    least = np.inf
    for _ in range(runs):
        begin = time.perf_counter()
        solve(problem, solver)
        least = min(least, time.perf_counter() - begin)
    return least


def rival(problem: Assignment, solver: str, runs: int, patience: float) -> float:
    """Seconds of another solver, in a process of its own, since some never end; inf where it takes beyond `patience`."""
    context = multiprocessing.get_context("fork")
    here, there = context.Pipe(duplex=False)

    def work() -> None:
        with contextlib.suppress(Exception):  # a peer that fails is no rival
            took = seconds(problem, solver, 1)
            there.send(min(took, seconds(problem, solver, runs)) if runs > 1 else took)

    child = context.Process(target=work)
    child.start()
    there.close()
    try:
        return float(here.recv()) if here.poll(patience) else np.inf
    except EOFError:
        return np.inf
    finally:
        child.kill()
        child.join()


def time_seed(seed: int, least: int, most: int) -> Timed:
    """Draw a problem, and time every solver on it."""
    what, cost = draw_structure(np.random.default_rng(seed), least, most)
    problem = Assignment(cost)
    n, m = problem.shape
    once = seconds(problem, "auto", 1)
    runs = int(np.clip(ENOUGH_SECONDS / once, 1, ENOUGH_RUNS))
    auto = min(once, seconds(problem, "auto", runs)) if runs > 1 else once
    rivals = [name for name in names(problem) if min(n, m) <= SLOW_FROM.get(name, most)]
    best = np.inf, ""
    for name in rivals:
        if get(name).capabilities.exact and not get(name).missing:
            best = min(best, (rival(problem, name, runs, 2 * auto * (1 + runs) + 0.5), name))
    return Timed(seed, what, n, m, auto, *best)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz.cliffs", description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=float, default=60, help="how long to go on (default: 60)")
    parser.add_argument("--seed", type=int, default=0, help="the first problem; the others count on (default: 0)")
    parser.add_argument("--least", type=int, default=5, help="rows at least (default: 5)")
    parser.add_argument("--most", type=int, default=3000, help="rows and columns at most (default: 3000)")
    parser.add_argument("--to", help="a file to which every problem is appended, one line of JSON each")
    parser.add_argument("--worst", type=int, default=20, help="how many of the worst to list (default: 20)")
    given = parser.parse_args()
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
        print(f"{each.ratio:6.2f}  {each.auto:9.3g} s, {each.solver} {each.best:9.3g} s  {each.n} × {each.m}, {each.what} ({each.seed})")


if __name__ == "__main__":
    main()
