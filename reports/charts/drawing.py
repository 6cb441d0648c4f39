"""The panels of a chart as a Matplotlib figure in seaborn's style."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import FuncFormatter, MaxNLocator

from lapmark.reports.style import INK, PAPER, SOFT, Style, plain

from .axes import (
    LABEL,
    LETTER,
    LINE,
    Label,
    label_right,
    line_height,
    log_axis,
    panels_figure,
    sizes_axis,
    swatch,
    theme,
)
from .panel import Axis, Curve, Panel

#: Most marks on a curve of steps.
MARKS = 8

#: Height of a row and width of a panel of rows, in inches.
ROW, WIDE = 0.22, 4.6


def draw(panels: Sequence[Panel]) -> Figure | None:
    """Return the figure of panels, two in a row; None without any."""
    if not panels:
        return None
    with theme():
        return _rows_figure(panels) if panels[0].rows else _curves_figure(panels)


def _curves_figure(panels: Sequence[Panel]) -> Figure:
    labels = [plain(curve.label) for panel in panels for curve in panel.curves]
    lines = max(len(panel.curves) + 2 * (panel.y.floor is not None) for panel in panels)
    figure, axes = panels_figure([panel.title for panel in panels], labels, lines)
    for ax, panel in zip(axes, panels, strict=True):
        _draw_curves(ax, panel)
    return figure


def _draw_curves(ax: Axes, panel: Panel) -> None:
    if panel.guide:
        ax.plot(*zip(*panel.guide, strict=True), color=SOFT, lw=6, alpha=0.2)
    if panel.level is not None:
        ax.axhline(panel.level, color=SOFT, lw=1)
        if panel.level_text:
            across = ax.get_yaxis_transform()
            ax.text(0.99, panel.level, panel.level_text, transform=across, color=SOFT, ha="right", va="bottom")
    for curve in panel.curves:
        _draw_curve(ax, curve)
    if ranges := _ranges(panel):
        x, low, high, colours = zip(*ranges, strict=True)
        ax.vlines(x, low, high, colours, lw=2, alpha=0.4)
    _set_axis(ax, "x", panel.x, [point.x for curve in panel.curves for point in curve.points])
    _set_axis(ax, "y", panel.y, [point.y for curve in panel.curves for point in curve.points])
    on_floor = [curve for curve in panel.curves if panel.y.floor is not None and curve.points[-1].y <= panel.y.floor]
    step = line_height(ax)
    for place, curve in enumerate(reversed(on_floor)):
        swatch(ax, place * step, plain(curve.label), curve.look)
    if on_floor:
        text: dict[str, Any] = {"va": "center", "fontsize": LABEL, "color": SOFT, "transform": ax.transAxes}
        ax.text(1.075, len(on_floor) * step, f"proven {panel.y.floor_text}", **text)
    ends = [
        Label(plain(curve.label), last.x, last.y, curve.look, last.y if curve.heading is None else curve.heading)
        for curve in panel.curves
        if curve not in on_floor
        for last in curve.points[-1:]
    ]
    label_right(ax, ends, low=(len(on_floor) + 1.5) * step if on_floor else 0.0)


def _draw_curve(ax: Axes, curve: Curve) -> None:
    look = curve.look
    x, y = [point.x for point in curve.points], [point.y for point in curve.points]
    settings: dict[str, Any] = {"lw": look.width, "linestyle": look.dashes, **points(look)}
    if curve.shape == "steps":
        ax.step(x, y, where="post", markevery=max(1, len(x) // MARKS), **settings)
        return
    ax.plot(x, y, **settings | ({"lw": 0} if curve.shape == "points" else {}))
    for place, point in enumerate(curve.points):
        # Settings of a curve: every other one is to the left.
        side, offset = ("left", (5, 4)) if place % 2 else ("right", (-5, -10))
        if point.note:
            at_point: dict[str, Any] = {"textcoords": "offset points", "ha": side, "fontsize": 7, "color": SOFT}
            ax.annotate(plain(point.note), (point.x, point.y), offset, **at_point)


def _ranges(panel: Panel) -> list[tuple[float, float, float, str]]:
    """Return where each point with a range is, the ends of the range, and its colour."""
    return [
        (point.y if panel.rows else point.x, point.low, point.high, curve.look.colour)
        for curve in panel.curves
        for point in curve.points
        if point.low is not None and point.high is not None
    ]


def _set_axis(ax: Axes, which: str, axis: Axis, values: Sequence[float]) -> None:
    ends = {end: value for end, value in (("low", axis.low), ("high", axis.high)) if value is not None}
    if axis.unit == "count" and axis.is_log and which == "x":
        sizes_axis(ax, [int(value) for value in values])
        ax.set_xlabel(axis.title)
        return
    if axis.is_log:
        ax.set(**{f"{which}scale": "log"})
    if which == "x":
        ax.set_xlim(ends.get("low"), ends.get("high"))
    else:
        ax.set_ylim(ends.get("low"), ends.get("high"))
    if axis.is_log:
        log_axis(ax, which, axis.title, axis.write, axis.base)
        if axis.floor is not None and all(value <= axis.floor for value in values):
            ax.set_yticks([axis.floor])
    else:
        ax.set(**{f"{which}label": axis.title})
        (ax.xaxis if which == "x" else ax.yaxis).set_major_formatter(FuncFormatter(lambda value, _: axis.write(value)))


def _rows_figure(panels: Sequence[Panel]) -> Figure:
    """Return a figure of panels with rows, names to the left, one panel below the other, a legend to the right."""
    shown = list(dict.fromkeys((curve.name, curve.look) for panel in panels for curve in panel.curves))
    has_legend = any(curve.name not in panel.rows for panel in panels for curve in panel.curves)
    left = 0.3 + LETTER * max(len(plain(name)) for panel in panels for name in panel.rows)
    right = 0.5 + LETTER * max(len(plain(name)) for name, _ in shown) if has_legend else 0.2
    above, below = 0.45, 0.55
    highs = [max(ROW * len(panel.rows), LINE / 72 * (len(shown) + 1) if has_legend else 0) for panel in panels]
    wide, high = left + WIDE + right, sum(highs) + len(panels) * (above + below)
    figure = Figure(figsize=(wide, high))
    FigureCanvasAgg(figure)
    top = high
    for panel, tall in zip(panels, highs, strict=True):
        top -= above + tall
        ax = figure.add_axes((left / wide, top / high, WIDE / wide, tall / high))
        top -= below
        draw_rows(ax, panel, shown if has_legend else ())
    return figure


def draw_rows(ax: Axes, panel: Panel, legend: Sequence[tuple[str, Style]]) -> None:
    """Draw a panel with rows."""
    ax.set_title(plain(panel.title, 64), y=1.0 + 0.1 / ax.get_window_extent().height * ax.figure.dpi)
    for spine in ("top", "right", "left"):
        ax.spines[spine].set_visible(False)
    ax.grid(visible=False, axis="y")
    if panel.level is not None:
        ax.axvline(panel.level, color=INK, lw=1, zorder=1)
        ax.text(panel.level, -0.75, panel.level_text, ha="left", va="bottom", fontsize=LABEL, color=INK)
    if ranges := _ranges(panel):
        at, low, high, colours = zip(*ranges, strict=True)
        ax.hlines(at, low, high, colours, lw=2, alpha=0.4)
    for curve in panel.curves:
        x, y = [point.x for point in curve.points], [point.y for point in curve.points]
        ax.plot(x, y, lw=0, zorder=3, **points(curve.look))
    ax.set_yticks(range(len(panel.rows)), [plain(name) for name in panel.rows], color=INK)
    ax.set_ylim(len(panel.rows) - 0.4, -0.6)
    _set_axis(ax, "x", panel.x, [point.x for curve in panel.curves for point in curve.points])
    ceiling = panel.x.ceiling
    if ceiling is not None and any(point.x >= ceiling for curve in panel.curves for point in curve.points):
        text: dict[str, Any] = {"ha": "center", "va": "bottom", "fontsize": LABEL, "color": SOFT}
        ax.text(ceiling, -0.75, panel.x.ceiling_text, **text)
    if not panel.x.is_log:
        ax.xaxis.set_major_locator(MaxNLocator(6))
    step = line_height(ax)
    for place, (name, look) in enumerate(legend):
        swatch(ax, 1 - (place + 0.5) * step, plain(name), look)


def points(look: Style) -> dict[str, Any]:
    """Return Matplotlib's settings for the marks of a solver."""
    return {
        "color": look.colour,
        "marker": look.marker,
        "markersize": 5.5,
        "markeredgecolor": PAPER,
        "markeredgewidth": 0.5,
    }


def part_of(panel: Panel, start: int, end: int) -> Panel:
    """Return the rows from `start` to `end` of a panel."""
    curves = []
    for curve in panel.curves:
        points_left = (replace(point, y=point.y - start) for point in curve.points if start <= point.y < end)
        curves.append(replace(curve, points=tuple(points_left)))
    return replace(panel, rows=panel.rows[start:end], curves=tuple(curve for curve in curves if curve.points))


def legend_of(figure: Figure, panel: Panel, left: float, top: float) -> None:
    """Write the marks of a panel's curves with their names in a line, from a place in the figure."""
    handles = [Line2D([], [], lw=0, label=plain(curve.name), **points(curve.look)) for curve in panel.curves]
    at: dict[str, Any] = {"loc": "upper left", "bbox_to_anchor": (left, top), "bbox_transform": figure.transFigure}
    figure.legend(handles=handles, ncols=min(len(handles), 4), frameon=False, fontsize=7, columnspacing=1.0, **at)
