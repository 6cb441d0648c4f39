"""Exact nearest neighbours of every point, at the speed of single-precision matrix products.

A block of squared distances is a matrix product, which takes half the time in float32 but is rounded. So more
candidates are kept than neighbours are needed. If the bound on rounding does not determine the nearest candidates,
their distances are computed again in float64; if a point that was not kept may be nearer, the search is repeated
exactly.
"""

import threading

import numpy as np
from sklearn.neighbors import NearestNeighbors

from lapmark.bench.util.jit import compiled

from .threads import in_threads

#: Points of a block. Smaller products are slower; larger ones do not fit the cache.
BLOCK = 1024

#: Candidates in addition to the neighbours.
SPARE = 8

#: Bounds of magnitudes whose squares can be summed in float32.
SMALLEST, LARGEST = 1e-15, 1e15

#: Most dimensions in which a tree is faster than products.
FEW_DIMENSIONS = 15


def nearest(x: np.ndarray, k: int, threads: int = 1) -> np.ndarray:
    """Return the k nearest neighbours of each point.

    Parameters
    ----------
    x : (n, d) float64
        Finite.
    k : int
        From 1 to n − 1.

    Returns
    -------
    (n, k) intp
        Ascending indices. The choice among equal distances is arbitrary.
    """
    n, d = x.shape
    kept = k + SPARE
    if d <= FEW_DIMENSIONS or kept >= n:
        return _searched(x, np.arange(n), k)
    if (most := largest(x)) > 0 and not SMALLEST < most < LARGEST:
        x = x / most
    mean = x.mean(axis=0)
    single = np.subtract(x, mean, out=np.empty(x.shape, np.float32), casting="same_kind")
    # Constant columns, such as the margins of images, are zero now and are left out.
    single = single[:, single.any(axis=0)]
    candidates, found = _candidates(single, kept, threads)
    chosen = np.sort(candidates[:, :k], axis=1)

    # Half of the rounding error of the difference of two entries of `found`, from the coordinates, d products and sums,
    # and half a square (N. Higham, Accuracy and Stability of Numerical Algorithms, 2002, section 3.1).
    norm = np.sqrt(np.einsum("ij,ij->i", single, single, dtype=np.float64))
    rounding = (d + 8) * np.finfo(np.float32).eps / 4 * (norm + norm.max()) ** 2
    close = np.flatnonzero(~(found[:, k] - found[:, k - 1] > 2 * rounding))
    if len(close):
        square = ((x[close] - mean) ** 2).sum(axis=1)
        least = 2 * (found[close, -1] - rounding[close]) + square
        chosen[close], surely = _separate(x, close, candidates[close], k, least)
        again = close[~surely]
        if len(again):
            chosen[again] = _searched(x - mean, again, k)
    return chosen


def largest(x: np.ndarray) -> float:
    """Return the largest magnitude in x."""
    return max(x.max(), -x.min())


def _candidates(x: np.ndarray, kept: int, threads: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the nearest y of each x, (n, d) float32, up to rounding, nearest first, and ½|y|² − x·y of each."""
    n = len(x)
    half = np.einsum("ij,ij->i", x, x) / 2
    found = np.full((n, kept), np.inf, np.float32)
    candidates = np.zeros((n, kept), np.intp)
    blocks = [slice(start, min(start + BLOCK, n)) for start in range(0, n, BLOCK)]
    locks = [threading.Lock() for _ in blocks]

    def compare(i: int, j: int) -> None:
        rows, columns = blocks[i], blocks[j]
        product = x[rows] @ x[columns].T
        mine = found[rows], candidates[rows]
        # The first of two blocks is locked first, so that no two threads wait for each other.
        with locks[i]:
            if i == j:
                _keep_own(product, half[rows], rows.start, *mine)
            else:
                with locks[j]:
                    others = found[columns], candidates[columns]
                    _keep_both(product, half[rows], half[columns], rows.start, columns.start, *mine, *others)

    pairs = [(i, j) for j in range(len(blocks)) for i in range(j + 1)]
    in_threads(compare, threads, *zip(*pairs, strict=True))
    return candidates, found


@compiled
def _enter(found: np.ndarray, candidates: np.ndarray, distance: float, point: int) -> None:
    """Insert a point into the sorted candidates of another, (kept,), in place of the farthest."""
    place = len(found) - 1
    while place > 0 and found[place - 1] > distance:
        found[place] = found[place - 1]
        candidates[place] = candidates[place - 1]
        place -= 1
    found[place] = distance
    candidates[place] = point


@compiled
def _keep_own(product: np.ndarray, half: np.ndarray, first: int, found: np.ndarray, candidates: np.ndarray) -> None:
    """Insert the points of a block, the first of which is `first`, into the candidates of each other."""
    for i in range(len(half)):
        for j in range(len(half)):
            if i != j and half[j] - product[i, j] < found[i, -1]:
                _enter(found[i], candidates[i], half[j] - product[i, j], first + j)


@compiled
def _keep_both(
    product: np.ndarray,
    half_x: np.ndarray,
    half_y: np.ndarray,
    first_x: int,
    first_y: int,
    found_x: np.ndarray,
    candidates_x: np.ndarray,
    found_y: np.ndarray,
    candidates_y: np.ndarray,
) -> None:
    """Insert the points of two blocks into the candidates of the other block."""
    farthest_y = found_y[:, -1].copy()  # contiguous, for the cache
    for i in range(len(half_x)):
        farthest = found_x[i, -1]
        for j in range(len(half_y)):
            to_y, to_x = half_y[j] - product[i, j], half_x[i] - product[i, j]
            if to_y < farthest:
                _enter(found_x[i], candidates_x[i], to_y, first_y + j)
                farthest = found_x[i, -1]
            if to_x < farthest_y[j]:
                _enter(found_y[j], candidates_y[j], to_x, first_x + i)
                farthest_y[j] = found_y[j, -1]


def _separate(
    x: np.ndarray, rows: np.ndarray, candidates: np.ndarray, k: int, least: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Return the k nearest of candidates (r, c) of rows (r,), in float64, and whether all other points are farther.

    Other points are at squared distances of at least `least` (r,).
    """
    # One row at a time is slow, and all at once may exceed the memory.
    distance = np.stack([((x[column] - x[rows]) ** 2).sum(axis=1) for column in candidates.T], axis=1)
    order = np.argsort(distance, axis=1, kind="stable")[:, :k]
    kth = np.take_along_axis(distance, order[:, -1:], axis=1)[:, 0]
    return np.sort(np.take_along_axis(candidates, order, axis=1), axis=1), kth < least


def _searched(x: np.ndarray, rows: np.ndarray, k: int) -> np.ndarray:
    """Search the k nearest neighbours of some of the points with scikit-learn."""
    way = "kd_tree" if x.shape[1] <= FEW_DIMENSIONS else "brute"
    found = NearestNeighbors(n_neighbors=k + 1, algorithm=way).fit(x).kneighbors(x[rows], return_distance=False)
    # A point is its own nearest neighbour, but not always the first: other points may coincide with it.
    itself = found == rows[:, None]
    itself[~itself.any(axis=1), -1] = True
    return np.sort(found[~itself].reshape(len(rows), k), axis=1)
