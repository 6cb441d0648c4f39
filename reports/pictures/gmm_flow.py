"""Pictures of the flow of a Gaussian mixture: its losses, its last step, all steps as ellipses, and an animation.

The half axes of an ellipse are the standard deviations of a Gaussian. The opacity grows with the weight of the
component. In more than two dimensions an ellipse shows the first two coordinates.
"""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np
import seaborn as sns
from matplotlib import patheffects
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.collections import LineCollection
from matplotlib.colors import ListedColormap, Normalize, to_rgba
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Ellipse

from lapmark.bench.mixtures import Flow
from lapmark.bench.problems import Case
from lapmark.bench.problems.applied.gmm_flow import Mixtures, mixtures
from lapmark.bench.run.solve_case import SolvedCase

from .canvas import BACKGROUND, FROM, INK, SOFT, TO, figure, save_animation

CAPTIONS = {
    "flow": "The mixture flows to the target, step by step",
    "all-steps": "Every step, from dark to bright; an ellipse is one standard deviation",
    "last-step": "The mixture at its start and at its end, the target, and the paths of the means",
    "losses": "The squared distance to the target before each step",
}

ALTS = {
    "flow": "Animation on black: {n} blue ellipses drift and deform until they cover the dashed orange ellipses of the "
    "target; white lines trace their centres.",
    "all-steps": "The ellipses of all steps over each other, from dark purple at the start to bright yellow on the "
    "dashed outlines of the target.",
    "last-step": "{n} blue ellipses at the start, green ones at the end that lie on the dashed orange target, and "
    "white paths between their centres.",
    "losses": "A blue line on black, falling with the steps on a logarithmic axis and wavering near the end.",
}

RULE = "#30363d"

#: Colours of the mixture at its start and end, and of the target, from Okabe and Ito's palette.
START, END, TARGET = FROM, "#009E73", TO

#: Colours of the steps, first to last, without those too dark on black.
STEPS = ListedColormap(sns.color_palette("plasma", as_cmap=True)(np.linspace(0.12, 1, 256)))

DPI, ANIMATION_DPI = 140, 90

#: Most frames of the animation after the first; steps are skipped if there are more.
MOST_FRAMES = 50


def draw(case: Case, solved: SolvedCase, folder: Path) -> list[Path]:
    """Draw the flow that starts with this problem; see `draw_flow`."""
    return draw_flow(folder, case.n, case.seed, case.settings["d"])


def draw_flow(folder: Path, n: int = 3, seed: int = 0, d: int = 2, steps: int = 100) -> list[Path]:
    """Draw the losses, the last step and all steps of a flow, as PNG and SVG, and the flow as GIF.

    In more than two dimensions the marginals of the first two are drawn; on a line only the losses are.
    """
    chosen = mixtures(n, seed, d)
    way = chosen.flow(steps)
    made = losses(way, folder)
    if d > 1:
        for picture in (animation, last_step, all_steps):
            made += picture(way, chosen, folder)
    return made


def losses(way: Flow, folder: Path) -> list[Path]:
    """Draw the distance to the target before each step."""
    steps, lowest = len(way.losses), way.losses.min(initial=np.inf)

    def panel(figure: Figure) -> None:
        axes = figure.add_subplot()
        axes.plot(way.losses, color=START, lw=2)
        axes.set(xlabel="step", ylabel="squared distance to the target")
        axes.set_yscale("log" if 0 < lowest < np.inf else "linear")
        axes.yaxis.set_major_formatter("{x:g}")
        axes.margins(x=0.01)
        axes.set_title(f"Loss over {steps} steps")
        axes.grid(axis="x", visible=False)
        sns.despine(ax=axes, left=True)

    return _save(panel, (7.5, 4.2), folder / "losses")


