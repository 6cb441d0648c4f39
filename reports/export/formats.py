"""Results for other programs: a table of cells as CSV or Parquet, or a table of calls in the format of benchopt."""

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

#: Default formats by the ending of a file.
SUFFIXES = {".csv": "csv", ".parquet": "parquet", ".pq": "parquet"}

#: Formats that may go to the standard output, as text.
TEXT = {"csv"}


def content(records: Sequence[Record], form: str) -> bytes:
    """Return the records in one of `FORMATS`; a ValueError if there is nothing to write."""
    return FORMATS[form](records)


def format_of(path: str, form: str | None = None) -> str:
    """Return the format of a file: the requested one, or the one of its ending.

    Parameters
    ----------
    path : str
        `-` is the standard output.
    form : str or None
        One of `FORMATS`.

    Raises
    ------
    ValueError
        The format is unknown or does not fit the file; the message gives the choices.
    """
    if form is not None and form not in FORMATS:
        raise ValueError(f"no format {form!r}; choose from {', '.join(FORMATS)}")
    if path == "-":
        if form not in {None, *TEXT}:
            raise ValueError(f"{form} is not text for the standard output; name a file, such as --to results.parquet")
        return form or "csv"
    suffix = Path(path).suffix.lower()
    if form == "benchopt" and suffix != ".parquet":
        raise ValueError(f"benchopt finds its files by their names: {path!r} must end in .parquet")
    found = form or SUFFIXES.get(suffix)
    if found is None:
        choice = " or ".join(dict.fromkeys(SUFFIXES.values()))
        raise ValueError(f"{path!r} has an unknown ending: use .csv or .parquet, or --format {choice}")
    return found


def benchopt(records: Sequence[Record]) -> pd.DataFrame:
    """Return a row per timed call of a certified answer, with the columns of benchopt's own results.

    A case is a dataset, a kind of problem an objective, and the settings of a solver are its parameters. Settings of
    accuracy (`Capabilities.curve`) are points of one curve: `stop_val` numbers them, the most accurate last, as
    benchopt numbers the points at which it stops a solver. `idx_rep` numbers the calls. Cells without a certified
    answer are left out, since benchopt has no column for them.

    Raises
    ------
    ValueError
        No cell has a certified answer.
    """
    kind_of = {case: kind for kind, rows in profiles.kinds(tables.frame(records)) for case in rows["case"]}
    current = [record for record, latest in zip(records, tables.current(records), strict=True) if latest]
    answers = [record for record in current if record.status == "ok" and record.solver != BUILD_MATRIX]
    if not answers:
        raise ValueError("no cell has a certified answer, and benchopt has no format for others")
    points: Counter[tuple[str, str]] = Counter()
    rows = []
    for record in sorted(answers, key=_by_accuracy):
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


def _by_accuracy(record: Record) -> tuple[float, float]:
    """Return a sort key: the largest error first, and among equal ones the fastest."""
    error = record.gap if record.entropic_gap is None else record.entropic_gap
    return -max(math.inf if error is None else error, METRICS[0].negligible), record.seconds or 0.0


def _settings(solver: str) -> tuple[str, dict[str, spec.Value], dict[str, spec.Value]]:
    """Return a solver's name, its settings that trade time for accuracy, and its others."""
    name, settings = spec.parse(solver)
    known = tables.registered(name)
    along = known.capabilities.curve if known else {}
    curve = {key: value for key, value in settings.items() if key in along}
    return name, curve, {key: value for key, value in settings.items() if key not in along}


def _named(name: str, settings: Mapping[str, object]) -> str:
    """Return a name with settings in the syntax of benchopt."""
    inside = ",".join(f"{key}={settings[key]}" for key in sorted(settings))
    return f"{name}[{inside}]" if inside else name


def _description(name: str) -> str:
    known = tables.registered(name)
    return inspect.cleandoc((known and known.function.__doc__) or "").partition("\n\n")[0]


def _system(record: Record) -> dict[str, object]:
    """Return facts of the machine under the names of benchopt's pages."""
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
    """Return the table with one type per column: a setting may be a word in one case and a number in another."""
    mixed = [name for name in table if table[name].dropna().map(type).nunique() > 1]
    return table.assign(**{name: table[name].map(str, na_action="ignore") for name in mixed})


#: Functions that encode records, by format.
FORMATS: Mapping[str, Callable[[Sequence[Record]], bytes]] = {
    "csv": lambda records: tables.csv(tables.frame(records)).encode(),
    "parquet": lambda records: _parquet(tables.frame(records)),
    "benchopt": lambda records: _parquet(_uniform(benchopt(records))),
}
