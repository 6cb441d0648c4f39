"""Tidy tables of records: a row per cell, ratios, and medians per case, without drawing."""

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

#: Columns with the numbers of a certificate.
CERTIFIED = tuple(dict.fromkeys((*FIGURES, *(metric.name for metric in METRICS))))


def frame(records: Iterable[Record]) -> pd.DataFrame:
    """Return a table with a row per cell, sorted by problem, case, n and solver.

    Columns
    -------
    solver, base, series, group, exact
        `base` is the solver without its settings, but with its environment if it names one; `series` the solver with
        its threads if more than one; `group` the result of `group`.
    problem, label, n, m, seed, case
        `label` is the case without size and seed: one curve over n.
    given, threads, environment, status, message
    current
        False if a later record has the same solver, case and threads: only current cells are compared and shown. A
        record from an environment that lacks the solver does not count as later.
    seconds, seconds_min, seconds_max, samples, rounds, times
        Median, extremes, number, rounds and list of the timed calls.
    relative
        Median over that of the fastest exact certified solver of the case.
    speedup
        For a solver with vector instructions, the scalar one's median over its own, if both are certified.
    slowdown
        For a family with an easier one, the median over that of the same solver and size there.
    cost, feasible_cost, dual_bound, gap, entropic_gap, row_error, column_error, marginal_error, max_violation
        Of the certificate (`lapmark.Certificate`).
    peak_memory
        In bytes, over the worker's baseline.
    instructions, counted_by
        Of one call, if they were counted.
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
        # From the rows: pandas turns integers of a column with gaps into floats of 53 bits.
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
    """Return whether each is the latest of its solver, case and threads; one that lacks the solver only if alone."""
    whose = [(record.solver, record.case, record.threads) for record in records]
    lacking = ["missing" in record.versions.values() for record in records]
    # A dictionary keeps the last of equal keys.
    order = sorted(range(len(records)), key=lambda place: not lacking[place])
    latest = {whose[place]: place for place in order}
    return [latest[who] == place for place, who in enumerate(whose)]


def csv(cells: pd.DataFrame) -> str:
    """Return the cells as CSV, with the timed calls as a JSON list."""
    return to_csv(cells.assign(times=[str(list(times)) for times in cells["times"]]))


def certified(cells: pd.DataFrame) -> pd.DataFrame:
    """Return the current cells with a certified answer and a time above 0, which has ratios: those that are drawn."""
    return cells[cells["current"] & (cells["status"] == "ok") & (cells["seconds"] > 0)]


def compared(cells: pd.DataFrame) -> pd.DataFrame:
    """Return the certified cells of solvers, without the harness's own work: those that are ranked."""
    ok = certified(cells)
    return ok[ok["group"] != "harness"]


def registered(solver: str) -> registry.Solver | None:
    """Return the registry's entry of a solver, from any environment; None for an unknown one, such as a plugin."""
    return registry.solvers().get(spec.parse(solver)[0].partition("@")[0])


def plain_build(solver: str) -> str:
    """Return the solver of which this one is a variant, with the same settings; itself if it is not a variant."""
    known = registered(solver)
    base = known.capabilities.variant_of if known else ""
    return solver.replace(known.name, base, 1) if known and base else solver


def group(solver: str) -> str:
    """Return the origin of a solver: "ours", "wrapped" (a package), "plugin", or "harness" for work of the harness."""
    if solver == BUILD_MATRIX:
        return "harness"
    known = registered(solver)
    if known is None or not known.is_built_in:
        return "plugin"
    return "wrapped" if known.requires else "ours"


def quartile_ratio(slow: Iterable[float], fast: Iterable[float]) -> tuple[float, float, float]:
    """Return the ratio of medians, and its interval from the quartiles: robust, and a point for single samples."""
    low, middle, high = np.quantile(list(slow), (0.25, 0.5, 0.75))
    fast_low, fast_middle, fast_high = np.quantile(list(fast), (0.25, 0.5, 0.75))
    return middle / fast_middle, low / fast_high, high / fast_low


def speedups(cells: pd.DataFrame) -> pd.DataFrame:
    """Return the speed-up by vectors: `ratio` of medians and interval `low` to `high`, indexed by the faster cells."""
    ok = compared(cells)
    times = {(row.solver, row.case, row.threads): row.times for row in ok.itertuples()}
    found = {}
    for row in ok.itertuples():
        scalar = plain_build(row.solver)
        if scalar != row.solver and (slow := times.get((scalar, row.case, row.threads))):
            found[row.Index] = (f"{row.solver} over {scalar}", row.label, row.n, *quartile_ratio(slow, row.times))
    return pd.DataFrame.from_dict(found, orient="index", columns=["pair", "label", "n", "ratio", "low", "high"])


def slowdowns(cells: pd.DataFrame) -> pd.DataFrame:
    """Return the ratio of times on a family and on the easier family that it names, if both are certified.

    Both cases have the same size, seed, threads and settings, except for the source of the points.

    Returns
    -------
    DataFrame
        `ratio` of medians and its interval `low` to `high`, by the index of the harder cell, with `label`, `easier`
        (the other label), `n` and `series`.
    """
    ok = compared(cells)
    alike = {place: _matching(row) for place, row in ok.iterrows()}
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
    """Return medians over seeds of one label's cells: a row per series, a column per n, sorted by the largest n.

    Without a certified answer at the largest n, the next smaller one decides.
    """
    medians = compared(cells).pivot_table(index="series", columns="n", values="seconds", aggfunc="median")
    medians = medians.reindex(index=sorted(set(cells["series"])), columns=sorted(set(cells["n"])))
    return medians.sort_values(list(medians.columns[::-1]), na_position="last", kind="stable")


def _matching(row: pd.Series) -> tuple[object, ...]:
    """Return the properties that a cell shares with its counterpart in the easier family."""
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
