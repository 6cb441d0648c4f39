"""A public benchmark as a folder of static pages: the reports of several runs, and who is fastest in each of them."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from lapmark.bench.problems import Case
from lapmark.bench.results.record import Record
from lapmark.bench.util.atomic_write import write_atomically
from lapmark.bench.util.units import show_count_of

from . import format, standings, summary, tables
from .page.html import fill_shared, write_assets
from .page.sections import page_of
from .report import read_records, write_report_of


@dataclass(frozen=True, eq=False)
class Run:
    """Results of one run with a name for them."""

    name: str
    records: tuple[Record, ...]

    @property
    def folder(self) -> str:
        """The folder of its report in the site."""
        return f"runs/{re.sub(r'[^A-Za-z0-9._-]+', '-', self.name)}"


def read_run(path: Path) -> Run:
    """Read a run: a folder with a store, or the kept results of a table of the documentation (docs/measured/*.json).

    Raise a ValueError for a file of another kind, and for the errors of `read_records`.
    """
    if path.suffix == ".json":
        return Run(path.stem, tuple(_kept(path)))
    return Run(path.resolve().name, tuple(read_records(path)))


def write_site(runs: Sequence[Run], site: Path, history: str = "") -> Path:
    """Write a site of runs into a folder.

    Parameters
    ----------
    runs : sequence of Run
        With different names.
    site : Path
    history : str
        The page of a history over commits, if there is one.

    Returns
    -------
    Path
        `index.html`, which lists the runs. Beside it: `families.html`, `solvers.html`, `history.html`, and a report
        for each run in `runs`.
    """
    if len({run.folder for run in runs}) < len(runs):
        raise ValueError(f"two runs have the same name: {', '.join(run.name for run in runs)}; rename a folder")
    write_assets(site)
    for run in runs:
        write_report_of(run.records, site / run.folder)
    cells = {run: tables.frame(run.records) for run in runs}
    shown: dict[str, Any] = {"has_history": bool(history), "runs": [_run(run, cells[run]) for run in runs]}
    pages: dict[str, dict[str, Any]] = {
        "index": {},
        "families": {"families": [line for run in runs for line in _families(run, cells[run])]},
        "solvers": {"solvers": _solvers(runs, cells)},
    }
    for name, own in pages.items():
        page = fill_shared(f"site_{name}.html", "", page=name, **shown, **own)
        write_atomically(site / f"{name}.html", page.encode())
    if history:
        write_atomically(site / "history.html", history.encode())
    return site / "index.html"


def _run(run: Run, cells: pd.DataFrame) -> dict[str, str]:
    current = cells[cells["current"] & (cells["status"] != "skipped")]
    solvers = current.loc[current["group"] != "harness", "base"].nunique()
    counts = (current["label"].nunique(), "problem"), (solvers, "solver"), (len(current), "cell")
    return {
        "name": run.name,
        "page": f"{run.folder}/index.html",
        "verdict": standings.sentence(cells),
        "counts": ", ".join(show_count_of(count, noun) for count, noun in counts),
        "machine": summary.machine(cells),
    }


def _families(run: Run, cells: pd.DataFrame) -> list[dict[str, object]]:
    """Return a line per problem of a run, with the pages of the problem and of the fastest solver."""
    return [
        {
            "run": run.name,
            "line": line,
            "page": f"{run.folder}/{page_of('problem', line.family)}",
            "solver": f"{run.folder}/{page_of('solver', line.solver)}",
        }
        for line in summary.lines(cells)
    ]


def _solvers(runs: Sequence[Run], cells: Mapping[Run, pd.DataFrame]) -> list[dict[str, Any]]:
    """Return a line per solver: on how many problems of each run it is the fastest, and how far it is behind."""
    by_run = {run: standings.standings(cells[run]) for run in runs}
    names = sorted({name for standing in by_run.values() for name in standing["base"]})
    lines = []
    for name in names:
        places = []
        for run in runs:
            standing = by_run[run]
            own = standing[standing["base"] == name]
            if own.empty:
                places.append({"text": "", "page": ""})
                continue
            led, total = own.loc[own["place"] == 0, "label"].nunique(), standing["label"].nunique()
            text = f"{led} of {total}, {format.ratio(own.groupby('label')['ratio'].min().median())}"
            places.append({"text": text, "page": f"{run.folder}/{page_of('solver', name)}"})
        lines.append({"name": name, "places": places})
    return lines


def _kept(path: Path) -> list[Record]:
    """Return the cells of a kept table of the documentation as records."""
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        rows = [row for row in content["rows"] if "case" in row]
    except (ValueError, KeyError, TypeError) as error:
        raise ValueError(f"{path} holds no kept results: {type(error).__name__}: {error}") from None
    if not rows:
        raise ValueError(f"{path} holds times of calls, not cells; a site is made of cells, such as families.json")
    return [_record(row, content) for row in rows]


def _record(row: dict[str, Any], content: dict[str, Any]) -> Record:
    case = Case.read(row["case"])
    seconds = row.get("seconds")
    known = {name: row[name] for name in ("cost", "gap", "peak_memory") if row.get(name) is not None}
    return Record(
        key=f"{row['solver']} {row['case']} {row['current']}",
        solver=row["solver"],
        case=row["case"],
        problem=case.problem,
        n=case.n,
        seed=case.seed,
        params=case.params,
        exact=row["exact"],
        status=row["status"],
        samples=() if seconds is None else (seconds,),
        machine=content["machine"],
        versions=content["versions"],
        finished=content["date"],
        **known,
    )
