"""Images laid on a grid, each in a cell of its own, as near as possible to where t-SNE puts it.

The n points of a t-SNE embedding, stretched to the unit square, are matched to the n nodes of a k×k grid at the squared
Euclidean distance, scaled to a largest cost of 100 000. This is the main problem of the benchmark.

The setting `source` says where the points come from:

- `digits`: scikit-learn's 1797 digits, embedded on this machine and cached. Nothing is downloaded; but t-SNE, and with
  it the problem, differs slightly between machines.
- `mnist-reference`: the shipped embedding of the MNIST test set, the same to the bit on every machine.
- `mnist-resampled`: n points drawn from the density of that embedding (`lapmark.bench.embeddings.resample`).
- `mnist`: the same images, embedded on this machine and cached; needs the image files.
- `auto`: `digits` up to 1797 points, `mnist-reference` up to 10 000, then `mnist-resampled`. It depends on n alone.

The n points are the first of `numpy.random.default_rng(seed).permutation`, or drawn by that generator.
"""

from collections.abc import Callable
from typing import Literal

import numpy as np

from lapmark.bench import embeddings
from lapmark.bench.problems import FloatType, family
from lapmark.solvers import Assignment

from .square_grid import DIGITS, Kind, Sample, Side, check_enough, images_of, matched_to_nodes, side, unit_square

#: Images of the MNIST test set.
MNIST = 10_000

Source = Literal["auto", "digits", "mnist-reference", "mnist-resampled", "mnist"]


@family(
    "tsne-grid",
    source="t-SNE laid on a grid by assignment, after K. McDonald’s notebook CloudToGrid; the embedding: "
    "L. van der Maaten, G. Hinton, JMLR 9 (2008) 2579–2605",
    sizes=(256, 784, 1764),
    variants=({"rows": "nodes"}, {"rows": "points"}),
)
def build(
    n: int,
    seed: int = 0,
    source: Source = "auto",
    rows: Side = "nodes",
    cost: Kind = "dense",
    dtype: FloatType = "float32",
) -> Assignment:
    """Build the problem.

    Parameters
    ----------
    n : int
        Number of points; a square.
    seed : int
        Selects the points.
    source : {"auto", "digits", "mnist-reference", "mnist-resampled", "mnist"}
    rows : {"nodes", "points"}
        What the rows are. The time of solvers of the Jonker–Volgenant kind differs by a factor of two between them.
    cost, dtype
        See `square_grid.matched_to_nodes`.
    """
    return matched_to_nodes(sample(n, seed, source).points, side(n), rows, cost, dtype)


def sample(n: int, seed: int = 0, source: Source = "auto") -> Sample:
    """Return the points of the problem with their labels."""
    side(n)
    if source == "auto":
        source = "digits" if n <= DIGITS else "mnist-reference" if n <= MNIST else "mnist-resampled"
    if source == "mnist-resampled":
        points, label = embeddings.reference()
        points, index = embeddings.resample(points, n, np.random.default_rng(seed))
        return Sample(unit_square(points), label[index], index, source)
    label, embed = _labels_and_points(source)
    check_enough(n, len(label), source)
    index = np.random.default_rng(seed).permutation(len(label))[:n]
    return Sample(unit_square(embed()[index]), label[index], index, source)


def _labels_and_points(source: str) -> tuple[np.ndarray, Callable[[], np.ndarray]]:
    """Return the labels, and a function for the points: n is checked before t-SNE, which takes long."""
    if source == "mnist-reference":
        points, label = embeddings.reference()
        return label, lambda: points
    images = images_of(source)
    return images.label, lambda: embeddings.embed(images.pixels, "tsne-sklearn")
