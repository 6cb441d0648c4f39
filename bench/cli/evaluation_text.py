"""Output of `lapmark choose --evaluate`: a table per portfolio, and how good the default solver is."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from .base import plain_console

if TYPE_CHECKING:
    import pandas as pd

#: What the columns mean.
LEGEND = """\
single, advice: time over that of the best candidate, geometric mean: of the one
that is the best on the other families, and of the advised one with its look at
the problem. closed: share of the gap between single and best that the advice
closes, in logarithms. worst: largest ratio of the advice. PAR10, best: mean
seconds of the advice and of the best; a failure counts 100 s. held, width:
share of the 90 % intervals that hold the time, and the median of their ratio of
ends."""


def show_evaluation(summary: pd.DataFrame, auto: pd.DataFrame) -> None:
    """Print the tables of `evaluation.summary` and `evaluation.evaluate_auto`."""
    from lapmark.bench.util.text_table import Column, TextTable

    console = plain_console()
    headings = ("cases", "single", "advice", "closed", "worst", "PAR10", "best", "held", "width")
    for portfolio in dict.fromkeys(summary.index.get_level_values("portfolio")):
        rows = [(_short(str(group)), *_cells(row)) for group, row in summary.loc[portfolio].iterrows()]
        columns = [Column(name, right=True, rank=max(place - 6, 0)) for place, name in enumerate(headings, 1)]
        console.print(TextTable([Column(str(portfolio)), *columns], rows))
        console.print()
    if len(auto):
        rows = []
        for group, each in auto.groupby("group", sort=False):
            worst = each.loc[each["ratio"].idxmax()]
            mean = math.exp(np.log(each["ratio"]).mean())
            rows.append((str(group), f"{mean:.2f}", f"{worst['ratio']:.3g}", f"{worst['label']}, n = {worst['n']}"))
        columns = [Column("mean", right=True), Column("worst", right=True), Column("there", prose=True)]
        console.print(TextTable([Column("auto / best of ours"), *columns], rows))
        console.print()
    console.print(LEGEND, soft_wrap=True)


def _brief(ratio: float) -> str:
    """Return a ratio in five characters."""
    return f"{ratio:.3g}" if ratio < 1000 else ">999"


def _short(group: str) -> str:
    """Return the first word of a group: dense, points, sparse, transport, blurred."""
    return group.partition(" ")[0]


def _cells(row: pd.Series) -> list[str]:
    """Return the numbers of a group as text."""
    closed = "" if math.isnan(row["closed"]) else f"{row['closed']:.2f}"
    ratios = [f"{row[name]:.2f}" for name in ("single", "advice")]
    seconds = [f"{row[name]:.2g}" for name in ("par10_advice", "par10_best")]
    return [
        f"{row['cases']:.0f}",
        *ratios,
        closed,
        _brief(row["worst"]),
        *seconds,
        f"{row['covered']:.0%}",
        _brief(row["width"]),
    ]