def last_step(way: Flow, chosen: Mixtures, folder: Path) -> list[Path]:
    """Draw the mixture at its start and end, the target, and the paths of the means."""
    steps = len(way.losses)

    def panel(figure: Figure) -> None:
        axes = _space(figure, f"Last of {steps} steps")
        for step, colour in ((0, START), (-1, END)):
            _mixture(axes, way, step, colour)
        _target(axes, chosen)
        _paths(axes, way.means)
        marks = (way.means[0], START, "o", 6), (way.means[-1], END, "s", 9)
        for means, colour, marker, points in marks:
            axes.plot(*means[:, :2].T, marker, color=colour, ms=points, mec=BACKGROUND, mew=0.8, zorder=5)
        _legend(axes, [("start", START, "o", "-"), ("target", TARGET, "D", "--"), (f"step {steps}", END, "s", "-")])

    return _save(panel, (7.2, 7), folder / "last-step")


def all_steps(way: Flow, chosen: Mixtures, folder: Path) -> list[Path]:
    """Draw every step as ellipses, from dark to bright, below the outlines of the target."""
    steps = len(way.losses)

    def panel(figure: Figure) -> None:
        axes = _space(figure, f"All {steps} steps")
        for step in range(steps + 1):
            colour = STEPS(step / max(steps, 1))
            fills = [to_rgba(colour, 0.03)] * len(way.weights[step])
            width = 2.0 if step in (0, steps) else 0.6
            _ellipses(axes, way.means[step], way.covs[step], fills, edgecolor=colour, lw=width)
        colours = STEPS(np.linspace(0, 1, max(steps, 1)))
        for component in way.means[:, :, :2].swapaxes(0, 1):
            segments = np.stack([component[:-1], component[1:]], axis=1)
            axes.add_collection(LineCollection(list(segments), colors=colours, lw=2, zorder=3))
        outline = [to_rgba(INK, 0)] * len(chosen.target_weights)
        halo = [patheffects.withStroke(linewidth=4, foreground=BACKGROUND)]
        look = {"edgecolor": INK, "lw": 1.6, "ls": "--", "zorder": 4, "path_effects": halo}
        _ellipses(axes, chosen.target_means, chosen.target_covs, outline, **look)
        axes.plot(*chosen.target_means[:, :2].T, "D", color=INK, ms=5, mec=BACKGROUND, mew=0.8, zorder=5)
        _legend(axes, [("target", INK, "D", "--")])
        beside = axes.inset_axes((1.03, 0, 0.03, 1))
        bar = figure.colorbar(ScalarMappable(Normalize(0, steps), STEPS), cax=beside, label="step")
        bar.outline.set_visible(False)

    return _save(panel, (7.8, 7), folder / "all-steps")


def animation(way: Flow, chosen: Mixtures, folder: Path) -> list[Path]:
    """Animate the mixture step by step, with its loss."""
    steps = len(way.losses)
    shown = np.unique(np.linspace(0, steps, min(steps, MOST_FRAMES) + 1).astype(int))
    losses = [*way.losses, chosen.last_loss(way)]
    # The axes are the same in all frames and hold the ellipses of every step.
    means = np.concatenate([*way.means, chosen.target_means])[:, :2]
    spread = np.sqrt(np.concatenate([*way.covs, chosen.target_covs])[:, [0, 1], [0, 1]])
    low, high = (means - 1.1 * spread).min(axis=0), (means + 1.1 * spread).max(axis=0)

    def frames() -> Iterator[Figure]:
        for step in shown:
            with mpl.rc_context(_look()):
                plot = Figure(figsize=(7.2, 7.2), dpi=ANIMATION_DPI)
                plot.subplots_adjust(left=0.08, right=0.98, bottom=0.08, top=0.94)
                axes = _space(plot, f"Step {step} of {steps}, squared distance {losses[step]:.4f}")
                axes.set(xlim=(low[0], high[0]), ylim=(low[1], high[1]))
                _target(axes, chosen)
                _mixture(axes, way, step, START)
                _paths(axes, way.means[: step + 1])
                axes.plot(*way.means[step][:, :2].T, "o", color=START, ms=7, mec=BACKGROUND, mew=0.8, zorder=5)
                legend = {"loc": "lower right", "bbox_to_anchor": (1, 1), "ncols": 2, "borderaxespad": 0.2}
                _legend(axes, [("mixture", START, "o", "-"), ("target", TARGET, "D", "--")], **legend)
                yield plot

    return save_animation(frames(), folder / "flow", seconds=0.1)


