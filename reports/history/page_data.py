"""Data of a history's page: what its script draws, in few bytes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from lapmark.bench.history.change_points import relative_scale
from lapmark.bench.history.measurement import Commit, Measurement
from lapmark.bench.history.series import Series
from lapmark.bench.history.standing import Standing


def data(standing: Standing, url: str) -> dict[str, Any]:
    """Return the data of the page's script.

    A series has, at each place of `at` in the list of commits, a median, and its quartiles as thousandths below and
    above it. Counters and other exact quantities are steps: pairs of a place in `at` and the value from there on.
    """
    places: dict[tuple[int, ...], int] = {}
    series = [_series(cell.series, places) for cell in standing.cells]
    return {
        "commits": [_commit(commit) for commit in standing.timeline.commits],
        "url": url,
        "places": list(places),
        "series": series,
    }


def _series(series: Series, places: dict[tuple[int, ...], int]) -> dict[str, Any]:
    measured = [point.measurement for point in series.points]
    medians = [_rounded(each.median) for each in measured]
    at = tuple(point.place for point in series.points)
    timed = [place for place, median in enumerate(medians) if median is not None]
    return {
        "unit": series.unit,
        "at": places.setdefault(at, len(places)),
        "median": medians,
        "below": [_thousandths(each, each.lower) for each in measured],
        "above": [_thousandths(each, each.upper) for each in measured],
        "samples": _steps([each.samples for each in measured]),
        "levels": [[timed[start], level] for start, level in _levels(series)],
        "quantities": [
            {"name": name, "unit": unit, **_values(values)}
            for name, unit, values in quantities(measured)
            if any(value is not None for value in values)
        ],
        "status": _steps([each.status for each in measured]),
        "changes": [[change.place, change.what, change.verdict] for change in series.changes],
    }


def quantities(measured: Sequence[Measurement]) -> list[tuple[str, str, list[float | None]]]:
    """Return the exact quantities of measurements: their name, their unit and their values, None where missing."""
    names = sorted({name for each in measured for name in each.counters})
    found: list[tuple[str, str, list[float | None]]] = [
        (name, "count", [each.counters.get(name) for each in measured]) for name in names
    ]
    found.append(("instructions", "count", [each.instructions for each in measured]))
    found.append(("memory", "B", [_rounded(each.peak_memory, 3) for each in measured]))
    return found


def sparkline(series: Series, count: int) -> Mapping[str, str] | None:
    """Return the points of a small line of the medians, and of its changes for the worse and the better, for SVG.

    `count` is the number of commits of the page, so that all lines have the same width. None with fewer than two
    medians.
    """
    timed = series.timed
    if len(timed) < 2:
        return None
    values = relative_scale([point.measurement.median or 0.0 for point in timed])
    # Lone extremes are cut off, and what is nearly constant looks so.
    low, high = np.percentile(values, [2, 98])
    middle, half = (low + high) / 2, max((high - low) / 2, 0.05)
    values = np.clip(values, middle - half, middle + half)

    def point(place: int, value: float) -> str:
        return f"{118 * place / max(count - 1, 1) + 1:.0f},{12 - 10 * (value - middle) / half:.1f}"

    step = max(len(values) // 60, 1)
    line = [point(timed[k].place, values[k]) for k in range(0, len(values), step)]
    marks = {"worse": "", "better": ""}
    heights = {each.place: value for each, value in zip(timed, values, strict=True)}
    for change in series.changes:
        if change.verdict in marks and change.place in heights:
            x, y = point(change.place, heights[change.place]).split(",")
            marks[change.verdict] += f"M{x},{y}h0"
    return {"line": " ".join(line), **marks}


def _levels(series: Series) -> list[tuple[int, float | None]]:
    if not series.timed:
        return []
    return [(start, level) for start, level in zip([0, *series.divisions], map(_rounded, series.levels), strict=True)]


def _steps(values: Sequence[Any]) -> list[list[Any]]:
    """Return the places at which a value differs from the one before, with the value."""
    return [[place, value] for place, value in enumerate(values) if place == 0 or value != values[place - 1]]


def _values(values: Sequence[float | None]) -> dict[str, Any]:
    """Return steps, or all values where that is shorter."""
    steps = _steps(values)
    return {"steps": steps} if len(steps) < len(values) / 2 else {"values": list(values)}


def _thousandths(each: Measurement, value: float | None) -> int | None:
    if value is None or not each.median:
        return None
    return min(round(1000 * abs(value - each.median) / abs(each.median)), 99_999)


def _rounded(value: float | None, digits: int = 4) -> float | None:
    if value is None:
        return None
    rounded = float(f"{value:.{digits}g}")
    return int(rounded) if rounded == round(rounded) else rounded


def _commit(commit: Commit) -> list[str]:
    return [commit.hash[:10], commit.time[:10], commit.subject[:120]]
