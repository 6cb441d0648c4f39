"""Measured cells as a table with the features of their problems: the input of the performance model."""

import contextlib
from collections.abc import Iterable
from typing import Any

import pandas as pd

from lapmark.bench.problems import Case
from lapmark.bench.results.record import Record
from lapmark.bench.worker.problem_digest import digest_problem
from lapmark.bench.worker.protocol import BUILD_MATRIX
from lapmark.solvers.problem import Problem

from . import features

#: Bytes: a process's memory moves by pages, so smaller peaks are counted as this.
SMALLEST_PEAK = 2**16

#: Start of the name of each column that holds a feature.
FEATURE_PREFIX = "feature_"

#: The columns of features, and the kind of a problem.
FEATURE_COLUMNS = ("kind", *(FEATURE_PREFIX + name for name in features.NAMES))

#: The columns that advice is computed from, apart from `kind` and the features.
COLUMNS = (
    *("solver", "threads", "exact", "problem", "label", "case", "n", "m", "given", "status", "message"),
    *("seconds", "seconds_min", "seconds_max", "gap", "marginal_error", "peak_memory"),
)


def table(records: Iterable[Record]) -> pd.DataFrame:
    """Return a table with `COLUMNS`: the last record of each solver, case and number of threads.

    Records of a file that has changed since, or is gone, are left out.
    """
    latest = {(record.case, record.solver, record.threads): record for record in records}
    digests = {text: _digest_of_file(text) for text in {record.case for record in latest.values()}}
    known = [record for record in latest.values() if digests[record.case] in (None, record.digest)]
    cells = pd.DataFrame([_row(record) for record in known], columns=list(COLUMNS))
    for name in ("m", "seconds", "seconds_min", "seconds_max", "gap", "marginal_error", "peak_memory"):
        cells[name] = cells[name].astype("float64")
    return cells


def with_features(cells: pd.DataFrame) -> pd.DataFrame:
    """Return the table with the columns `kind` and `feature_…`, without cases that cannot be built here."""
    if set(FEATURE_COLUMNS) <= set(cells):
        return cells
    cells = cells.drop(columns=[name for name in FEATURE_COLUMNS if name in cells])
    rows: list[dict[str, Any]] = []
    described: dict[str, dict[str, Any]] = {}  # large instances of a label share a small one
    for text in cells["case"].unique():
        case = Case.read(text)
        small = str(features.small_case(case))
        with contextlib.suppress(ValueError, OSError):
            if small not in described:
                described[small] = _columns(features.small_instance(case))
            rows.append({"case": text, **described[small]})
    return cells.merge(pd.DataFrame(rows), on="case") if rows else cells.iloc[:0].assign(kind="")


def _digest_of_file(text: str) -> str | None:
    """Return the digest of the problem in the file of a case, "" if it is gone; None for an instance of a family."""
    case = Case.read(text)
    if case.file is None:
        return None
    try:
        return digest_problem(case.build())
    except (ValueError, OSError):
        return ""


def _columns(problem: Problem) -> dict[str, Any]:
    named = {FEATURE_PREFIX + name: value for name, value in features.features(problem).items()}
    return {"kind": features.kind(problem), **named}


def with_matrix_costs(cells: pd.DataFrame) -> pd.DataFrame:
    """Add the time and memory of building a matrix from points to solvers that need one: a user pays for it too."""
    cells = cells.copy()
    built = cells[cells["solver"] == BUILD_MATRIX].groupby("case")["seconds"].median()
    matrix = (cells["given"] == "dense") & ~cells["kind"].str.endswith("dense") & (cells["solver"] != BUILD_MATRIX)
    extra = cells["case"].map(built).where(matrix, 0.0).astype("float64").fillna(0.0)
    for name in ("seconds", "seconds_min", "seconds_max"):
        cells[name] = cells[name].astype("float64") + extra
    peak = cells["peak_memory"].astype("float64").fillna(0.0).clip(lower=SMALLEST_PEAK)
    cells["peak_memory"] = peak + (8.0 * cells["n"] * cells["m"].astype("float64")).where(matrix, 0.0)
    return cells


def _row(record: Record) -> dict[str, object]:
    values = {name: getattr(record, name) for name in COLUMNS if hasattr(record, name)}
    label = Case.read(record.case).label
    message = record.message.splitlines()[0] if record.message else ""
    low, high = min(record.samples, default=None), max(record.samples, default=None)
    return {**values, "label": label, "message": message, "seconds_min": low, "seconds_max": high}
