"""Published tables as Markdown, each from the kept results of a measurement."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from lapmark.bench.util.markdown_text import as_text
from lapmark.bench.util.units import show_duration
from lapmark.bench.worker.protocol import BUILD_MATRIX
from lapmark.reports import format, tables
from lapmark.reports.export import known_optima
from lapmark.reports.export.fastest_peer import compare_with_fastest_peer, markdown

#: Columns of the grid: how points and nodes are given, and which are the rows.
_GIVEN = {"points": "the points", "dense": "the matrix"}


@dataclass(frozen=True)
class Table:
    """A table: the measurement that it shows, and the function from its rows to Markdown."""

    measurement: str
    render: Callable[[pd.DataFrame], str]


def grid(cells: pd.DataFrame, n: int = 10_000, most: int | None = None) -> str:
    """Return the seconds of each solver for images on a grid in both orientations, the fastest first.

    With `most` these are so many that find the optimum.
    """
    ok = tables.certified(cells)
    ok = ok[(ok["n"] == n) & (ok["solver"] != BUILD_MATRIX)]
    if most is not None:
        ok = ok[ok["exact"]]
    parts = ok["label"].str.extract(r"cost=(\w+).*rows=(\w+)")
    ok = ok.assign(given=parts[0], rows=parts[1])
    times = ok.pivot_table(index=["solver", "given"], columns="rows", values="seconds")
    gaps, groups = (ok.groupby(["solver", "given"])[name].max() for name in ("gap", "group"))
    lines = ["| solver | given | rows are points | rows are nodes |", "|---|---|---:|---:|"]
    for key in times.min(axis=1).sort_values().index[:most]:
        solver, given = key
        name = f"**`{solver}`**" if groups[key] == "ours" else f"`{solver}`"
        note = f", {format.gap(gaps[key])} above the bound" if gaps[key] > 1e-9 else ""
        shown = (_duration(times.loc[key].get(rows, np.nan)) for rows in ("points", "nodes"))
        lines.append(f"| {name}{note} | {_GIVEN[given]} | {' | '.join(shown)} |")
    return "\n".join(lines)


def drop_in(rows: pd.DataFrame, dtype: str = "float64", most: int | None = None) -> str:
    """Return how many times as long the fastest other package takes as our call; bold where less.

    With `most` only so many kinds of matrices are shown, but all of them counted.
    """
    rows = rows[rows["dtype"] == dtype]
    times = rows.pivot_table(index=["family", "n"], columns="package", values="seconds", sort=False)
    peers = times.drop(columns="lapmark")
    ratios = (peers.min(axis=1) / times["lapmark"]).unstack("n")
    names = peers.idxmin(axis=1)
    lines = _heading("matrix", ratios)
    for family in list(dict.fromkeys(rows["family"]))[:most]:
        shown = ["" if np.isnan(ratio) else _ratio(ratio) for ratio in ratios.loc[family]]
        lines.append(f"| {as_text(family)} | {' | '.join(shown)} |")
    medians = [_ratio(ratios[n].median()) for n in ratios]
    lines.append(f"| median{'' if most is None else f' of all {len(ratios)} kinds'} | {' | '.join(medians)} |")
    lost, cells = int((ratios < 1).sum().sum()), int(ratios.notna().sum().sum())
    fastest = ", ".join(f"`{name}` ({count})" for name, count in names.value_counts().items())
    return "\n".join([*lines, "", f"Lost: {lost} of {cells}. The fastest other package is", f"{fastest}."])


def drop_in_times(rows: pd.DataFrame) -> str:
    """Return the time of `linear_sum_assignment` on float64 matrices."""
    ours = rows[(rows["dtype"] == "float64") & (rows["package"] == "lapmark")]
    times = ours.pivot_table(index="family", columns="n", values="seconds", sort=False)
    lines = _heading("matrix", times)
    for family, row in times.iterrows():
        lines.append(f"| {as_text(str(family))} | {' | '.join(map(_duration, row))} |")
    return "\n".join(lines)


def batches(rows: pd.DataFrame) -> str:
    """Return the time of a batch by `solve_batch`, and how many times as long the fastest other package takes."""
    times = rows.pivot_table(index=["family", "n"], columns="package", values="seconds", sort=False)
    lines = _heading("matrix", sorted(set(rows["n"])))
    for family in dict.fromkeys(rows["family"]):
        own, peers = times.loc[family, "lapmark"], times.loc[family].drop(columns="lapmark").min(axis=1)
        shown = (f"{_duration(own[n])} ({_ratio(peers[n] / own[n])})" for n in own.index)
        lines.append(f"| {as_text(family)} | {' | '.join(shown)} |")
    return "\n".join(lines)


def histograms(rows: pd.DataFrame) -> str:
    """Return the time of a pair of histograms by POT and by `emd`."""
    lines = ["| a pair, one core | POT's `emd2` | `emd` | |", "|---|---:|---:|---:|"]
    for row in rows.itertuples():
        lead = format.ratio(row.pot / row.lapmark)
        lines.append(f"| {row.images} | {_duration(row.pot)} | {_duration(row.lapmark)} | {lead} |")
    return "\n".join(lines)


#: The columns of the table of histograms on a grid.
_GRID_SOLVERS = {"ortools": "OR-tools", "highs": "HiGHS", "pot": "POT", "pot-lazy": "POT, lazy"}


def grid_histograms(rows: pd.DataFrame) -> str:
    """Return the time of `solve` for two histograms on a grid, and those of the others with their ratio to it."""
    lines = [f"| grid, histograms | **Lapmark** | {' | '.join(_GRID_SOLVERS.values())} |"]
    lines.append("|---|---:|" + "---:|" * len(_GRID_SOLVERS))
    for row in rows.to_dict(orient="records"):
        others = (_slower(row[name], row["lapmark"]) for name in _GRID_SOLVERS)
        lines.append(f"| {row['grid']} | {_duration(row['lapmark'])} | {' | '.join(others)} |")
    return "\n".join(lines)


def line(rows: pd.DataFrame) -> str:
    """Return the time of every function for points on a line."""
    times = rows.pivot_table(index="function", columns="n", values="seconds", sort=False)
    lines = _heading("points on a line", times)
    for name, row in times.iterrows():
        label = str(name) if str(name).startswith("value") else f"`{name}`"
        lines.append(f"| {label} | {' | '.join(map(_duration, row))} |")
    return "\n".join(lines)


def transport(cells: pd.DataFrame) -> str:
    """Return the seconds of `transport`, and how many times as long POT takes."""
    ok = tables.certified(cells)
    times = ok.pivot_table(index=["label", "n"], columns="solver", values="seconds", sort=False)
    sizes = sorted(set(cells["n"]))
    lines = _heading("case", sizes)
    for label in sorted(set(cells["label"])):
        shown = [_against(times.loc[(label, n)]) if (label, n) in times.index else "" for n in sizes]
        lines.append(f"| `{label}` | {' | '.join(shown)} |")
    return "\n".join(lines)


def families(cells: pd.DataFrame) -> str:
    """Return `cascade` beside the fastest other exact package, at the sizes that several families have."""
    found = compare_with_fastest_peer(cells, "cascade")
    return markdown(found[found.groupby("n")["n"].transform("size") > 1], "cascade")


def optima(cells: pd.DataFrame) -> str:
    """Return the certified optima of the standard instances beside the known ones."""
    return known_optima.markdown(known_optima.collect_optima(cells))


def _heading(first: str, sizes: Iterable[int]) -> list[str]:
    """Return the first two lines of a table with a column for each size."""
    columns = [format.whole(n) for n in sizes]
    return [f"| {first} | {' | '.join(columns)} |", "|---|" + "---:|" * len(columns)]


def _against(times: pd.Series) -> str:
    ours, theirs = times.get("transport", np.nan), times.drop("transport", errors="ignore").min()
    if np.isnan(ours):
        return "none"
    return _duration(ours) + ("" if np.isnan(theirs) else f" ({format.ratio(theirs / ours)})")


def _duration(seconds: float) -> str:
    return "" if np.isnan(seconds) else show_duration(seconds)


def _slower(seconds: float | None, own: float) -> str:
    """Return a time with its ratio to ours, nothing where there is none."""
    if seconds is None or not seconds > 0:
        return ""
    return f"{_duration(seconds)} ({_ratio(seconds / own)})"


def _ratio(value: float) -> str:
    shown = format.ratio(value)
    return shown if value >= 1 else f"**{shown}**"


#: The tables by the names of their markers.
TABLES: Mapping[str, Table] = {
    "drop-in": Table("drop-in", drop_in),
    "drop-in-short": Table("drop-in", lambda rows: drop_in(rows, most=9)),
    "drop-in-float32": Table("drop-in", lambda rows: drop_in(rows, "float32")),
    "drop-in-times": Table("drop-in", drop_in_times),
    "lists": Table("lists", drop_in),
    "batches": Table("batches", batches),
    "histograms": Table("histograms", histograms),
    "grid-histograms": Table("grid-histograms", grid_histograms),
    "line": Table("line", line),
    "grid-short": Table("grid", lambda cells: grid(cells, most=6)),
    "grid": Table("grid", grid),
    "grid-2500": Table("grid", lambda cells: grid(cells, n=2500)),
    "transport": Table("transport", transport),
    "families": Table("families", families),
    "optima": Table("standard", optima),
}
