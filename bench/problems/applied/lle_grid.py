"""A locally linear embedding laid on a grid, in place of t-SNE: the hardest of these problems.

The embedding collapses most points into a few clumps and throws the others far out. So most of the grid is far from
every point, the points that have to go there are told apart by little, and float32 holds many of their costs as equal.

Where the points come from is the setting `source`:

- `digits`: scikit-learn's 1797 digits, embedded here and cached.
- `digits-resampled`: that embedding again, of as many points as n asks for (`lapmark.bench.embeddings.resample`).
- `mnist`: the MNIST test set, embedded here and cached; takes the image files.
- `auto`: `digits` as long as there are enough of them, then `digits-resampled`. It depends on n alone.

The n points are the first of `numpy.random.default_rng(seed).permutation`, or drawn by that generator.
"""

from __future__ import annotations

import math
from pathlib import Path
from typing import Literal

import numpy as np

from lapmark.bench import embeddings
from lapmark.bench.problems import FloatType, family
from lapmark.solvers import Assignment, Matching

from . import tsne_grid
from .tsne_grid import DIGITS, Kind, Sample, Side

Source = Literal["auto", "digits", "digits-resampled", "mnist"]


def draw(
    problem: Assignment,
    result: Matching,
    folder: Path,
    n: int,
    seed: int = 0,
    source: Source = "auto",
    rows: Side = "nodes",
    cost: Kind = "dense",
    dtype: FloatType = "float32",
) -> list[Path]:
    """The five pictures of `tsne-grid`, of this embedding."""
    return tsne_grid.draw_sample(sample(n, seed, source), "LLE", result, rows, folder)


@family(
    "lle-grid",
    source="locally linear embedding (S. Roweis, L. Saul, Science 290 (2000) 2323–2326) laid on a grid by assignment",
    sizes=(256, 784, 1764),
    variants=({"rows": "nodes"}, {"rows": "points"}),
    draw=draw,
    exhibits={
        "mnist": ({"n": 2500, "source": "mnist"},),
        "digits": ({"n": math.isqrt(DIGITS) ** 2, "source": "digits"},),
    },
    captions=tsne_grid.CAPTIONS,
    easier="tsne-grid",
)
def build(
    n: int,
    seed: int = 0,
    source: Source = "auto",
    rows: Side = "nodes",
    cost: Kind = "dense",
    dtype: FloatType = "float32",
) -> Assignment:
    """The problem.

    Parameters
    ----------
    n : int
        Number of points; a square.
    seed : int
        Selects the points.
    source : {"auto", "digits", "digits-resampled", "mnist"}
    rows : {"nodes", "points"}
        What the rows are.
    cost : {"dense", "points"}
        A matrix of `dtype`, or the points alone, in float64; squared distances, scaled as in `tsne-grid`.
    dtype : {"float32", "float64"}
    """
    return Assignment(tsne_grid.cost_to_grid(sample(n, seed, source).points, tsne_grid.side(n), rows, cost, dtype))


def sample(n: int, seed: int = 0, source: Source = "auto") -> Sample:
    """The points of the problem, with what is known of them."""
    tsne_grid.side(n)
    if source == "auto":
        source = "digits" if n <= DIGITS else "digits-resampled"
    images = tsne_grid.images_of(source)
    rng = np.random.default_rng(seed)
    if source == "digits-resampled":
        points, index = embeddings.resample(embeddings.embed(images.pixels, "lle"), n, rng)
    else:
        tsne_grid.check_enough(n, len(images.label), source)
        index = rng.permutation(len(images.label))[:n]
        points = embeddings.embed(images.pixels, "lle")[index]
    return Sample(tsne_grid.unit_square(points), images.label[index], index, source)
