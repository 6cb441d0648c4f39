"""Sections that several pages have: tables of medians, of solvers, of failures, and what was not run."""

import hashlib
import re
from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from lapmark.bench.results.statuses import FAILURES
from lapmark.bench.util.units import show_count_of, show_duration
from lapmark.reports import format, tables
from lapmark.reports.verdicts import verdict

#: The message of a cell whose solver needs a package that is not there, and of one beyond a limit.
_MISSING = re.compile(r"package (\S+) is not installed")
_LIMIT = re.compile(r"reached the \w+ limit at n = \d+ already")

#: The columns of cells that the sections of a problem need: taking rows of all the others takes seconds.
NEEDED = (
    *("problem", "label", "n", "solver", "base", "series", "group", "exact", "status", "current"),
    *("seconds", "seconds_min", "seconds_max", "gap", "entropic_gap", "slowdown"),
)

#: Names of packages that are listed at most.
NAMED = 6

#: Where a solver comes from, as readers see it.
SOURCES = {"ours": "Lapmark", "wrapped": "package", "plugin": "plugin", "harness": "harness"}


def page_of(kind: str, name: str) -> str:
    """Return the file of the page of a solver or a problem, from the folder of the report."""
    plain = re.sub(r"[^A-Za-z0-9._-]+", "-", name)
    number = "" if plain == name else f"-{hashlib.sha256(name.encode()).hexdigest()[:6]}"
    return f"{kind}s/{plain}{number}.html"


def not_run(cells: pd.DataFrame) -> list[str]:
    """Return sentences on the skipped cells: missing packages, problems that solvers do not take, and limits."""
    skipped = cells[cells["status"] == "skipped"]
    packages: dict[str, set[str]] = {}
    beyond = others = 0
    for series, message in zip(skipped["series"], skipped["message"], strict=True):
        if found := _MISSING.search(message):
            packages.setdefault(found[1], set()).add(series)
        elif _LIMIT.search(message):
            beyond += 1
        else:
            others += 1
    texts = []
    if packages:
        count = len(set().union(*packages.values()))
        names = ", ".join(sorted(packages)[:NAMED]) + (", …" if len(packages) > NAMED else "")
        texts.append(f"{show_count_of(count, 'solver')} of {names}: not installed")
    texts += [f"{show_count_of(beyond, 'cell')} beyond a limit reached at a smaller size"] if beyond else []
    texts += [f"{show_count_of(others, 'cell')} that a solver does not take"] if others else []
    return [f"Not run: {'; '.join(texts)}."] if texts else []


def cases(cells: pd.DataFrame) -> list[dict[str, Any]]:
    """Return verdict and medians of each label, the largest first: it is the purpose of the run."""
    lean = cells.loc[cells["current"], list(NEEDED)]
    return [medians(str(label), rows) for label, rows in sorted(lean.groupby("label"), key=_by_size)]


def medians(label: str, rows: pd.DataFrame) -> dict[str, Any]:
    """Return the verdict and the table of median times of one label."""
    ranking = tables.ranking(rows)
    fastest = ranking[ranking.index.isin(tables.compared(rows).query("exact")["series"])].min()
    first = rows.drop_duplicates("series").set_index("series")
    known = rows.groupby(["series", "n"]).agg(status=("status", "first"), gap=("gap", "median")).to_dict("index")
    table = []
    for series, line in ranking.iterrows():
        own = first.loc[series]
        if own["group"] == "harness":
            continue
        texts = [_median(known.get((series, n)), own["exact"], seconds, fastest[n]) for n, seconds in line.items()]
        ours = own["group"] == "ours"
        keys = {"solver": own["base"]}
        table.append({"name": series, "ours": ours, "exact": own["exact"], "cells": texts, "keys": keys})
    table.sort(key=lambda line: not line["exact"])  # stable: the fastest stay first among either kind
    sizes = [f"{n:,}" for n in ranking.columns]
    problem = str(rows["problem"].iloc[0])
    return {
        "label": label,
        "page": page_of("problem", problem),
        "keys": {"problem": problem},
        "verdict": verdict(rows),
        "sizes": sizes,
        "table": table,
    }


def _median(cell: Mapping[str, object] | None, exact: bool, seconds: float, fastest: float) -> dict[str, object]:
    if cell is None:
        return {"text": "", "note": "", "kind": "none"}
    if np.isnan(seconds):
        return {"text": cell["status"], "note": "", "kind": "bad"}
    note = format.ratio(seconds / fastest) if exact else f"gap {format.gap(float(str(cell['gap'])))}"
    return {"text": show_duration(seconds), "note": note, "kind": "best" if exact and seconds <= fastest else "ok"}


def solver_lines(cells: pd.DataFrame, standing: pd.DataFrame, root: str = "") -> list[dict[str, object]]:
    """Return a line per solver: what it leads, how far it is behind, and how many cells it answered and failed."""
    total = standing["label"].nunique()
    by_series = {str(series): rows for series, rows in standing.groupby("series")}
    lines = []
    tried = cells[(cells["status"] != "skipped") & (cells["group"] != "harness")]
    for series, rows in tried.groupby("series", sort=False):
        own = rows.iloc[0]
        stands = by_series.get(str(series))
        led = 0 if stands is None else int((stands["place"] == 0).sum())
        lines.append(
            {
                "name": series,
                "page": root + page_of("solver", own["base"]),
                "source": SOURCES[own["group"]],
                "ours": own["group"] == "ours",
                "led": f"{led} of {total}" if own["exact"] or stands is not None else "",
                "ratio": "" if stands is None else format.ratio(stands["ratio"].median()),
                "worst": "" if stands is None else format.ratio(stands["ratio"].max()),
                "certified": f"{int((rows['status'] == 'ok').sum()):,}",
                "failed": str(count) if (count := int(rows["status"].isin(FAILURES).sum())) else "",
                "keys": {"solver": own["base"]},
                "order": (-led, np.inf if stands is None else stands["ratio"].median()),
            }
        )
    return sorted(lines, key=lambda line: line["order"])


def failures(cells: pd.DataFrame) -> list[dict[str, object]]:
    """Return cells without a certified answer, a line per solver, status and reason, numbers in it disregarded."""
    failed = cells[cells["status"].isin(FAILURES)]
    alike = failed["message"].str.replace(r"\d+", "#", regex=True)
    lines: list[dict[str, object]] = []
    for (status, series, _), rows in failed.groupby(["status", "series", alike], observed=True):
        where = (
            f"{label} at n = {', '.join(f'{n:,}' for n in sorted(set(part['n'])))}"
            for label, part in rows.groupby("label")
        )
        keys = {"solver": rows["base"].iloc[0], "status": status}
        reason = rows["message"].iloc[-1]
        lines.append({"solver": series, "status": status, "where": "; ".join(where), "reason": reason, "keys": keys})
    return lines


def _by_size(group: tuple[object, pd.DataFrame]) -> int:
    """Return the key that sorts groups of cells by their size, the largest first."""
    return -int(group[1]["n"].max())
