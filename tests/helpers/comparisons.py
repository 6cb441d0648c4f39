"""Comparisons of made-up records, for tests of what is said about them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from lapmark.bench.compare.comparison import Comparison, Criteria, compare
from lapmark.bench.compare.result_sets import ResultSet
from lapmark.bench.results.record import Record

MACHINE = {"cpu": "a processor", "cores": 2}
Rounds = list[list[float]]


def record(solver: str = "jv", n: int = 100, rounds: Rounds | None = None, **known: Any) -> Record:
    rounds = [[1.0, 1.01, 1.02], [1.0, 1.02, 1.01]] if rounds is None else rounds
    return Record(
        **{
            "key": f"{solver} {n} {known.get('commit')}",
            "solver": solver,
            "case": f"uniform:n={n},seed=0",
            "problem": "uniform",
            "n": n,
            "status": "ok",
            "samples": tuple(seconds for samples in rounds for seconds in samples),
            "rounds": tuple(map(len, rounds)),
            "counters": {"row_scans": 1000, "reductions": 10},
            "cost": 5.0,
            "gap": 0.0,
            "peak_memory": 32 << 20,
            "machine": MACHINE,
            "finished": "2026-01-01T00:00:00+00:00",
            **known,
        }
    )


def compared_to(old: Iterable[Record] | Record, new: Iterable[Record] | Record, **criteria: Any) -> Comparison:
    sets = [(records,) if isinstance(records, Record) else tuple(records) for records in (old, new)]
    return compare(ResultSet("A", sets[0]), ResultSet("B", sets[1]), Criteria(**criteria))


def scaled(rounds: Rounds, factor: float) -> Rounds:
    """Return the samples times a factor."""
    return [[factor * seconds for seconds in samples] for samples in rounds]
