"""The results of a case in sentences. Every number comes from certified cells."""

import pandas as pd

from lapmark.bench.problems import families
from lapmark.bench.results.statuses import FAILURES
from lapmark.bench.util.units import show_duration

from . import format, tables

#: Relative gap to the optimum with blur within which an answer counts as solved.
CONVERGED = 1e-3


def verdict(rows: pd.DataFrame) -> str:
    """Return sentences on the fastest exact solver at the largest n of a label, its lead, and the failures there.

    Parameters
    ----------
    rows : DataFrame
        The current cells of one label, from `tables.frame`.
    """
    exact = tables.compared(rows).query("exact")
    if exact.empty and rows["entropic_gap"].notna().any():
        return f"{_converged(rows)}{_failures(rows)}".strip()
    if exact.empty:
        return f"No exact solver has a certified answer. {_best_gap(rows)}{_failures(rows)}".strip()
    n = exact["n"].max()
    at = exact[exact["n"] == n].groupby(["series", "group"], as_index=False)
    ranked = at.agg({"seconds": "median", "seconds_min": "min", "seconds_max": "max"}).sort_values("seconds")
    first, others = ranked.iloc[0], ranked.iloc[1:]
    if others.empty:
        text = f"At n = {n:,}, {first['series']} is the only exact solver with a certified answer: {_time(first)}."
    else:
        text = f"At n = {n:,}, {first['series']} is the fastest exact solver: {_time(first)}, proven optimal. "
        second = others.iloc[0]
        text += f"{second['series']} is next and takes {format.ratio(second['seconds'] / first['seconds'])} as long"
        text += ", which is within the spread of the samples" if second["seconds_min"] <= first["seconds_max"] else ""
        text += _other_camp(first, others.iloc[1:], second) + "."
    if rows["n"].max() > n:
        text += f" None has a certified answer at n = {rows['n'].max():,}."
    return f"{text} {_slowdown(rows)}{_failures(rows[rows['n'] == n])}"


def _slowdown(rows: pd.DataFrame) -> str:
    """Return a sentence on the largest and the smallest slowdown relative to the easier family."""
    known = tables.compared(rows).dropna(subset="slowdown")
    family = families().get(rows["problem"].iloc[0])
    if known.empty or family is None:
        return ""
    n = known["n"].max()
    factors = known[known["n"] == n].groupby("series")["slowdown"].median().sort_values()
    text = f"Against {family.easier} at n = {n:,}, {factors.index[-1]} takes {format.ratio(factors.iloc[-1])} as long"
    if len(factors) > 1:
        text += f", the most, and {factors.index[0]} {format.ratio(factors.iloc[0])}, the least"
    return text + ". "


def _other_camp(first: pd.Series, rest: pd.DataFrame, second: pd.Series) -> str:
    """Return the best of the other packages if ours leads, else the best of ours, unless it is the second."""
    ours = first["group"] == "ours"
    if (second["group"] == "ours") != ours:
        return ""
    camp = rest[(rest["group"] == "ours") != ours]
    if camp.empty:
        return ""
    best = camp.iloc[0]
    longer = format.ratio(best["seconds"] / first["seconds"])
    return f"; the fastest {'of the others' if ours else 'of ours'}, {best['series']}, takes {longer}"


def _converged(rows: pd.DataFrame) -> str:
    """Return sentences on a problem with blur: the fastest solver, and a faster one that stops earlier."""
    solved = tables.compared(rows).dropna(subset="entropic_gap")
    if solved.empty:
        return ""
    n = solved["n"].max()
    at = solved[solved["n"] == n].sort_values("seconds")
    near = at[at["entropic_gap"] <= CONVERGED]
    if near.empty:
        best = at.sort_values("entropic_gap").iloc[0]
        return f"At n = {n:,}, {best['series']} is closest to the optimum with blur: {_off(best)} in {_time(best)}. "
    first, others = near.iloc[0], near.iloc[1:]
    near_enough = f"within {format.gap(CONVERGED)} of the optimum with blur"
    text = f"At n = {n:,}, {first['series']} is the fastest {near_enough}: {_time(first)}"
    if not others.empty:
        second = others.iloc[0]
        text += f"; {second['series']} is next and takes {format.ratio(second['seconds'] / first['seconds'])} as long"
    quicker = at[at["seconds"] < first["seconds"]]
    if not quicker.empty:
        text += f". {quicker.iloc[0]['series']} takes {_time(quicker.iloc[0])}, but stops {_off(quicker.iloc[0])}"
    return text + ". "


def _off(row: pd.Series) -> str:
    return f"{format.gap(row['entropic_gap'])} above it"


def _best_gap(rows: pd.DataFrame) -> str:
    approximate = tables.compared(rows).dropna(subset="gap")
    if approximate.empty:
        return ""
    n = approximate["n"].max()
    at = approximate[approximate["n"] == n]
    best, quickest = at.sort_values("gap").iloc[0], at.sort_values("seconds").iloc[0]
    text = f"At n = {n:,}, {best['series']} is closest, with a gap of {format.gap(best['gap'])} in {_time(best)}"
    if quickest["series"] != best["series"]:
        text += (
            f"; {quickest['series']} is the fastest, with a gap of {format.gap(quickest['gap'])} in {_time(quickest)}"
        )
    return text + ". "


def _failures(rows: pd.DataFrame) -> str:
    failed = rows[rows["status"].isin(FAILURES)]
    if failed.empty:
        return ""
    counts = ", ".join(f"{status} {count}" for status, count in failed["status"].value_counts().items() if count)
    return f"Without a certified answer: {len(failed)} of {len(rows)} ({counts})."


def _time(row: pd.Series) -> str:
    return show_duration(row["seconds"])
