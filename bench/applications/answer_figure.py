"""Drawing of any answer: matched points joined by lines, or the matrix of a plan or of costs with the chosen pairs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from lapmark.solvers import Assignment, Matching, Plan, PointCost, Transport

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

#: Most entries of a matrix that is drawn, and most lines between points.
MOST_ENTRIES, MOST_LINES = 4_000_000, 20_000

#: Share of the largest entry below which a pair of an entropic plan gets no line.
FAINT = 0.02

ROWS, COLUMNS, PAIRS = "#0072B2", "#D55E00", "#8A8F98"


def plot(problem: Assignment | Transport, result: Matching | Plan) -> Figure:
    """Draw an answer.

    Points are joined by lines, whose width is the mass that moves; of more than two coordinates the first two are
    drawn. For any other cost it is a matrix: a plan's own, or the costs with a mark at each matched pair.

    Parameters
    ----------
    problem : Assignment or Transport
    result : Matching or Plan
        The answer of a solver to it.

    Returns
    -------
    matplotlib.figure.Figure
        Notebooks show it; `figure.savefig` writes it.

    Raises
    ------
    ValueError
        If there are more than 4 000 000 pairs to draw; plot a part of the problem.
    ImportError
        If Matplotlib is not installed.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    if isinstance(problem, Transport) != isinstance(result, Plan):
        raise TypeError(f"a {type(result).__name__} is no answer to a problem of type {type(problem).__name__}")
    rows, columns, moved = _pairs(problem, result)
    figure = Figure(figsize=(6, 6), layout="constrained")
    FigureCanvasAgg(figure)
    ax = figure.add_subplot()
    if isinstance(problem.cost, PointCost):
        _draw_points(ax, problem.cost, rows, columns, moved)
    else:
        _draw_matrix(ax, problem, result, rows, columns)
    n, m = problem.shape
    cost = f", cost {result.cost:.6g}" if np.isfinite(result.cost) else ""
    ax.set_title(f"{n:,} × {m:,}{cost}", loc="left")
    return figure


def _pairs(problem: Any, result: Matching | Plan) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the pairs of an answer and the mass of each; those of an entropic plan that are not faint."""
    if isinstance(result, Matching):
        rows = np.flatnonzero(result.row_to_col >= 0)
        return rows, result.row_to_col[rows], np.ones(len(rows))
    if result.mass is not None:
        moved = result.mass.tocoo()
        return *moved.coords, moved.data
    matrix = _bounded(problem, result)
    rows, columns = np.nonzero(matrix > FAINT * matrix.max())
    return rows, columns, matrix[rows, columns]


def _bounded(problem: Transport, plan: Plan) -> np.ndarray:
    n, m = problem.shape
    if n * m > MOST_ENTRIES:
        raise ValueError(f"the plan has {n * m:,} pairs, and at most {MOST_ENTRIES:,} are drawn; plot a part of it")
    return plan.matrix(problem)


def _draw_points(ax: Axes, cost: PointCost, rows: np.ndarray, columns: np.ndarray, moved: np.ndarray) -> None:
    from matplotlib.collections import LineCollection

    x, y = (_in_plane(points, height) for points, height in ((cost.x, 0.0), (cost.y, 1.0)))
    largest = np.argsort(moved)[::-1][:MOST_LINES]
    width = 1.6 * moved[largest] / max(moved.max(initial=0.0), 1e-300)
    lines = np.stack([x[rows[largest]], y[columns[largest]]], axis=1)
    ax.add_collection(LineCollection(list(lines), linewidths=width, colors=PAIRS, alpha=0.6, zorder=1))
    size = float(np.clip(2000 / max(len(x), len(y)), 1, 30))
    ax.scatter(x[:, 0], x[:, 1], s=size, color=ROWS, label="rows", zorder=2)
    ax.scatter(y[:, 0], y[:, 1], s=size, color=COLUMNS, marker="s", label="columns", zorder=2)
    ax.legend(loc="lower right", bbox_to_anchor=(1, 1), ncols=2, frameon=False, borderaxespad=0)
    if cost.x.shape[1] > 1:
        ax.set_aspect("equal", adjustable="datalim")
    else:
        ax.set_yticks([])


def _in_plane(points: np.ndarray, height: float) -> np.ndarray:
    """Return the first two coordinates of points; points of a line get this height."""
    if points.shape[1] > 1:
        return np.asarray(points[:, :2], dtype=np.float64)
    return np.column_stack([points[:, 0], np.full(len(points), height)])


def _draw_matrix(ax: Axes, problem: Any, result: Matching | Plan, rows: np.ndarray, columns: np.ndarray) -> None:
    n, m = problem.shape
    if isinstance(result, Plan) and n * m <= MOST_ENTRIES:
        image, label = _bounded(problem, result), "mass"
    elif n * m <= MOST_ENTRIES:
        dense = np.asarray(problem.cost.dense(), dtype=np.float64)
        image, label = np.where(np.isfinite(dense), dense, np.nan), "cost"
    else:
        image, label = None, ""
    if image is not None:
        ax.figure.colorbar(ax.imshow(image, cmap="cividis", aspect="auto", interpolation="nearest"), label=label)
    if isinstance(result, Matching) or image is None:
        size = float(np.clip(4000 / max(n, m), 2, 40))
        ax.scatter(columns, rows, s=size, facecolors="none", edgecolors="white", linewidths=1.5)
        ax.set(xlim=(-0.5, m - 0.5), ylim=(n - 0.5, -0.5))
    ax.set(xlabel="columns", ylabel="rows")
