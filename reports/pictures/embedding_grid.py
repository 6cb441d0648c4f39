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

from lapmark.bench.applications.findings import node_of_point, sample_of_grid
from lapmark.bench.applications.grid_map.picture_size import enlargement
from lapmark.bench.data.datasets import MissingData
from lapmark.bench.problems import Case
from lapmark.bench.problems.applied.square_grid import images_of, nodes, side
from lapmark.bench.run.solve_case import SolvedCase

from .canvas import BACKGROUND, INK, MARGIN, save_figure, save_image, square_figure
from .class_marks import PALETTE, amid
from .mosaic import mosaic

CAPTIONS = {
    "grid": "Images on the grid",
    "arrows": "From each point to its node, coloured by label",
    "nodes": "The nodes of the grid, each coloured by the label of its image",
    "embedding": "The embedding, coloured by label",
    "scattered": "Images where the embedding puts them",
}

ALTS = {
    "grid": "A square filled with {n} small images of handwritten digits, white on black, in which like digits are "
    "neighbours.",
    "arrows": "{n} arrows on black from a point of the embedding to a node of the grid, in ten colours, which spread "
    "from dense clusters over the square; the number of each digit stands in its cluster.",
    "nodes": "A square of {n} coloured cells: connected regions, one for each digit, with its number in the middle.",
    "embedding": "{n} points on black in ten colours, in clusters with gaps between them; the number of each digit "
    "stands in its cluster.",
    "scattered": "{n} small images of digits at their places in the embedding, in heaps that overlap, with empty "
    "black between them.",
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
    name = {"tsne-grid": "t-SNE", "lle-grid": "LLE"}[case.problem]
    chosen, node = sample_of_grid(case), node_of_point(case, solved.result)
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
