"""The earth mover's distance between two grey images: the least work that turns one into the other.

An image is a distribution of mass over its pixels, of sum one. Moving a mass costs its product with the distance in
pixels, or with p = 2 with the squared distance. n is the number of pixels, a square: 64 for the digits at their
original 8×8, 784 for MNIST's 28×28; at any other size the images are resampled.

The application finds the nearest labelled image by this distance (`distances`), compared with the Euclidean distance of
the same histograms.
"""

from typing import Literal

import numpy as np
from PIL import Image

from lapmark.bench.data import datasets
from lapmark.bench.problems import family
from lapmark.solvers import PointCost, Transport, emd

from .square_grid import side

Source = Literal["digits", "mnist"]

#: Numbers of labelled images and of queries.
LABELLED, QUERIES = 100, 50

#: Sources of images by name.
SOURCES = {"digits": datasets.digits, "mnist": datasets.mnist}


@family(
    "images-emd",
    source="Y. Rubner, C. Tomasi, L. Guibas, IJCV 40 (2000) 99–121; images as histograms as in J. Schrieber et al., "
    "DOTmark, IEEE Access 5 (2017) 271–282",
    sizes=(64, 256, 1024),
    variants=({}, {"p": 2}),
)
def build(n: int, seed: int = 0, source: Source = "digits", p: int = 1) -> Transport:
    """Build the problem.

    Parameters
    ----------
    n : int
        Number of pixels; a square.
    seed : int
        Selects the two images, whose labels differ.
    source : {"digits", "mnist"}
        scikit-learn's digits, or the test set of MNIST, from its files.
    p : {1, 2}
        Exponent of the distance.
    """
    if p not in (1, 2):
        raise ValueError(f"p = {p}; choose 1 or 2")
    k = side(n)
    images = SOURCES[source]()
    order = _order(images, seed)
    other = order[images.label[order] != images.label[order[0]]]
    a, b = histograms(np.stack([_resized(images.pixels[image], k) for image in (order[0], other[0])]))
    pixels = centres(k, k)
    return Transport(PointCost(pixels, pixels, p=p), a, b, blur=0)


def accuracy(source: Source = "digits", p: int = 1, seeds: int = 1) -> dict[str, float]:
    """Return the share of queries whose nearest labelled image has their label, by earth mover's distance and L2.

    It is a mean over the seeds from 0 to `seeds` − 1, each of which selects other images.
    """
    images = SOURCES[source]()
    right: dict[str, list[np.ndarray]] = {}
    for seed in range(seeds):
        queries, found = neighbours(images, seed, p)
        for name, order in found.items():
            right.setdefault(name, []).append(images.label[order[:, 0]] == images.label[queries])
    return {name: float(np.mean(each)) for name, each in right.items()}


def neighbours(images: datasets.Images, seed: int = 0, p: int = 1) -> tuple[np.ndarray, dict[str, np.ndarray]]:
    """Return queries (q,) and, by name of a distance, all labelled images (q, k), nearest first, as indices."""
    queries, labelled = np.split(_order(images, seed)[: QUERIES + LABELLED], [QUERIES])
    heaps = histograms(images.pixels)
    tables = {
        "EMD": distances(heaps[queries], heaps[labelled], p),
        "L2": np.linalg.norm(heaps[queries][:, None] - heaps[labelled], axis=-1),
    }
    return queries, {name: labelled[np.argsort(table, axis=1, kind="stable")] for name, table in tables.items()}


def histograms(images: np.ndarray) -> np.ndarray:
    """Return images (k, height, width) ≥ 0 as masses of pixels, row by row: (k, height·width) float64, of sum 1.

    Raises
    ------
    ValueError
        An image is completely black and has no mass.
    """
    heaps = np.asarray(images, np.float64).reshape(len(images), -1)
    total = heaps.sum(axis=1, keepdims=True)
    if not (total > 0).all():
        raise ValueError(f"image {int(np.argmin(total))} is completely black: it has no mass to move")
    return heaps / total


def centres(height: int, width: int) -> np.ndarray:
    """Return the coordinates of pixels, row by row: (height·width, 2) float64, x to the right and y down."""
    y, x = np.divmod(np.arange(height * width), width)
    return np.column_stack([x, y]).astype(np.float64)


def distances(queries: np.ndarray, others: np.ndarray, p: int = 1) -> np.ndarray:
    """Return the earth mover's distance between each query and each other square image.

    Parameters
    ----------
    queries, others : (q, n), (k, n) float64
        From `histograms`; n is a square.
    p : {1, 2}

    Returns
    -------
    (q, k) float64
    """
    k = side(queries.shape[1])
    pixels = centres(k, k)
    return emd(PointCost(pixels, pixels, p=p), queries[:, None], others)


def _order(images: datasets.Images, seed: int) -> np.ndarray:
    """Return the order of the images for a seed."""
    return np.random.default_rng(seed).permutation(len(images.label))


def _resized(image: np.ndarray, k: int) -> np.ndarray:
    """Resample an image (height, width) uint8 to k×k pixels, in integers, so that all machines agree."""
    return np.asarray(Image.fromarray(image).resize((k, k), Image.Resampling.BICUBIC))
