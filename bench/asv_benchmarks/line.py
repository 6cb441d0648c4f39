"""Transport between points on a line, beside functions that return its value and no plan.

A plan is certified; a value can only be compared with the certified one, so that the functions of SciPy and POT that
return one are no solvers of the harness. The cost is the distance, p = 1, the only one that SciPy's function takes.

    python -m lapmark.bench.asv_benchmarks.line               prints a table
    python -m lapmark.bench.asv_benchmarks.line FILE.json     writes its rows
"""

import functools
import importlib.metadata
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
from scipy.stats import wasserstein_distance

from lapmark.solvers import Plan, PointCost, Transport, certify, registry, solve

from .side_by_side import Table, shortest_times, write_rows

SIZES, ROUNDS, BUDGET = (100, 1_000, 10_000, 100_000), 50, 3.0

#: Relative difference of a value from the certified one that rounding explains.
SAME = 1e-9


def problem(n: int) -> Transport:
    """Return n points to n others on a line, with masses at random."""
    rng = np.random.default_rng(n)
    a, b = rng.exponential(size=(2, n))
    return Transport(PointCost(rng.random((n, 1)), rng.normal(size=(n, 1)), p=1), a / a.sum(), b / b.sum())


def plans(given: Transport) -> dict[str, Callable[[], Plan]]:
    """Return calls of the solvers that return a plan."""
    names = [name for name in ("transport", "pot-emd-1d") if registry.get(name).missing is None]
    return {name: functools.partial(_plan, given, name) for name in names}


def _plan(given: Transport, solver: str) -> Plan:
    return solve(given, solver)


def values(given: Transport) -> dict[str, Callable[[], float]]:
    """Return calls of the functions that return the value only."""
    cost, (a, b) = given.cost, given.masses
    assert isinstance(cost, PointCost)
    x, y = cost.x[:, 0], cost.y[:, 0]
    calls: dict[str, Callable[[], float]] = {"value by SciPy": functools.partial(wasserstein_distance, x, y, a, b)}
    if registry.get("pot-emd-1d").missing is None:
        from ot import wasserstein_1d

        calls["value by POT"] = functools.partial(wasserstein_1d, x, y, a, b, p=1)
    return calls


def check(given: Transport) -> None:
    """Raise a ValueError unless all plans are optimal, and all values are theirs."""
    optimum = np.nan
    for name, call in plans(given).items():
        plan = call()
        if not certify(given, plan).optimal:
            raise ValueError(f"the plan of {name} is not proven optimal")
        optimum = plan.cost
    for name, value in values(given).items():
        if not abs(value() - optimum) <= SAME * optimum:
            raise ValueError(f"the {name} is {value():.12g}, not {optimum:.12g}")


def rows() -> Iterator[dict[str, object]]:
    """Yield the seconds of each function for each number of points, once all agree."""
    for n in SIZES:
        given = problem(n)
        check(given)
        calls: dict[str, Callable[[], object]] = {**plans(given), **values(given)}
        for name, seconds in shortest_times(calls, ROUNDS, BUDGET).items():
            yield {"n": n, "function": name, "seconds": seconds}


def main(arguments: list[str]) -> None:
    """Print the table, or write its rows to a file."""
    if arguments:
        write_rows(rows(), {name: importlib.metadata.version(name) for name in ("scipy", "POT")}, Path(arguments[0]))
        return
    table = Table({"points": ">8", "function": ">28", "milliseconds": "14.3f"})
    table.print_heading()
    for row in rows():
        table.print_row(row["n"], row["function"], 1e3 * float(str(row["seconds"])))


if __name__ == "__main__":
    main(sys.argv[1:])
