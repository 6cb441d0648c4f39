"""The panels of charts as data for a page's script, with the style of each curve."""

from collections.abc import Sequence
from dataclasses import asdict

from lapmark.bench.util import spec
from lapmark.reports.charts.panel import Axis, Curve, Panel, Point


def panels_data(panels: Sequence[Panel]) -> list[dict[str, object]]:
    """Return panels as values that JSON has."""
    return [_panel(panel) for panel in panels]


def _panel(panel: Panel) -> dict[str, object]:
    return {
        "title": panel.title,
        "problem": panel.problem,
        "x": _axis(panel.x),
        "y": _axis(panel.y),
        "rows": panel.rows,
        "level": _short(panel.level),
        "guide": panel.guide,
        "curves": [_curve(curve) for curve in panel.curves],
    }


def _axis(axis: Axis) -> dict[str, object]:
    known = asdict(axis)
    return known | {name: _short(known[name]) for name in ("low", "high", "floor", "ceiling")}


def _curve(curve: Curve) -> dict[str, object]:
    look = curve.look
    return {
        "name": curve.name,
        "label": curve.label,
        "base": spec.parse(curve.solver)[0] if curve.solver else "",
        "shape": curve.shape,
        "heading": _short(curve.heading),
        "colour": look.colour,
        "marker": look.marker,
        "dashes": look.dashes[1] or (),
        "width": look.width,
        "points": [_point(point) for point in curve.points],
    }


def _point(point: Point) -> dict[str, object]:
    known: dict[str, object] = {"x": _short(point.x), "y": _short(point.y)}
    if point.low is not None:
        known |= {"low": _short(point.low), "high": _short(point.high)}
    return known | ({"n": point.n} if point.n else {}) | ({"note": point.note} if point.note else {})


def _short(value: float | None) -> float | None:
    """Return a number with the digits that can be seen, since a page has thousands."""
    return None if value is None else float(f"{value:.5g}")
