"""Many assignment problems in one call, by each package's function for batches, side by side.

Each gets as many threads as this process has cores, which is the default of all.

    python -m lapmark.bench.asv_benchmarks.batches               prints a table
    python -m lapmark.bench.asv_benchmarks.batches FILE.json     writes its rows
"""

import functools
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

from lapmark.solvers import registry, solve_batch

from .drop_in import matrices, versions
from .side_by_side import Table, lead, shortest_times, write_rows

#: Problems of a batch, their sizes, and what they are.
BATCH, SIZES = 1000, (5, 10, 20, 50, 100, 200)
FAMILIES = {"uniform": "uniform", "points in the plane, distance": "geometric", "boxes of a tracker": "tracking"}

#: Rounds in turns, and seconds of a comparison.
ROUNDS, BUDGET = 50, 3.0

BATCHES: dict[str, Callable[[np.ndarray], Any]] = {"lapmark": solve_batch}

if registry.get("lapx-lapjvr").missing is None:
    import lap

    BATCHES["lapx-lapjvr"] = lap.lapjvr_batch
    BATCHES["lapx-lapjvh"] = lap.lapjvh_batch
if registry.get("lapcpp").missing is None:
    import lapcpp

    BATCHES["lapcpp"] = functools.partial(lapcpp.lapjv_batch, return_cost=False)
if registry.get("laprust").missing is None:
    import laprust

    BATCHES["laprust"] = functools.partial(laprust.lapjv_batch, return_cost=False)


class Batch:
    """One call for all matrices, with a thread per core."""

    params = (list(BATCHES), list(SIZES))
    param_names = ("package", "n")

    def setup(self, package: str, n: int) -> None:
        self.call = BATCHES[package]
        self.costs = matrices("uniform", n, BATCH)

    def time_batch(self, package: str, n: int) -> None:
        self.call(self.costs)


def rows() -> Iterator[dict[str, object]]:
    """Yield the time of a batch by every package: the family, n, package, and seconds."""
    for family, case in FAMILIES.items():
        for n in SIZES:
            stack = matrices(case, n, BATCH)
            calls = {name: functools.partial(call, stack) for name, call in BATCHES.items()}
            for name, seconds in shortest_times(calls, ROUNDS, BUDGET).items():
                yield {"family": family, "n": n, "package": name, "seconds": seconds}


def main(arguments: list[str]) -> None:
    """Print the table, or write its rows to a file."""
    if arguments:
        write_rows(rows(), versions(BATCHES), Path(arguments[0]), one_core=False)
        return
    table = Table({f"ms for {BATCH}": "<34", **dict.fromkeys(BATCHES, "12.3g"), "lead": "8.2f"})
    table.print_heading()
    seconds: dict[str, float] = {}
    for row in rows():
        seconds[str(row["package"])] = float(str(row["seconds"]))
        if len(seconds) == len(BATCHES):
            table.print_row(f"{row['family']} {row['n']}", *(1e3 * each for each in seconds.values()), lead(seconds))
            seconds = {}


if __name__ == "__main__":
    main(sys.argv[1:])
