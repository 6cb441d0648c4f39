"""An embedding laid on a grid: every image gets a cell of its own, as near as can be to where t-SNE put it.

This is the main job. n points of a t-SNE embedding, stretched to the unit square, are matched to the n nodes of a k×k
grid at the squared Euclidean distance, scaled so that the largest cost is 100 000.

Where the points come from is the setting `source`:

- `digits`: scikit-learn's 1797 digits, embedded here and cached. Nothing to download; but t-SNE, and with it the
  problem, differs a little between machines.
- `mnist-reference`: the shipped embedding of the MNIST test set. The same problem, to the bit, on every machine.
- `mnist-resampled`: that embedding again, of as many points as n asks for (`lapmark.bench.embeddings.resample`).
- `mnist`: the same images, embedded here and cached; takes the image files.
- `auto`: `digits` as long as there are enough of them, then `mnist-reference`, then `mnist-resampled`. It depends on n
  alone.

The n points are the first of `numpy.random.default_rng(seed).permutation`, or drawn by that generator.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np

from lapmark.bench import embeddings
from lapmark.bench.data import datasets
from lapmark.bench.data.datasets import Images, MissingData
from lapmark.bench.problems import FloatType, family
from lapmark.solvers import Assignment, DenseCost, Matching, PointCost
from lapmark.solvers.problem import Cost

LARGEST_COST = 100_000
DIGITS = 1797
MNIST = 10_000

CAPTIONS = {
    "embedding": "The embedding, coloured by label",
    "nodes": "The nodes of the grid, each coloured by the label of the image it receives",
    "arrows": "From each point to its node, coloured by label",
    "scattered": "Images where the embedding put them",
    "grid": "Images on the grid",
}

Source = Literal["auto", "digits", "mnist-reference", "mnist-resampled", "mnist"]
Side = Literal["nodes", "points"]
Kind = Literal["dense", "points"]


@dataclass(frozen=True, eq=False)
class Sample:
    """n points of an embedding.

    Attributes
    ----------
    points : (n, 2) float64
        In [0, 1]² per axis.
    label : (n,) uint8
    index : (n,) intp
        Which images of the source they are.
    source : str
    """

    points: np.ndarray
    label: np.ndarray
    index: np.ndarray
    source: str


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
    """Five pictures: the embedding, the nodes, arrows between them, the images where t-SNE put them, and on the grid.

    The last two need the images themselves; where those cannot be had, a warning says why and the two are left out.
    """
    return draw_sample(sample(n, seed, source), "t-SNE", result, rows, folder)


def draw_sample(chosen: Sample, name: str, result: Matching, rows: Side, folder: Path) -> list[Path]:
    """The pictures that `draw` describes, of an embedding of that name."""
    # Imported here: what only builds problems should not wait for matplotlib.
    from . import _tsne_grid_pictures as pictures

    node = np.argsort(result.row_to_col) if rows == "nodes" else result.row_to_col
    target = grid(side(len(node)))[node]
    made = pictures.embedding(chosen.points, chosen.label, chosen.source, folder, name)
    made += pictures.nodes(target, chosen.label, chosen.source, folder)
    made += pictures.arrows(chosen.points, target, chosen.label, chosen.source, folder)
    try:
        images = images_of(chosen.source)
    except (MissingData, ValueError) as error:
        warnings.warn(f"the two pictures made of images are left out. {error}", stacklevel=2)
        return made
    pixels = images.pixels[chosen.index]
    return made + pictures.scattered(chosen.points, pixels, folder) + pictures.on_grid(node, pixels, folder)


@family(
    "tsne-grid",
    source="t-SNE laid on a grid by assignment, after K. McDonald’s notebook CloudToGrid; the embedding: "
    "L. van der Maaten, G. Hinton, JMLR 9 (2008) 2579–2605",
    sizes=(256, 784, 1764),
    variants=({"rows": "nodes"}, {"rows": "points"}),
    draw=draw,
    exhibits={
        "mnist": tuple({"n": n, "source": "mnist-reference"} for n in (2500, MNIST)),
        "digits": ({"n": math.isqrt(DIGITS) ** 2, "source": "digits"},),
    },
    captions=CAPTIONS,
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
    source : {"auto", "digits", "mnist-reference", "mnist-resampled", "mnist"}
    rows : {"nodes", "points"}
        What the rows are. Solvers of the Jonker–Volgenant kind differ by a factor of two between the two.
    cost : {"dense", "points"}
        A matrix of `dtype`, or the points alone, in float64.
    dtype : {"float32", "float64"}
    """
    return Assignment(cost_to_grid(sample(n, seed, source).points, side(n), rows, cost, dtype))


