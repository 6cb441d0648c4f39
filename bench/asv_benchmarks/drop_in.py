"""Assignment by each package's own function, one matrix at a time, side by side.

On small problems the overhead of a call is most of its time, so no adapter stands between. Each package is called in
its fastest mode, which returns no cost where that can be left out. Each call gets several matrices in a cycle: with a
single small one, the processor would learn all its branches.

    python -m lapmark.bench.asv_benchmarks.drop_in               prints a table of small problems
    python -m lapmark.bench.asv_benchmarks.drop_in FILE.json     measures all sizes on one core, and writes the rows
"""

import functools
import importlib.metadata
import sys
from collections.abc import Callable, Container, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from scipy.optimize import linear_sum_assignment as scipy_assignment

from lapmark.bench.problems import Case
from lapmark.bench.util import spec
from lapmark.solvers import Assignment, DenseCost, linear_sum_assignment, registry

from .side_by_side import Table, known_rows, lead, shortest_times, write_rows

Call = Callable[[np.ndarray], Any]

SIZES = (5, 10, 20, 50, 100, 200)
FAMILIES = ("uniform", "integers", "geometric", "tracking")
ROUNDS = 50

#: Sizes of the whole comparison, its columns per row, and the largest number of columns.
ALL_SIZES, MOST_COLUMNS = (5, 20, 50, 100, 200, 500, 1000, 2000, 5000), 10_000

#: Seconds of a comparison; of a call beyond which it is not repeated, and beyond which no larger matrix is tried.
BUDGET, LONGEST, GIVEN_UP = 1.0, 2.0, 1.0

#: Relative difference in cost up to which an answer is as good as ours: rounding in float32.
SAME_COST = 1e-5

CALLS: dict[str, Call] = {"lapmark": linear_sum_assignment, "scipy": scipy_assignment}


def _is_wide(costs: np.ndarray) -> bool:
    return costs.shape[0] != costs.shape[1]


if registry.get("lapjv").missing is None:
    import lapjv

    CALLS["lapjv"] = lapjv.lapjv
if registry.get("lap").missing is None:
    import lap

    CALLS["lap"] = lambda costs: lap.lapjv(costs, extend_cost=_is_wide(costs), return_cost=False)
if registry.get("lapx-lapjvr").missing is None:
    import lap

    CALLS["lapx-lapjvr"] = lambda costs: lap.lapjvr(costs, return_cost=False)
    CALLS["lapx-lapjvh"] = lambda costs: lap.lapjvh(costs, return_cost=False)
if registry.get("lapcpp").missing is None:
    import lapcpp

    CALLS["lapcpp"] = lambda costs: lapcpp.lapjv(costs, extend_cost=_is_wide(costs), return_cost=False)
if registry.get("laprust").missing is None:
    import laprust

    CALLS["laprust"] = lambda costs: laprust.lapjv(costs, extend_cost=_is_wide(costs), return_cost=False)

#: Packages that return the column of each row first; the others return the rows and then their columns.
COLUMNS_FIRST = {"lapjv", "lap"}

#: The kinds of matrices of the whole comparison, each a family with settings.
MATRICES = {
    "uniform": "uniform",
    "integers 0–99": "integers",
    "points in the plane, distance": "geometric",
    "the same capped at 0.1": "geometric:cap=0.1",
    "n × 2n uniform": "rectangular",
    "n × 10n uniform": "rectangular:ratio=10",
    "n × 2n, integers": "rectangular:dtype=int32",
    "n × 10n, integers": "rectangular:dtype=int32,ratio=10",
    "|x − y| of normal numbers": "difference:values=normal",
    "|x − y| of whole numbers": "difference:values=random",
    "boxes of a tracker": "tracking",
    "i · j": "product",
    "rank 3": "low-rank:rank=3",
    "x + y": "separable",
    "20 different points": "duplicates",
    "20 different rows": "duplicates:of=rows",
    "0 and 1": "binary",
    "all equal": "equal",
    "over eight decades": "wide-range",
    "30 % forbidden": "forbidden",
}

#: Families with one instance of each size.
ONE_INSTANCE = {"product", "equal"}


