"""Albums: the pictures of a case, solved in a worker process, certified and drawn, or of a study.

Records hold no answers, so a case is solved again, by its fastest solver. The pictures are kept in a folder per case,
and the next report uses them.
"""

import hashlib
import json
import math
import os
import shutil
import time
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from lapmark.bench.applications import gallery
from lapmark.bench.problems import Case
from lapmark.bench.run.solve_case import SolvedCase, solve_case
from lapmark.bench.util import spec
from lapmark.bench.util.status_line import doing
from lapmark.bench.worker.resource_limits import Limits
from lapmark.reports import format, tables
from lapmark.solvers import Transport
from lapmark.solvers.certificate import TOLERANCE

from .table import PICTURES

#: Written last: a folder with this file, and without notes in it, is complete.
ABOUT = "about.json"

#: Endings of the files that pages show.
SHOWN = {".png", ".gif"}

#: Largest n that is drawn: larger pictures show no more, and solving may take hours.
MOST_ROWS = 10_000

#: Limits of the call whose answer is drawn: seconds, and bytes on top of the problem.
LIMITS = Limits(timeout=600.0, memory=16 << 30)


@dataclass(frozen=True)
class Album:
    """The pictures of one case.

    Attributes
    ----------
    text : str
        Certified facts on the answer.
    notes : tuple of str
        Reasons for missing pictures, and other warnings.
    seconds : float
        Time to build, solve and draw.
    """

    case: str
    text: str
    notes: tuple[str, ...]
    pictures: tuple[Path, ...]
    seconds: float

    @property
    def captioned(self) -> list[tuple[str, Path]]:
        """The pictures, each after its caption."""
        captions = PICTURES[Case.read(self.case).problem].captions
        return [(captions.get(path.stem, path.stem.replace("-", " ").capitalize()), path) for path in self.pictures]


def albums(cells: pd.DataFrame, folder: Path) -> list[Album]:
    """Return an album for each family with pictures and a certified answer, drawn into `folder` or found there."""
    return [album(case, solver, folder) for case, solver in _largest(cells)]


def album(case: Case, solver: str, folder: Path, redraw: bool = False) -> Album:
    """Return the album of a case: from an earlier report, or drawn now if there is none, it has notes, or `redraw`."""
    place = folder / f"{case.problem}-n{case.n}-{hashlib.sha256(str(case).encode()).hexdigest()[:8]}"
    if redraw or not (place / ABOUT).exists() or _read(place).notes:
        # Named before it is made: Ctrl-C between the two would leave a folder that nobody knows of.
        drawing = folder / f".drawing-{os.getpid()}"
        try:
            drawing.mkdir(parents=True)
            _draw(case, solver, drawing)
            shutil.rmtree(place, ignore_errors=True)
            drawing.rename(place)
        finally:
            shutil.rmtree(drawing, ignore_errors=True)
    return _read(place)


def found(folder: Path) -> list[Album]:
    """Return the albums in a folder that have pictures, sorted by application and size."""
    complete = [_read(about.parent) for about in folder.glob(f"*/{ABOUT}")]
    known = [each for each in complete if each.pictures and Case.read(each.case).problem in gallery.applications()]
    return sorted(known, key=lambda each: (Case.read(each.case).problem, Case.read(each.case).n, each.case))


def _largest(cells: pd.DataFrame) -> Iterator[tuple[Case, str]]:
    """Yield the largest case of each family with pictures, and the spec of its fastest solver, exact ones first."""
    solved = tables.compared(cells)
    solved = solved[solved["n"] <= MOST_ROWS]
    for name in solved["problem"].unique():
        if name in gallery.FAMILIES:
            rows = solved[solved["problem"] == name]
            case = rows.loc[rows["n"].idxmax(), "case"]
            ranked = rows[rows["case"] == case].sort_values(["exact", "seconds"], ascending=[False, True])
            yield Case.read(case), ranked.iloc[0]["solver"]


def _draw(case: Case, solver: str, folder: Path) -> None:
    """Draw a case and write down its facts; a failure becomes a note."""
    text, names, notes = "", [], []
    started = time.monotonic()
    try:
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            text, paths = _shown(case, solver, folder)
        names = [path.name for path in paths if path.suffix in SHOWN]
        notes = [str(warning.message) for warning in caught if issubclass(warning.category, UserWarning)]
    except (ValueError, ImportError, OSError, MemoryError) as error:
        notes = [f"no pictures: {error}"]
    seconds = time.monotonic() - started
    about = {"case": str(case), "text": text, "notes": notes, "pictures": names, "seconds": round(seconds, 6)}
    (folder / ABOUT).write_text(json.dumps(about), encoding="utf-8")


def _shown(case: Case, solver: str, folder: Path) -> tuple[str, list[Path]]:
    """Return the facts on a case, and its pictures."""
    draw = PICTURES[case.problem].draw
    if study := gallery.STUDIES.get(case.problem):
        found = study.build(case.n, case.seed, **case.params)
        text = found.text
    else:
        with doing("solving"):
            found = solve_case(case, solver, LIMITS)
        text = _proven(found)
    with doing("drawing"):
        return text, draw(case, found, folder)


def _proven(solved: SolvedCase) -> str:
    """Return the certified facts on an answer in a sentence."""
    problem, certificate = solved.problem, solved.certificate
    n, m = problem.shape
    text = f"{n:,} × {m:,}, solved by {spec.parse(solved.solver)[0]}: cost {certificate.cost:,.6g}"
    if isinstance(problem, Transport) and problem.reach is not None:
        text += f", {certificate.feasible_cost:,.6g} with the penalty on mass that is not moved"
    if certificate.marginal_error > TOLERANCE:
        text += f", marginal error {certificate.marginal_error:.2g}"
    if certificate.optimal:
        return f"{text}, certified optimal: the proven bound is {certificate.dual_bound:,.6g}."
    if certificate.gap < 0:
        return f"{text}, below the proven bound of {certificate.dual_bound:,.6g}."
    if not math.isfinite(certificate.gap):
        return f"{text}, certified valid."
    bound = f"the proven bound of {certificate.dual_bound:,.6g}"
    if isinstance(problem, Transport) and problem.epsilon > 0:
        return f"{text}, certified at most {format.gap(certificate.gap)} above the optimum without blur ({bound})."
    return f"{text}, certified at most {format.gap(certificate.gap)} above the optimum."


def _read(place: Path) -> Album:
    about = json.loads((place / ABOUT).read_text(encoding="utf-8"))
    pictures = tuple(place / name for name in about["pictures"])
    return Album(about["case"], about["text"], tuple(about["notes"]), pictures, about.get("seconds", 0.0))
