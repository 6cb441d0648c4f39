"""Pieces of the figures of a locally linear embedding: axes of the plane, labelled points, thumbnails and tiles."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.offsetbox import AnnotationBbox, OffsetImage
from matplotlib.patches import Rectangle

from .canvas import BACKGROUND, INK, SOFT
from .class_marks import PALETTE

#: Side of a thumbnail, relative to its axes.
THUMBNAIL = 0.05

#: Settings of images, and distances of tiles relative to their side.
GREY: dict[str, Any] = {"cmap": "gray", "vmin": 0, "vmax": 1, "interpolation": "nearest"}
WIDE, HIGH = 1.12, 1.3


def window(points: np.ndarray, outer: float = 0.0) -> tuple[tuple[float, float], tuple[float, float]]:
    """Return the limits of the square around points (n, 2 or more), without a share of them at both ends."""
    low, high = np.quantile(points[:, :2], (outer, 1 - outer), axis=0)
    half = 0.54 * (high - low).max()
    (x, y) = (low + high) / 2
    return (x - half, x + half), (y - half, y + half)


def style(axes: Axes, title: str, square: tuple[tuple[float, float], tuple[float, float]] | None = None) -> None:
    """Set colours and title of axes, and the limits of a square of the plane."""
    axes.set_facecolor(BACKGROUND)
    axes.set_title(title, color=INK, fontsize=12)
    axes.tick_params(colors=SOFT)
    axes.xaxis.label.set_color(SOFT)
    axes.yaxis.label.set_color(SOFT)
    axes.spines[:].set_color(SOFT)
    if square:
        axes.set(xlim=square[0], ylim=square[1], aspect="equal")
        axes.locator_params(nbins=5)


def scatter(axes: Axes, y: np.ndarray, label: np.ndarray, size: float, alpha: float = 1.0) -> None:
    """Draw points as their labels, each in its colour."""
    for value in np.unique(label):
        here = y[label == value]
        look = {"color": PALETTE[value], "marker": f"${value}$", "alpha": alpha, "linewidths": 0}
        axes.scatter(here[:, 0], here[:, 1], s=size, **look)


def outline(axes: Axes, square: tuple[tuple[float, float], tuple[float, float]]) -> None:
    """Outline the square that other axes show enlarged."""
    (left, right), (low, high) = square
    axes.add_patch(Rectangle((left, low), right - left, high - low, fill=False, edgecolor=INK, lw=1))


def legend(plot: Figure) -> None:
    """Draw a legend of the ten labels below the plot."""
    handles = [
        Line2D([], [], ls="", marker=f"${value}$", ms=11, color=colour, mew=0, label=" ")
        for value, colour in enumerate(PALETTE)
    ]
    look = {"title": "label", "frameon": False, "handletextpad": 0, "columnspacing": 1}
    plot.legend(handles=handles, ncols=10, loc="outside lower center", **look).get_title().set_color(SOFT)


def thumbnail(axes: Axes, image: np.ndarray, at: np.ndarray, tint: np.ndarray, share: float = THUMBNAIL) -> None:
    """Draw an image (height, width), tinted and framed, at a point; `share` is its side relative to the axes."""
    side = share * 7 * 72  # points, of axes that are about seven inches wide
    box = OffsetImage(image[..., None] * tint, zoom=side / max(image.shape), interpolation="nearest")
    look = {"edgecolor": tuple(tint), "facecolor": BACKGROUND, "linewidth": 0.8}
    axes.add_artist(AnnotationBbox(box, (at[0], at[1]), pad=0.05, bboxprops=look))


def tiles(axes: Axes, images: np.ndarray, names: Sequence[str], below: Sequence[Sequence[str]]) -> None:
    """Draw images (rows, columns, height, width), 0 black and 1 white, with row names and texts below each."""
    rows, columns = images.shape[:2]
    for row, column in np.ndindex(rows, columns):
        x, y = WIDE * column, -HIGH * row
        axes.imshow(images[row, column], extent=(x, x + 1, y, y + 1), **GREY)
        axes.add_patch(Rectangle((x, y), 1, 1, fill=False, edgecolor=SOFT, lw=0.8))
        axes.text(x + 0.5, y - 0.06, below[row][column], color=SOFT, fontsize=10, ha="center", va="top")
    for row, name in enumerate(names):
        axes.text(-0.12, 0.5 - HIGH * row, name, color=INK, fontsize=12, rotation=90, ha="right", va="center")
    axes.set(xlim=(-0.45, WIDE * columns), ylim=(-HIGH * (rows - 1) - 0.35, 1.05), aspect="equal")
    axes.axis("off")


def with_room(at: np.ndarray, square: tuple[tuple[float, float], tuple[float, float]]) -> list[int]:
    """Return indices of points (m, 2 or more) in a square whose thumbnails do not overlap, in order of the points."""
    low, side = np.array(square)[:, 0], np.ptp(square[0])
    place = (at[:, :2] - low) / side
    room = 1.15 * THUMBNAIL
    taken: list[int] = []
    for k in np.flatnonzero((np.abs(place - 0.5) < 0.5 - room / 2).all(axis=1)):
        if all(np.abs(place[k] - place[other]).max() > room for other in taken):
            taken.append(int(k))
    return taken
