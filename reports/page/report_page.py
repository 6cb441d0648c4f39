"""The page of a report: verdicts, figures, pictures, failures and all results."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import numpy as np
import pandas as pd

from lapmark.bench.results.statuses import STATUSES
from lapmark.bench.system.conditions import LOADED
from lapmark.bench.util.units import show_duration
from lapmark.reports import format, tables
from lapmark.reports.charts import Chart
from lapmark.reports.pictures.albums import Album
from lapmark.reports.verdicts import verdict

from .cell_table import LOAD, choices, columns_of, counters, row
from .html import data_url, fill
from .images import album_images, chart_image


@dataclass(frozen=True)
class DrawnChart:
    """A chart with its figure, as PNG and SVG."""

    chart: Chart
    png: bytes
    svg: bytes


def render(cells: pd.DataFrame, drawn: Sequence[DrawnChart], albums: Sequence[Album], directory: Path) -> str:
    """Return the page as HTML.

    Parameters
    ----------
    cells : DataFrame
        The table of `tables.frame`.
    directory : Path
        Folder of the page.
    """
    shown = cells[cells["current"]]
    shown = shown.assign(work=[counters(cell) for _, cell in shown.iterrows()])
    columns = columns_of(shown)
    return fill(
        "index.html",
        headline=_headline(shown),
        facts=_facts(shown),
        warnings=_warnings(cells),
        # The largest first: it is the purpose of the run.
        cases=[_case(str(label), rows) for label, rows in sorted(shown.groupby("label"), key=_by_size)],
        charts=[(each.chart, chart_image(each.png, each.svg), _numbers(each.chart, cells)) for each in drawn],
        albums=[(album, album_images(album, directory)) for album in albums],
        failures=_failures(shown),
        statuses=STATUSES.values(),
        rows=[row(cell, columns) for _, cell in shown.iterrows()],
        columns=columns,
        choices=choices(shown),
        csv=data_url("text/csv", tables.csv(cells).encode()),
    )


def _headline(shown: pd.DataFrame) -> str:
    solvers = shown.loc[shown["group"] != "harness", "series"].nunique()
    ok = int((shown["status"] == "ok").sum())
    counts = [_count(solvers, "solver"), _count(shown["case"].nunique(), "case"), _count(len(shown), "cell")]
    return f"{', '.join(counts)}: {ok} with a certified answer."


def _facts(shown: pd.DataFrame) -> list[tuple[str, str]]:
    finished = sorted(filter(None, shown["finished"]))
    versions = sorted({part for text in shown["versions"] for part in text.split("; ") if part})
    facts = [
        ("Measured", " to ".join(dict.fromkeys(_minute(text) for text in (finished[:1] + finished[-1:])))),
        ("Machine", " / ".join(sorted(set(shown["machine"])))),
        ("Load", _load(shown)),
        ("Versions", ", ".join(versions)),
        ("Environments", ", ".join(sorted(filter(None, set(shown["environment"]))))),
        ("Commit", ", ".join(sorted(set(shown["commit"])))),
        ("Threads", ", ".join(str(count) for count in sorted(set(shown["threads"])))),
    ]
    return [(name, text) for name, text in facts if text]


def _warnings(cells: pd.DataFrame) -> list[str]:
    """Return the reasons why cells may not be comparable."""
    shown = cells[cells["current"]]
    found = []
    if (count := shown["machine"].nunique()) > 1:
        found.append(f"The cells come from {count} machines. Times of different machines are not comparable.")
    if (count := shown["commit"].nunique()) > 1:
        found.append(f"The cells come from {count} commits of Lapmark.")
    busy = shown[shown[LOAD] > LOADED] if LOAD in shown else shown[:0]
    if len(busy):
        found.append(
            f"{len(busy):,} of {len(shown):,} cells were measured under load: other processes used up to "
            f"{busy[LOAD].max():.0%} of their cores, so their times may be too long. The column “Load” of all results "
            "shows which; “lapmark run --retry loaded” measures them again."
        )
    if older := len(cells) - len(shown):
        stale = _count(older, "older cell")
        found.append(f"{stale}, measured again since or in another environment, only in results.csv (current = False).")
    return found


def _by_size(group: tuple[object, pd.DataFrame]) -> int:
    return -int(group[1]["n"].max())


def _case(label: str, rows: pd.DataFrame) -> dict[str, object]:
    """Return the verdict and the table of median times of one label."""
    medians = tables.ranking(rows)
    fastest = medians[medians.index.isin(tables.compared(rows).query("exact")["series"])].min()
    by = dict(list(rows.groupby(["series", "n"])))
    table = []
    for series, line in medians.iterrows():
        own = rows[rows["series"] == series].iloc[0]
        if own["group"] == "harness":
            continue
        texts = [_median(by.get((series, n)), seconds, fastest[n]) for n, seconds in line.items()]
        known = {"name": series, "ours": own["group"] == "ours", "exact": own["exact"], "cells": texts}
        table.append({**known, "keys": {"solver": own["base"]}})
    table.sort(key=lambda line: not line["exact"])  # stable: the fastest stay first among either kind
    sizes = [f"{n:,}" for n in medians.columns]
    keys = {"problem": rows["problem"].iloc[0]}
    return {"label": label, "keys": keys, "verdict": verdict(rows), "sizes": sizes, "table": table}


def _median(cell: pd.DataFrame | None, seconds: float, fastest: float) -> dict[str, object]:
    if cell is None:
        return {"text": "", "note": "", "kind": "none"}
    if np.isnan(seconds):
        return {"text": cell["status"].iloc[0], "note": "", "kind": "bad"}
    exact = bool(cell["exact"].iloc[0])
    note = format.ratio(seconds / fastest) if exact else f"gap {format.gap(cell['gap'].median())}"
    return {"text": show_duration(seconds), "note": note, "kind": "best" if exact and seconds <= fastest else "ok"}


def _failures(shown: pd.DataFrame) -> list[dict[str, str]]:
    """Return cells without a certified answer, a line per solver, status and reason, numbers in it disregarded."""
    failed = shown[shown["status"] != "ok"]
    alike = failed["message"].str.replace(r"\d+", "#", regex=True)
    lines = []
    for (status, series, _), cells in failed.groupby(["status", "series", alike], observed=True):
        where = (
            f"{label} at n = {', '.join(f'{n:,}' for n in sorted(set(part['n'])))}"
            for label, part in cells.groupby("label")
        )
        reason = cells["message"].iloc[-1]
        keys = {"solver": cells["base"].iloc[0], "status": status}
        lines.append({"solver": series, "status": status, "where": "; ".join(where), "reason": reason, "keys": keys})
    return lines


def _numbers(chart: Chart, cells: pd.DataFrame) -> dict[str, object] | None:
    """Return the table under a chart: its headings, and for each line the texts and the values that filters use."""
    if chart.numbers is None:
        return None
    table = chart.numbers(cells)
    keys_of = {
        "Solver": ("solver", dict(zip([*cells["series"], *cells["solver"]], [*cells["base"]] * 2, strict=True))),
        "Case": ("problem", dict(zip(cells["label"], cells["problem"], strict=True))),
    }
    lines = []
    for names, texts in zip(table.index, table.itertuples(index=False), strict=True):
        named = zip(table.index.names, names, strict=True)
        known = ((*keys_of[level], name) for level, name in named if level in keys_of)
        keys = {key: values.get(name, name) for key, values, name in known}
        lines.append({"names": names, "texts": list(texts), "keys": keys})
    return {"names": table.index.names, "columns": list(table.columns), "lines": lines}


def _load(shown: pd.DataFrame) -> str:
    """Return the smallest and the largest share of the cells' cores that other processes used."""
    known = shown[LOAD].dropna() if LOAD in shown else shown[:0]
    return f"other processes used {known.min():.0%} to {known.max():.0%} of the cores" if len(known) else ""


def _minute(text: str) -> str:
    """Return a time of the store to the minute; unchanged if it cannot be parsed."""
    try:
        return datetime.fromisoformat(text).strftime("%Y-%m-%d %H:%M %Z").strip()
    except ValueError:
        return text


def _count(count: int, thing: str) -> str:
    return f"{count:,} {thing}{'' if count == 1 else 's'}"
