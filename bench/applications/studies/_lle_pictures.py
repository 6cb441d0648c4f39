"""The figures of a locally linear embedding: its points, what comes back from it, its matrix and eigenvalues."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import LogNorm, Normalize
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.offsetbox import AnnotationBbox, OffsetImage
from matplotlib.patches import Rectangle

from lapmark.bench.problems.applied._pictures import (
    BACKGROUND,
    BY_COLOUR,
    DPI,
    FROM,
    INK,
    PALETTE,
    SOFT,
    TO,
    figure,
    save_figure,
)

from ._lle_numbers import DENSE, Embedded, Errors, magnitudes

#: What is enlarged: the smallest square around the points without so large a share at either end of each axis.
OUTER = 0.2

#: About so many pixels is the side of the matrix.
SIDE = 1500

#: The side of a thumbnail, as a share of the axes it is drawn in.
THUMBNAIL = 0.05

#: Reconstruction errors below are no more than rounding, as the first is where the graph of neighbours is in parts.
ROUNDING = 1e-15

#: How images are shown, and how far tiles are from each other, in units of their side.
GREY: dict[str, Any] = {"cmap": "gray", "vmin": 0, "vmax": 1, "interpolation": "nearest"}
WIDE, HIGH = 1.12, 1.3

#: Eigenvalues at the low end of the spectrum.
LOW = 40


def beside(of: Embedded, folder: Path) -> list[Path]:
    """Our embedding and scikit-learn's at the same scale: whole, and the middle enlarged."""
    mean, most = of.difference
    plot = figure(11, 11.9)
    grid = plot.subplots(2, 2)
    whole, dense = window(np.concatenate([of.y, of.peer])), window(of.y, OUTER)
    names = "ours", "scikit-learn’s"
    for (upper, lower), y, name, seconds in zip(grid.T, (of.y, of.peer), names, of.seconds, strict=True):
        for axes, square, title in ((upper, whole, f"{name}, {seconds:.2g} s"), (lower, dense, f"{name}, enlarged")):
            style(axes, title, square)
            scatter(axes, y, of.label, 16)
        outline(upper, dense)
    title = f"LLE of {len(of.x):,} images ({of.source}), {of.fitted.n_neighbors} neighbours\n"
    plot.suptitle(title + f"difference {mean:.1g} on average, {most:.1g} at most", color=INK, fontsize=14)
    legend(plot)
    return save_figure(plot, folder / "beside", marks=4 * len(of.x), palette=BY_COLOUR)


def unseen(of: Embedded, folder: Path) -> list[Path]:
    """Unseen images where they are put, as many as have room, over the points of the fit."""
    at = of.fitted.transform(of.unseen)
    plot = figure(15, 8.4)
    whole, dense = window(of.y), window(of.y, OUTER)
    axes = plot.subplots(1, 2)
    for each, square, title in zip(axes, (whole, dense), ("the whole", "enlarged"), strict=True):
        style(each, title, square)
        scatter(each, of.y, of.label, 14, alpha=0.45)
        for k in _with_room(at, square):
            thumbnail(each, of.unseen[k].reshape(of.shape), at[k], PALETTE[of.unseen_label[k]])
    outline(axes[0], dense)
    plot.suptitle(
        f"Unseen images over {len(of.x):,} of the fit ({of.source}): "
        f"{of.agreeing} of {len(at)} have the label of their nearest embedded neighbour",
        color=INK,
        fontsize=14,
    )
    legend(plot)
    return save_figure(plot, folder / "unseen", marks=2 * len(of.x), palette=BY_COLOUR)


def reconstructed(of: Embedded, folder: Path) -> list[Path]:
    """An unseen image of each digit, what comes back of it, and the difference, on one scale of greys."""
    chosen = np.array([np.argmax(of.unseen_label == value) for value in np.unique(of.unseen_label)])
    x = of.unseen[chosen]
    back = of.fitted.inverse_transform(of.fitted.transform(x))
    lost = np.linalg.norm(x - back, axis=1) / np.linalg.norm(x, axis=1)
    plot = figure(12, 4.7)
    blank = [""] * len(chosen)
    words = [f"{value}: {100 * share:.0f} % lost" for value, share in zip(of.unseen_label[chosen], lost, strict=True)]
    images = np.stack([x, back, np.abs(x - back)]).reshape(3, len(chosen), *of.shape)
    tiles(plot.add_subplot(), images, ("image", "back", "difference"), [blank, blank, words])
    c = of.fitted.n_components
    plot.suptitle(f"Unseen images and what comes back from {c} dimensions ({of.source})", color=INK, fontsize=14)
    return save_figure(plot, folder / "reconstructed", marks=images[..., 0, 0].size)


