"""The four pictures of an embedding laid on a grid, each as PNG and SVG.

Plots are matplotlib's, on figures of their own, so that nothing global changes. Pictures made of images are not plots
but pixels: every image is shown pixel by pixel, white on black, and the SVG holds the same pixels. In all four, y
points up and the background is black, on which all ten colours of the palette stand out.
"""

from __future__ import annotations

import base64
import io
import math
from pathlib import Path

import matplotlib.patheffects
import numpy as np
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from PIL import Image

#: Pictures made of images are enlarged, by a whole factor, until their side has this many pixels.
SMALLEST_SIDE = 1000

#: The side of the scattered picture, as a multiple of the side that just holds all images.
SCATTER_ROOM = 1.6

#: A plot of more marks than this is pixels in its SVG too: a browser would be slow to draw them one by one.
MOST_VECTOR_MARKS = 3000

#: Images smaller than this fill their frame, and get a black one so that they do not run into each other.
SMALLEST_UNFRAMED = 16

BACKGROUND = "black"
INK = "white"
DPI = 200


def embedding(points: np.ndarray, label: np.ndarray, source: str, folder: Path) -> list[Path]:
    """The points (n, 2) where the embedding put them, coloured by label."""
    figure, axes = square_figure(f"t-SNE of {len(points)} images ({source})")
    axes.scatter(
        points[:, 0],
        points[:, 1],
        s=min(30.0, 20_000 / len(points)),
        c=_colours(label),
        linewidths=0,
    )
    _name_labels(axes, points, label)
    return save_figure(figure, folder / "embedding", marks=len(points))


def arrows(points: np.ndarray, nodes: np.ndarray, label: np.ndarray, source: str, folder: Path) -> list[Path]:
    """An arrow from every point to its node, both (n, 2), coloured by label."""
    distance = np.linalg.norm(nodes - points, axis=1).mean()
    figure, axes = square_figure(f"From point to node: {len(points)} images ({source}), mean distance {distance:.3f}")
    axes.quiver(
        *points.T,
        *(nodes - points).T,
        color=_colours(label),
        angles="xy",
        scale_units="xy",
        scale=1,
        units="xy",
        # Thinner faster than the grid gets finer: many arrows would otherwise blot each other out.
        width=min(0.004, 0.45 / len(points) ** 0.75),
        headwidth=5,
        headlength=6,
        headaxislength=5.5,
    )
    _name_labels(axes, nodes, label)
    return save_figure(figure, folder / "arrows", marks=len(points))


def scattered(points: np.ndarray, pixels: np.ndarray, folder: Path) -> list[Path]:
    """The images (n, height, width) at their points; where they overlap, the brighter pixel shows."""
    pixels = _framed(pixels)
    n, height, width = pixels.shape
    scale = _enlargement(math.isqrt(n) * SCATTER_ROOM * max(height, width))
    extent = round(math.sqrt(n) * SCATTER_ROOM * max(height, width))
    canvas = np.zeros((extent + height, extent + width), np.uint8)
    top = np.rint((1 - points[:, 1]) * extent).astype(int)
    left = np.rint(points[:, 0] * extent).astype(int)
    for image, i, j in zip(pixels, top, left, strict=True):
        cell = canvas[i : i + height, j : j + width]
        np.maximum(cell, image, out=cell)
    return _save_pixels(canvas, scale, folder / "scattered")


def on_grid(node: np.ndarray, pixels: np.ndarray, folder: Path) -> list[Path]:
    """The images (n, height, width) on their nodes (n,) of a square grid."""
    pixels = _framed(pixels)
    n, height, width = pixels.shape
    k = math.isqrt(n)
    cells = np.empty_like(pixels)
    cells[node] = pixels
    rows_from_top = cells.reshape(k, k, height, width)[::-1]
    canvas = rows_from_top.swapaxes(1, 2).reshape(k * height, k * width)
    return _save_pixels(canvas, _enlargement(max(canvas.shape)), folder / "grid")


def _colours(label: np.ndarray) -> np.ndarray:
    palette = np.array(sns.color_palette("colorblind", 10))
    return palette[label % len(palette)]


def square_figure(title: str) -> tuple[Figure, Axes]:
    figure = Figure(figsize=(8, 8.4), dpi=DPI, facecolor=BACKGROUND, layout="constrained")
    axes = figure.add_subplot()
    axes.set_title(title, fontsize=13, color=INK)
    axes.set_facecolor(BACKGROUND)
    axes.set(xlim=(-0.02, 1.02), ylim=(-0.02, 1.02), aspect="equal", xticks=[], yticks=[])
    axes.spines[:].set_visible(False)
    return figure, axes


def _name_labels(axes: Axes, points: np.ndarray, label: np.ndarray) -> None:
    """Write each label amid its points, so that the picture does not rest on colour alone."""
    for value in np.unique(label):
        members = points[label == value]
        middle = np.median(members, axis=0)
        x, y = members[np.argmin(((members - middle) ** 2).sum(axis=1))]
        text = axes.text(x, y, str(value), fontsize=20, weight="bold", color=INK, ha="center", va="center")
        text.set_path_effects([matplotlib.patheffects.withStroke(linewidth=4, foreground=BACKGROUND)])


def _framed(pixels: np.ndarray) -> np.ndarray:
    return np.pad(pixels, ((0, 0), (1, 1), (1, 1))) if max(pixels.shape[1:]) < SMALLEST_UNFRAMED else pixels


def _enlargement(side: float) -> int:
    return max(1, math.ceil(SMALLEST_SIDE / side))


def save_figure(figure: Figure, stem: Path, marks: int) -> list[Path]:
    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    # Ten colours and their shades: a palette holds them at a third of the size.
    image = Image.fromarray(np.asarray(canvas.buffer_rgba())[..., :3]).quantize(256)
    paths = _save_image(image, stem)
    if marks <= MOST_VECTOR_MARKS:
        figure.savefig(stem.with_suffix(".svg"))
    return paths


def _save_pixels(canvas: np.ndarray, scale: int, stem: Path) -> list[Path]:
    return _save_image(Image.fromarray(np.kron(canvas, np.ones((scale, scale), np.uint8))), stem)


def _save_image(image: Image.Image, stem: Path) -> list[Path]:
    """As PNG, and as an SVG around the same PNG, whose pixels stay sharp when it is enlarged."""
    buffer = io.BytesIO()
    image.save(buffer, "PNG", optimize=True)
    stem.parent.mkdir(parents=True, exist_ok=True)
    png, svg = stem.with_suffix(".png"), stem.with_suffix(".svg")
    png.write_bytes(buffer.getvalue())
    size = f'width="{image.width}" height="{image.height}"'
    data = base64.b64encode(buffer.getvalue()).decode()
    svg.write_text(
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {image.width} {image.height}" {size}>\n'
        f'<image {size} style="image-rendering: pixelated" href="data:image/png;base64,{data}"/>\n</svg>\n',
        encoding="utf-8",
    )
    return [png, svg]
