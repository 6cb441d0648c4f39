"""Images laid on a grid, as near as possible to where locally linear embedding puts them.

The embedding collapses most points into a few clumps and moves the others far away. So most nodes of the grid are far
from every point, the points that go there have nearly equal costs, and many costs are equal in float32. This makes it
the hardest of the grid problems.

The setting `source` says where the points come from:

- `digits`: scikit-learn's 1797 digits, embedded on this machine and cached.
- `digits-resampled`: n points drawn from the density of that embedding (`lapmark.bench.embeddings.resample`).
- `mnist`: the MNIST test set, embedded on this machine and cached; needs the image files.
- `auto`: `digits` up to 1797 points, then `digits-resampled`. It depends on n alone.

The n points are the first of `numpy.random.default_rng(seed).permutation`, or drawn by that generator.
"""

from typing import Literal

import numpy as np

from lapmark.bench import embeddings
from lapmark.bench.problems import FloatType, family
from lapmark.solvers import Assignment

from .square_grid import DIGITS, Kind, Sample, Side, check_enough, images_of, matched_to_nodes, side, unit_square

Source = Literal["auto", "digits", "digits-resampled", "mnist"]


@family(
    "lle-grid",
    source="locally linear embedding (S. Roweis, L. Saul, Science 290 (2000) 2323–2326) laid on a grid by assignment",
    sizes=(256, 784, 1764),
    variants=({"rows": "nodes"}, {"rows": "points"}),
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
    """Build the problem; the parameters are those of `tsne-grid`, but for the sources."""
    return matched_to_nodes(sample(n, seed, source).points, side(n), rows, cost, dtype)


def sample(n: int, seed: int = 0, source: Source = "auto") -> Sample:
    """Return the points of the problem with their labels."""
    side(n)
    if source == "auto":
        source = "digits" if n <= DIGITS else "digits-resampled"
    images = images_of(source)
    rng = np.random.default_rng(seed)
    if source == "digits-resampled":
        points, index = embeddings.resample(embeddings.embed(images.pixels, "lle"), n, rng)
    else:
        check_enough(n, len(images.label), source)
        index = rng.permutation(len(images.label))[:n]
        points = embeddings.embed(images.pixels, "lle")[index]
    return Sample(unit_square(points), images.label[index], index, source)
