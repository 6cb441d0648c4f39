"""Picture of a transport plan between points in the plane: masses as marks, moved mass as lines."""

from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.collections import LineCollection

from lapmark.bench.problems import Case
from lapmark.bench.run.solve_case import SolvedCase
from lapmark.solvers import Plan, PointCost, Transport

from .canvas import BACKGROUND, INK, save_figure, square_figure
from .class_marks import PALETTE

CAPTIONS = {"plan": "Masses, and what moves between them"}

ALTS = {
    "plan": "{n} blue discs and {n} orange diamonds on black, as large as their masses, joined by white lines as wide "
    "as the mass that moves along them."
}

#: Total area of the marks of a side, in square points, and width of the line of the largest moved mass.
AREA, WIDEST = 14_000.0, 5.0

#: Smallest visible area and width.
SMALLEST, THINNEST = 1.5, 0.25


def draw(case: Case, solved: SolvedCase, folder: Path) -> list[Path]:
    """Draw points as large as their masses, and lines as wide as what moves; nothing if the costs have no points."""
    problem, result = solved.problem, solved.result
    assert isinstance(problem, Transport)
    assert isinstance(result, Plan)
    if not isinstance(problem.cost, PointCost) or result.mass is None:
        return []
    moved = result.mass.tocoo()
    distance = "distance" if problem.cost.p == 1 else "squared distance"
    title = f"{case.n} masses moved, mean {distance} {result.cost:.4g}"
    pairs = (*moved.coords, moved.data)
    return draw_plan(problem.cost.x, problem.cost.y, np.asarray(problem.a), np.asarray(problem.b), pairs, title, folder)


def draw_plan(
    x: np.ndarray,
    y: np.ndarray,
    a: np.ndarray,
    b: np.ndarray,
    moved: tuple[np.ndarray, np.ndarray, np.ndarray],
    title: str,
    folder: Path,
) -> list[Path]:
    """Draw points x (n, 2) and y (m, 2) with masses a and b, and moved mass: rows, columns and masses (k,)."""
    rows, columns, mass = moved
    low, high = np.vstack([x, y]).min(axis=0), np.vstack([x, y]).max(axis=0)
    x, y = ((points - (low + high) / 2) / max(float((high - low).max()), 1e-300) + 0.5 for points in (x, y))
    figure, axes = square_figure(title, marks=len(mass))
    share = np.sqrt(mass / mass.max())
    lines = LineCollection(
        list(np.stack([x[rows], y[columns]], axis=1)),
        linewidths=np.maximum(WIDEST * share, THINNEST),
        colors=INK,
        alpha=0.55,
        capstyle="round",
        zorder=1,
    )
    axes.add_collection(lines)
    for points, masses, colour, marker, name in (
        (x, a, PALETTE[0], "o", "sources"),
        (y, b, PALETTE[1], "D", "targets"),
    ):
        area = AREA * masses / masses.sum()
        # Larger marks are drawn first: on a lattice one side would hide the other.
        layer = np.floor(2 * np.log2(np.maximum(area, SMALLEST)))
        for each in np.unique(layer[masses > 0]):
            some = (layer == each) & (masses > 0)
            look: dict[str, Any] = {
                "color": colour,
                "marker": marker,
                "edgecolors": BACKGROUND,
                "linewidths": 0.4,
                "clip_on": False,
            }
            x_some, y_some = points[some].T
            axes.scatter(x_some, y_some, s=np.maximum(area[some], SMALLEST), zorder=100 - each, **look)
        axes.scatter([], [], s=60, color=colour, marker=marker, label=f"{np.count_nonzero(masses)} {name}")
    figure.legend(loc="outside lower center", ncols=2, frameon=False, labelcolor=INK)
    return save_figure(figure, folder / "plan", marks=len(mass) + len(x) + len(y))
