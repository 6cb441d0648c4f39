"""The contract, check by check, for every registered solver.

`pytest tests/contract --solver mine --plugin mine.py` puts a solver of your own to it.
"""

from __future__ import annotations

import pytest

from lapmark.bench.contract import CHECKS, Broken, check
from lapmark.solvers.registry import get, solvers

#: Checks that GeomLoss fails where it stops at the end of its schedule, and where float32 has too few digits.
ENDS_EARLY = (
    "transport-points",
    "transport-line",
    "transport-equal-weights",
    "transport-zero-masses",
    "transport-duplicates",
    "transport-outliers",
    "transport-mass-scale",
    "transport-cost-scale",
    "transport-great-reach",
)
LOSES_DIGITS = {"loses the digits of points far from the origin": ("transport-far-from-the-origin",)}

#: What others' packages are known to get wrong: solver -> reason -> checks. Shown as expected failures, not as passes.
KNOWN_FAILURES = {
    "lap": {
        "stands 1e6 for infinity: beyond it, answers are wrong without a word": (
            "big-m",
            "large-costs",
            "huge-costs",
            "offset-costs",
        ),
    },
    "lap1015": {
        "answers some problems of n ≤ 4, and constant ones, with what is no permutation": (
            "brute-force",
            "brute-force-rectangular",
            "referee-float64",
            "referee-float32",
            "referee-bool",
            "referee-ties",
            "referee-negative",
            "equal-costs",
            "near-ties",
            "big-m",
            "points",
            "grid",
            "grid-rectangular",
            "certificate",
        ),
    },
    "lapx-lapjvc": {"takes differences below an absolute 1e-9 or so for zero": ("near-ties", "tiny-costs")},
    **{
        solver: {
            "ends with its schedule, whatever error is left": (*ENDS_EARLY, *more),
            "answers where the blur is below what its type holds": ("transport-small-blur",),
            **others,
        }
        for solver, more, others in (
            ("geomloss-tensorized", ("transport-reach", "transport-layouts"), LOSES_DIGITS),
            ("geomloss-online", ("transport-reach", "transport-layouts"), LOSES_DIGITS),
            (
                "geomloss-multiscale",
                ("transport-reach", "transport-far-from-the-origin"),
                {"answers NaN where all pairs are out of reach": ("transport-small-reach",)},
            ),
            ("geomloss-solve", ("transport-layouts", "transport-programme", "transport-far-from-the-origin"), {}),
            ("geomloss-solve-sample", ("transport-layouts",), LOSES_DIGITS),
        )
    },
    "ott": {
        "stops at 2000 iterations, however far off": ("transport-duplicates",),
        "loses the digits of points far from the origin": ("transport-far-from-the-origin",),
        "answers where the blur is below what its type holds": ("transport-small-blur",),
    },
    **{
        solver: {"takes differences below an absolute 1e-15 or so for zero": (*more, "transport-cost-scale")}
        for solver, more in (("pot-emd", ("near-ties", "tiny-costs")), ("pot-emd-lazy", ()))
    },
    **{
        solver: {"stops at 1000 iterations, however far off": ("transport-points", "transport-duplicates"), **others}
        for solver, others in {
            "pot-sinkhorn": {
                "leaves float64 where costs are several hundred times ε": ("transport-outliers", "transport-layouts"),
                "leaves float64 under a reach that is far, or that nothing is in": (
                    "transport-reach",
                    "transport-small-reach",
                ),
            },
            "pot-sinkhorn-log": {
                "answers where the blur is below what float64 holds": ("transport-small-blur",),
            },
            "pot-sinkhorn-stabilized": {
                "leaves float64 where costs are several hundred times ε": ("transport-outliers", "transport-layouts"),
                "leaves float64 where nothing is in reach": ("transport-small-reach",),
                "goes wrong under a far reach, where it absorbs its scalings and where it stops": (
                    "transport-reach",
                    "transport-great-reach",
                ),
            },
        }.items()
    },
    "ott-progressive": {"answers where the blur is below what its type holds": ("transport-small-blur",)},
    "ott-low-rank": {"loses costs whose squares leave float64": ("transport-cost-scale",)},
    "pot-low-rank": {
        "divides by the largest square of a coordinate, also where that is 0": (
            "transport-duplicates",
            "transport-cost-scale",
        ),
    },
    "pot-bsp": {"draws from one generator a process, whatever the seed": ("repeatable",)},
}

#: Solvers whose checks take a minute, left to `make test-slow`.
SLOW = {"pot-low-rank"}

#: Known failures that would hang the test run, and are therefore not even tried.
HANGS = {
    "csgraph": {"loops without end on costs 1e-14 apart": ("near-ties",)},
    "lapjv": {"loops without end on costs 1e-14 apart in float64": ("near-ties",)},
}


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    chosen = metafunc.config.getoption("--solver")
    try:
        named = [get(name) for name in chosen] if chosen else solvers().values()
    except ValueError as error:
        raise pytest.UsageError(str(error)) from None
    cases = [
        pytest.param(solver.name, name, id=f"{solver.name}-{name}", marks=marks_of(solver.name, name))
        for solver in named
        for name, check in CHECKS.items()
        if solver.capabilities.solves(check.kind)
    ]
    metafunc.parametrize(("solver", "name"), cases)


def marks_of(solver: str, name: str) -> list[pytest.MarkDecorator]:
    known = [
        pytest.mark.xfail(reason=f"{solver} {reason}", run=run)
        for failures, run in ((KNOWN_FAILURES, True), (HANGS, False))
        for reason, checks in failures.get(solver, {}).items()
        if name in checks
    ]
    return [*known, pytest.mark.slow] if solver in SLOW else known


def test_contract(solver: str, name: str) -> None:
    if reason := get(solver).missing:
        pytest.skip(reason)
    failure = None
    try:
        verdict = check(solver, name)
    except Broken as broken:
        failure = str(broken)
    if failure:
        pytest.fail(failure, pytrace=False)
    if verdict.skipped:
        pytest.skip(verdict.skipped)
