"""The page of a report: the verdict, charts, problems, solvers, pictures, failures and all results."""

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import pandas as pd

from lapmark.bench.compare import rendering
from lapmark.bench.compare.comparison import Comparison
from lapmark.bench.results.statuses import STATUSES
from lapmark.bench.system.conditions import LOADED
from lapmark.bench.util.units import show_count_of
from lapmark.reports import standings, tables
from lapmark.reports.charts import Chart
from lapmark.reports.charts.panel import Panel
from lapmark.reports.pictures.albums import Album

from .cell_table import LOAD, choices, columns_of, counters, row
from .html import CHART_SCRIPTS, data_url, fill
from .images import album_images
from .plots import panels_data
from .sections import failures, not_run, solver_lines

#: The chart beside the verdict.
LEAD = "leaders"


def render(
    cells: pd.DataFrame,
    shown_charts: Sequence[tuple[Chart, Sequence[Panel]]],
    cases: Sequence[dict[str, Any]],
    albums: Sequence[Album],
    directory: Path,
    comparison: Comparison | None = None,
) -> str:
    """Return the page as HTML.

    Parameters
    ----------
    cells : DataFrame
        The table of `tables.frame`.
    shown_charts : sequence of (Chart, panels)
        Those that have something to show.
    cases : sequence of dict
        Of `sections.cases`.
    directory : Path
        Folder of the page.
    comparison : Comparison, optional
        With an earlier run.
    """
    every = cells[cells["current"]]
    shown = every[every["status"] != "skipped"]
    shown = shown.assign(work=[counters(cell) for cell in shown.to_dict("records")])
    columns = columns_of(shown)
    charts = [(chart, _numbers(chart, cells)) for chart, _ in shown_charts]
    return fill(
        "index.html",
        scripts=CHART_SCRIPTS,
        verdict=standings.sentence(cells),
        headline=_headline(shown),
        not_run=not_run(every),
        facts=_facts(shown),
        warnings=_warnings(cells),
        lead=next((each for each in charts if each[0].name == LEAD), None),
        hero=_hero(albums, directory),
        cases=cases,
        solvers=solver_lines(shown, standings.standings(cells)),
        comparison=_comparison(comparison) if comparison else None,
        charts=[each for each in charts if each[0].name != LEAD],
        plots={chart.name: panels_data(panels) for chart, panels in shown_charts},
        albums=[(album, album_images(album, directory)) for album in albums],
        failures=failures(shown),
        statuses=[status for status in STATUSES.values() if status.name != "skipped"],
        rows=[row(cell, columns) for cell in shown.to_dict("records")],
        columns=columns,
        choices=choices(shown),
        csv=data_url("text/csv", tables.csv(cells).encode()),
    )


def _hero(albums: Sequence[Album], directory: Path) -> dict[str, object] | None:
    """Return the first picture of the largest case, the one beside the verdict."""
    for album in sorted(albums, key=lambda album: -len(album.pictures)):
        for caption, picture in album_images(album, directory)[:1]:
            return {"picture": picture, "caption": f"{album.case}: {caption}.", "alt": caption}
    return None


def _comparison(comparison: Comparison) -> dict[str, object]:
    """Return the texts of a comparison: the outcome, a line per change that is certain or doubtful, and notes."""
    rows = [
        {
            "name": rendering.cell_name(cell.key),
            "what": change.what,
            "old": rendering.values(change)[0],
            "new": rendering.values(change)[1],
            "verdict": rendering.verdict_words(change),
            "kind": change.verdict,
            "keys": {"solver": cell.key[0].partition(":")[0]},
        }
        for cell, change in rendering.shown(comparison, every=True)
    ]
    notes = [*rendering.allowances(comparison), *rendering.notes(comparison, every=True)]
    names = {"old": comparison.old.name, "new": comparison.new.name}
    return {"headline": rendering.headline(comparison), "rows": rows, "notes": notes, **names}


def _headline(shown: pd.DataFrame) -> str:
    solvers = shown.loc[shown["group"] != "harness", "series"].nunique()
    ok = int((shown["status"] == "ok").sum())
    counts = (shown["label"].nunique(), "problem"), (solvers, "solver"), (len(shown), "cell")
    text = ", ".join(show_count_of(count, noun) for count, noun in counts)
    return f"{text}: {ok:,} with a certified answer."


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
        stale = show_count_of(older, "older cell")
        found.append(f"{stale}, measured again since or in another environment, only in results.csv (current = False).")
    return found


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
