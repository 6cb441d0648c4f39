"""Picture of a label transfer: the labelled cloud beside the one that receives the labels."""

import math
from pathlib import Path

import numpy as np

from lapmark.bench.problems import Case
from lapmark.bench.problems.applied.label_transfer import Clouds, clouds
from lapmark.bench.run.solve_case import SolvedCase
from lapmark.solvers import Plan, Transport, carry

from .canvas import BACKGROUND, INK, SOFT, figure, save_figure

CAPTIONS = {"transfer": "Labels carried from one cloud to the other by an entropic plan"}

ALTS = {
    "transfer": "Two panels on black: left three groups of points in orange, green and blue; right {n} points in four "
    "groups, which have taken these colours by nearness, but for dark ones with grey rims far from all others."
}

#: Total area of the marks of a cloud, and largest area of one, in square points.
AREA, LARGEST = 20_000.0, 30.0


def draw(case: Case, solved: SolvedCase, folder: Path) -> list[Path]:
    """Draw both clouds, with the labels of the one and those that the plan carries to the other."""
    settings = case.settings
    sample = clouds(case.n, case.seed, settings["source"], settings["target"])
    assert isinstance(solved.problem, Transport)
    assert isinstance(solved.result, Plan)
    carried = np.clip(carry(solved.problem, solved.result, sample.labels), 0, 1)
    return transfer(sample, carried, settings["reach"], folder)


def transfer(clouds: Clouds, carried: np.ndarray, reach: float, folder: Path) -> list[Path]:
    """Draw both clouds, and the labels (n, 3) carried to the first."""
    plot = figure(10, 5.4)
    panels = plot.subplots(1, 2, sharex=True, sharey=True)
    how = f"carried over, reach {reach:g}" if reach else "carried over"
    for axes, points, colours, title in (
        (panels[0], clouds.y, clouds.labels, "labelled"),
        (panels[1], clouds.x, carried, how),
    ):
        size = min(AREA / len(points), LARGEST)
        # A rim, so that points without a label are seen on black.
        axes.scatter(*points.T, s=size, c=colours, edgecolors=SOFT, linewidths=0.12 * math.sqrt(size))
        axes.set(xlim=(0, 1), ylim=(0, 1), aspect="equal", xticks=[], yticks=[], facecolor=BACKGROUND)
        axes.spines[:].set_color(SOFT)
        axes.set_title(title, color=INK, fontsize=12)
    return save_figure(plot, folder / "transfer", marks=2 * len(clouds.x))
