"""One album drawn in this process, and the program that draws one: `python -m lapmark.reports.pictures.draw_album`.

The program's arguments are a case, a solver and an existing folder. It prints what it is doing, a line for each step.
"""

import math
import sys
import time
import warnings
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from lapmark.bench.applications import findings, gallery
from lapmark.bench.problems import Case
from lapmark.bench.run.solve_case import SolvedCase, solve_case
from lapmark.bench.util import spec, status_line
from lapmark.bench.util.status_line import doing
from lapmark.bench.worker.resource_limits import Limits
from lapmark.reports import format
from lapmark.solvers import Transport
from lapmark.solvers.certificate import TOLERANCE

from . import albums, card, page_copy
from .albums import Album, Picture
from .table import PICTURES

#: Limits of the call whose answer is drawn: seconds, and bytes on top of the problem.
LIMITS = Limits(timeout=600.0, memory=16 << 30)


def draw(case: Case, solver: str, folder: Path) -> None:
    """Draw a case and its card, and write down its facts; a failure becomes a note."""
    started = time.monotonic()
    try:
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            text, finding, paths = _shown(case, solver, folder)
        pictures = tuple(_described([path for path in paths if path.suffix in albums.SHOWN], case))
        notes = tuple(str(warning.message) for warning in caught if issubclass(warning.category, UserWarning))
        album = Album(str(case), *_named(case), text, finding, notes, pictures)
        for each in pictures:
            page_copy.write(each.path)
        if pictures:
            card.write(album, PICTURES[case.problem].is_mosaic)
    except (ValueError, ImportError, OSError, MemoryError) as error:
        album = Album(str(case), notes=(f"no pictures: {error}",))
    albums.write_about(replace(album, seconds=time.monotonic() - started), folder)


def main() -> None:
    case, solver, folder = sys.argv[1:]
    status_line.pass_on(lambda text: print(text, flush=True))
    draw(Case.read(case), solver, Path(folder))


def _named(case: Case) -> tuple[str, str]:
    """Return the title of an album, and what was solved."""
    known, n = PICTURES[case.problem], f"{case.n:,}"
    return f"{known.title or case.label}, n\N{NO-BREAK SPACE}=\N{NO-BREAK SPACE}{n}", known.what.format(n=n)


def _described(paths: Sequence[Path], case: Case) -> Iterator[Picture]:
    """Yield pictures with their captions and texts, in the order of the captions."""
    known = PICTURES[case.problem]
    place = {name: k for k, name in enumerate(known.captions)}
    for path in sorted(paths, key=lambda path: place.get(path.stem, len(place))):
        caption = known.captions.get(path.stem, path.stem.replace("-", " ").capitalize())
        yield Picture(path, caption, known.alts.get(path.stem, f"{caption}.").format(n=f"{case.n:,}"))


def _shown(case: Case, solver: str, folder: Path) -> tuple[str, str, list[Path]]:
    """Return the facts on a case, what its answer gains, and its pictures."""
    draw = PICTURES[case.problem].draw
    if study := gallery.STUDIES.get(case.problem):
        found = study.build(case.n, case.seed, **case.params)
        with doing("drawing"):
            return found.text, "", draw(case, found, folder)
    with doing("solving"):
        found = solve_case(case, solver, LIMITS)
    with doing("comparing"):
        gained = findings.finding(case, found.problem, found.result)
    with doing("drawing"):
        return _proven(found), gained, draw(case, found, folder)


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
