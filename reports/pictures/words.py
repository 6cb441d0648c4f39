"""Pictures of the word mover's distance: moved words, and the nearest texts."""

from collections.abc import Sequence
from pathlib import Path

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import ListedColormap, Normalize
from matplotlib.patches import PathPatch
from matplotlib.path import Path as Curve

from lapmark.bench.problems import Case
from lapmark.bench.problems.applied.words import chosen_texts, nearest
from lapmark.bench.run.solve_case import SolvedCase
from lapmark.solvers import Plan, PointCost, Transport

from .canvas import FROM, INK, SOFT, TO, figure, plan_of, save_figure

CAPTIONS = {
    "moves": "Which words of one text become which of the other, and their shares of the distance",
    "nearest": "The texts nearest to the first, by word mover’s distance",
}

ALTS = {
    "moves": "Two columns of words on black, joined by bands as wide as the moved share: bright yellow where a word "
    "goes to a near one, dim blue where it goes far; bars beside the words show their shares of the distance.",
    "nearest": "Orange bars on black: the nearest texts, by name, the nearest on top, with their distances.",
}

#: Texts in the picture of the nearest.
NEAREST = 8

#: Most words of a column; those with the largest share of the distance are shown.
MOST_WORDS = 40

#: Height of a word in inches, and the share of it that the bands of the heaviest word take.
LINE, WIDEST = 0.26, 0.95

#: Longest bar of a word's share of the distance; the columns are at 0 and 1.
BAR = 0.28

#: Colours of the distance between words, from bright (near) to dim (far).
NEAR_TO_FAR = ListedColormap(mpl.colormaps["cividis"](np.linspace(1, 0.2, 256)))

#: Distances of words and bars from their column.
GAP, ROOM = 0.02, 0.36


def draw(case: Case, solved: SolvedCase, folder: Path) -> list[Path]:
    """Draw which words go where, and the texts that are nearest to the first one."""
    chosen = chosen_texts(case.n, case.seed, case.settings["vectors"], case.settings["texts"])
    plan = plan_of(solved.result)
    assert isinstance(solved.problem, Transport)
    made = draw_moves(solved.problem, plan, chosen.names, [bag.words for bag in chosen.bags], folder) if plan else []
    others = {name: text for name, text in chosen.library.items() if name != chosen.names[0]}
    found = nearest(chosen.library[chosen.names[0]], others, chosen.vectors, NEAREST)
    return made + draw_nearest(chosen.names[0], found, folder)


def draw_moves(
    problem: Transport, plan: Plan, names: Sequence[str], words: Sequence[Sequence[str]], folder: Path
) -> list[Path]:
    """Draw the words of two texts in columns, bands as wide as the moved mass, and each word's share."""
    assert isinstance(problem.cost, PointCost)
    assert plan.mass is not None
    moved = plan.mass.tocoo()
    (rows, cols), mass = moved.coords, moved.data
    far = problem.cost.entries(rows, cols)
    work = mass * far / max(float(mass @ far), 1e-300)
    shares = [np.bincount(ends, work, len(each)) for ends, each in zip((rows, cols), words, strict=True)]
    left, right = _places(shares[0], rows, cols, mass)
    lines = max(np.isfinite(left).sum(), np.isfinite(right).sum())
    plot = figure(10, LINE * lines + 1.6)
    axes = plot.add_subplot()
    axes.set(xlim=(-ROOM - BAR, 1 + ROOM + BAR), ylim=(lines - 0.3, -2), facecolor="none")
    axes.axis("off")
    colour = ScalarMappable(Normalize(0, max(float(far.max()), 1e-300)), NEAR_TO_FAR)
    heaviest = max(float(np.asarray(masses).max()) for masses in (problem.a, problem.b))
    widths = WIDEST * mass / heaviest
    starts = _stacked(left, right, rows, cols, widths), _stacked(right, left, cols, rows, widths)
    for here, there, width, distance in zip(*starts, widths, far, strict=True):
        if np.isfinite(here + there):
            axes.add_patch(_band(here, there, width, colour.to_rgba(distance)))
    longest = max(float(share.max()) for share in shares)
    for side, (text, place, share) in enumerate(zip(words, (left, right), shares, strict=True)):
        _column(axes, side, names[side], text, place, BAR * share / max(longest, 1e-300))
    axes.text(0.5, -1.5, f"distance {plan.cost:.3f}", color=INK, fontsize=15, ha="center", va="center")
    bar = plot.colorbar(colour, ax=axes, location="bottom", shrink=0.4, aspect=40, pad=0.01)
    bar.set_label("distance between the words", color=SOFT, fontsize=10)
    bar.ax.tick_params(colors=SOFT, labelsize=10)
    bar.outline.set_visible(False)
    return save_figure(plot, folder / "moves", marks=len(mass))


