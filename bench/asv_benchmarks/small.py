"""Small problems one by one and in batches, compared with the installed packages.

At this size the overhead of a call is most of its time, so each package's own function is timed, without an adapter.
Each call gets several matrices in a cycle: with a single one, the processor would learn all its branches.

    python -m lapmark.bench.asv_benchmarks.small                       prints a table
    $(lapmark env python lapx) -m lapmark.bench.asv_benchmarks.small   the same in an environment, with its packages
"""

import functools
from collections.abc import Callable, Iterable, Mapping

import numpy as np
from scipy.optimize import linear_sum_assignment as scipy_assignment

from lapmark.bench.problems import Case
from lapmark.solvers import linear_sum_assignment, registry, solve_batch

from .side_by_side import Table, shortest_times

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
    """Return how many matrices of a size fit into the cache, where matrices that were just made would be."""
    return min(max(80_000 // (n * n), 2), 64)


def matrices(family: str, n: int, count: int) -> np.ndarray:
    """Return instances of one size, (count, n, n) float64."""
    problems = [Case(family, n, seed, FAMILIES[family]).build() for seed in range(count)]
    return np.array([problem.cost.dense() for problem in problems], dtype=np.float64)


def one_by_one(call: Call, stack: np.ndarray) -> None:
    for costs in stack:
        call(costs)


class Small:
    """One call for each of several matrices."""

    params = (list(CALLS), list(FAMILIES), list(SIZES))
    param_names = ("package", "family", "n")

    def setup(self, package: str, family: str, n: int) -> None:
        self.call = CALLS[package]
        self.matrices = matrices(family, n, several(n))

    def time_calls(self, package: str, family: str, n: int) -> None:
        one_by_one(self.call, self.matrices)


class Batch:
    """One call for all matrices, with a thread per core."""

    params = (list(BATCHES), list(SIZES))
    param_names = ("package", "n")

    def setup(self, package: str, n: int) -> None:
        self.call = BATCHES[package]
        self.costs = matrices("uniform", n, BATCH)

    def time_batch(self, package: str, n: int) -> None:
        self.call(self.costs)


def comparison(label: str, names: Iterable[str]) -> Table:
    """Print the heading of a table of packages, whose last column is the speed-up over the best of the others."""
    table = Table({label: "<16", **dict.fromkeys(names, "12.3g"), "lead": "12.2f"})
    print()
    table.print_heading()
    return table


def compare(table: Table, label: str, calls: Mapping[str, Callable[[], object]], unit: float) -> None:
    """Time calls, and print a row in a unit of seconds."""
    seconds = shortest_times(calls, ROUNDS)
    best = min((each for name, each in seconds.items() if name != "lapmark"), default=np.nan)
    table.print_row(label, *(each / unit for each in seconds.values()), best / seconds["lapmark"])


def main() -> None:
    """Print both tables."""
    table = comparison("µs per call", CALLS)
    for family in FAMILIES:
        for n in SIZES:
            stack = matrices(family, n, several(n))
            calls = {name: functools.partial(one_by_one, call, stack) for name, call in CALLS.items()}
            compare(table, f"{family} {n}", calls, 1e-6 * len(stack))
    table = comparison(f"ms for {BATCH}", BATCHES)
    for n in SIZES:
        stack = matrices("uniform", n, BATCH)
        compare(table, f"uniform {n}", {name: functools.partial(call, stack) for name, call in BATCHES.items()}, 1e-3)


if __name__ == "__main__":
    main()
