"""Earth mover's distance of two histograms on a grid, compared with POT, OR-tools and HiGHS.

OR-tools and HiGHS solve the minimum cost flow on the edges of the grid, like us. OR-tools gets whole masses in ready
arrays, and adding them is part of its time; HiGHS solves a linear program. POT's `emd2` gets a ready matrix of all
pairs, its `emd2_lazy` the cells. Ours is `solve`, with the plan and its duals, which are certified.

    python -m lapmark.bench.asv_benchmarks.grids               prints a table
    python -m lapmark.bench.asv_benchmarks.grids FILE.json     writes its rows
"""

import functools
import importlib.metadata
import sys
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, get_args

import numpy as np

from lapmark.bench.problems.random.grid_histograms import Image, build
from lapmark.solvers import GridCost, Transport, certify, solve

from .side_by_side import Table, shortest_times, write_rows

#: Numbers of cells and of axes: 32², 64² and 30³.
GRIDS = ((1024, 2), (4096, 2), (27000, 3))

#: Most cells that POT and HiGHS are given: beyond, the first takes gigabytes and minutes, the other minutes.
MOST_CELLS = {"pot": 4096, "pot-lazy": 1024, "highs": 1024}

#: Rounds, and the longest call in seconds that is repeated.
ROUNDS, LONGEST = 7, 10.0


def edges(grid: tuple[int, ...]) -> tuple[np.ndarray, np.ndarray]:
    """Return the tails and heads of the arcs between neighbours, in both directions."""
    cells = np.arange(np.prod(grid), dtype=np.int32).reshape(grid)
    pairs = [(np.delete(cells, -1, axis).ravel(), np.delete(cells, 0, axis).ravel()) for axis in range(len(grid))]
    tails, heads = (np.concatenate(side) for side in zip(*pairs, strict=True))
    return np.concatenate([tails, heads]), np.concatenate([heads, tails])


def ortools_flow(grid: tuple[int, ...], a: np.ndarray, b: np.ndarray) -> Callable[[], float]:
    """Return a call of OR-tools' minimum cost flow on a grid, for whole masses."""
    from ortools.graph.python.min_cost_flow import SimpleMinCostFlow

    (tails, heads), supply = edges(grid), (a - b).astype(np.int64)
    most, cost = np.full(len(tails), int(a.sum())), np.ones(len(tails), dtype=np.int64)
    cells = np.arange(len(a), dtype=np.int32)

    def call() -> float:
        flow = SimpleMinCostFlow()
        flow.add_arcs_with_capacity_and_unit_cost(tails, heads, most, cost)
        flow.set_nodes_supplies(cells, supply)
        if flow.solve() != flow.OPTIMAL:
            raise RuntimeError("OR-tools found no flow")
        return float(flow.optimal_cost())

    return call


def highs(grid: tuple[int, ...], a: np.ndarray, b: np.ndarray) -> Callable[[], float]:
    """Return a call of HiGHS on the same flow as a linear program."""
    from scipy.optimize import linprog
    from scipy.sparse import csc_array

    tails, heads = edges(grid)
    each, ones = np.arange(len(tails)), np.ones(len(tails))
    balance = csc_array((np.r_[ones, -ones], (np.r_[tails, heads], np.r_[each, each])), shape=(len(a), len(tails)))
    total = a.sum()
    return lambda: float(linprog(ones, A_eq=balance, b_eq=(a - b) / total, method="highs").fun) * total


def pot(cost: GridCost, a: np.ndarray, b: np.ndarray, lazy: bool) -> Callable[[], float]:
    """Return a call of POT on all pairs of cells."""
    import ot

    a, b, total = a / a.sum(), b / b.sum(), a.sum()
    if lazy:
        cells = np.stack(np.unravel_index(np.arange(len(a)), cost.grid), axis=1).astype(np.float64)
        call = functools.partial(
            ot.lp.emd2_lazy, cells, cells, a, b, metric="cityblock", numItermax=10**8, return_matrix=False
        )
    else:
        call = functools.partial(ot.emd2, a, b, cost.dense(), numItermax=10**8)
    return lambda: float(call()) * total


def calls(problem: Transport) -> dict[str, Callable[[], float]]:
    """Return a call of each solver that takes a problem of this size; each returns the optimal cost."""
    cost, (a, b) = problem.cost, problem.masses
    assert isinstance(cost, GridCost)
    made: dict[str, Callable[[], Callable[[], float]]] = {
        "ortools": lambda: ortools_flow(cost.grid, a, b),
        "highs": lambda: highs(cost.grid, a, b),
        "pot": lambda: pot(cost, a, b, lazy=False),
        "pot-lazy": lambda: pot(cost, a, b, lazy=True),
    }
    found: dict[str, Callable[[], float]] = {"lapmark": lambda: solve(problem).cost}
    for name, make in made.items():
        if len(a) <= MOST_CELLS.get(name, len(a)):
            try:
                found[name] = make()
            except ImportError as missing:
                print(f"{name} is left out: {missing}")
    return found


def rows() -> Iterator[dict[str, Any]]:
    """Yield the seconds of each solver on each grid, once all have agreed on the optimum."""
    warnings.simplefilter("ignore")  # POT warns of sums that differ by rounding
    for n, axes in GRIDS:
        for image in get_args(Image):
            problem = build(n, image=image, axes=axes)
            proof = certify(problem, solve(problem))
            row: dict[str, Any] = {"grid": f"{round(n ** (1 / axes))}^{axes}, {image}"}
            solvers = calls(problem)
            for name, call in solvers.items():
                if not np.isclose(call(), proof.cost, rtol=1e-6):
                    raise ValueError(f"{name} does not find the optimum of {row['grid']}, {proof.cost}")
            seconds = shortest_times(solvers, ROUNDS, longest=LONGEST)
            row |= {name: seconds.get(name, np.nan) for name in ("lapmark", "ortools", "highs", "pot", "pot-lazy")}
            yield row | {"proven": proof.exactly_optimal}


def versions() -> dict[str, str]:
    """Return the versions of the packages; HiGHS is SciPy's."""
    return {each: importlib.metadata.version(each) for each in ("POT", "ortools", "scipy")}


def main(arguments: list[str]) -> None:
    """Print the table, or write its rows to a file."""
    if arguments:
        write_rows(rows(), versions(), Path(arguments[0]))
        return
    titles = {"milliseconds": "<18", "lapmark": "9.2f", "OR-tools": "10.1f", "HiGHS": "9.1f", "POT": "10.1f"}
    table = Table({**titles, "POT lazy": "10.1f", "proven": ">8"})
    table.print_heading()
    for grid, *seconds, proven in map(dict.values, rows()):
        table.print_row(grid, *(1e3 * each for each in seconds), str(proven))


if __name__ == "__main__":
    main(sys.argv[1:])
