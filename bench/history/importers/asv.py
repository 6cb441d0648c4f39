"""Results of asv: `.asv/results/MACHINE/COMMIT-ENVIRONMENT.json`, with `benchmarks.json` beside the folder."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from lapmark.bench.history.measurement import Measurement, Snapshot
from lapmark.bench.results.record_check import is_finite

from .fields import FieldError, Fields
from .origin import Origin, facts_of, moment_of_milliseconds

#: The files of asv that hold no results.
OTHER_FILES = ("machine.json", "benchmarks.json")

_UNITS = {"seconds": "s", "bytes": "B"}

#: The type of a benchmark by the start of its name, where `benchmarks.json` is missing.
_TYPES = {"timeraw": "seconds", "time": "seconds", "peakmem": "bytes", "mem": "bytes"}

#: The version of the format.
_VERSION = 2


def matches(document: object) -> bool:
    """Return whether a document is of this format."""
    return isinstance(document, dict) and {"commit_hash", "results", "env_name"} <= document.keys()


def read(document: Fields, origin: Origin, path: Path) -> Snapshot:
    """Return the snapshot of a file; names of parameters and units are in `benchmarks.json`, if that is there."""
    if document.get("version") != _VERSION:
        raise FieldError(f"version is {document.get('version')!r}, not {_VERSION}: `asv update` converts it")
    params = document.inner("params")
    columns = document.items("result_columns")
    known = _benchmarks(path.parent.parent / "benchmarks.json")
    environment = document.text("env_name")
    suffix = "" if environment.startswith("existing") else f" [{environment}]"
    results = document.inner("results")
    return Snapshot(
        commit=origin.named(document.text("commit_hash"), moment_of_milliseconds(document.number("date"))),
        source="asv",
        machine=facts_of(
            params.text("machine", ""), params.text("cpu", ""), params.get("num_cpu"), params.text("arch", "")
        ),
        versions=_versions(document),
        measurements=tuple(
            measurement
            for name, row in results.values.items()
            for measurement in _measurements(
                name, suffix, _row(row, columns, f"results.{name}"), Fields.of(known.get(name) or {}, "benchmarks.json")
            )
        ),
    )


def _versions(document: Fields) -> dict[str, str]:
    requirements = Fields.of(document.get("requirements") or {}, "requirements").values
    found = {"python": document.text("python", ""), **{name: str(value) for name, value in requirements.items()}}
    # In an existing environment the interpreter is a path.
    return {name: version for name, version in found.items() if version and "/" not in version}


def _benchmarks(path: Path) -> Mapping[str, Any]:
    try:
        content = json.loads(path.read_bytes())
    except (OSError, ValueError):
        return {}
    return content if isinstance(content, dict) else {}


def _row(values: object, columns: Sequence[str], path: str) -> Fields:
    if not isinstance(values, list):
        raise FieldError(f"{path} should be a list")
    return Fields(dict(zip(columns, values, strict=False)), path)


def _measurements(name: str, suffix: str, row: Fields, benchmark: Fields) -> Iterator[Measurement]:
    """Yield a measurement for each combination of parameters that is not skipped."""
    params = row.items("params") if row.get("params") else []
    names = benchmark.items("param_names") if benchmark.get("param_names") else []
    if not all(isinstance(values, list) for values in params):
        raise FieldError(f"{row.path}.params should be a list of lists")
    combinations = list(itertools.product(*params))
    results = row.items("result") if row.get("result") is not None else []
    for place, values in enumerate(combinations):
        result = results[place] if place < len(results) else None
        if isinstance(result, float) and result != result:  # NaN: skipped
            continue
        label = ", ".join(f"{names[k]}={value}" if k < len(names) else str(value) for k, value in enumerate(values))
        full = f"{name}({label})" if label else name
        yield _measurement(full + suffix, name, result, row, place, benchmark)


def _measurement(full: str, name: str, result: object, row: Fields, place: int, benchmark: Fields) -> Measurement:
    if not is_finite(result):
        return Measurement(name=full, status="error", message="it failed in asv")
    assert isinstance(result, int | float)
    short = name.rpartition(".")[2]
    default = next((unit for start, unit in _TYPES.items() if short.startswith(f"{start}_")), "unit")
    unit = benchmark.text("unit", default)
    if unit not in _UNITS and result == round(result):
        return Measurement(name=full, unit="", counters={short.removeprefix("track_"): result})

    def statistic(column: str, otherwise: float) -> float:
        values = row.get(column)
        value = values[place] if isinstance(values, list) and place < len(values) else None
        return value if is_finite(value) else otherwise  # type: ignore[return-value]

    repeat = int(statistic("stats_repeat", 1))
    return Measurement(
        name=full,
        unit=_UNITS.get(unit, "" if unit == "unit" else unit),
        median=result,
        lower=min(statistic("stats_q_25", result), result),
        upper=max(statistic("stats_q_75", result), result),
        samples=repeat,
        rounds=1,
    )
