"""One album drawn in this process, and the program that draws one: `python -m lapmark.reports.pictures.draw_album`.

The program's arguments are a case, a solver and an existing folder. It prints what it is doing, a line for each step.
"""

import math
import sys
import time
import warnings
from pathlib import Path

from lapmark.bench.applications import gallery
from lapmark.bench.problems import Case
from lapmark.bench.run.solve_case import SolvedCase, solve_case
from lapmark.bench.util import spec, status_line
from lapmark.bench.util.status_line import doing
from lapmark.bench.worker.resource_limits import Limits
from lapmark.reports import format
from lapmark.solvers import Transport
from lapmark.solvers.certificate import TOLERANCE

from . import albums, page_copy
from .table import PICTURES

#: Limits of the call whose answer is drawn: seconds, and bytes on top of the problem.
LIMITS = Limits(timeout=600.0, memory=16 << 30)


def draw(case: Case, solver: str, folder: Path) -> None:
    """Draw a case and write down its facts; a failure becomes a note."""
    text, names, notes = "", [], []
    started = time.monotonic()
    try:
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            text, paths = _shown(case, solver, folder)
        names = [path.name for path in paths if path.suffix in albums.SHOWN]
        for name in names:
            page_copy.write(folder / name)
        notes = [str(warning.message) for warning in caught if issubclass(warning.category, UserWarning)]
    except (ValueError, ImportError, OSError, MemoryError) as error:
        notes = [f"no pictures: {error}"]
    albums.write_about(folder, case, text, notes, names, time.monotonic() - started)


def main() -> None:
    case, solver, folder = sys.argv[1:]
    status_line.pass_on(lambda text: print(text, flush=True))
    draw(Case.read(case), solver, Path(folder))


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


if __name__ == "__main__":
    main()