def several(n: int) -> int:
    """Return how many matrices of a size fit into the cache, where matrices that were just made would be."""
    return min(max(80_000 // (n * n), 2), 64)


def matrices(case: str, n: int, count: int, dtype: str = "float64") -> np.ndarray:
    """Return instances of one size, (count, n, m) of the dtype; where a size has only one, it is repeated."""
    name, settings = spec.parse(case)
    if "dtype" in Case(name, n, 0, settings).settings:
        settings = {"dtype": dtype, **settings}
    seeds = [0] * count if name in ONE_INSTANCE else range(count)
    return np.array([Case(name, n, seed, settings).build().cost.dense() for seed in seeds], dtype=dtype)


def can_solve(name: str, call: Call, costs: np.ndarray) -> bool:
    """Return whether the package takes such a matrix, and finds an answer as good as ours."""
    if name == "lapmark":
        return True
    if registry.get(name).capabilities.refuses(Assignment(DenseCost(costs))):
        return False
    rows = np.arange(len(costs))
    columns = np.asarray(call(costs)[name not in COLUMNS_FIRST])
    best, found = costs[linear_sum_assignment(costs)].sum(), costs[rows, columns].sum()
    return len(set(columns)) == len(rows) and found - best <= SAME_COST * abs(best)


def one_by_one(call: Callable[[Any], Any], several: Iterable[Any]) -> None:
    """Call for each of several problems in turn."""
    for each in several:
        call(each)


class Small:
    """One call for each of several matrices."""

    params = (list(CALLS), list(FAMILIES), list(SIZES))
    param_names = ("package", "family", "n")

    def setup(self, package: str, family: str, n: int) -> None:
        self.call = CALLS[package]
        self.matrices = matrices(family, n, several(n))

    def time_calls(self, package: str, family: str, n: int) -> None:
        one_by_one(self.call, self.matrices)


def rows(sizes: Iterable[int] = ALL_SIZES, known: Iterable[Mapping[str, Any]] = ()) -> Iterator[dict[str, object]]:
    """Yield the time of every package on every kind of matrix: its dtype, family, n, package, and seconds of a call.

    Left out are packages that cannot solve these matrices, those that took longer than `GIVEN_UP` at the size before,
    unless they were the fastest, and comparisons of which there are `known` rows.
    """
    found: dict[tuple[str, str, int], dict[str, float]] = {}
    for row in known:
        found.setdefault((row["dtype"], row["family"], row["n"]), {})[row["package"]] = row["seconds"]
    for dtype in ("float64", "float32"):
        for family, case in MATRICES.items():
            slow: set[str] = set()
            for n in sizes:
                if (times := found.get((dtype, family, n))) is None:
                    times = compare(case, n, dtype, slow)
                    for name, seconds in times.items():
                        yield {"dtype": dtype, "family": family, "n": n, "package": name, "seconds": seconds}
                peers = sorted((seconds, name) for name, seconds in times.items() if name != "lapmark")
                slow |= {name for seconds, name in peers[1:] if seconds > GIVEN_UP}


def compare(case: str, n: int, dtype: str, slow: Container[str]) -> dict[str, float]:
    """Return the seconds of a call of each package that is not slow; none for matrices that are too large."""
    count = several(n) if n <= 1000 else 1
    if n * columns_per_row(case) > MOST_COLUMNS:
        return {}
    stack = matrices(case, n, count, dtype)
    able = {name: call for name, call in CALLS.items() if name not in slow and can_solve(name, call, stack[0])}
    calls = {name: functools.partial(one_by_one, call, stack) for name, call in able.items()}
    return {name: seconds / count for name, seconds in shortest_times(calls, 10 * ROUNDS, BUDGET, LONGEST).items()}


def columns_per_row(case: str) -> int:
    """Return how many times as many columns as rows the matrices of a kind have."""
    name, settings = spec.parse(case)
    return int(Case(name, 1, 0, settings).settings.get("ratio", 1))


def versions(names: Iterable[str]) -> dict[str, str]:
    """Return the version of each package, without those of the environment for lapx."""
    return {name: importlib.metadata.version(name) for name in names if not name.startswith("lapx-")}


def main(arguments: list[str]) -> None:
    """Print the table, or write the rows of the whole comparison to a file."""
    if arguments:
        path = Path(arguments[0])
        write_rows(rows(known=known_rows(path)), versions(CALLS), path, continues=True)
        return
    table = Table({"µs per call": "<16", **dict.fromkeys(CALLS, "12.3g"), "lead": "12.2f"})
    table.print_heading()
    for family in FAMILIES:
        for n in SIZES:
            stack = matrices(family, n, several(n))
            calls = {name: functools.partial(one_by_one, call, stack) for name, call in CALLS.items()}
            seconds = shortest_times(calls, ROUNDS)
            shown = (1e6 * each / len(stack) for each in seconds.values())
            table.print_row(f"{family} {n}", *shown, lead(seconds))


if __name__ == "__main__":
    main(sys.argv[1:])
