"""Certified optima of instances beside their known optima, as a table in Markdown.

A certified optimum that is not the known one has the status `error` in the results, and none in the table.
"""

import pandas as pd

from lapmark.bench.problems import Case
from lapmark.reports import format, tables


def collect_optima(cells: pd.DataFrame) -> pd.DataFrame:
    """Return a row per case, from the cells of `lapmark.reports.tables.frame` or its CSV.

    Columns
    -------
    case, label, n
        The instance; the same without size and seed, and its size.
    known
        The published or derived optimum; NaN if there is none.
    optimum
        The certified one; NaN if no exact solver has a certified answer.
    solvers
        Number of exact solvers that have one.
    """
    ok = tables.certified(cells)
    proven = ok[ok["exact"] & ok["cost"].notna()].groupby("case")  # without proofs that no answer exists
    found = cells[["case", "label", "n"]].drop_duplicates().sort_values(["label", "n"], ignore_index=True)
    return found.assign(
        known=[Case.read(name).known_optimum for name in found["case"]],
        optimum=found["case"].map(proven["cost"].min()),
        solvers=found["case"].map(proven["solver"].nunique()).fillna(0).astype(int),
    )


def markdown(found: pd.DataFrame) -> str:
    """Return the table: a line per instance."""
    lines = ["| instance | n | known optimum | certified optimum | solvers |", "|---|---:|---:|---:|---:|"]
    for row in found.itertuples():
        optimum = "none" if pd.isna(row.optimum) else _number(row.optimum)
        known = "" if pd.isna(row.known) else _number(row.known)
        lines.append(f"| `{row.label}` | {_number(row.n)} | {known} | {optimum} | {row.solvers} |")
    return "\n".join(lines)


def _number(value: float) -> str:
    return format.whole(value) if float(value).is_integer() else f"{value:.10g}"
