"""Pictures of the earth mover's distance between images: the flow of mass, and nearest neighbours."""

import math
from collections.abc import Mapping
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import PolyCollection
from matplotlib.colors import to_rgb

from lapmark.bench.data.datasets import Images
from lapmark.bench.problems import Case
from lapmark.bench.problems.applied.images_emd import SOURCES, neighbours
from lapmark.bench.run.solve_case import SolvedCase
from lapmark.solvers import Plan, PointCost, Transport

from .canvas import FROM, INK, SOFT, TO, figure, plan_of, save_figure

CAPTIONS = {
    "flow": "Where the mass of one digit moves to make another, at least cost",
    "nearest": "Digits, and their nearest by earth mover’s distance and by the Euclidean distance of their pixels; "
    "a dashed frame is a wrong label",
}

ALTS = {
    "flow": "Three panels on black: a blue digit, an orange digit, and between them both over each other with white "
    "wedges from where mass leaves to where it arrives.",
    "nearest": "Rows of handwritten digits: a query, the nearest five by earth mover’s distance, and the nearest five "
    "by Euclidean distance, in green frames where the label is right and dashed orange ones where it is wrong.",
}

#: Queries that are shown, and nearest images of each.
ROWS, NEAREST = 6, 5

RIGHT, WRONG = "#009E73", "#D55E00"


def draw(case: Case, solved: SolvedCase, folder: Path) -> list[Path]:
    """Draw how the mass of one image moves to the other, and nearest neighbours by this distance and by L2.

    The neighbours are those of images at their original size, for any n.
    """
    images = SOURCES[case.settings["source"]]()
    queries, found = neighbours(images, case.seed, case.settings["p"])
    plan = plan_of(solved.result)
    assert isinstance(solved.problem, Transport)
    made = flow(solved.problem, plan, folder) if plan else []
    return made + nearest(images, queries, found, folder)


def flow(problem: Transport, plan: Plan, folder: Path) -> list[Path]:
    """Draw the two images of a problem, and between them wedges for moved mass, of proportional width."""
    cost = problem.cost
    assert isinstance(cost, PointCost)
    assert plan.mass is not None
    k = math.isqrt(len(cost.x))
    moved = plan.mass.tocoo()
    away = (moved.coords[0] != moved.coords[1]) & (moved.data > 0)
    (rows, cols), mass = (axis[away] for axis in moved.coords), moved.data[away]
    plot = figure(9, 3.7)
    left, middle, right = plot.subplots(1, 3)
    stays = 1 - mass.sum() / moved.data.sum()
    heaps = [np.asarray(masses).reshape(k, k) for masses in (problem.a, problem.b)]
    coloured = [
        heap[..., None] / heap.max() * np.array(to_rgb(colour)) for heap, colour in zip(heaps, (FROM, TO), strict=True)
    ]
    for axes, pixels, title in (
        (left, coloured[0], "from"),
        (middle, np.maximum(*coloured) * 0.6, f"{100 * stays:.0f} % stays, wedges point where the rest goes"),
        (right, coloured[1], "to"),
    ):
        _image(axes, pixels, title)
    wedges = _wedges(cost.x[rows], cost.y[cols], 0.55 * mass / mass.max(initial=1e-300))
    middle.add_collection(PolyCollection(list(wedges), facecolor=INK, edgecolor="black", linewidth=0.4))
    what, unit = ("distance", "pixels") if cost.p == 1 else ("squared distance", "pixels²")
    plot.suptitle(f"Mean {what} moved: {plan.cost:.3f} {unit}", color=INK, fontsize=14)
    return save_figure(plot, folder / "flow", marks=len(mass) + 4 * k * k)


def nearest(images: Images, queries: np.ndarray, found: Mapping[str, np.ndarray], folder: Path) -> list[Path]:
    """Draw some queries with their nearest images by each distance, first those on which the distances disagree.

    Parameters
    ----------
    queries : (q,) int
        Indices of the query images.
    found : mapping of str to (q, k) int
        Indices of images, nearest first, by name of a distance.
    """
    right = {name: images.label[order[:, 0]] == images.label[queries] for name, order in found.items()}
    agree = np.all([one == other for one in right.values() for other in right.values()], axis=0)
    again = np.ones(len(queries), bool)
    again[np.unique(images.label[queries], return_index=True)[1]] = False
    shown = np.lexsort((again, agree))[:ROWS]
    plot = figure(1.2 + 3.5 * len(found), 0.86 * len(shown) + 0.6)
    grid = plot.add_gridspec(len(shown), 1 + (NEAREST + 1) * len(found), wspace=0.06, hspace=0.06)
    for row, query in enumerate(shown):
        _cell(plot.add_subplot(grid[row, 0]), images, queries[query], SOFT)
        for block, order in enumerate(found.values()):
            for k, image in enumerate(order[query, :NEAREST]):
                same = images.label[image] == images.label[queries[query]]
                axes = plot.add_subplot(grid[row, 2 + block * (NEAREST + 1) + k])
                _cell(axes, images, image, RIGHT if same else WRONG, "-" if same else (0, (2, 1.5)))
    for block, (name, good) in enumerate(right.items()):
        axes = plot.add_subplot(grid[:, 2 + block * (NEAREST + 1) : 2 + block * (NEAREST + 1) + NEAREST])
        axes.axis("off")
        axes.set_title(f"nearest by {name}: {good.sum()} of {len(good)} right", color=INK, fontsize=13, pad=14)
    axes = plot.add_subplot(grid[:, 0])
    axes.axis("off")
    axes.set_title("query", color=INK, fontsize=13, pad=14)
    return save_figure(plot, folder / "nearest", marks=len(shown) * (1 + NEAREST * len(found)))


def _wedges(start: np.ndarray, end: np.ndarray, width: np.ndarray) -> np.ndarray:
    """Return triangles (k, 3, 2) of width (k,) at the start that end in a point."""
    along = end - start
    across = along[:, ::-1] * (0.5, -0.5) * (width / np.linalg.norm(along, axis=1))[:, None]
    return np.stack([start - across, start + across, end], axis=1)


def _image(axes: Axes, pixels: np.ndarray, title: str) -> None:
    axes.imshow(pixels, interpolation="nearest")
    axes.set_title(title, color=INK, fontsize=11)
    axes.axis("off")


def _cell(axes: Axes, images: Images, k: int, colour: str, dashes: object = "-") -> None:
    """Draw an image in a frame, with its label below."""
    axes.imshow(images.pixels[k], cmap="gray", vmin=0, interpolation="nearest")
    axes.set(xticks=[], yticks=[])
    axes.spines[:].set(color=colour, linewidth=2.5, linestyle=dashes)
    axes.set_xlabel(str(images.label[k]), color=colour, fontsize=10, weight="bold", labelpad=2)
