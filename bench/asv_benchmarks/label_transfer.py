"""Label transfer, compared with GeomLoss: half squared distance, blur 0.05, labels included, on all cores.

A row is both problems of the tutorial, balanced and with a reach of 0.2, one after the other. `schedule` stops with
GeomLoss's schedule, as GeomLoss does, and its potentials are compared with those of `sinkhorn` on all pairs;
`converged` continues to a marginal error (L1) of 1e-3.

    python -m lapmark.bench.asv_benchmarks.label_transfer [-n 10000]…         prints a table
    python -m lapmark.bench.asv_benchmarks.label_transfer --schedule -n 2000  errors of GeomLoss's plans by its scaling
    python -m lapmark.bench.asv_benchmarks.label_transfer --matrix -n 2000    costs as a matrix, to 1e-6, with POT
"""

import argparse
import functools
import time
from collections.abc import Callable
from typing import Any

import numpy as np

from lapmark.bench.problems.applied.label_transfer import build, clouds
from lapmark.solvers import DenseCost, Plan, Transport, carry, certify, registry, solve
from lapmark.solvers.validation import count_cores

from .side_by_side import Table, shortest_times

REACHES = (0.0, 0.2)

#: Calls of each; the shortest counts.
ROUNDS = 9

#: Largest number of points for a comparison with all pairs.
COMPARED = 20_000

PEER = "geomloss-multiscale"


def built(n: int, reach: float) -> Transport:
    problem = build(n, reach=reach)
    assert isinstance(problem, Transport)
    return problem


def transfer(n: int, reach: float, threads: int, **options: Any) -> tuple[Transport, Plan, np.ndarray]:
    """Return the problem, its plan and the transferred labels."""
    problem = built(n, reach)
    plan = solve(problem, "sinkhorn-multilevel", threads=threads, **options)
    return problem, plan, carry(problem, plan, clouds(n).labels, threads=threads)


def peer(n: int, reach: float) -> np.ndarray:
    """Return the labels transferred by GeomLoss's plan."""
    problem = built(n, reach)
    return carry(problem, solve(problem, PEER), clouds(n).labels)


def for_both(call: Callable[[float], object]) -> None:
    for reach in REACHES:
        call(reach)


def difference(n: int, threads: int) -> float:
    """Return the largest difference of potentials from those of all pairs, up to the free constant if balanced."""
    worst = 0.0
    for reach in REACHES:
        problem, plan, _ = transfer(n, reach, threads, stop="schedule")
        reference = solve(problem, "sinkhorn", stop="schedule", threads=threads)
        assert plan.f is not None
        assert plan.g is not None
        assert reference.f is not None
        assert reference.g is not None
        f, g = plan.f - reference.f, plan.g - reference.g
        constant = 0.0 if reach else float(f.mean())
        worst = max(worst, float(np.abs(f - constant).max()), float(np.abs(g + constant).max()))
    return worst


def show_schedule(n: int) -> None:
    """Print the marginal errors of GeomLoss's plans, and the errors of its labels against the converged plan."""
    problem, labels = built(n, 0.0), clouds(n).labels
    best = carry(problem, solve(problem, "sinkhorn", stop=1e-7), labels)
    print(f"{n} points")
    errors = {"rows": "9.1%", "columns": "9.1%"}
    table = Table({"scaling": "8"} | errors | {"labels off": "12.3f", "at most": "9.2f", "other label": "13"})
    table.print_heading()
    for scaling in (0.5, 0.9, 0.95, 0.99):
        plan = solve(problem, "geomloss-tensorized", scaling=scaling)
        proof, carried = certify(problem, plan), carry(problem, plan, labels)
        off = np.abs(carried - best)
        # The label of a point is its largest colour.
        flips = int((carried.argmax(axis=1) != best.argmax(axis=1)).sum())
        table.print_row(scaling, proof.row_error, proof.column_error, off.mean(), off.max(), flips)


def show_matrix(n: int) -> None:
    """Print the seconds to a marginal error (L1) of 1e-6 of the balanced problem as a matrix, one call of each."""
    points = built(n, 0.0)
    problem = Transport(DenseCost(points.cost.dense()), blur=points.epsilon)
    print(f"{n} points as a matrix, to 1e-6")
    table = Table({"": ">18", "seconds": "10.2f", "lead": "8.1f", "rows": "10.1e", "columns": "10.1e"})
    table.print_heading()
    ours = 0.0
    many: dict[str, Any] = {"max_iterations": 100_000}
    compared: list[tuple[str, dict[str, Any]]] = [("sinkhorn", {}), ("pot-sinkhorn", many), ("pot-sinkhorn-log", many)]
    for name, options in compared:
        if missing := registry.get(name).missing:
            print(f"{name:>18}  {missing}")
            continue
        start = time.perf_counter()
        plan = solve(problem, name, stop=1e-6, **options)
        seconds = time.perf_counter() - start
        ours = ours or seconds
        proof = certify(problem, plan)
        table.print_row(name, seconds, seconds / ours, proof.row_error, proof.column_error)


def main() -> None:
    """Print one of the tables."""
    parser = argparse.ArgumentParser(description="Label transfer, compared with GeomLoss.")
    parser.add_argument("-n", type=int, action="append", help="points of each cloud; repeat for several")
    parser.add_argument("--schedule", action="store_true", help="print the errors of GeomLoss's plans")
    parser.add_argument("--matrix", action="store_true", help="give the costs as a matrix, and compare with POT")
    given = parser.parse_args()
    if given.schedule or given.matrix:
        for n in given.n or (2000,):
            (show_schedule if given.schedule else show_matrix)(n)
        return
    threads = count_cores()
    missing = registry.get(PEER).missing
    print(f"milliseconds for both problems, {threads} threads; {PEER}: {missing or 'measured'}")
    times = dict.fromkeys(("schedule", "converged", "geomloss"), "12.1f")
    table = Table({"n": "8"} | times | {"lead": "8.1f", "apart": "10.1e", "errors": ">22"})
    table.print_heading()
    for n in given.n or (500, 2000, 10_000, 100_000):
        calls: dict[str, Callable[[], object]] = {
            "schedule": functools.partial(for_both, functools.partial(transfer, n, threads=threads, stop="schedule")),
            "converged": functools.partial(for_both, functools.partial(transfer, n, threads=threads, stop=1e-3)),
        }
        if missing is None:
            calls["geomloss"] = functools.partial(for_both, functools.partial(peer, n))
        for call in calls.values():
            call()  # compiles, outside of the times
        seconds = shortest_times(calls, ROUNDS if n <= COMPARED else 3)
        seconds.setdefault("geomloss", np.nan)
        lead = seconds["geomloss"] / seconds["schedule"]
        apart = difference(n, threads) if n <= COMPARED else np.nan
        errors = [transfer(n, reach, threads, stop=1e-3)[1].marginal_error for reach in REACHES]
        table.print_row(n, *(1e3 * seconds[name] for name in times), lead, apart, "{:>11.1e}{:>11.1e}".format(*errors))


if __name__ == "__main__":
    main()