def errors(of: Embedded, lost: Errors, folder: Path) -> list[Path]:
    """Two heat maps over numbers of neighbours and components."""
    plot = figure(13, 5)
    left, right = plot.subplots(1, 2)
    above_rounding = LogNorm(max(lost.fit.min(), ROUNDING), clip=True)
    note = f"; below {ROUNDING:.0e} it is rounding" if lost.fit.min() < ROUNDING else ""
    tables = (
        (left, lost.unseen, Normalize(), "{:.2f}", "lost of unseen images there and back, |x − back| / |x|"),
        (right, lost.fit, above_rounding, "{:.0e}", f"reconstruction_error_ of the fit{note}"),
    )
    for axes, table, norm, text, title in tables:
        style(axes, title)
        image = axes.imshow(table, cmap="viridis", norm=norm, aspect="auto")
        axes.set(xlabel="n_components", ylabel="n_neighbors")
        axes.set_xticks(range(len(lost.components)), map(str, lost.components))
        axes.set_yticks(range(len(lost.neighbours)), map(str, lost.neighbours))
        for (row, column), value in np.ndenumerate(table):
            dark = norm(value) < 0.6
            axes.text(column, row, text.format(value), color=INK if dark else BACKGROUND, ha="center", va="center")
        bar = plot.colorbar(image, ax=axes)
        bar.ax.tick_params(colors=SOFT)
        bar.outline.set_visible(False)
    plot.suptitle(f"Reconstruction error, {len(of.x):,} images ({of.source})", color=INK, fontsize=14)
    return save_figure(plot, folder / "errors", marks=2 * lost.unseen.size)


