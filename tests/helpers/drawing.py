"""Pictures of an answer, drawn in this process."""

from __future__ import annotations

from pathlib import Path

from PIL import Image

from lapmark import certify, solve
from lapmark.bench.problems import Case
from lapmark.bench.run.solve_case import SolvedCase
from lapmark.reports.pictures.table import PICTURES
from lapmark.solvers.result import Result


def draw(case: Case, folder: Path, result: Result | None = None) -> list[Path]:
    """Draw an answer to a case, by default the one that `solve` finds."""
    problem = case.build()
    answer = solve(problem) if result is None else result
    return PICTURES[case.problem].draw(case, SolvedCase(problem, "auto", answer, certify(problem, answer)), folder)


def check_pictures(paths: list[Path], least_side: int) -> None:
    """Assert that each picture has content, and each PNG at least so many pixels to a side."""
    for path in paths:
        if path.suffix == ".svg":
            assert "<svg" in path.read_text()[:1000]
        else:
            picture = Image.open(path).convert("RGB")
            assert min(picture.size) >= least_side
            assert len(picture.getcolors(1 << 24)) > 10
