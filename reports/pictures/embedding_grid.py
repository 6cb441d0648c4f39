"""Five pictures of an embedding laid on a grid, each as PNG and SVG.

Pictures of images are pixels: every image is shown pixel by pixel, white on black, and the SVG holds the same pixels.
In all pictures y points up; plots show the same square at the same scale.
"""

import math
import warnings
from pathlib import Path
from typing import Any

import matplotlib.patheffects
import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import PolyCollection
from PIL import Image

from lapmark.bench.applications.grid_map.picture_size import enlargement
from lapmark.bench.data.datasets import MissingData
from lapmark.bench.problems import Case
from lapmark.bench.problems.applied import lle_grid, tsne_grid
from lapmark.bench.problems.applied.square_grid import images_of, nodes, side
from lapmark.bench.run.solve_case import SolvedCase
from lapmark.solvers import Matching

from .canvas import BACKGROUND, INK, MARGIN, save_figure, save_image, square_figure
from .class_marks import PALETTE, amid
from .mosaic import mosaic

CAPTIONS = {
    "embedding": "The embedding, coloured by label",
    "nodes": "The nodes of the grid, each coloured by the label of its image",
    "arrows": "From each point to its node, coloured by label",
    "scattered": "Images where the embedding puts them",
    "grid": "Images on the grid",
}

#: Side of the scattered picture, relative to the side of a grid of all images.
SCATTER_ROOM = 1.6

#: Side of the square of a node, relative to the distance between nodes, if the figure has room.
NODE = 0.8

#: Smaller images get a black frame, since their contents reach the border.
SMALLEST_UNFRAMED = 16


def draw(case: Case, solved: SolvedCase, folder: Path) -> list[Path]:
    """Draw the embedding, the nodes, arrows between them, the images at their points, and the images on the grid.

    The last two need the images; if those are missing, a warning gives the reason and the two are left out.
    """
    assert isinstance(solved.result, Matching)
    name, family = {"tsne-grid": ("t-SNE", tsne_grid), "lle-grid": ("LLE", lle_grid)}[case.problem]
    chosen = family.sample(case.n, case.seed, case.settings["source"])
    is_row_node = case.settings["rows"] == "nodes"
    node = np.argsort(solved.result.row_to_col) if is_row_node else solved.result.row_to_col
    target = nodes(side(len(node)))[node]
    made = draw_embedding(chosen.points, chosen.label, chosen.source, folder, name)
    made += draw_nodes(target, chosen.label, chosen.source, folder)
    made += draw_arrows(chosen.points, target, chosen.label, chosen.source, folder)
    try:
        images = images_of(chosen.source)
    except (MissingData, ValueError) as error:
        warnings.warn(f"the two pictures made of images are left out. {error}", stacklevel=2)
        return made
    pixels = images.pixels[chosen.index]
    return made + draw_scattered(chosen.points, pixels, folder) + draw_on_grid(node, pixels, folder)


def draw_embedding(points: np.ndarray, label: np.ndarray, source: str, folder: Path, name: str = "t-SNE") -> list[Path]:
    """Draw the points (n, 2) of the embedding, coloured by label."""
    n = len(points)
    plot, axes = square_figure(f"{name} of {n:,} images ({source})", marks=n)
    axes.scatter(points[:, 0], points[:, 1], s=min(30.0, 45_000 / n), c=_colours(label), linewidths=0)
    _name_labels(axes, points, label)
    return save_figure(plot, folder / "embedding", marks=n)


def draw_nodes(at: np.ndarray, label: np.ndarray, source: str, folder: Path) -> list[Path]:
    """Draw the nodes `at` (n, 2) as squares, in the colour of the label of their image."""
    n, k = len(at), math.isqrt(len(at))
    plot, axes = square_figure(f"Nodes of the {k}×{k} grid, by the image each receives ({source})", marks=n)
    side = min(NODE / max(k - 1, 1), 2 * MARGIN)
    corners = np.array([(-1, -1), (1, -1), (1, 1), (-1, 1)]) * side / 2
    axes.add_collection(PolyCollection(list(at[:, None] + corners), facecolors=_colours(label), linewidths=0))
    _name_labels(axes, at, label)
    return save_figure(plot, folder / "nodes", marks=n)


