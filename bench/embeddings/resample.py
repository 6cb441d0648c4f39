"""More points than an embedding has, placed as it places its own."""

from __future__ import annotations

import numpy as np

#: Which of a point's neighbours says how densely the embedding lies around it.
NEIGHBOUR = 5


def resample(points: np.ndarray, count: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Draw from the embedding's own density: its points, with repetition, each moved by Gaussian noise.

    The noise has half the distance to the fifth neighbour as its standard deviation, on either axis: wide enough that
    no two copies coincide, and narrow enough that clusters stay apart.

    Parameters
    ----------
    points : (n, 2) array
        n > 5.
    count : int
        How many to draw.
    rng : numpy.random.Generator

    Returns
    -------
    (count, 2) float64 array
    (count,) int64 array
        The point that each came from.
    """
    from scipy.spatial import KDTree  # most problems do without it

    points = np.asarray(points, dtype=np.float64)
    distance, _ = KDTree(points).query(points, k=[NEIGHBOUR + 1])  # the nearest is the point itself
    origin = rng.integers(len(points), size=count)
    return points[origin] + rng.standard_normal((count, 2)) * distance[origin] / 2, origin
