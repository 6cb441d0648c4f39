"""Results of Google Benchmark: `--benchmark_out=FILE --benchmark_out_format=json`."""

from __future__ import annotations

from collections.abc import Sequence

from lapmark.bench.history.measurement import Measurement, Snapshot, spread
from lapmark.bench.results.record_check import is_finite

from .fields import FieldError, Fields
from .origin import Origin, facts_of, moment_of

#: Seconds of each unit.
_UNITS = {"ns": 1e-9, "us": 1e-6, "ms": 1e-3, "s": 1.0}

#: Numbers of a benchmark that are no counters of its own.
_OWN = {
    *("family_index", "per_family_instance_index", "repetitions", "repetition_index", "threads", "iterations"),
    *("real_time", "cpu_time", "cv", "bytes_per_second", "items_per_second", "max_bytes_used", "allocs_per_iter"),
    *("total_allocated_bytes", "net_heap_growth", "rms"),
}

#: Half of the distance between the quartiles of a normal distribution, in standard deviations.
_QUARTILE = 0.6745


def matches(document: object) -> bool:
    """Return whether a document is of this format."""
    return isinstance(document, dict) and {"context", "benchmarks"} <= document.keys()


def read(document: Fields, origin: Origin) -> Snapshot:
    """Return the snapshot of a document. It names no commit: HEAD by default."""
    context = document.inner("context")
    runs: dict[str, list[Fields]] = {}
    for each in document.each("benchmarks"):
        runs.setdefault(each.text("run_name", "") or each.text("name"), []).append(each)
    versions = {"google-benchmark": context.text("library_version", "")}
    return Snapshot(
        commit=origin.commit(),
        source="google-benchmark",
        machine=facts_of(context.text("host_name", ""), cores=context.get("num_cpus")),
        versions={name: version for name, version in versions.items() if version},
        measured=moment_of(context.text("date", "")),
        measurements=tuple(found for name, each in runs.items() if (found := _measurement(name, each))),
    )


def _measurement(name: str, runs: Sequence[Fields]) -> Measurement | None:
    failed = next((each for each in runs if each.get("error_occurred") or each.get("skipped")), None)
    if failed is not None:
        message = failed.text("error_message", "") or failed.text("skip_message", "")
        return Measurement(name=name, status="error", message=message)
    repeated = [each for each in runs if each.text("run_type", "iteration") == "iteration"]
    if repeated:
        counts = len(repeated)
        return Measurement(
            name=name,
            **spread([_seconds(each) for each in repeated]),  # type: ignore[arg-type]
            samples=counts,
            rounds=1,
            counters=_counters(repeated),
        )
    return _of_aggregates(name, {each.text("aggregate_name", ""): each for each in runs})


def _of_aggregates(name: str, aggregates: dict[str, Fields]) -> Measurement | None:
    """Return the measurement of a file with `--benchmark_report_aggregates_only`; None of a complexity alone."""
    if "median" not in aggregates:
        return None
    median = _seconds(aggregates["median"])
    half = _QUARTILE * _seconds(aggregates["stddev"]) if "stddev" in aggregates else 0.0
    return Measurement(
        name=name,
        median=median,
        lower=max(median - half, 0.0),
        upper=median + half,
        samples=int(aggregates["median"].number("repetitions")),
        rounds=1,
        counters=_counters([aggregates["median"]]),
    )


def _seconds(each: Fields) -> float:
    unit = each.text("time_unit", "ns")
    if unit not in _UNITS:
        raise FieldError(f"{each.path}.time_unit is {unit!r}: it should be one of {', '.join(_UNITS)}")
    return each.number("real_time") * _UNITS[unit]


def _counters(runs: Sequence[Fields]) -> dict[str, float]:
    """Return the counters that are whole numbers, and the same in every repetition; rates and averages vary."""
    found: dict[str, float] = {}
    for name, value in runs[0].values.items():
        is_same = all(each.get(name) == value for each in runs)
        if (
            name not in _OWN
            and not name.endswith("_per_second")
            and is_finite(value)
            and is_same
            and value == round(value)
        ):
            found[name] = value
    return found