def draw_nearest(name: str, found: Sequence[tuple[str, float]], folder: Path) -> list[Path]:
    """Draw the texts nearest to one as bars, with their distances."""
    plot = figure(10, 0.42 * len(found) + 1.3)
    axes = plot.add_subplot()
    axes.set_facecolor("none")
    place = np.arange(len(found))
    axes.barh(place, [far for _, far in found], height=0.62, color=TO)
    for y, (_, far) in enumerate(found):
        axes.text(far, y, f" {far:.3f}", va="center", color=INK, fontsize=12)
    axes.set_yticks(place, [other for other, _ in found], color=INK, fontsize=13)
    axes.set(xlim=(0, 1.12 * max((far for _, far in found), default=1)), ylim=(len(found) - 0.5, -0.5), xticks=[])
    axes.spines[:].set_visible(False)
    axes.tick_params(length=0)
    axes.set_title(f"Nearest to “{name}”, by word mover’s distance", color=INK, fontsize=15, pad=10)
    return save_figure(plot, folder / "nearest", marks=len(found))


def _places(share: np.ndarray, rows: np.ndarray, cols: np.ndarray, mass: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the lines of the words in both columns, NaN for words that are not shown.

    The first is sorted by share of the distance, the second by the mean line that the mass comes from.
    """
    left = np.full(len(share), np.nan)
    order = np.argsort(-share, kind="stable")[:MOST_WORDS]
    left[order] = np.arange(len(order))
    shown = np.isfinite(left[rows])
    n = int(cols.max()) + 1
    weight = np.bincount(cols[shown], mass[shown], n)
    height = np.bincount(cols[shown], mass[shown] * left[rows[shown]], n)
    order = np.argsort(-weight, kind="stable")[: min(MOST_WORDS, int((weight > 0).sum()))]
    right = np.full(n, np.nan)
    right[order[np.argsort(height[order] / weight[order], kind="stable")]] = np.arange(len(order))
    return left, right


def _stacked(place: np.ndarray, other: np.ndarray, own: np.ndarray, ends: np.ndarray, width: np.ndarray) -> np.ndarray:
    """Return the upper edges of bands at their words `own` in one column, in the order of their other ends."""
    order = np.lexsort((other[ends], own))
    above = np.cumsum(width[order]) - width[order]
    first = np.searchsorted(own[order], own[order])
    total = np.bincount(own, width, len(place))
    edges = np.empty(len(own))
    edges[order] = place[own[order]] - total[own[order]] / 2 + above - above[first]
    return edges


def _column(axes: Axes, side: int, name: str, words: Sequence[str], place: np.ndarray, bars: np.ndarray) -> None:
    """Draw the words of one text and their bars; side 0 is left of the bands, 1 right of them."""
    outwards, align, colour = ((-1, "right", FROM), (1, "left", TO))[side]
    shown = np.flatnonzero(np.isfinite(place))
    for k in shown.tolist():
        axes.text(side + outwards * GAP, place[k], words[k], color=INK, fontsize=11.5, va="center", ha=align)
    axes.barh(place[shown], outwards * bars[shown], left=side + outwards * ROOM, height=0.5, color=colour)
    axes.text(side + outwards * GAP, -1.5, name, color=colour, fontsize=15, weight="bold", va="center", ha=align)
    at = side + outwards * ROOM
    axes.text(at, -0.85, "share of the distance", color=SOFT, fontsize=10, va="center", ha=align)


def _band(here: float, there: float, width: float, colour: object) -> PathPatch:
    """Return a band between upper edges in the two columns, horizontal at both ends."""
    upper = [(0, here), (0.5, here), (0.5, there), (1, there)]
    points = [*upper, *((x, y + width) for x, y in reversed(upper))]
    codes = [Curve.MOVETO, *3 * [Curve.CURVE4], Curve.LINETO, *3 * [Curve.CURVE4]]
    return PathPatch(Curve(points, codes), facecolor=colour, edgecolor="black", linewidth=0.3)