def cost_to_grid(points: np.ndarray, k: int, rows: Side, cost: Kind, dtype: FloatType) -> Cost:
    """Squared distances between points (n, 2) of the unit square and the k² nodes of the grid, scaled; as `build`."""
    x, y = (grid(k), points) if rows == "nodes" else (points, grid(k))
    distance = PointCost(x, y, scale=LARGEST_COST / largest_squared_distance(points))
    if cost == "points":
        return distance
    matrix = np.empty(distance.shape, dtype)
    for start, block in distance.blocks():
        matrix[start : start + len(block)] = block
    return DenseCost(matrix)


def sample(n: int, seed: int = 0, source: Source = "auto") -> Sample:
    """The points of the problem, with what is known of them."""
    side(n)
    if source == "auto":
        source = "digits" if n <= DIGITS else "mnist-reference" if n <= MNIST else "mnist-resampled"
    if source == "mnist-resampled":
        points, label = embeddings.reference()
        points, index = embeddings.resample(points, n, np.random.default_rng(seed))
        return Sample(unit_square(points), label[index], index, source)
    label, embed = _open(source)
    check_enough(n, len(label), source)
    index = np.random.default_rng(seed).permutation(len(label))[:n]
    return Sample(unit_square(embed()[index]), label[index], index, source)


def side(n: int) -> int:
    """k where n = k²; a ValueError with the nearest squares where there is none."""
    k = math.isqrt(max(n, 0))
    if k >= 1 and k * k == n:
        return k
    near = f"{k * k} ({k}×{k}) and {(k + 1) ** 2} ({k + 1}×{k + 1})" if k else "1 (1×1)"
    raise ValueError(f"n = {n} does not fill a square grid; the nearest that do: {near}")


def check_enough(n: int, images: int, source: str) -> None:
    """Refuse to take more points than a source has images."""
    if n > images:
        largest = math.isqrt(images) ** 2
        raise ValueError(f"n = {n}, but {source} has {images} images; take n up to {largest}, or another source")


def grid(k: int) -> np.ndarray:
    """The nodes of a k×k grid over [0, 1]², as a (k², 2) float64 array: x runs first, node i is (i mod k, i div k)."""
    ticks = np.linspace(0, 1, k)
    x, y = np.meshgrid(ticks, ticks)
    return np.column_stack([x.ravel(), y.ravel()])


def unit_square(points: np.ndarray) -> np.ndarray:
    """Points (n, d) moved and stretched, axis by axis, to fill [0, 1]; float64. An axis without extent becomes 0."""
    points = np.asarray(points, dtype=np.float64)
    low, high = points.min(axis=0), points.max(axis=0)
    return (points - low) / np.where(high > low, high - low, 1)


def largest_squared_distance(points: np.ndarray) -> float:
    """From points of [0, 1]² to the farthest node of any grid over it, which is a corner."""
    return float((np.maximum(points, 1 - points) ** 2).sum(axis=1).max())


def _open(source: str) -> tuple[np.ndarray, Callable[[], np.ndarray]]:
    """Labels, and a function for the points, so that n can be checked before t-SNE takes its time."""
    if source == "mnist-reference":
        points, label = embeddings.reference()
        return label, lambda: points
    images = images_of(source)
    return images.label, lambda: embeddings.embed(images.pixels, "tsne-sklearn")


def images_of(source: str) -> Images:
    """The images that the points of a source stand for."""
    if source in ("digits", "digits-resampled"):
        return datasets.digits()
    if source == "mnist":
        return datasets.mnist()
    images = datasets.mnist(download=False)
    if not np.array_equal(images.label, embeddings.reference()[1]):
        raise ValueError(
            f"the MNIST files in {datasets.VARIABLE} are not those of the shipped embedding: labels differ"
        )
    return images
