"""How solvers stand over all problems of a run: who is fastest where, and by how much, without drawing."""

from collections import Counter

import pandas as pd

from . import format, tables
from .verdicts import CONVERGED

#: Most problems that a sentence names for one solver, and most solvers besides the leader that it names.
NAMED_PROBLEMS, NAMED_SOLVERS = 2, 3


def standings(cells: pd.DataFrame) -> pd.DataFrame:
    """Return the ranking of each problem: its solvers at the largest n that one of them solved, the fastest first.

    Solved means certified optimal by a solver that claims the optimum. With blur it means within 0.1 % of the optimum
    with blur.

    Parameters
    ----------
    cells : DataFrame
        The table of `tables.frame`.

    Returns
    -------
    DataFrame
        A row per problem and solver: `problem`, `label`, `n`, `series`, `solver`, `base`, `group`, the median
        `seconds` with `low` and `high` of all samples, the `ratio` to the fastest, and the `place` from 0.
    """
    ok = tables.compared(cells)
    solved = ok[ok["exact"] | (ok["entropic_gap"] <= CONVERGED)]
    solved = solved[solved["n"] == solved.groupby("label")["n"].transform("max")]
    keys = ["problem", "label", "n", "series", "solver", "base", "group"]
    found = solved.groupby(keys, as_index=False, observed=True).agg(
        seconds=("seconds", "median"), low=("seconds_min", "min"), high=("seconds_max", "max")
    )
    found = found.sort_values(["problem", "label", "seconds"], kind="stable", ignore_index=True)
    by_label = found.groupby("label", sort=False)
    return found.assign(ratio=found["seconds"] / by_label["seconds"].transform("min"), place=by_label.cumcount())


def lead(found: pd.DataFrame) -> pd.Series:
    """Return by label how many times as long as the fastest solver the next one takes, where there is one."""
    return found[found["place"] == 1].set_index("label")["ratio"]


def best(found: pd.DataFrame, most: int) -> list[str]:
    """Return the series that lead most often, then those nearest to the fastest in the median."""
    by_series = found.groupby("series").agg(
        led=("place", lambda places: -(places == 0).sum()), ratio=("ratio", "median")
    )
    return list(by_series.sort_values(["led", "ratio"], kind="stable").index[:most])


def sentence(cells: pd.DataFrame) -> str:
    """Return the verdict over all problems in a sentence."""
    found = standings(cells)
    if found.empty:
        return "No solver has a certified answer that can be ranked."
    firsts = found[found["place"] == 0]
    wins = Counter(firsts["series"])
    (leader, count), *others = wins.most_common()
    total, kind = len(firsts), "" if found["label"].isin(_blurred(cells)).any() else "exact "
    if found["series"].nunique() == 1:
        return f"{leader} is the only {kind}solver with a certified answer{_of(total)}."
    text = f"{leader} is the fastest {kind}solver" + (f" on {count} of {total} problems" if total > 1 else "")
    ahead = lead(found).reindex(firsts.loc[firsts["series"] == leader, "label"]).dropna()
    if len(ahead):
        text += f", {format.ratio(ahead.median())} as fast as the next" + (" in the median" if len(ahead) > 1 else "")
    named = [f"{series} on {_labels(firsts, series)}" for series, _ in others[:NAMED_SOLVERS]]
    rest = sum(number for _, number in others[NAMED_SOLVERS:])
    named += [f"others on {rest}"] if rest else []
    if named:
        text += f"; {named[0].replace(' on ', ' leads on ', 1)}" + "".join(f", {each}" for each in named[1:])
    return text + "."


def _labels(firsts: pd.DataFrame, series: str) -> str:
    labels = list(firsts.loc[firsts["series"] == series, "label"])
    if len(labels) > NAMED_PROBLEMS:
        return f"{len(labels)}"
    return " and ".join(labels)


def _blurred(cells: pd.DataFrame) -> set[str]:
    return set(cells.loc[cells["entropic_gap"].notna(), "label"])


def _of(count: int) -> str:
    return f" on {count} problems" if count > 1 else ""
