"""Records to report on: real answers of real solvers, certified, and one cell of every way to fail."""

from __future__ import annotations

import functools
import time
from math import log
from typing import Any

from lapmark import certify, solve
from lapmark.bench.problems import Case
from lapmark.bench.results.record import FIGURES, Record

SIZES = (16, 32, 64)


def make_record(solver: str, case: Case, **known: Any) -> Record:
    """A record with what every record has."""
    return Record(
        **{
            "key": f"{solver} {case} {known.get('finished')}",
            "solver": solver,
            "case": str(case),
            "problem": case.problem,
            "n": case.n,
            "m": case.n,
            "params": case.params,
            "status": "ok",
            "versions": {"lapmark": "0.1.0", "numpy": "2.4.6"},
            "machine": {"cpu": "a processor", "cores": 2, "memory": 2**34},
            "commit": "0123456789",
            "finished": "2025-01-02T03:04:05+00:00",
            **known,
        }
    )


def measure(solver: str, case: Case, samples: int = 3) -> Record:
    """A record of calls made now."""
    problem = case.build()
    times = []
    for _ in range(samples):
        start = time.perf_counter()
        result = solve(problem, solver)
        times.append(time.perf_counter() - start)
    certificate = certify(problem, result, certify(problem, solve(problem, "jv")).dual_bound)
    assert certificate.optimal
    return make_record(
        solver,
        case,
        samples=tuple(times),
        counters=result.counters,
        cost=certificate.cost,
        dual_bound=certificate.dual_bound,
        gap=certificate.gap,
        max_violation=certificate.max_violation,
        peak_memory=case.n**2 * 8,
    )


@functools.cache
def measured() -> tuple[Record, ...]:
    cases = [Case("uniform", n, 0, {"dtype": dtype}) for dtype in ("float32", "float64") for n in SIZES]
    return tuple(measure(solver, case) for case in cases for solver in ("jv", "scipy"))


@functools.cache
def failed() -> tuple[Record, ...]:
    case = Case("uniform", 64, 0, {"dtype": "float32"})
    reasons = {
        "unproven": "no bound is known",
        "wrong": "not a permutation: column 3 is matched to 2 rows",
        "timeout": "stopped after 60 s",
        "memory": "needed more than 8 GiB",
        "crash": "died of SIGSEGV",
        "error": "ValueError: no",
        "skipped": "package lapjv is not installed (pip install lapjv)",
    }
    return tuple(
        make_record(f"fails-by-{status}", case, status=status, message=message, samples=(1e-9,) * (status == "wrong"))
        for status, message in reasons.items()
    )


@functools.cache
def blurred() -> tuple[Record, ...]:
    """Plans of a blurred transport problem at three marginal errors."""
    case = Case("masses", 48, 0, {"blur": 0.1})
    problem = case.build()
    records = []
    for stop in (1e-2, 1e-4, 1e-6):
        certificate = certify(problem, solve(problem, "sinkhorn", stop=stop))
        assert certificate.valid
        figures = {name: getattr(certificate, name) for name in FIGURES if name != "max_violation"}
        records.append(
            make_record(f"sinkhorn:stop={stop:g}", case, exact=False, samples=(-1e-4 * log(stop),), **figures)
        )
    return tuple(records)


def every_kind() -> list[Record]:
    """Certified cells, an approximate curve, and a cell of every failing status."""
    curve = [
        make_record(
            f"sinkhorn:blur={blur:g}",
            Case("uniform", n, 0, {"dtype": "float32"}),
            exact=False,
            samples=(1e-4 * n / blur, 1.1e-4 * n / blur),
            cost=2.0,
            dual_bound=2.0 / (1 + blur**2),
            gap=blur**2,
            peak_memory=n * 100,
        )
        for n in SIZES
        for blur in (0.1, 0.03)
    ]
    return [*measured(), *curve, *failed()]
