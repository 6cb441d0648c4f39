"""Pictures of paths through a locally linear embedding: from one image to another, and of a rotating image."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from matplotlib.figure import Figure

from .canvas import BACKGROUND, BY_COLOUR, INK, SOFT, figure, save_animation, save_figure
from .lle_axes import GREY, legend, scatter, style, thumbnail, tiles, window

if TYPE_CHECKING:
    from lapmark.bench.applications.lle.numbers import Blend, Embedded, Turn

#: The image is shown at multiples of this angle, in degrees.
SHOWN = 45

#: Distances of these images and of the path from the middle, and their side, relative to the axes.
RING, INNER, SIDE = 0.88, 0.7, 0.075

#: Opacity of points below a path.
FAINT = 0.5

#: Pixels per inch of the animation.
COARSE = 72


def between(of: Embedded, blends: list[Blend], folder: Path) -> list[Path]:
    """Draw two rows of images for each pair, with their distances from the nearest of the fit."""
    plot = figure(13, 3.05 * len(blends) + 0.8)
    for axes, blend in zip(plot.subplots(len(blends), squeeze=False)[:, 0], blends, strict=True):
        first, last = of.label[list(blend.ends)]
        axes.set_title(f"from a {first} to a {last if last != first else 'different one'}", color=INK, fontsize=12)
        images = np.stack([blend.straight, blend.along]).reshape(2, -1, *of.shape)
        tiles(axes, images, ("pixels", "embedding"), [[f"{far:.2f}" for far in row] for row in blend.off])
    plot.suptitle(
        f"Between two images ({of.source}): below each, its distance from the nearest of the fit,\n"
        "relative to the distance between the ends",
        color=INK,
        fontsize=13,
    )
    return save_figure(plot, folder / "between", marks=sum(blend.off.size for blend in blends))


def turned(of: Embedded, turns: list[Turn], folder: Path) -> list[Path]:
    """Draw the path of each rotating image over the points of the fit, with the image at some angles around it."""
    plot = figure(15, 8.9)
    square = _square(turns)
    middle, half = np.mean(square, axis=1), np.ptp(square[0]) / 2
    for axes, turn in zip(plot.subplots(1, len(turns)), turns, strict=True):
        style(axes, f"path of the {turn.label}", square)
        scatter(axes, of.y, of.label, 14, alpha=FAINT)
        at = turn.at[:, :2]
        step = np.roll(at, -1, axis=0) - at
        look = {"width": 0.0028, "headwidth": 4.5, "headlength": 6, "headaxislength": 5.5, "zorder": 3}
        axes.quiver(*at.T, *step.T, color=INK, angles="xy", scale_units="xy", scale=1, **look)
        for k in np.flatnonzero(turn.angles % SHOWN == 0):
            angle = np.radians(turn.angles[k])
            direction = np.array([-np.sin(angle), np.cos(angle)])
            place = middle + RING * half * direction / np.abs(direction).max()
            axes.plot(*np.stack([place, at[k]]).T, color=SOFT, lw=0.8, ls=(0, (4, 3)), zorder=2)
            axes.plot(*at[k], "o", color=INK, mec=BACKGROUND, ms=7, zorder=4)
            thumbnail(axes, turn.images[k].reshape(of.shape), place, np.ones(3), SIDE)
            inwards = {"xytext": (0, 27 if direction[1] < -0.1 else -35), "textcoords": "offset points", "ha": "center"}
            box = {"facecolor": BACKGROUND, "edgecolor": "none", "pad": 1}
            axes.annotate(
                f"{turn.angles[k]}°", (place[0], place[1]), color=INK, fontsize=9, zorder=5, bbox=box, **inwards
            )
    names = " and an ".join(str(turn.label) for turn in turns)
    plot.suptitle(f"A {names} turned through 360°, over {len(of.x):,} images ({of.source})", color=INK, fontsize=14)
    legend(plot)
    return save_figure(plot, folder / "turned", marks=len(turns) * len(of.x), palette=BY_COLOUR)


def turning(of: Embedded, turns: list[Turn], folder: Path) -> list[Path]:
    """Animate the rotating images and their paths."""
    return save_animation(_frames(of, turns), folder / "turning", seconds=0.1, hold=0.1, palette=BY_COLOUR)


def _frames(of: Embedded, turns: list[Turn]) -> Iterator[Figure]:
    """Yield one figure repeatedly, updated in between."""
    plot = figure(10, 7.4)
    plot.set_dpi(COARSE)
    grid = plot.add_gridspec(len(turns), 2, width_ratios=(1, 2.05))
    plane = plot.add_subplot(grid[:, 1])
    style(plane, f"LLE of {len(of.x):,} images ({of.source})", _square(turns))
    scatter(plane, of.y, of.label, 14, alpha=FAINT)
    legend(plot)
    moving = []
    for row, (turn, mark, dashes) in enumerate(zip(turns, "os", ("-", "--"), strict=True)):
        axes = plot.add_subplot(grid[row, 0])
        axes.imshow(turn.images[0].reshape(of.shape), **GREY)
        axes.set(xticks=[], yticks=[])
        axes.spines[:].set(color=INK, linewidth=3, linestyle=dashes)
        axes.set_title(" ", fontsize=13, family="monospace")
        (trail,) = plane.plot([], [], color=INK, lw=1.3, ls=dashes, zorder=3)
        (dot,) = plane.plot([], [], mark, color=INK, mec=BACKGROUND, ms=12, zorder=4)
        moving.append((turn, axes, trail, dot))
    plot.draw_without_rendering()
    plot.set_layout_engine("none")  # the layout stays fixed
    for k, angle in enumerate(turns[0].angles):
        for turn, axes, trail, dot in moving:
            axes.images[0].set_data(turn.images[k].reshape(of.shape))
            axes.set_title(f"{turn.label}, {angle:3d}°", color=INK)
            trail.set_data(*turn.at[: k + 1, :2].T)
            dot.set_data(*turn.at[k : k + 1, :2].T)
        yield plot


def _square(turns: list[Turn]) -> tuple[tuple[float, float], tuple[float, float]]:
    """Return the square around all paths, with room for a ring of images."""
    (left, right), (low, high) = window(np.concatenate([turn.at for turn in turns]))
    x, y, half = (left + right) / 2, (low + high) / 2, (right - left) / 2 / INNER
    return (x - half, x + half), (y - half, y + half)
