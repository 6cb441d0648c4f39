"""Points of the unit square and the nodes of a square grid: what families that match the two have in common."""

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np

from lapmark.bench import embeddings
from lapmark.bench.data import datasets
from lapmark.bench.data.datasets import Images
from lapmark.bench.problems import FloatType
from lapmark.solvers import Assignment, DenseCost, PointCost

#: Cost of the farthest pair of a point and a node of any grid.
LARGEST_COST = 100_000

#: Images of scikit-learn's digits.
DIGITS = 1797

Side = Literal["nodes", "points"]
Kind = Literal["dense", "points"]


@dataclass(frozen=True, eq=False)
class Sample:
    """n points of an embedding of images.

    Attributes
    ----------
    points : (n, 2) float64
        Stretched to [0, 1] along each axis.
    label : (n,) uint8
    index : (n,) intp
        Which images of the source the points stand for.
    """

    points: np.ndarray
    label: np.ndarray
    index: np.ndarray
    source: str


def matched_to_nodes(
    points: np.ndarray, k: int, rows: Side = "nodes", cost: Kind = "dense", dtype: FloatType = "float32"
) -> Assignment:
    """Return the assignment of points in the unit square to the nodes of a grid, at squared Euclidean distance.

    Parameters
    ----------
    points : (n, 2) float64
        In [0, 1]².
    k : int
        Nodes along a side of the grid.
    rows : {"nodes", "points"}
        What the rows are.
    cost : {"dense", "points"}
        A matrix of `dtype`, or the points alone, in float64.
    """
    x, y = (nodes(k), points) if rows == "nodes" else (points, nodes(k))
    farthest = float((np.maximum(points, 1 - points) ** 2).sum(axis=1).max())  # a corner is the node farthest away
    distance = PointCost(x, y, scale=LARGEST_COST / farthest)
    if cost == "points":
        return Assignment(distance)
    matrix = np.empty(distance.shape, dtype)
    for start, block in distance.blocks():
        matrix[start : start + len(block)] = block
    return Assignment(DenseCost(matrix))


def side(n: int) -> int:
    """Return k for n = k²; a ValueError names the nearest squares if n is none."""
    k = math.isqrt(max(n, 0))
    if k >= 1 and k * k == n:
        return k
    near = f"{k * k} ({k}×{k}) and {(k + 1) ** 2} ({k + 1}×{k + 1})" if k else "1 (1×1)"
    raise ValueError(f"n = {n} does not fill a square grid; the nearest that do: {near}")


def nodes(k: int) -> np.ndarray:
    """Return the nodes of a k×k grid over [0, 1]², (k², 2) float64; node i is at column i mod k and row i div k."""
    ticks = np.linspace(0, 1, k)
    x, y = np.meshgrid(ticks, ticks)
    return np.column_stack([x.ravel(), y.ravel()])


def unit_square(points: np.ndarray) -> np.ndarray:
    """Move and stretch points (n, d) to fill [0, 1] along each axis; float64. An axis without extent becomes 0."""
    points = np.asarray(points, dtype=np.float64)
    low, high = points.min(axis=0), points.max(axis=0)
    return (points - low) / np.where(high > low, high - low, 1)


def check_enough(n: int, images: int, source: str) -> None:
    """Raise a ValueError if n points are asked of a source with fewer images."""
    if n > images:
        largest = math.isqrt(images) ** 2
        raise ValueError(f"n = {n}, but {source} has {images} images; take n up to {largest}, or another source")


def images_of(source: str) -> Images:
    """Return the images that the points of a source stand for."""
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
