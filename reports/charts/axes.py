"""Parts of Matplotlib's charts: panels with labels beside the curves, axes, PNG and SVG."""

import io
from collections.abc import Callable, Iterable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any

import matplotlib as mpl
import numpy as np
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.collections import LineCollection
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, LogLocator, NullLocator
from scipy.optimize import isotonic_regression

from lapmark.reports.style import DARK, INK, PAPER, RULE, SOFT, Style, plain

#: Font size of a label and height of its line, in points.
LABEL, LINE = 8.5, 11.5

#: Pixels per inch of a PNG.
DPI = 100

#: Mean width of a letter of a label, in inches.
LETTER = 0.072


def theme() -> AbstractContextManager[None]:
    """Return a context with Matplotlib's settings for a figure."""
    settings: Any = {
        **sns.axes_style("whitegrid"),
        **sns.plotting_context("paper"),
        "font.family": "DejaVu Sans",
        "font.size": LABEL,
        "axes.titlesize": 10,
        "axes.titleweight": "bold",
        "axes.titlelocation": "left",
        "axes.edgecolor": RULE,
        "axes.labelcolor": SOFT,
        "axes.labelsize": LABEL,
        "axes.facecolor": PAPER,
        "figure.facecolor": PAPER,
        "grid.color": RULE,
        "grid.linewidth": 0.6,
        "text.color": INK,
        "xtick.color": SOFT,
        "ytick.color": SOFT,
        "xtick.labelsize": LABEL,
        "ytick.labelsize": LABEL,
        "svg.fonttype": "none",
        "svg.hashsalt": "lapmark",
    }
    return mpl.rc_context(settings)


def panels_figure(titles: Sequence[str], labels: Iterable[str], lines: int) -> tuple[Figure, list[Axes]]:
    """Return a figure with a panel per title, two in a row, each with room for `lines` labels to its right.

    The layout is in inches, so that labels can be placed without overlap.
    """
    columns = min(2, len(titles))
    rows = -(-len(titles) // columns)
    gutter = 0.6 + LETTER * max((len(label) for label in labels), default=0)
    width, height = 3.9, max(2.9, (lines + 1) * LINE / 72)
    left, below, above = 0.9, 0.6, 0.45
    across, down = left + width + gutter, below + height + above
    figure = Figure(figsize=(columns * across, rows * down))
    FigureCanvasAgg(figure)
    axes = []
    for k, title in enumerate(titles):
        row, column = divmod(k, columns)
        at = (column * across + left) / (columns * across), 1 - (row * down + above + height) / (rows * down)
        ax = figure.add_axes((*at, width / (columns * across), height / (rows * down)))
        ax.set_title(plain(title, 64), y=1.02)  # a given height, since finding one is slow
        sns.despine(ax=ax)
        axes.append(ax)
    return figure, axes


def sizes_axis(ax: Axes, sizes: Iterable[int]) -> None:
    """Set a log x axis with ticks at the sizes, except those too close to the next larger one."""
    every = sorted({max(int(n), 1) for n in sizes}, reverse=True)
    span = max(every[0] / every[-1], 1.5)
    kept = every[:1]
    for n in every[1:]:
        if kept[-1] > n * span**0.11:
            kept.append(n)
    ax.set_xscale("log")
    ax.xaxis.set_minor_locator(NullLocator())
    ax.set_xticks(kept, [f"{n:,}" for n in kept])
    ax.set_xlim(every[-1] / span**0.05, every[0] * span**0.05)


def log_axis(ax: Axes, which: str, text: str, form: Callable[[float], str], base: float = 10) -> None:
    """Set a log axis with ticks at powers of `base`, if few also at 2 and 5 times these, written by `form`."""
    axis = ax.xaxis if which == "x" else ax.yaxis
    ax.set(**{f"{which}scale": "log", f"{which}label": text})
    low, high = axis.get_view_interval()
    few = base == 10 and high < 50 * low
    axis.set_major_locator(LogLocator(base, subs=(1.0, 2.0, 5.0) if few else (1.0,)))
    axis.set_minor_locator(NullLocator())
    axis.set_major_formatter(FuncFormatter(lambda value, _: form(value)))


@dataclass(frozen=True)
class Label:
    """A text for the curve that ends at (x, y), placed beside the panel near the height `heading`."""

    text: str
    x: float
    y: float
    style: Style
    heading: float


def label_right(ax: Axes, labels: Sequence[Label], low: float = 0.0) -> None:
    """Write labels to the right of a panel, each as near to its heading as the others allow, with a leader line."""
    if not labels:
        return
    labels = sorted(labels, key=lambda label: (label.heading, label.text))
    to_axes = ax.transData + ax.transAxes.inverted()
    headings = [to_axes.transform((label.x, label.heading))[1] for label in labels]
    ways = []
    for label, heading, y in zip(labels, headings, spread(headings, line_height(ax), low, 1.0), strict=True):
        x, end = to_axes.transform((label.x, label.y))
        ways.append(np.column_stack([[x, 1.0, 1.055, 1.07], [end, np.clip(heading, 0, 1), y, y]]))
        swatch(ax, y, label.text, label.style)
    colours = [label.style.colour for label in labels]
    settings: Any = {"lw": 0.6, "alpha": 0.6, "transform": ax.transAxes, "clip_on": False, "zorder": 1}
    ax.add_collection(LineCollection(ways, colors=colours, **settings), autolim=False)


def line_height(ax: Axes) -> float:
    """Return the height of a line of text, as a fraction of the panel's."""
    return LINE * ax.figure.dpi / (72 * ax.get_window_extent().height)


def swatch(ax: Axes, y: float, text: str, look: Style) -> None:
    """Write a label to the right of a panel at height y, a fraction of the panel's, after the solver's marker."""
    ax.plot([1.085], [y], marker=look.marker, ms=5, mec=PAPER, mew=0.5, color=look.colour, **_outside(ax))
    ax.text(1.105, y, text, va="center", fontsize=LABEL, fontweight=look.weight, transform=ax.transAxes)


def spread(targets: Sequence[float], step: float, low: float, high: float) -> np.ndarray:
    """Return places for ascending targets, at least `step` apart and within bounds, nearest in least squares."""
    stairs = step * np.arange(len(targets))
    free = isotonic_regression(np.asarray(targets) - stairs).x
    return np.clip(free, low, max(high - stairs[-1], low)) + stairs


def png(figure: Figure) -> bytes:
    """Return a figure as PNG."""
    return _render(figure, "png", dpi=DPI, metadata={"Software": None}, pil_kwargs={"compress_level": 1})


def svg(figure: Figure) -> bytes:
    """Return a figure as SVG that follows the reader's dark mode. Equal figures give equal bytes."""
    text = _render(figure, "svg", metadata={"Date": None, "Creator": None}).decode()
    rules = "".join(
        f'[style*="{what}: {light}"]{{{what}:{dark}!important}}'
        for light, dark in DARK.items()
        for what in ("fill", "stroke")
    )
    text = text.replace("'DejaVu Sans'", "'DejaVu Sans', Verdana, sans-serif")  # of the same widths
    return text.replace("<defs>", f"<style>@media(prefers-color-scheme:dark){{{rules}}}</style><defs>", 1).encode()


def _render(figure: Figure, form: str, **settings: Any) -> bytes:
    with io.BytesIO() as file, theme():
        figure.savefig(file, format=form, **settings)
        return file.getvalue()


def _outside(ax: Axes) -> dict[str, Any]:
    return {"transform": ax.transAxes, "clip_on": False, "scalex": False, "scaley": False, "zorder": 1}