def draw_arrows(points: np.ndarray, nodes: np.ndarray, label: np.ndarray, source: str, folder: Path) -> list[Path]:
    """Draw an arrow from every point to its node, both (n, 2), coloured by label."""
    n, distance = len(points), np.linalg.norm(nodes - points, axis=1).mean()
    plot, axes = square_figure(f"From point to node: {n:,} images ({source}), mean distance {distance:.3f}", marks=n)
    heads: dict[str, Any] = {"headwidth": 5, "headlength": 6, "headaxislength": 5.5}
    scale: dict[str, Any] = {"angles": "xy", "scale_units": "xy", "scale": 1, "units": "xy"}
    axes.quiver(
        *points.T,
        *(nodes - points).T,
        color=_colours(label),
        # The width falls faster than the spacing of the grid, so that many arrows stay visible.
        width=min(0.004, 0.45 / n**0.75),
        **heads,
        **scale,
    )
    _name_labels(axes, nodes, label)
    return save_figure(plot, folder / "arrows", marks=n)


def draw_scattered(points: np.ndarray, pixels: np.ndarray, folder: Path) -> list[Path]:
    """Draw the images (n, height, width) at their points; where they overlap, the brighter pixel is shown."""
    pixels = _framed(pixels)
    n, height, width = pixels.shape
    scale = enlargement(math.isqrt(n) * SCATTER_ROOM * max(height, width))
    extent = round(math.sqrt(n) * SCATTER_ROOM * max(height, width))
    canvas = np.zeros((extent + height, extent + width), np.uint8)
    top = np.rint((1 - points[:, 1]) * extent).astype(int)
    left = np.rint(points[:, 0] * extent).astype(int)
    for image, i, j in zip(pixels, top, left, strict=True):
        cell = canvas[i : i + height, j : j + width]
        np.maximum(cell, image, out=cell)
    return _save_pixels(canvas, scale, folder / "scattered")


def draw_on_grid(node: np.ndarray, pixels: np.ndarray, folder: Path) -> list[Path]:
    """Draw the images (n, height, width) on their nodes (n,) of a square grid."""
    pixels = _framed(pixels)
    k, side = math.isqrt(len(pixels)), max(pixels.shape[1:])
    row_from_bottom, column = np.divmod(node, k)
    nodes = np.column_stack([k - 1 - row_from_bottom, column])
    picture = mosaic(pixels, nodes, (k, k), side * enlargement(k * side))
    return save_image(Image.fromarray(picture), folder / "grid")


def _colours(label: np.ndarray) -> np.ndarray:
    return PALETTE[label % len(PALETTE)]


def _name_labels(axes: Axes, points: np.ndarray, label: np.ndarray) -> None:
    """Write each label in the middle of its points, so that the picture does not depend on colour alone."""
    for value in np.unique(label):
        members = points[label == value]
        x, y = members[amid(members)]
        text = axes.text(x, y, str(value), fontsize=20, weight="bold", color=INK, ha="center", va="center")
        text.set_path_effects([matplotlib.patheffects.withStroke(linewidth=4, foreground=BACKGROUND)])


def _framed(pixels: np.ndarray) -> np.ndarray:
    return np.pad(pixels, ((0, 0), (1, 1), (1, 1))) if max(pixels.shape[1:]) < SMALLEST_UNFRAMED else pixels


def _save_pixels(canvas: np.ndarray, scale: int, stem: Path) -> list[Path]:
    return save_image(Image.fromarray(np.kron(canvas, np.ones((scale, scale), np.uint8))), stem)
