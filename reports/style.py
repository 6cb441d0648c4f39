"""Style of all charts: colours, markers and lines per solver, panels with labels beside the curves, PNG and SVG."""

import io
from collections.abc import Callable, Iterable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from functools import cache
from typing import Any

import matplotlib as mpl
import numpy as np
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, LogLocator, NullLocator
from scipy.optimize import isotonic_regression

from lapmark.bench.util import spec
from lapmark.solvers import registry

from . import tables
from .format import printable

#: Colours of everything but data, and their replacements in dark mode.
INK, SOFT, RULE, PAPER = "#1c2128", "#5f6771", "#d8dee4", "#fefefe"
DARK = {INK: "#e6edf3", SOFT: "#9aa4af", RULE: "#30363d", PAPER: "#0d1117"}

#: Okabe and Ito's palette, safe for the colour-blind. A brown and a grey replace its black and its yellow, so that each
#: colour is legible on light and dark ground.
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#A0703C", "#8A8F98")
MARKERS = ("o", "s", "^", "D", "v", "P", "X", "<", ">", "h", "p")

#: Line styles: ours, ours without vector instructions, other packages.
Dashes = tuple[float, tuple[float, ...] | None]
SOLID, DOTTED, DASHED = (0.0, None), (0.0, (1.2, 1.2)), (0.0, (4.0, 1.5))
DASH_DOTTED = (0.0, (4.0, 1.2, 1.2, 1.2))

#: Font size of a label and height of its line, in points.
LABEL, LINE = 8.5, 11.5

#: Pixels per inch of a PNG and of a page.
DPI, CSS_DPI = 150, 96

#: Mean width of a letter of a label, in inches.
LETTER = 0.072


@dataclass(frozen=True)
class Style:
    """The style of one solver."""

    colour: str
    marker: str
    dashes: Dashes
    width: float
    weight: str


def style(solver: str) -> Style:
    """Return the style of a solver: ours thick, dotted if a build with vectors exists; others thin, dashed."""
    name, whose = spec.parse(solver)[0], tables.group(solver)
    if whose == "harness":
        return Style(SOFT, "|", DASHED, 1.1, "normal")
    # A plugin gets a place by its name, which is the same in every report.
    numbered = numbered_style(_places().get(tables.plain_build(name), sum(name.encode())))
    if whose != "ours":
        return replace(numbered, dashes=DASHED, width=1.1)
    plain = tables.plain_build(name)
    variants = [other for other, known in registry.solvers().items() if known.capabilities.variant_of == plain]
    dashes: Dashes = DOTTED if variants else SOLID
    if name in variants:
        dashes = SOLID if name == variants[0] else DASH_DOTTED
    return replace(numbered, dashes=dashes, width=2.0, weight="bold")


def numbered_style(place: int) -> Style:
    """Return the style of the curve with a number; the first 88 are all different."""
    return Style(COLOURS[place % len(COLOURS)], MARKERS[place % len(MARKERS)], SOLID, 1.4, "normal")


@cache
def _places() -> dict[str, int]:
    """Return a number for each algorithm, ours first, the same in every report."""
    known = [name for name, solver in registry.solvers().items() if not solver.capabilities.variant_of]
    known.sort(key=lambda name: (tables.group(name) != "ours", name))
    return {name: place for place, name in enumerate(known)}


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
        "svg.fonttype": "path",
        "svg.hashsalt": "lapmark",
    }
    return mpl.rc_context(settings)


def panels(titles: Sequence[str], labels: Iterable[str], lines: int) -> tuple[Figure, list[Axes]]:
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
        ax.set_title(plain(title, 64))
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
    for label, y in zip(labels, spread(headings, line_height(ax), low, 1.0), strict=True):
        (x, end), heading = to_axes.transform((label.x, label.y)), to_axes.transform((label.x, label.heading))[1]
        way = [x, 1.0, 1.055, 1.07], [end, np.clip(heading, 0, 1), y, y]
        ax.plot(*way, lw=0.6, alpha=0.6, color=label.style.colour, **_outside(ax))
        swatch(ax, y, label.text, label.style)


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


def plain(text: str, longest: int = 40) -> str:
    """Return a name from data as one line of bounded length that Matplotlib does not take for a formula."""
    return printable(text, longest).replace("$", r"\$")


def png(figure: Figure) -> bytes:
    """Return a figure as PNG."""
    return _render(figure, "png", dpi=DPI, metadata={"Software": None})


def svg(figure: Figure) -> bytes:
    """Return a figure as SVG that follows the reader's dark mode. Equal figures give equal bytes."""
    text = _render(figure, "svg", metadata={"Date": None, "Creator": None}).decode()
    rules = "".join(
        f'[style*="{what}: {light}"]{{{what}:{dark}!important}}'
        for light, dark in DARK.items()
        for what in ("fill", "stroke")
    )
    return text.replace("<defs>", f"<style>@media(prefers-color-scheme:dark){{{rules}}}</style><defs>", 1).encode()


def _render(figure: Figure, form: str, **settings: Any) -> bytes:
    with io.BytesIO() as file, theme():
        figure.savefig(file, format=form, **settings)
        return file.getvalue()


def _outside(ax: Axes) -> dict[str, Any]:
    return {"transform": ax.transAxes, "clip_on": False, "scalex": False, "scaley": False, "zorder": 1}
