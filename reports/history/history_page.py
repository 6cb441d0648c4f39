"""The page of a history: changes, the worst first, and each cell with its times and counters over the commits."""

from __future__ import annotations

from typing import Any

from lapmark.bench.history.history_store import History
from lapmark.bench.history.series import Change, Series, show
from lapmark.bench.history.standing import STATES, CellStanding, Standing, first_words, summary
from lapmark.reports import format
from lapmark.reports.page.html import fill

from .page_data import data, quantities, sparkline

#: Changes that are listed at once; the others are folded away.
MOST_CHANGES = 25


def render(standing: Standing, history: History, url: str = "") -> str:
    """Return the page; `url` is the address of a commit before its hash, if there is one."""
    timeline = standing.timeline
    places = {id(cell.series): number for number, cell in enumerate(standing.cells)}
    changes = [_change(standing, series, change, places[id(series)]) for series, change in standing.changes()]
    cells = [_cell(standing, cell) for cell in standing.cells]
    return fill(
        "history.html",
        scripts=("numbers.js", "history.js"),
        looks=("page.css", "history.css"),
        headline=summary(standing),
        faults=history.faults,
        facts=_facts(standing, history),
        changes=changes,
        most=MOST_CHANGES,
        cells=cells,
        url=url,
        several_machines=len(timeline.machines) > 1,
        choices={
            "state": [state for state in STATES if any(cell["state"] == state for cell in cells)],
            "source": sorted({cell.series.source for cell in standing.cells}),
            "machine": sorted(timeline.machines.values()),
        },
        data=data(standing, url),
    )


def _facts(standing: Standing, history: History) -> list[tuple[str, str]]:
    latest = history.snapshots[-1]
    versions = ", ".join(f"{name} {version}" for name, version in sorted(latest.versions.items()))
    facts = [
        ("Latest", f"{first_words(latest.commit)} {latest.commit.subject}"),
        ("Compared with", f"{first_words(standing.since)} {standing.since.subject}"),
        ("Machines", "; ".join(sorted(standing.timeline.machines.values()))),
        ("Versions", versions),
    ]
    return [(name, text) for name, text in facts if text]


def _cell(standing: Standing, cell: CellStanding) -> dict[str, Any]:
    series, latest = cell.series, cell.series.latest
    spread = ""
    if latest.median and latest.lower is not None and latest.upper is not None and latest.samples > 1:
        spread = f"{show(latest.lower, series.unit)} – {show(latest.upper, series.unit)}"
    return {
        "name": series.name,
        "source": series.source,
        "machine": standing.timeline.machines[series.machine],
        "state": cell.state,
        "status": latest.status,
        "message": latest.message,
        "certified": latest.certified,
        "value": "" if latest.median is None else show(latest.median, series.unit),
        "spread": spread,
        "ratio": format.ratio(cell.ratio) if cell.ratio != 1 else "",
        "sort": {
            "time": latest.median if latest.median is not None and series.unit == "s" else "",
            "changed": max((change.place for change in series.changes), default=-1),
        },
        "quantities": _latest_quantities(series),
        "spark": sparkline(series, len(standing.timeline.commits)),
    }


def _latest_quantities(series: Series) -> str:
    found = [(name, unit, values[-1]) for name, unit, values in quantities([series.latest])]
    return ", ".join(f"{name} {show(value, unit)}" for name, unit, value in found if value is not None)


def _change(standing: Standing, series: Series, change: Change, number: int) -> dict[str, Any]:
    commits = standing.timeline.commits
    return {
        "cell": number,
        "name": series.name,
        "machine": standing.timeline.machines[series.machine],
        "what": change.what,
        "word": change.word,
        "verdict": change.verdict,
        "old": change.show(change.old),
        "new": change.show(change.new),
        "ratio": change.factor,
        "commit": commits[change.place],
        "since": commits[change.since] if change.place - change.since > 1 else None,
        "versions": standing.timeline.changed_versions(series, change),
    }
