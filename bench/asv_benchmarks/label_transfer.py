"""Label transfer, ours beside GeomLoss: half squared distance, blur 0.05, labels included, on the cores there are.

A line is both problems of the tutorial, balanced and with a reach of 0.2, one after the other. `schedule` stops with
GeomLoss's schedule, as GeomLoss does, and its potentials are held against those of `sinkhorn` on all pairs; `converged`
goes on to a marginal error (L1) of 1e-3.

    python -m lapmark.bench.asv_benchmarks.label_transfer [-n 10000]…       prints a table, measured in turns
    python -m lapmark.bench.asv_benchmarks.label_transfer --schedule -n 2000    what GeomLoss's answers have left to do, by its scaling
    python -m lapmark.bench.asv_benchmarks.label_transfer --matrix -n 2000      the same costs as a matrix, to 1e-6, beside POT
"""

from __future__ import annotations

import argparse
import functools
import os
import time
from collections.abc import Callable
from typing import Any

import numpy as np

from lapmark.bench.problems.applied.label_transfer import build, clouds
from lapmark.solvers import DenseCost, Plan, Transport, carry, certify, registry, solve

from .small import in_turns

REACHES = (0.0, 0.2)

#: Calls of each, in turns; the shortest counts.
ROUNDS = 9

#: Points up to which all pairs are looked at for comparison.
COMPARED = 20_000

PEER = "geomloss-multiscale"


def posed(n: int, reach: float) -> Transport:
    problem = build(n, reach=reach)
    assert isinstance(problem, Transport)
    return problem


def transfer(n: int, reach: float, threads: int, **options: Any) -> tuple[Transport, Plan, np.ndarray]:
    """The problem, its plan and the labels carried over."""
    problem = posed(n, reach)
    plan = solve(problem, "sinkhorn-multilevel", threads=threads, **options)
    return problem, plan, carry(problem, plan, clouds(n).labels, threads=threads)


def peer(n: int, reach: float) -> np.ndarray:
    """The labels by GeomLoss's plan."""
    problem = posed(n, reach)
    return carry(problem, solve(problem, PEER), clouds(n).labels)


def both(call: Callable[[float], object]) -> None:
    for reach in REACHES:
        call(reach)


def apart(n: int, threads: int) -> float:
    """Largest difference of potentials from those of all pairs; of balanced ones up to their free constant."""
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
    """Marginal errors of GeomLoss's plans, and how far its labels are from those of the converged plan."""
    problem, labels = posed(n, 0.0), clouds(n).labels
    best = carry(problem, solve(problem, "sinkhorn", stop=1e-7), labels)
    print(f"{n} points\n{'scaling':>8}{'rows':>9}{'columns':>9}{'labels off':>12}{'at most':>9}{'other label':>13}")
    for scaling in (0.5, 0.9, 0.95, 0.99):
        plan = solve(problem, "geomloss-tensorized", scaling=scaling)
        proof, carried = certify(problem, plan), carry(problem, plan, labels)
        off = np.abs(carried - best)
        # A label is the colour of which there is most.
        flips = int((carried.argmax(axis=1) != best.argmax(axis=1)).sum())
        errors = f"{proof.row_error:>9.1%}{proof.column_error:>9.1%}"
        print(f"{scaling:>8}{errors}{off.mean():>12.3f}{off.max():>9.2f}{flips:>13}", flush=True)


def show_matrix(n: int) -> None:
    """Seconds to a marginal error (L1) of 1e-6 of the balanced problem, given as a matrix; one call of each."""
    points = posed(n, 0.0)
    problem = Transport(DenseCost(points.cost.dense()), blur=points.epsilon)
    print(f"{n} points as a matrix, to 1e-6\n{'':>18}{'seconds':>10}{'lead':>8}{'rows':>10}{'columns':>10}")
    ours = 0.0
    for name, options in (
        ("sinkhorn", {}),
        ("pot-sinkhorn", {"max_iterations": 100_000}),
        ("pot-sinkhorn-log", {"max_iterations": 100_000}),
    ):
        if missing := registry.get(name).missing:
            print(f"{name:>18}  {missing}")
            continue
        start = time.perf_counter()
        plan = solve(problem, name, stop=1e-6, **options)
        seconds = time.perf_counter() - start
        ours = ours or seconds
        proof = certify(problem, plan)
        errors = f"{proof.row_error:>10.1e}{proof.column_error:>10.1e}"
        print(f"{name:>18}{seconds:>10.2f}{seconds / ours:>8.1f}{errors}", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description="Label transfer, ours beside GeomLoss.")
    parser.add_argument("-n", type=int, action="append", help="points of each cloud; repeat for several")
    parser.add_argument("--schedule", action="store_true", help="what GeomLoss's answers have left to do")
    parser.add_argument("--matrix", action="store_true", help="the costs as a matrix, beside POT")
    given = parser.parse_args()
    if given.schedule or given.matrix:
        for n in given.n or (2000,):
            (show_schedule if given.schedule else show_matrix)(n)
        return
    threads = len(os.sched_getaffinity(0))
    missing = registry.get(PEER).missing
    print(f"milliseconds for both problems, {threads} threads; {PEER}: {missing or 'measured'}")
    print(f"{'n':>8}{'schedule':>12}{'converged':>12}{'geomloss':>12}{'lead':>8}{'apart':>10}{'errors':>22}")
    for n in given.n or (500, 2000, 10_000, 100_000):
        calls: dict[str, Callable[[], object]] = {
            "schedule": functools.partial(both, functools.partial(transfer, n, threads=threads, stop="schedule")),
            "converged": functools.partial(both, functools.partial(transfer, n, threads=threads, stop=1e-3)),
        }
        if missing is None:
            calls["geomloss"] = functools.partial(both, functools.partial(peer, n))
        for call in calls.values():
            call()  # what compiles, compiles now
        seconds = in_turns(calls, ROUNDS if n <= COMPARED else 3)
        other = seconds.get("geomloss", np.nan)
        errors = [transfer(n, reach, threads, stop=1e-3)[1].marginal_error for reach in REACHES]
        print(
            f"{n:>8}{1e3 * seconds['schedule']:>12.1f}{1e3 * seconds['converged']:>12.1f}{1e3 * other:>12.1f}"
            f"{other / seconds['schedule']:>8.1f}{apart(n, threads) if n <= COMPARED else np.nan:>10.1e}"
            f"{errors[0]:>11.1e}{errors[1]:>11.1e}",
            flush=True,
        )


if __name__ == "__main__":
    main()
