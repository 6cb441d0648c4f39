"""The results for other programs: a table of cells as CSV or Parquet, or a table of runs as benchopt writes it."""

from __future__ import annotations

import inspect
import io
import math
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import pandas as pd

from lapmark.bench.results.record import METRICS, Record
from lapmark.bench.util import spec
from lapmark.bench.worker.protocol import BUILD_MATRIX
from lapmark.reports import profiles, tables

#: Formats by the ending of a file that asks for none.
SUFFIXES = {".csv": "csv", ".parquet": "parquet", ".pq": "parquet"}

#: Formats that are text, and may go to the standard output.
TEXT = {"csv"}


def content(records: Sequence[Record], form: str) -> bytes:
    """The records in one of `FORMATS`; a ValueError where there is nothing to write."""
    return FORMATS[form](records)


def format_of(path: str, form: str | None = None) -> str:
    """The format that a file is to be written in: the one that is asked for, or the one that its name tells.

    Parameters
    ----------
    path : str
        `-` is the standard output.
    form : str or None
        One of `FORMATS`.

    Raises
    ------
    ValueError
        Says what to write instead.
    """
    if form is not None and form not in FORMATS:
        raise ValueError(f"no format {form!r}; choose from {', '.join(FORMATS)}")
    if path == "-":
        if form not in {None, *TEXT}:
            raise ValueError(f"{form} is no text for the standard output; name a file, such as --to results.parquet")
        return form or "csv"
    suffix = Path(path).suffix.lower()
    if form == "benchopt" and suffix != ".parquet":
        raise ValueError(f"benchopt knows its files by their names: {path!r} must end in .parquet")
    found = form or SUFFIXES.get(suffix)
    if found is None:
        choice = " or ".join(dict.fromkeys(SUFFIXES.values()))
        raise ValueError(f"{path!r} does not tell the format: end it in .csv or .parquet, or say --format {choice}")
    return found


def benchopt(records: Sequence[Record]) -> pd.DataFrame:
    """A row per timed call of a certified answer, with the columns that benchopt's own results have.

    A case is a dataset, what problems ask for is an objective, a solver's further settings are its parameters. Those
    that set how near it comes (`Capabilities.curve`) are points of one curve: `stop_val` numbers them, the nearest
    last, as benchopt numbers the points at which it has stopped a solver. `idx_rep` numbers the calls. Only answers
    have a place there: cells without a certified one are left out.

    Raises
    ------
    ValueError
        Where no cell has a certified answer.
    """
    kind_of = {case: kind for kind, rows in profiles.kinds(tables.frame(records)) for case in rows["case"]}
    current = [record for record, latest in zip(records, tables.current(records), strict=True) if latest]
    answers = [record for record in current if record.status == "ok" and record.solver != BUILD_MATRIX]
    if not answers:
        raise ValueError("no cell has a certified answer, and benchopt has no place for others")
    points: Counter[tuple[str, str]] = Counter()
    rows = []
    for record in sorted(answers, key=_how_far):
        name, curve, others = _settings(record.solver)
        others |= {"threads": record.threads} if record.threads > 1 else {}
        dataset = {**record.params, "n": record.n, "seed": record.seed}
        solver_name, dataset_name = _named(name, others), _named(record.problem, dataset)
        points[solver_name, dataset_name] += 1
        known = {
            "objective_name": kind_of[record.case].capitalize(),
            "obj_description": "Certified by Lapmark: every value is that of a proven answer.",
            "solver_name": solver_name,
            "solver_description": _description(name),
            "dataset_name": dataset_name,
            "stop_val": points[solver_name, dataset_name],
            "sampling_strategy": "Run_once",
            "base_seed": record.seed,
            **{f"p_solver_{key}": value for key, value in {**others, **curve}.items()},
            **{f"p_dataset_{key}": value for key, value in dataset.items()},
            "objective_value": record.cost,
            **{f"objective_{metric.name}": getattr(record, metric.name) for metric in METRICS},
            "objective_dual_bound": record.dual_bound,
            "objective_peak_memory": record.peak_memory,
            "run_date": record.finished,
            **_system(record),
        }
        rows += [{**known, "idx_rep": place, "time": seconds} for place, seconds in enumerate(record.samples)]
    return pd.DataFrame(rows).dropna(axis="columns", how="all")


def _how_far(record: Record) -> tuple[float, float]:
    """What answers are sorted by: the farthest from the optimum first, and of those that are as near the quickest."""
    error = record.gap if record.entropic_gap is None else record.entropic_gap
    return -max(math.inf if error is None else error, METRICS[0].negligible), record.seconds or 0.0


def _settings(solver: str) -> tuple[str, dict[str, spec.Value], dict[str, spec.Value]]:
    """A solver's name, its settings that trade time for accuracy, and the others."""
    name, settings = spec.parse(solver)
    known = tables.registered(name)
    along = known.capabilities.curve if known else {}
    curve = {key: value for key, value in settings.items() if key in along}
    return name, curve, {key: value for key, value in settings.items() if key not in along}


def _named(name: str, settings: Mapping[str, object]) -> str:
    """A name with settings as benchopt writes it."""
    inside = ",".join(f"{key}={settings[key]}" for key in sorted(settings))
    return f"{name}[{inside}]" if inside else name


def _description(name: str) -> str:
    known = tables.registered(name)
    return inspect.cleandoc((known and known.function.__doc__) or "").partition("\n\n")[0]


def _system(record: Record) -> dict[str, object]:
    """Facts of the machine by the names that benchopt's pages look for."""
    system, _, release = str(record.machine.get("system", "")).partition(" ")
    memory = record.machine.get("memory")
    return {
        "platform": system,
        "platform-release": release,
        "platform-architecture": str(record.machine.get("architecture", "")),
        "system-cpus": record.machine.get("cores"),
        "system-processor": record.machine.get("cpu"),
        "system-ram (GB)": round(memory / 2**30) if isinstance(memory, int) else None,
        "env-OMP_NUM_THREADS": str(record.threads),
        "version-numpy": record.versions.get("numpy", ""),
        "benchmark-git-tag": record.commit,
    }


def _parquet(table: pd.DataFrame) -> bytes:
    with io.BytesIO() as file:
        table.to_parquet(file, index=False)
        return file.getvalue()


def _uniform(table: pd.DataFrame) -> pd.DataFrame:
    """The same with one type a column: a setting may be a word in one case and a number in another."""
    mixed = [name for name in table if table[name].dropna().map(type).nunique() > 1]
    return table.assign(**{name: table[name].map(str, na_action="ignore") for name in mixed})


#: How each format is made.
FORMATS: Mapping[str, Callable[[Sequence[Record]], bytes]] = {
    "csv": lambda records: tables.csv(tables.frame(records)).encode(),
    "parquet": lambda records: _parquet(tables.frame(records)),
    "benchopt": lambda records: _parquet(_uniform(benchopt(records))),
}
