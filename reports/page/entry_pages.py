"""The pages of single solvers and problems of a report: where a solver leads and fails, and who leads on a problem."""

import inspect
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from lapmark.bench.problems import families
from lapmark.bench.util import spec
from lapmark.bench.util.atomic_write import write_atomically
from lapmark.bench.util.units import show_count_of, show_duration, show_size
from lapmark.reports import format, standings, tables
from lapmark.reports.charts import Chart, leaders
from lapmark.reports.charts.panel import Curve, Panel
from lapmark.reports.charts.time_and_memory import SECONDS, SIZES

from .cell_table import counters
from .html import fill_shared, write_assets
from .plots import panels_data
from .sections import SOURCES, failures, not_run, page_of

#: From a page to the folder of the report.
ROOT = "../"

_RATIOS = Chart(
    "ratios",
    "Time over that of the fastest",
    "At the largest size of each problem that an exact solver has answered. 1× is the fastest.",
)
_GROWTH = Chart(
    "growth", "Time against size", "Median time of a solve; a bar spans the fastest and the slowest sample."
)


def write(
    cells: pd.DataFrame,
    drawn: Sequence[tuple[Chart, Sequence[Panel]]],
    cases: Sequence[dict[str, Any]],
    directory: Path,
) -> None:
    """Write a page for each solver and each problem, with the panels and the cases of the report."""
    write_assets(directory)
    shown = cells[cells["current"] & (cells["group"] != "harness")]
    standing = standings.standings(cells)
    for base, rows in shown.groupby("base"):
        if (rows["status"] != "skipped").any():
            page = _solver_page(str(base), rows, standing)
            write_atomically(directory / page_of("solver", str(base)), page.encode())
    for problem, rows in shown.groupby("problem"):
        panels = {chart: [panel for panel in panels if panel.problem == problem] for chart, panels in drawn}
        own = [case for case in cases if case["keys"]["problem"] == problem]
        page = _problem_page(str(problem), rows, {chart: each for chart, each in panels.items() if each}, own)
        write_atomically(directory / page_of("problem", str(problem)), page.encode())


def _solver_page(base: str, rows: pd.DataFrame, standing: pd.DataFrame) -> str:
    own = standing[standing["base"] == base]
    tried = rows[rows["status"] != "skipped"]
    ratios = [] if own.empty else [leaders.ratios(own, sorted(set(own["series"])))]
    panels = {_RATIOS: ratios, _GROWTH: _growth(tables.compared(rows))}
    charts = {chart: each for chart, each in panels.items() if each}
    source = SOURCES[rows["group"].iloc[0]]
    versions = sorted({text for text in tried["versions"] if text})
    return fill_shared(
        "solver.html",
        ROOT,
        name=base,
        lead=_place(base, own, standing),
        facts=[(name, text) for name, text in (("From", source), ("Versions", " / ".join(versions))) if text],
        not_run=not_run(rows),
        places=[_place_line(row, standing) for row in own.to_dict("records")],
        charts=list(charts),
        plots={chart.name: panels_data(each) for chart, each in charts.items()},
        failures=failures(tried),
        work=_work(tried),
    )


def _problem_page(
    problem: str, rows: pd.DataFrame, charts: dict[Chart, list[Panel]], cases: Sequence[dict[str, Any]]
) -> str:
    family = families().get(problem)
    about = (inspect.getdoc(inspect.getmodule(family.build)) or "").split("\n\n")[0] if family else ""
    tried = rows[rows["status"] != "skipped"]
    return fill_shared(
        "problem.html",
        ROOT,
        name=problem,
        about=about,
        facts=[("Source", family.source)] if family and family.source else [],
        not_run=not_run(rows),
        cases=cases,
        solvers={name: page_of("solver", name) for name in tried["base"].unique()},
        charts=list(charts),
        plots={chart.name: panels_data(each) for chart, each in charts.items()},
        failures=failures(tried),
    )


def _place(base: str, own: pd.DataFrame, standing: pd.DataFrame) -> str:
    """Return in a sentence how often a solver is the fastest, and how far behind it is elsewhere."""
    total = standing["label"].nunique()
    if own.empty:
        return f"{base} has no answer that is ranked: not one is certified, or it does not claim the optimum."
    led = own.loc[own["place"] == 0, "label"].nunique()
    text = f"{base} is the fastest on {led or 'none'} of {show_count_of(total, 'problem')}"
    behind = own[(own["place"] > 0) & ~own["label"].isin(own.loc[own["place"] == 0, "label"])]
    if len(behind):
        worst = behind.loc[behind["ratio"].idxmax()]
        text += f"; on the others that it answers it takes {format.ratio(behind['ratio'].median())} the time of the "
        text += f"fastest in the median, and at most {format.ratio(worst['ratio'])}, on {worst['label']}"
    return text + "."


def _place_line(row: Mapping[str, Any], standing: pd.DataFrame) -> dict[str, object]:
    rivals = standing[(standing["label"] == row["label"]) & (standing["series"] != row["series"])]
    rival = rivals.iloc[0] if len(rivals) else None
    return {
        "label": row["label"],
        "page": ROOT + page_of("problem", row["problem"]),
        "n": f"{row['n']:,}",
        "series": row["series"],
        "time": show_duration(row["seconds"]),
        "place": row["place"] + 1,
        "ratio": format.ratio(row["ratio"]),
        "rival": "" if rival is None else f"{rival['series']}, {show_duration(rival['seconds'])}",
    }


def _growth(ok: pd.DataFrame) -> list[Panel]:
    """Return the times of one solver against n, a curve per problem and setting; a panel per number of sizes."""
    curves: list[Curve] = []
    for label, of_label in SECONDS.curves(ok).items():
        for _, series, solver, points in of_label:
            setting = series.removeprefix(spec.parse(solver)[0]).removeprefix(":")
            if len(points) > 1:
                curves.append(Curve(f"{label} {setting}".strip(), points, place=len(curves)))
    return [Panel("", SIZES, SECONDS.axis, tuple(curves))] if curves else []


def _work(tried: pd.DataFrame) -> list[dict[str, str]]:
    """Return the work counters and the memory of a solver at the largest size of each problem."""
    lines = []
    for label, rows in tried[tried["status"] == "ok"].groupby("label"):
        for cell in rows[rows["n"] == rows["n"].max()].drop_duplicates("series").to_dict("records"):
            memory = show_size(cell["peak_memory"]) if pd.notna(cell["peak_memory"]) else ""
            work = counters(cell)
            if memory or work:
                line = {"label": str(label), "n": f"{cell['n']:,}", "series": cell["series"]}
                lines.append(line | {"memory": memory, "work": work})
    return lines