def matrix(of: Embedded, folder: Path) -> list[Path]:
    """|M| with the images in the order of their labels, a pixel for one or several of them a side."""
    blocks = magnitudes(of, SIDE)
    pixels, step = blocks.pixels, blocks.step
    side = len(pixels)

    # The axes have exactly as many pixels as the matrix: resampling would blur single entries away.
    inches = side * max(1, SIDE // side) / DPI
    width, height = inches + 1.9, inches + 1.5
    plot = figure(width, height)
    plot.set_layout_engine("none")
    axes = plot.add_axes((0.7 / width, 0.6 / height, inches / width, inches / height))
    style(axes, "")
    seen = pixels[pixels > 0]
    norm = LogNorm(max(np.quantile(seen, 0.02), 1e-6 * seen.max()), seen.max())
    image = axes.imshow(np.ma.masked_equal(pixels, 0), cmap="magma", norm=norm, interpolation="nearest")
    ends = np.cumsum(blocks.sizes) / step - 0.5
    for end in ends[:-1]:
        axes.axhline(end, color=SOFT, lw=0.5, alpha=0.7)
        axes.axvline(end, color=SOFT, lw=0.5, alpha=0.7)
    middles = ends - blocks.sizes / step / 2
    axes.set(xlim=(-0.5, side - 0.5), ylim=(side - 0.5, -0.5), xlabel="label", ylabel="label")
    axes.set_xticks(middles, map(str, range(10)))
    axes.set_yticks(middles, map(str, range(10)))
    bar = plot.colorbar(image, cax=plot.add_axes(((0.85 + inches) / width, 0.6 / height, 0.02, inches / height)))
    bar.ax.tick_params(colors=SOFT)
    bar.outline.set_visible(False)
    summed = f", summed over {step} × {step}" if step > 1 else ""
    plot.suptitle(
        f"|M| of {len(of.x):,} images ({of.source}) by label and place{summed}\n"
        f"{100 * blocks.within:.0f} % of what is off the diagonal is within labels",
        color=INK,
        fontsize=13,
        y=1 - 0.2 / height,
    )
    return save_figure(plot, folder / "matrix", marks=pixels.size)


def spectrum(of: Embedded, eigenvalues: tuple[np.ndarray, np.ndarray], folder: Path) -> list[Path]:
    """All eigenvalues, and the lowest above what is rounding on a scale of their own, those of the embedding marked."""
    values, kept = eigenvalues
    n, c = len(values), len(kept) - 1
    plot = figure(13, 5.4)
    left, right = plot.subplots(1, 2)
    style(left, "whole")
    left.plot(np.arange(n), values, color=FROM, lw=2)
    left.set(xlabel="place", ylabel="eigenvalue")
    shown = min(max(LOW, c), n - 1)
    style(right, f"the lowest {shown} above zero, and those of the embedding")
    low, own = (np.maximum(found[1 : shown + 1], np.finfo(float).eps * values[-1]) for found in (values, kept))
    right.semilogy(np.arange(1, len(low) + 1), low, "o", color=FROM, ms=5)
    look = {"ms": 13, "mfc": "none", "mew": 2, "color": TO}
    right.semilogy(np.arange(1, c + 1), own, "o", label=f"the estimator’s {c}", **look)
    right.set(xlabel="place", ylabel="eigenvalue")
    right.legend(facecolor=BACKGROUND, edgecolor=SOFT, labelcolor=INK, loc="lower right")
    which = f"the first {n:,} of {len(of.x):,}" if len(of.x) > DENSE else f"{n:,}"
    apart = np.abs(values[: c + 1] - kept).max() / values[-1]
    plot.suptitle(
        f"Eigenvalues of M, {which} images ({of.source}); the constant vector’s is {abs(values[0]):.0e}\n"
        f"difference of the estimator’s to those of a dense matrix, relative to the largest: {apart:.0e}",
        color=INK,
        fontsize=13,
    )
    return save_figure(plot, folder / "spectrum", marks=len(low))


def window(points: np.ndarray, outer: float = 0.0) -> tuple[tuple[float, float], tuple[float, float]]:
    """Limits of x and y of the square around points (n, 2 or more), without a share of them at either end."""
    low, high = np.quantile(points[:, :2], (outer, 1 - outer), axis=0)
    half = 0.54 * (high - low).max()
    (x, y) = (low + high) / 2
    return (x - half, x + half), (y - half, y + half)


def style(axes: Axes, title: str, square: tuple[tuple[float, float], tuple[float, float]] | None = None) -> None:
    """Light on black; and the limits of a square of the plane."""
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
    """Points as their labels, each in its colour."""
    for value in np.unique(label):
        here = y[label == value]
        look = {"color": PALETTE[value], "marker": f"${value}$", "alpha": alpha, "linewidths": 0}
        axes.scatter(here[:, 0], here[:, 1], s=size, **look)


def outline(axes: Axes, square: tuple[tuple[float, float], tuple[float, float]]) -> None:
    """What another axes shows enlarged."""
    (left, right), (low, high) = square
    axes.add_patch(Rectangle((left, low), right - left, high - low, fill=False, edgecolor=INK, lw=1))


def legend(plot: Figure) -> None:
    """The ten labels, below."""
    handles = [
        Line2D([], [], ls="", marker=f"${value}$", ms=11, color=colour, mew=0, label=" ")
        for value, colour in enumerate(PALETTE)
    ]
    look = {"title": "label", "frameon": False, "handletextpad": 0, "columnspacing": 1}
    plot.legend(handles=handles, ncols=10, loc="outside lower center", **look).get_title().set_color(SOFT)


def thumbnail(axes: Axes, image: np.ndarray, at: np.ndarray, tint: np.ndarray, share: float = THUMBNAIL) -> None:
    """An image (height, width), tinted and framed, at a place of the plane; its side is a share of the axes'."""
    side = share * 7 * 72  # points, of axes that are about seven inches wide
    box = OffsetImage(image[..., None] * tint, zoom=side / max(image.shape), interpolation="nearest")
    look = {"edgecolor": tuple(tint), "facecolor": BACKGROUND, "linewidth": 0.8}
    axes.add_artist(AnnotationBbox(box, (at[0], at[1]), pad=0.05, bboxprops=look))


def tiles(axes: Axes, images: np.ndarray, names: Sequence[str], below: Sequence[Sequence[str]]) -> None:
    """Images (rows, columns, height, width), 0 black and 1 white, with a name for each row and words below each."""
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


def _with_room(at: np.ndarray, square: tuple[tuple[float, float], tuple[float, float]]) -> list[int]:
    """Which of the points (m, 2 or more) are in a square with room for a thumbnail, the first come the first served."""
    low, side = np.array(square)[:, 0], np.ptp(square[0])
    place = (at[:, :2] - low) / side
    room = 1.15 * THUMBNAIL
    taken: list[int] = []
    for k in np.flatnonzero((np.abs(place - 0.5) < 0.5 - room / 2).all(axis=1)):
        if all(np.abs(place[k] - place[other]).max() > room for other in taken):
            taken.append(int(k))
    return taken
