"""From records to tidy tables: a row per cell, medians and ranks per case. No drawing and no markup."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence

import numpy as np
import pandas as pd

from lapmark.bench.problems import Case, families
from lapmark.bench.results.record import FIGURES, METRICS, Record
from lapmark.bench.results.statuses import STATUSES
from lapmark.bench.util import spec
from lapmark.bench.util.units import show_size
from lapmark.bench.worker.protocol import BUILD_MATRIX
from lapmark.solvers import registry

from .csv_text import to_csv

#: Columns with the figures of a certificate.
CERTIFIED = tuple(dict.fromkeys((*FIGURES, *(metric.name for metric in METRICS))))

#: A solver of this ending does the same as the one without it, with AVX2.
VECTORISED = "-avx2"


def frame(records: Iterable[Record]) -> pd.DataFrame:
    """A row per cell, in the order of problem, case, n and solver.

    Columns
    -------
    solver, base, series, group, exact
        `base` is the solver without its settings, but with the environment that it names; `series` the solver with
        its threads where they are more than one; `group` as `group` says.
    problem, label, n, m, seed, case
        `label` is the case without its size: what a curve over n is drawn for.
    given, threads, environment, status, message
    current
        False where a later record has the same solver, case and threads: only current cells are compared and shown. A
        record from an environment that lacks the solver is never the later one.
    seconds, seconds_min, seconds_max, samples, rounds, times
        Median, extremes, number, rounds and list of the timed calls.
    relative
        Median over that of the fastest exact certified solver of the case.
    speedup
        For a solver with AVX2, the scalar one's median over its own, where both are certified.
    slowdown
        For a family that has an easier one beside it, the median over the same solver's at the same size there.
    cost, feasible_cost, dual_bound, gap, entropic_gap, row_error, column_error, marginal_error, max_violation
        Of the certificate (`lapmark.Certificate`).
    peak_memory
        In bytes, over the worker's baseline.
    instructions, counted_by
        Of one call, where they were counted.
    versions, machine, commit, finished
    condition_…, counter_…
        One column per condition of the machine, and per work counter.
    """
    records = list(records)
    rows = [_row(record) for record in records]
    cells = pd.DataFrame(rows)
    conditions, counters = (sorted(filter(re.compile(f"{kind}_").match, cells)) for kind in ("condition", "counter"))
    cells = cells[[*(name for name in cells if name not in {*conditions, *counters}), *conditions, *counters]]
    cells.insert(cells.columns.get_loc("message") + 1, "current", current(records))
    for name in ("peak_memory", "instructions", *counters):
        # From the rows: where a cell has none, pandas has made numbers of 53 bits of the others.
        cells[name] = pd.array([row.get(name) for row in rows], dtype="Int64")
    cells = cells.sort_values(["problem", "label", "n", "seed", "solver", "threads"], kind="stable", ignore_index=True)
    cells["status"] = pd.Categorical(cells["status"], categories=list(STATUSES))
    cells["m"] = cells["m"].astype("Int64")
    for name in ("seconds", "seconds_min", "seconds_max", *CERTIFIED, *conditions):
        cells[name] = cells[name].astype("float64")

    ok = compared(cells)
    fastest = ok[ok["exact"]].groupby("case")["seconds"].min()
    after = cells.columns.get_loc("times") + 1
    cells.insert(after, "relative", (ok["seconds"] / ok["case"].map(fastest).astype("float64")).reindex(cells.index))
    cells.insert(after + 1, "speedup", speedups(cells)["ratio"].reindex(cells.index))
    cells.insert(after + 2, "slowdown", slowdowns(cells)["ratio"].reindex(cells.index))
    return cells


def current(records: Sequence[Record]) -> list[bool]:
    """Whether each is the latest of its solver, case and threads; one that lacks the solver only if it is alone."""
    whose = [(record.solver, record.case, record.threads) for record in records]
    lacking = ["missing" in record.versions.values() for record in records]
    # Of equals the last one of a dictionary stays.
    order = sorted(range(len(records)), key=lambda place: not lacking[place])
    latest = {whose[place]: place for place in order}
    return [latest[who] == place for place, who in enumerate(whose)]


def csv(cells: pd.DataFrame) -> str:
    """The cells as CSV, the timed calls as a JSON list."""
    return to_csv(cells.assign(times=[str(list(times)) for times in cells["times"]]))


def certified(cells: pd.DataFrame) -> pd.DataFrame:
    """The current cells with a certified answer: what may be drawn. A time of 0 is none that a ratio can be made of."""
    return cells[cells["current"] & (cells["status"] == "ok") & (cells["seconds"] > 0)]


def compared(cells: pd.DataFrame) -> pd.DataFrame:
    """Those of them that are solvers, not the harness's own work: what may be ranked."""
    ok = certified(cells)
    return ok[ok["group"] != "harness"]


def registered(solver: str) -> registry.Solver | None:
    """What the registry knows of a solver, wherever it ran; None for a plugin's, or one that is gone since."""
    return registry.solvers().get(spec.parse(solver)[0].partition("@")[0])


