"""Chart of the status of every cell, a matrix of solvers and cases. Matplotlib is loaded when it is drawn."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from lapmark.bench.results.statuses import STATUSES
from lapmark.reports.style import INK, PAPER, SOFT, plain

from .chart import Chart

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

#: Width and height of a cell of the matrix, and height of the text below its last line, in inches.
WIDE, HIGH, BELOW = 0.45, 0.24, 0.5

#: Columns that fit the width of a page; further ones are drawn below.
WIDEST = 24

#: Statuses from best to worst.
ORDER = sorted(STATUSES.values(), key=lambda status: status.rank)


def draw(cells: pd.DataFrame) -> Figure | None:
    """Draw solvers by cases, with the worst status of all seeds; columns that do not fit are drawn below."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    from .axes import LETTER, theme

    shown = cells[cells["current"]]
    places = shown.assign(place=[ORDER.index(STATUSES[name]) for name in shown["status"]])
    matrix = places.pivot_table(index=["group", "series"], columns=["label", "n"], values="place", aggfunc="max")
    bands = [band.dropna(how="all") for band in _bands(matrix)]
    labels = [[str(label) for label, _ in band.columns] for band in bands]
    left = 0.3 + LETTER * max(len(name) for _, name in matrix.index)
    above = 0.3 + 0.6 * LETTER * max(len(plain(label)) for label in matrix.columns.get_level_values("label"))
    right = max(0.1, *(0.85 * LETTER * len(plain(names[-1])) - WIDE * names.count(names[-1]) for names in labels))
    wide = left + WIDE * max(band.shape[1] for band in bands) + right
    high = sum(above + HIGH * len(band) + BELOW for band in bands)
    with theme():
        figure = Figure(figsize=(wide, high))
        FigureCanvasAgg(figure)
        top = high
        for band in bands:
            rows, columns = band.shape
            top -= above + HIGH * rows
            ax = figure.add_axes((left / wide, top / high, WIDE * columns / wide, HIGH * rows / high))
            top -= BELOW
            _band(ax, band)
    return figure


def _bands(matrix: pd.DataFrame) -> Iterator[pd.DataFrame]:
    """Yield the matrix in pieces of at most the width of a page, the columns of a label together."""
    places = np.arange(matrix.shape[1])
    starts = [0]
    for _, columns in pd.Series(places).groupby(matrix.columns.get_level_values("label"), sort=False):
        if columns.iloc[-1] >= starts[-1] + WIDEST and columns.iloc[0] > starts[-1]:
            starts.append(int(columns.iloc[0]))
    for start, end in itertools.pairwise([*starts, matrix.shape[1]]):
        yield matrix.iloc[:, start:end]


def _band(ax: Axes, matrix: pd.DataFrame) -> None:
    from matplotlib.colors import ListedColormap

    labels = [str(label) for label, _ in matrix.columns]
    rows, columns = matrix.shape
    colours = ListedColormap([status.colour for status in ORDER])
    ax.pcolormesh(matrix, cmap=colours, vmin=-0.5, vmax=len(ORDER) - 0.5, edgecolors=PAPER, linewidth=1.2)
    ax.invert_yaxis()
    for (row, column), place in np.ndenumerate(matrix.to_numpy()):
        if not np.isnan(place):
            status = ORDER[int(place)]
            ink = INK if _is_light(status.colour) else PAPER
            ax.text(column + 0.5, row + 0.5, status.label, ha="center", va="center", fontsize=7.5, color=ink)
    ax.grid(False)
    for spine in ax.spines.values():
        spine.set_visible(False)
    ax.set(xlabel="rows n", ylabel="")
    ax.set_xticks(np.arange(columns) + 0.5, [str(n) for _, n in matrix.columns], fontsize=7)
    ax.set_yticks(np.arange(rows) + 0.5, [plain(name) for _, name in matrix.index], color=INK)
    for tick, (whose, _) in zip(ax.get_yticklabels(), matrix.index, strict=True):
        tick.set_fontweight("bold" if whose == "ours" else "normal")
    for label in dict.fromkeys(labels):
        first, count = labels.index(label), labels.count(label)
        ax.text(first + 0.1, -0.25, plain(label), rotation=35, ha="left", va="bottom", rotation_mode="anchor")
        ax.plot([first + 0.1, first + count - 0.1], [-0.12, -0.12], color=SOFT, lw=1, clip_on=False)
        if first:
            ax.axvline(first, color=PAPER, lw=5)


def _is_light(colour: str) -> bool:
    """Return whether dark text can be read on a colour, by its relative luminance."""
    from matplotlib.colors import to_rgb

    return float(np.dot(to_rgb(colour), (0.2126, 0.7152, 0.0722))) > 0.4


CHART = Chart(
    "status",
    "Status of every cell",
    "ok: certified; ?: valid, but without a bound to judge it by; wrong: refuted; time, mem: stopped at a limit; "
    "crash: died of a signal; error: raised an exception; skip: not run. Empty: not part of the run.",
    picture=draw,
)
