"""The three pictures of a flow, each as PNG and SVG: its losses, its last step, and all of its steps as ellipses.

An ellipse holds the points of a Gaussian within one standard deviation along each axis. The heavier a component, the
fuller its colour. In more than two dimensions an ellipse is that of the first two coordinates.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.collections import LineCollection, PolyCollection
from matplotlib.colors import to_rgba
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from ..mixtures import Flow

INK, SOFT, RULE, PAPER = "#1c2128", "#5f6771", "#d8dee4", "#fefefe"

#: Of Okabe and Ito's palette, which the colour-blind can tell apart: where the mixture starts, ends, and should be.
START, END, TARGET = "#0072B2", "#009E73", "#D55E00"

#: Colours of the steps, from the first to the last; as bright as can still be seen on paper.
STEPS = sns.color_palette("viridis", as_cmap=True)

#: Points of an ellipse.
CORNERS = 96


def losses(way: Flow, folder: Path) -> list[Path]:
    """The distance to the target before each step."""

    def panel(figure: Figure) -> None:
        axes = figure.add_subplot()
        steps = np.arange(len(way.losses))
        axes.plot(steps, way.losses, color=START, lw=2)
        axes.set(
            yscale="log" if way.losses.min() > 0 else "linear", xlabel="step", ylabel="squared distance to the target"
        )
        axes.yaxis.set_major_formatter("{x:g}")
        axes.margins(x=0.01)
        axes.set_title(f"Loss over {len(steps)} steps, from {way.losses[0]:.3g} to {way.losses[-1]:.3g}")
        axes.grid(axis="x", visible=False)
        sns.despine(ax=axes)

    return _save(panel, (7.5, 4.2), folder / "losses")


def last_step(
    way: Flow, target_means: np.ndarray, target_covs: np.ndarray, target_weights: np.ndarray, folder: Path
) -> list[Path]:
    """Where the mixture started, the target, where it got to, and the way of its means."""
    steps = len(way.losses)

    def panel(figure: Figure) -> None:
        axes = _space(figure, f"Last of {steps} steps")
        for step, colour in ((0, START), (-1, END)):
            fills = [to_rgba(colour, 0.08 + 0.4 * float(weight)) for weight in way.weights[step]]
            edges = _outlines(way.means[step], way.covs[step])
            axes.add_collection(PolyCollection(edges, facecolors=fills, edgecolors=colour, linewidths=1.6))
        _dashed(axes, target_means, target_covs, TARGET)
        axes.autoscale_view()
        for component in way.means[:, :, :2].swapaxes(0, 1):
            axes.plot(*component.T, color=INK, lw=1.1, solid_capstyle="round", zorder=3)
        marks = (way.means[0], START, "o", 6), (way.means[-1], END, "s", 8), (target_means, TARGET, "D", 4)
        for means, colour, marker, points in marks:
            axes.plot(*means[:, :2].T, marker, color=colour, ms=points, mec=PAPER, mew=0.8, zorder=5)
        _legend(axes, [("start", START, "o", "-"), ("target", TARGET, "D", "--"), (f"step {steps}", END, "s", "-")])

    return _save(panel, (7.2, 7), folder / "last-step")


def all_steps(
    way: Flow, target_means: np.ndarray, target_covs: np.ndarray, target_weights: np.ndarray, folder: Path
) -> list[Path]:
    """Every step as ellipses, from dark to bright, over the target's outlines."""
    steps = len(way.losses)

    def panel(figure: Figure) -> None:
        axes = _space(figure, f"All {steps} steps")
        for step in range(steps + 1):
            colour = STEPS(step / max(steps, 1))
            ends = step in (0, steps)
            for edge in _outlines(way.means[step], way.covs[step]):
                axes.fill(*edge.T, facecolor=(*colour[:3], 0.02), edgecolor=colour, lw=1.8 if ends else 0.5)
        for component in way.means[:, :, :2].swapaxes(0, 1):
            segments = np.stack([component[:-1], component[1:]], axis=1)
            axes.add_collection(LineCollection(list(segments), colors=STEPS(np.linspace(0, 1, steps)), lw=2, zorder=3))
        _dashed(axes, target_means, target_covs, INK)
        axes.plot(*target_means[:, :2].T, "D", color=INK, ms=5, mec=PAPER, mew=0.8, zorder=5)
        _legend(axes, [("target", INK, "D", "--")])
        beside = axes.inset_axes((1.03, 0, 0.03, 1))
        bar = figure.colorbar(ScalarMappable(mpl.colors.Normalize(0, steps), STEPS), cax=beside, label="step")
        bar.outline.set_visible(False)

    return _save(panel, (7.8, 7), folder / "all-steps")


def _space(figure: Figure, title: str) -> Axes:
    axes = figure.add_subplot()
    axes.set_title(title)
    axes.set(aspect="equal", xlabel="x", ylabel="y")
    sns.despine(ax=axes, left=True, bottom=True)
    return axes


def _dashed(axes: Axes, means: np.ndarray, covs: np.ndarray, colour: str) -> None:
    edges = _outlines(means, covs)
    axes.add_collection(PolyCollection(edges, facecolors="none", edgecolors=colour, ls="--", lw=1.6, zorder=4))


def _outlines(means: np.ndarray, covs: np.ndarray) -> list[np.ndarray]:
    """The ellipse of each Gaussian in its first two coordinates, as (CORNERS, 2) points."""
    angles = np.linspace(0, 2 * np.pi, CORNERS, endpoint=False)
    values, vectors = np.linalg.eigh(covs[:, :2, :2])
    axes = vectors * np.sqrt(values)[:, None, :]
    return list(means[:, None, :2] + np.stack([np.cos(angles), np.sin(angles)], axis=1) @ axes.swapaxes(1, 2))


def _legend(axes: Axes, entries: list[tuple[str, str, str, str]]) -> None:
    handles = [
        Line2D([], [], color=colour, marker=marker, ls=dashes, lw=1.6, ms=6, mec=PAPER, mew=0.8, label=label)
        for label, colour, marker, dashes in entries
    ]
    axes.legend(handles=handles, loc="best", frameon=True, framealpha=0.9, edgecolor=RULE, handlelength=3)


def _save(panel: Callable[[Figure], None], size: tuple[float, float], stem: Path) -> list[Path]:
    settings: Any = {
        **sns.axes_style("whitegrid"),
        **sns.plotting_context("notebook", font_scale=0.85),
        "font.family": "DejaVu Sans",
        "axes.titleweight": "bold",
        "axes.titlelocation": "left",
        "axes.edgecolor": RULE,
        "axes.labelcolor": SOFT,
        "axes.facecolor": PAPER,
        "figure.facecolor": PAPER,
        "grid.color": RULE,
        "grid.linewidth": 0.6,
        "text.color": INK,
        "xtick.color": SOFT,
        "ytick.color": SOFT,
        "svg.hashsalt": "lapmark",
    }
    stem.parent.mkdir(parents=True, exist_ok=True)
    paths = [stem.with_suffix(".png"), stem.with_suffix(".svg")]
    with mpl.rc_context(settings):
        figure = Figure(figsize=size, layout="constrained")
        panel(figure)
        figure.savefig(paths[0], dpi=160, metadata={"Software": None})
        figure.savefig(paths[1], metadata={"Date": None, "Creator": None})
    return paths