def group(solver: str) -> str:
    """Whose a solver is: "ours", "wrapped" (a package), "plugin", or "harness" for work that is no solver's."""
    if solver == BUILD_MATRIX:
        return "harness"
    known = registered(solver)
    if known is None or not known.function.__module__.startswith("solvers."):
        return "plugin"
    return "wrapped" if known.requires else "ours"


def quartile_ratio(slow: Iterable[float], fast: Iterable[float]) -> tuple[float, float, float]:
    """Ratio of medians, and its interval from the quartiles of the samples: robust, and a point for single samples."""
    low, middle, high = np.quantile(list(slow), (0.25, 0.5, 0.75))
    fast_low, fast_middle, fast_high = np.quantile(list(fast), (0.25, 0.5, 0.75))
    return middle / fast_middle, low / fast_high, high / fast_low


def speedups(cells: pd.DataFrame) -> pd.DataFrame:
    """Speed-up by AVX2: `ratio` of medians and its interval `low` to `high`, by the index of the solver with AVX2."""
    ok = compared(cells)
    times = {(row.solver, row.case, row.threads): row.times for row in ok.itertuples()}
    found = {}
    for row in ok.itertuples():
        scalar = row.solver.replace(VECTORISED, "", 1)
        if scalar != row.solver and (slow := times.get((scalar, row.case, row.threads))):
            found[row.Index] = (f"{row.solver} over {scalar}", row.label, row.n, *quartile_ratio(slow, row.times))
    return pd.DataFrame.from_dict(found, orient="index", columns=["pair", "label", "n", "ratio", "low", "high"])


def slowdowns(cells: pd.DataFrame) -> pd.DataFrame:
    """How much longer a solver takes than on the easier family that the harder one names, where both are certified.

    Both cases have the same size, seed, threads and settings, but for the source of their points, where that is one.

    Returns
    -------
    DataFrame
        `ratio` of medians and its interval `low` to `high`, by the index of the harder cell, with `label`, `easier`
        (the other label), `n` and `series`.
    """
    ok = compared(cells)
    alike = {place: _alike(row) for place, row in ok.iterrows()}
    there = {(row["problem"], alike[place]): row for place, row in ok.iterrows()}
    easier = {name: family.easier for name, family in families().items()}
    found = {}
    for place, row in ok.iterrows():
        easy = there.get((easier.get(row["problem"]), alike[place]))
        if easy is not None:
            ratios = quartile_ratio(row["times"], easy["times"])
            found[place] = (row["label"], easy["label"], row["n"], row["series"], *ratios)
    columns = ["label", "easier", "n", "series", "ratio", "low", "high"]
    return pd.DataFrame.from_dict(found, orient="index", columns=columns)


def ranking(cells: pd.DataFrame) -> pd.DataFrame:
    """Of one label's cells, medians over seeds: a row per series, a column per n, fastest at the largest n first.

    Where there is no certified answer at the largest n, the next smaller one decides.
    """
    medians = compared(cells).pivot_table(index="series", columns="n", values="seconds", aggfunc="median")
    medians = medians.reindex(index=sorted(set(cells["series"])), columns=sorted(set(cells["n"])))
    return medians.sort_values(list(medians.columns[::-1]), na_position="last", kind="stable")


def _alike(row: pd.Series) -> tuple[object, ...]:
    """What a cell has in common with that of the easier family."""
    case = Case.read(row["case"])
    settings = {name: value for name, value in case.params.items() if name != "source"}
    return row["solver"], row["threads"], case.n, case.seed, spec.show("", settings)


def _row(record: Record) -> dict[str, object]:
    times = list(record.samples)
    return {
        "solver": record.solver,
        "base": spec.parse(record.solver)[0],
        "series": record.solver + (f", {record.threads} threads" if record.threads > 1 else ""),
        "group": group(record.solver),
        "exact": record.exact,
        "problem": record.problem,
        "label": Case(record.problem, record.n, record.seed, record.params).label,  # type: ignore[arg-type]
        "n": record.n,
        "m": record.m,
        "seed": record.seed,
        "case": record.case,
        "given": record.given,
        "threads": record.threads,
        "environment": record.environment,
        "status": record.status,
        "message": record.message,
        "seconds": record.seconds,
        "seconds_min": min(times, default=None),
        "seconds_max": max(times, default=None),
        "samples": len(times),
        "rounds": len(record.rounds),
        "times": times,
        **{name: getattr(record, name) for name in CERTIFIED},
        "peak_memory": record.peak_memory,
        "instructions": record.instructions,
        "counted_by": record.counted_by,
        "versions": _text(record.versions, " "),
        "machine": _text({name: _with_unit(name, value) for name, value in record.machine.items()}, " "),
        "commit": record.commit or "",
        "finished": record.finished,
        **{f"condition_{name}": value for name, value in record.conditions.items()},
        **{f"counter_{name}": count for name, count in record.counters.items()},
    }


def _with_unit(name: str, value: object) -> object:
    return show_size(value) if name == "memory" and isinstance(value, int) else value


def _text(parts: Mapping[str, object], between: str) -> str:
    return "; ".join(f"{name}{between}{value}" for name, value in parts.items())
