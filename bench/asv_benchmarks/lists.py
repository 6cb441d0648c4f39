"""Assignment on lists of the allowed pairs, by each package's own function, side by side.

Each gets SciPy's CSR array in float64, with sorted indices, and is called without an adapter; ours checks and copies it
first. Each call gets several lists in a cycle.

    python -m lapmark.bench.asv_benchmarks.lists               prints a table
    python -m lapmark.bench.asv_benchmarks.lists FILE.json     measures on one core, and writes the rows
"""

import functools
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
from scipy.sparse import csgraph, csr_array

from lapmark.bench.problems import Case
from lapmark.bench.util import spec
from lapmark.solvers import Assignment, SparseCost, min_weight_full_bipartite_matching, registry, solve

from .drop_in import SAME_COST, one_by_one, versions
from .side_by_side import Table, lead, shortest_times, write_rows

SIZES = (5, 20, 50, 100, 200, 500, 1000, 2000, 5000)

#: The kinds of lists, each a family with settings, and the largest size.
LISTS = {
    "uniform, 1 % of all pairs": ("sparse:share=0.01", 5000),
    "uniform, 5 % of all pairs": ("sparse:share=0.05", 5000),
    "uniform, 20 % of all pairs": ("sparse:share=0.2", 2000),
    "NETGEN, 7.5 pairs a row": ("netgen-assignment:degree=7.5", 5000),
    "NETGEN, 22.5 pairs a row": ("netgen-assignment:degree=22.5", 5000),
    "layers": ("layered", 5000),
}

#: Seconds of a comparison, and of a call beyond which it is not repeated.
BUDGET, LONGEST, ROUNDS = 1.0, 2.0, 200

#: SciPy's function takes a time that is exponential in the number of layers (issue 26147 of SciPy).
HANGS = {("csgraph", "layers")}


def _lapmod(pairs: csr_array) -> Any:
    import lap

    return lap.lapmod(pairs.shape[0], pairs.data, pairs.indptr, pairs.indices, return_cost=False)[0]


def _lapjvsp(pairs: csr_array) -> Any:
    from fastlap import solve_lap

    return solve_lap(pairs, "lapjvsp")[1]


#: Each returns the columns in the order of rows.
CALLS: dict[str, Callable[[csr_array], Any]] = {
    "lapmark": lambda pairs: min_weight_full_bipartite_matching(pairs)[1],
    "csgraph": lambda pairs: csgraph.min_weight_full_bipartite_matching(pairs)[1],
}
if registry.get("lapmod").missing is None:
    CALLS["lapmod"] = _lapmod
if registry.get("fastlap-sparse").missing is None:
    CALLS["fastlap"] = _lapjvsp


def lists(case: str, n: int) -> list[csr_array]:
    """Return several lists of a kind in float64, as many as fit into the cache."""
    name, settings = spec.parse(case)
    costs = [Case(name, n, seed, settings).build().cost for seed in range(16 if n <= 200 else 2)]
    return [cost.csr.astype(np.float64) for cost in costs if isinstance(cost, SparseCost)]


def finds_the_optimum(call: Callable[[csr_array], Any], pairs: csr_array) -> bool:
    """Return whether the package's answer is as good as ours."""
    cost, rows = SparseCost(pairs), np.arange(pairs.shape[0])
    best = solve(Assignment(cost)).cost
    found = cost.entries(rows, np.asarray(call(pairs), dtype=np.intp)).sum()
    return bool(abs(found - best) <= SAME_COST * abs(best))


def rows() -> Iterator[dict[str, object]]:
    """Yield the time of every package on every kind of list: its dtype, family, n, package, and seconds of a call."""
    for family, (case, largest) in LISTS.items():
        for n in SIZES:
            if n > largest:
                break
            several = lists(case, n)
            able = {
                name: call
                for name, call in CALLS.items()
                if (name, family) not in HANGS and finds_the_optimum(call, several[0])
            }
            calls = {name: functools.partial(one_by_one, call, several) for name, call in able.items()}
            for name, seconds in shortest_times(calls, ROUNDS, BUDGET, LONGEST).items():
                yield {"dtype": "float64", "family": family, "n": n, "package": name, "seconds": seconds / len(several)}


def main(arguments: list[str]) -> None:
    """Print the table, or write its rows to a file."""
    if arguments:
        packages = [{"csgraph": "scipy", "lapmod": "lap"}.get(name, name) for name in CALLS]
        write_rows(rows(), versions(packages), Path(arguments[0]))
        return
    table = Table({"µs": "<34", **dict.fromkeys(CALLS, "12.4g"), "lead": "8.2f"})
    table.print_heading()
    found: dict[str, dict[str, float]] = {}
    for row in rows():
        found.setdefault(f"{row['family']} {row['n']}", {})[str(row["package"])] = float(str(row["seconds"]))
    for label, seconds in found.items():
        table.print_row(label, *(1e6 * seconds.get(name, np.nan) for name in CALLS), lead(seconds))


if __name__ == "__main__":
    main(sys.argv[1:])
