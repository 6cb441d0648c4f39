"""Chart of the slowdown on a hard family, relative to an easier one of the same size and settings."""

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from lapmark.bench.results.statuses import FAILURES
from lapmark.reports import format, tables
from lapmark.reports.style import SOFT, Label, label_right, log_axis, panels, plain, sizes_axis, style, theme

from .chart import Chart, indexed, points


def draw(cells: pd.DataFrame) -> Figure | None:
    """Draw a panel per label: the ratio of times on the harder and the easier label, against n."""
    found = tables.slowdowns(cells)
    if found.empty:
        return None
    lines = int(found.groupby("label")["series"].nunique().max())
    titles = [f"{label}, against {easier}" for label, easier in _pairs(found)]
    with theme():
        figure, axes = panels(titles, [plain(name) for name in set(found["series"])], lines)
        for ax, (label, easier) in zip(axes, _pairs(found), strict=True):
            rows = found[(found["label"] == label) & (found["easier"] == easier)]
            ends = []
            for series, curve in rows.sort_values("n").groupby("series"):
                look = style(str(series))
                ax.plot(curve["n"], curve["ratio"], lw=look.width, linestyle=look.dashes, **points(look))
                last = curve.iloc[-1]
                ends.append(Label(plain(str(series)), last["n"], last["ratio"], look, last["ratio"]))
            ax.axhline(1, color=SOFT, lw=1)
            ax.set(xlabel="rows n", ylim=(min(0.5, rows["ratio"].min() / 1.2), max(2.0, rows["ratio"].max() * 1.2)))
            sizes_axis(ax, rows["n"])
            log_axis(ax, "y", "time over that of the easier case", format.ratio)
            label_right(ax, ends)
    return figure


def numbers(cells: pd.DataFrame) -> pd.DataFrame:
    """Return the ratios, the largest first, and the status of cells that failed."""
    found = tables.slowdowns(cells)
    sizes = sorted(set(found["n"]))
    lines = {}
    for label, easier in _pairs(found):
        rows = found[(found["label"] == label) & (found["easier"] == easier)]
        failed = cells[cells["current"] & (cells["label"] == label) & cells["status"].isin(FAILURES)]
        table = rows.pivot_table(index="series", columns="n", values="ratio", aggfunc="median").reindex(columns=sizes)
        for series, ratios in table.sort_values(sizes[::-1], ascending=False).iterrows():
            status = failed[failed["series"] == series].groupby("n")["status"].first()
            texts = (format.ratio(each) if np.isfinite(each) else str(status.get(n, "")) for n, each in ratios.items())
            lines[label, series] = list(texts)
    return indexed(lines, [f"n = {n:,}" for n in sizes], ["Case", "Solver"])


def _pairs(found: pd.DataFrame) -> list[tuple[str, str]]:
    return sorted(set(zip(found["label"], found["easier"], strict=True)))


CHART = Chart(
    "slowdown",
    "Slowdown on hard cases",
    "Median time of a solver over its median time on an easier case of the same size and settings. 1× means no "
    "slowdown. A status in the table means that there is no certified answer.",
    draw,
    numbers,
)
