"""Small problems one by one and in batches, ours beside the packages that are installed.

At this size the way from the array to the indices is most of a call, so what is timed is each package's own function,
without an adapter. Each is given several matrices in turn: a processor soon knows its way through one by heart.

    python -m lapmark.bench.asv_benchmarks.small                       prints a table of all, measured in turns
    $(lapmark env python lapx) -m lapmark.bench.asv_benchmarks.small   the same in an environment, with its packages
"""

from __future__ import annotations

import functools
import time
from collections.abc import Callable, Iterable, Mapping

import numpy as np
from scipy.optimize import linear_sum_assignment as scipy_assignment

from lapmark.bench.problems import Case
from lapmark.solvers import linear_sum_assignment, registry, solve_batch

Call = Callable[[np.ndarray], object]

SIZES = (5, 10, 20, 50, 100, 200)
FAMILIES = {"uniform": {"dtype": "float64"}, "integers": {}, "geometric": {"dtype": "float64"}, "tracking": {}}
BATCH = 1000
ROUNDS = 50

CALLS: dict[str, Call] = {"lapmark": linear_sum_assignment, "scipy": scipy_assignment}
BATCHES: dict[str, Call] = {"lapmark": solve_batch}

if registry.get("lapjv").missing is None:
    import lapjv

    CALLS["lapjv"] = lapjv.lapjv
if registry.get("lap").missing is None:
    import lap

    CALLS["lap"] = lambda costs: lap.lapjv(costs, return_cost=False)
if registry.get("lapx-lapjvr").missing is None:
    import lap

    CALLS["lapx-lapjvr"] = lambda costs: lap.lapjvr(costs, return_cost=False)
    CALLS["lapx-lapjvh"] = lambda costs: lap.lapjvh(costs, return_cost=False)
    BATCHES["lapx-lapjvr"] = lap.lapjvr_batch
    BATCHES["lapx-lapjvh"] = lap.lapjvh_batch


def several(n: int) -> int:
    """How many matrices of a size stay in the cache, where those that were made just before would be."""
    return min(max(80_000 // (n * n), 2), 64)


def matrices(family: str, n: int, count: int) -> np.ndarray:
    """Instances of one size, a (count, n, n) float64 array."""
    problems = [Case(family, n, seed, FAMILIES[family]).build() for seed in range(count)]
    return np.array([problem.cost.dense() for problem in problems], dtype=np.float64)


def one_by_one(call: Call, stack: np.ndarray) -> None:
    for costs in stack:
        call(costs)


class Small:
    """One call for each of some matrices."""

    params = (list(CALLS), list(FAMILIES), list(SIZES))
    param_names = ("package", "family", "n")

    def setup(self, package: str, family: str, n: int) -> None:
        self.call = CALLS[package]
        self.matrices = matrices(family, n, several(n))

    def time_calls(self, package: str, family: str, n: int) -> None:
        one_by_one(self.call, self.matrices)


class Batch:
    """One call for all matrices, by as many threads as there are cores."""

    params = (list(BATCHES), list(SIZES))
    param_names = ("package", "n")

    def setup(self, package: str, n: int) -> None:
        self.call = BATCHES[package]
        self.costs = matrices("uniform", n, BATCH)

    def time_batch(self, package: str, n: int) -> None:
        self.call(self.costs)


def in_turns(calls: Mapping[str, Callable[[], object]], rounds: int = ROUNDS) -> dict[str, float]:
    """The shortest time of each call in seconds; every round gives each its turn, so that a busy spell hits all."""
    best = dict.fromkeys(calls, np.inf)
    for _ in range(rounds):
        for name, call in calls.items():
            start = time.perf_counter()
            call()
            best[name] = min(best[name], time.perf_counter() - start)
    return best


def show_head(label: str, names: Iterable[str]) -> None:
    print(f"\n{label:16}" + "".join(f"{name:>12}" for name in [*names, "lead"]))


def show(label: str, seconds: dict[str, float], unit: float) -> None:
    """A line of times, and how many times as fast as the best of the others ours is."""
    best = min((each for name, each in seconds.items() if name != "lapmark"), default=np.nan)
    cells = "".join(f"{each / unit:12.3g}" for each in seconds.values())
    print(f"{label:16}{cells}{best / seconds['lapmark']:12.2f}", flush=True)


def main() -> None:
    show_head("µs a call", CALLS)
    for family in FAMILIES:
        for n in SIZES:
            stack = matrices(family, n, several(n))
            times = in_turns({name: functools.partial(one_by_one, call, stack) for name, call in CALLS.items()})
            show(f"{family} {n}", times, 1e-6 * len(stack))
    show_head(f"ms for {BATCH}", BATCHES)
    for n in SIZES:
        stack = matrices("uniform", n, BATCH)
        times = in_turns({name: functools.partial(call, stack) for name, call in BATCHES.items()})
        show(f"uniform {n}", times, 1e-3)


if __name__ == "__main__":
    main()
