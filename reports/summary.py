"""The report as text for a README or an issue, and as a page to print."""

from __future__ import annotations

import io
import textwrap
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pandas as pd

from lapmark.bench.results.statuses import FAILURES
from lapmark.bench.util.markdown_text import as_code, as_text
from lapmark.bench.util.units import show_count_of, show_duration

from . import format, standings

if TYPE_CHECKING:
    from matplotlib.figure import Figure

#: Size of A4 and its margin, in inches; rows of a page; and letters of a line.
WIDE, HIGH, MARGIN = 8.27, 11.69, 0.7
ROWS, LETTERS = 36, 92


@dataclass(frozen=True)
class Line:
    """A problem: who is the fastest, in which time, and how much longer the next takes.

    `family` and `solver` are the names of the pages of both.
    """

    problem: str
    n: str
    fastest: str
    time: str
    rival: str
    ratio: str
    family: str
    solver: str


def lines(cells: pd.DataFrame) -> list[Line]:
    """Return a line per problem with a ranked answer."""
    found = []
    for label, rows in standings.standings(cells).groupby("label", sort=False):
        first, others = rows.iloc[0], rows.iloc[1:]
        rival, ratio = (others.iloc[0]["series"], format.ratio(others.iloc[0]["ratio"])) if len(others) else ("", "")
        known = str(label), f"{first['n']:,}", first["series"], show_duration(first["seconds"])
        found.append(Line(*known, rival, ratio, first["problem"], first["base"]))
    return found


def failed(cells: pd.DataFrame) -> str:
    """Return a sentence on the cells without a certified answer; empty if there are none."""
    failures = cells[cells["current"] & cells["status"].isin(FAILURES)]
    if failures.empty:
        return ""
    parts = []
    for status, rows in failures.groupby("status", observed=True):
        names = ", ".join(sorted(set(rows["base"])))
        parts.append(f"{len(rows)} {status} ({names})")
    return f"Without a certified answer: {show_count_of(len(failures), 'cell')}: {'; '.join(parts)}."


def machine(cells: pd.DataFrame) -> str:
    """Return where and when the cells were measured."""
    shown = cells[cells["current"] & (cells["status"] != "skipped")]
    days = sorted({text[:10] for text in shown["finished"] if text})
    when = " to ".join(dict.fromkeys(days[:1] + days[-1:]))
    return "; ".join(filter(None, [" / ".join(sorted(set(shown["machine"]))), when]))


def markdown(cells: pd.DataFrame) -> str:
    """Return the verdict, a table of the problems, failures, and the machine, as Markdown."""
    text = [f"**{as_text(standings.sentence(cells))}**", ""]
    if found := lines(cells):
        text += ["| problem | n | fastest | time | next | takes |", "|---|---:|---|---:|---|---:|"]
        text += [
            f"| {as_code(line.problem)} | {line.n} | {as_code(line.fastest)} | {line.time} | "
            f"{as_code(line.rival) if line.rival else ''} | {line.ratio} |"
            for line in found
        ]
        text.append("")
    text += [f"{as_text(part)}\n" for part in (failed(cells), f"Measured on {machine(cells)}.") if part]
    return "\n".join(text)


def pdf(cells: pd.DataFrame) -> bytes:
    """Return the same as A4 pages, with the chart of the fastest solvers beside the table."""
    from matplotlib.backends.backend_pdf import PdfPages

    from .charts import leaders
    from .charts.axes import theme

    found = lines(cells)
    panels = leaders.panels(cells)
    starts = range(0, max(len(found), 1), ROWS)
    with io.BytesIO() as file:
        with theme(), PdfPages(file, metadata={"Title": "Lapmark report", "CreationDate": None}) as pages:
            for number, start in enumerate(starts, 1):
                part = found[start : start + ROWS]
                pages.savefig(_page(cells, part, panels, start, f"{number} of {len(starts)}"))
        return file.getvalue()


def _page(cells: pd.DataFrame, part: Sequence[Line], panels: Sequence[Any], start: int, number: str) -> Figure:
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    from .charts.drawing import draw_rows, legend_of, part_of

    figure = Figure(figsize=(WIDE, HIGH))
    FigureCanvasAgg(figure)
    y = HIGH - MARGIN
    figure.text(MARGIN / WIDE, y / HIGH, "Lapmark report", fontsize=18, fontweight="bold", va="top")
    figure.text(1 - MARGIN / WIDE, y / HIGH, number, fontsize=8, va="top", ha="right")
    y -= 0.42
    for text, size in ((standings.sentence(cells), 11), (failed(cells), 8), (f"Measured on {machine(cells)}.", 8)):
        wrapped = textwrap.fill(text, int(LETTERS * 9 / size))
        figure.text(MARGIN / WIDE, y / HIGH, wrapped, fontsize=size, va="top", linespacing=1.3)
        y -= (wrapped.count("\n") + 1) * size * 1.4 / 72 + (0.06 if text else 0)
    if not part:
        return figure
    y -= 0.35
    tall = min(0.2 * len(part), y - MARGIN - 0.6)
    across = WIDE - 2 * MARGIN
    columns = {"problem": 0.0, "n": 0.425, "fastest": 0.44, "time": 0.64, "next": 0.655, "takes": 0.82}
    right = {"n", "time", "takes"}
    for name, at in columns.items():
        x = (MARGIN + at * across) / WIDE
        figure.text(x, (y + 0.08) / HIGH, name, fontsize=8, color="#5f6771", ha="right" if name in right else "left")
        for row, line in enumerate(part):
            value = {"next": line.rival, "takes": line.ratio}.get(name) or getattr(line, name, "")
            middle = y - (row + 0.5) * tall / len(part)
            weight = "bold" if name == "fastest" else "normal"
            points = 7.2 if tall / len(part) > 0.14 else 5.5
            settings: Any = {"fontsize": points, "fontweight": weight, "ha": "right" if name in right else "left"}
            figure.text(
                x, middle / HIGH, format.printable(str(value), 42 if name == "problem" else 18), va="center", **settings
            )
    if panels:
        panel = part_of(panels[0], start, start + len(part))
        ax = figure.add_axes(((MARGIN + 0.84 * across) / WIDE, (y - tall) / HIGH, 0.16 * across / WIDE, tall / HIGH))
        draw_rows(ax, panel, ())
        ax.set_yticks([])
        ax.set_ylim(len(part) - 0.5, -0.5)
        ax.set_xlabel("over the fastest", fontsize=7)
        ax.tick_params(labelsize=6.5)
        legend_of(figure, panel, MARGIN / WIDE, (y - tall - 0.5) / HIGH)
    return figure