def _space(figure: Figure, title: str) -> Axes:
    axes = figure.add_subplot()
    axes.set_title(title)
    axes.set(aspect="equal", xlabel="x", ylabel="y")
    sns.despine(ax=axes, left=True, bottom=True)
    return axes


def _mixture(axes: Axes, way: Flow, step: int, colour: str) -> None:
    fills = [to_rgba(colour, 0.1 + 0.5 * float(weight)) for weight in way.weights[step]]
    _ellipses(axes, way.means[step], way.covs[step], fills, edgecolor=colour, lw=1.6)


def _paths(axes: Axes, means: np.ndarray) -> None:
    for component in means[:, :, :2].swapaxes(0, 1):
        axes.plot(*component.T, color=INK, lw=1.2, solid_capstyle="round", zorder=3)


def _target(axes: Axes, chosen: Mixtures) -> None:
    fills = [to_rgba(TARGET, 0.2 * float(weight)) for weight in chosen.target_weights]
    look = {"edgecolor": TARGET, "lw": 1.6, "ls": "--", "zorder": 2}
    _ellipses(axes, chosen.target_means, chosen.target_covs, fills, **look)
    axes.plot(*chosen.target_means[:, :2].T, "D", color=TARGET, ms=4, mec=BACKGROUND, mew=0.8, zorder=6)


def _ellipses(axes: Axes, means: np.ndarray, covs: np.ndarray, fills: list[Any], **look: Any) -> None:
    values, vectors = np.linalg.eigh(covs[:, :2, :2])
    angles = np.degrees(np.arctan2(vectors[:, 1, 1], vectors[:, 0, 1]))
    for mean, (short, long), angle, fill in zip(means, 2 * np.sqrt(values), angles, fills, strict=True):
        axes.add_patch(Ellipse((mean[0], mean[1]), long, short, angle=angle, facecolor=fill, **look))
    axes.autoscale_view()


def _legend(axes: Axes, entries: list[tuple[str, str, str, str]], **place: Any) -> None:
    handles = [
        Line2D([], [], color=colour, marker=marker, ls=dashes, lw=1.6, ms=6, mec=BACKGROUND, mew=0.8, label=label)
        for label, colour, marker, dashes in entries
    ]
    axes.legend(handles=handles, framealpha=0.8, edgecolor=RULE, handlelength=3, **{"loc": "best", **place})


def _save(panel: Callable[[Figure], None], size: tuple[float, float], stem: Path) -> list[Path]:
    stem.parent.mkdir(parents=True, exist_ok=True)
    paths = [stem.with_suffix(".png"), stem.with_suffix(".svg")]
    with mpl.rc_context(_look()):
        plot = figure(*size)
        panel(plot)
        plot.savefig(paths[0], dpi=DPI, metadata={"Software": None}, pil_kwargs={"optimize": True})
        plot.savefig(paths[1], metadata={"Date": None, "Creator": None})
    return paths


def _look() -> Any:
    return {
        **sns.axes_style("whitegrid"),
        **sns.plotting_context("notebook", font_scale=0.85),
        "font.family": "DejaVu Sans",
        "axes.titlelocation": "left",
        "axes.edgecolor": RULE,
        "axes.labelcolor": SOFT,
        "axes.facecolor": BACKGROUND,
        "figure.facecolor": BACKGROUND,
        "grid.color": RULE,
        "grid.linewidth": 0.6,
        "text.color": INK,
        "xtick.color": SOFT,
        "ytick.color": SOFT,
        "svg.hashsalt": "lapmark",
    }
