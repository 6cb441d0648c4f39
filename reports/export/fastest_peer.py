"""A solver compared with the fastest exact package of others, case by case, as a table in Markdown.

    python -m lapmark.reports.export.fastest_peer families cascade     reads families/results.csv

Cases in which the package is faster are bold; cases without a certified answer of a package are not compared.
"""

import sys
from pathlib import Path

import numpy as np
import pandas as pd

from lapmark.bench.util import units
from lapmark.reports import format, tables


def compare_with_fastest_peer(cells: pd.DataFrame, solver: str) -> pd.DataFrame:
    """Return a row per case, from the cells of `lapmark.reports.tables.frame` or its CSV.

    Columns
    -------
    label, n
        The case.
    seconds
        The solver's median; NaN without a certified answer.
    peer, peer_seconds
        The fastest exact wrapped package, and its median; both NaN if none has a certified answer.
    ratio
        Time of the peer over that of the solver.

    Raises
    ------
    ValueError
        The cells have no such solver.
    """
    if solver not in set(cells["solver"]):
        raise ValueError(f"no cell of {solver!r}; there are {', '.join(sorted(set(cells['solver'])))}")
    ok = tables.certified(cells)
    own = ok[ok["solver"] == solver].groupby(["label", "n"])["seconds"].median()
    peers = ok[(ok["group"] == "wrapped") & ok["exact"]].groupby(["label", "n", "solver"])["seconds"].median()
    rows = []
    for label, n in cells.loc[cells["solver"] == solver, ["label", "n"]].drop_duplicates().itertuples(index=False):
        found_peers = peers.loc[label, n] if (label, n) in peers.index.droplevel("solver") else pd.Series(dtype=float)
        seconds = own.get((label, n), np.nan)
        peer, time = (np.nan, np.nan) if found_peers.empty else (found_peers.idxmin(), found_peers.min())
        rows.append((label, n, seconds, peer, time, time / seconds))
    found = pd.DataFrame(rows, columns=["label", "n", "seconds", "peer", "peer_seconds", "ratio"])
    return found.sort_values(["label", "n"], ignore_index=True)


def markdown(found: pd.DataFrame, solver: str) -> str:
    """Return the table: a line per label with a group of columns per n, and the median ratio of each n below."""
    sizes = sorted(set(found["n"]))
    lines = [
        "| case | " + " | ".join(f"{format.whole(n)} | peer | ratio" for n in sizes) + " |",
        "|---|" + "---:|---|---:|" * len(sizes),
    ]
    by_case = {(row.label, row.n): row for row in found.itertuples()}
    for label in sorted(set(found["label"])):
        cells = [_cells(by_case.get((label, n))) for n in sizes]
        lines.append(f"| `{label}` | " + " | ".join(cells) + " |")
    lines.append("| all | " + " | ".join(_summary(found[found["n"] == n]) for n in sizes) + " |")
    title = f"Time of `{solver}`, the fastest exact package and its time, and the ratio of the two times."
    return "\n".join([title, "", *lines])


def _summary(found: pd.DataFrame) -> str:
    compared = found["ratio"].dropna()
    median = f"{compared.median():.1f}×" if len(compared) else ""
    without_answer = found["seconds"].isna() & found["peer_seconds"].notna()
    return f"{int((compared < 1).sum() + without_answer.sum())} lost | median | {median}"


def _cells(row: object) -> str:
    if row is None:
        return " |  | "
    seconds, peer, time, ratio = row.seconds, row.peer, row.peer_seconds, row.ratio  # type: ignore[attr-defined]
    own = "none" if np.isnan(seconds) else units.show_duration(seconds)
    if pd.isna(peer):
        return f"{own} | none in time | "
    shown = "lost" if np.isnan(ratio) else f"{ratio:.2g}×" if ratio < 10 else f"{ratio:.0f}×"
    return f"{own} | {peer} {units.show_duration(time)} | {shown if ratio >= 1 else f'**{shown}**'}"


def main(arguments: list[str]) -> int:
    if len(arguments) != 2:
        print(__doc__, file=sys.stderr)
        return 2
    folder, solver = arguments
    try:
        cells = pd.read_csv(Path(folder) / "results.csv")
        print(markdown(compare_with_fastest_peer(cells, solver), solver))
    except (FileNotFoundError, ValueError) as error:
        print(f"{error}; `lapmark report {folder}` writes results.csv", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
