"""Figures of a locally linear embedding: its points, reconstructed images, its matrix and eigenvalues."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from matplotlib.colors import LogNorm, Normalize

from lapmark.bench.applications.lle.study import MATRIX_SIDE, Study
from lapmark.bench.problems import Case

from . import lle_paths
from .canvas import BACKGROUND, BY_COLOUR, DPI, FROM, INK, SOFT, TO, figure, save_figure
from .class_marks import PALETTE
from .lle_axes import legend, outline, scatter, style, thumbnail, tiles, window, with_room

if TYPE_CHECKING:
    from lapmark.bench.applications.lle.numbers import Embedded, Errors, Magnitudes

CAPTIONS = {
    "unseen": "Images that took no part in the fit, where the embedding puts them",
    "beside": "Ours and scikit-learn’s, of images with noise of 0.0001 grey levels, which makes neighbours unique",
    "reconstructed": "One unseen image of each digit, and its reconstruction from the plane",
    "errors": "The error of the reconstruction, by neighbours and components",
    "matrix": "The matrix whose lowest eigenvectors are the embedding, by label, then from left to right",
    "spectrum": "Its eigenvalues",
    "between": "From one image to another, in a straight line between their pixels and along the embedding",
    "turned": "A 6 and an 8 turned through a full circle, over the embedding",
    "turning": "The same, moving",
}

ALTS = {
    "unseen": "Small images of handwritten digits in coloured frames at their places over {n} faint digits of the "
    "embedding; left the whole, right its middle enlarged.",
    "beside": "Four panels: {n} points as coloured digits, our embedding left and scikit-learn’s right, which look the "
    "same, the whole above and its middle enlarged below.",
    "reconstructed": "Three rows of digits from 0 to 9: the image, its blurred reconstruction, and their difference, "
    "with the error of each in percent.",
    "errors": "Two heat maps with a number in each cell, neighbours by components: the error of unseen images falls "
    "with more components, that of the fit grows.",
    "matrix": "A black square with bright blocks along its diagonal, one for each digit from 0 to 9, and faint spots "
    "elsewhere.",
    "spectrum": "Left all eigenvalues as a rising curve; right the lowest as points on a logarithmic axis, with those "
    "of the embedding circled.",
    "between": "Pairs of rows of digits: above, one image fades into another; below, the images along the embedding "
    "change shape; the distance from the nearest image is written below each.",
    "turned": "Two panels: white arrows trace the path of a turning 6 and 8 over faint coloured digits, with the "
    "turned image every 45 degrees around them.",
    "turning": "Animation: a 6 and an 8 turn, and a white mark moves over faint coloured digits, trailing its path.",
}

#: The enlarged square leaves out this share of the points at both ends of each axis.
OUTER = 0.2

#: Reconstruction errors below are rounding, such as those of a graph of neighbours in several parts.
ROUNDING = 1e-15

#: Number of the lowest eigenvalues that are shown.
LOW = 40


def draw(case: Case, study: Study, folder: Path) -> list[Path]:
    """Draw eight figures and an animation of a study."""
    of = study.embedded
    made = beside(of, folder) + unseen(of, folder) + reconstructed(of, folder)
    made += errors(of, study.errors, folder) + matrix(of, study.magnitudes, folder)
    made += spectrum(of, study.spectrum, folder) + lle_paths.between(of, study.blends, folder)
    return made + lle_paths.turned(of, study.turns, folder) + lle_paths.turning(of, study.turns, folder)


def beside(of: Embedded, folder: Path) -> list[Path]:
    """Draw our embedding and scikit-learn's at the same scale: the whole, and the middle enlarged."""
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
    """Draw unseen images at their embedded points, as many as fit, over the points of the fit."""
    at = of.fitted.transform(of.unseen)
    plot = figure(15, 8.4)
    whole, dense = window(of.y), window(of.y, OUTER)
    axes = plot.subplots(1, 2)
    for each, square, title in zip(axes, (whole, dense), ("the whole", "enlarged"), strict=True):
        style(each, title, square)
        scatter(each, of.y, of.label, 14, alpha=0.45)
        for k in with_room(at, square):
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
    """Draw an unseen image of each digit, its reconstruction, and the difference, on one grey scale."""
    chosen = np.array([np.argmax(of.unseen_label == value) for value in np.unique(of.unseen_label)])
    x = of.unseen[chosen]
    back = of.fitted.inverse_transform(of.fitted.transform(x))
    lost = np.linalg.norm(x - back, axis=1) / np.linalg.norm(x, axis=1)
    plot = figure(12, 4.7)
    blank = [""] * len(chosen)
    words = [f"{value}: {100 * share:.0f} % error" for value, share in zip(of.unseen_label[chosen], lost, strict=True)]
    images = np.stack([x, back, np.abs(x - back)]).reshape(3, len(chosen), *of.shape)
    tiles(plot.add_subplot(), images, ("image", "reconstruction", "difference"), [blank, blank, words])
    c = of.fitted.n_components
    plot.suptitle(f"Unseen images and their reconstruction from {c} dimensions ({of.source})", color=INK, fontsize=14)
    return save_figure(plot, folder / "reconstructed", marks=images[..., 0, 0].size)


def errors(of: Embedded, lost: Errors, folder: Path) -> list[Path]:
    """Draw two heat maps of errors over numbers of neighbours and components."""
    plot = figure(13, 5)
    left, right = plot.subplots(1, 2)
    above_rounding = LogNorm(max(lost.fit.min(), ROUNDING), clip=True)
    note = f"; below {ROUNDING:.0e} it is rounding" if lost.fit.min() < ROUNDING else ""
    tables = (
        (left, lost.unseen, Normalize(), "{:.2f}", "error of unseen images, |x − reconstruction| / |x|"),
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


def matrix(of: Embedded, blocks: Magnitudes, folder: Path) -> list[Path]:
    """Draw |M| with images sorted by label; a pixel is one or several images wide."""
    pixels, step = blocks.pixels, blocks.step
    side = len(pixels)

    # The axes have exactly as many pixels as the matrix: resampling would blur single entries away.
    inches = side * max(1, MATRIX_SIDE // side) / DPI
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
        f"{100 * blocks.within:.0f} % of the off-diagonal sum is between images of the same label",
        color=INK,
        fontsize=13,
        y=1 - 0.2 / height,
    )
    return save_figure(plot, folder / "matrix", marks=pixels.size)


def spectrum(of: Embedded, eigenvalues: tuple[np.ndarray, np.ndarray], folder: Path) -> list[Path]:
    """Draw all eigenvalues, and the lowest ones on a log scale, with those of the embedding marked."""
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
    which = f"the first {n:,} of {len(of.x):,}" if len(of.x) > n else f"{n:,}"
    apart = np.abs(values[: c + 1] - kept).max() / values[-1]
    plot.suptitle(
        f"Eigenvalues of M, {which} images ({of.source}); the constant vector’s is {abs(values[0]):.0e}\n"
        f"largest difference between the estimator’s and those of the dense matrix, relative: {apart:.0e}",
        color=INK,
        fontsize=13,
    )
    return save_figure(plot, folder / "spectrum", marks=len(low))
