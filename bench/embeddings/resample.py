"""Random points from the density of an embedding."""

import numpy as np

#: Rank of the neighbour whose distance measures the local density.
NEIGHBOUR = 5


def resample(points: np.ndarray, count: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Draw points of an embedding with repetition, each moved by Gaussian noise.

    The standard deviation on each axis is half the distance to the fifth neighbour: large enough that no two copies
    coincide, and small enough that clusters stay apart.

    Parameters
    ----------
    points : (n, 2) array
        n > 5.
    count : int
        Number of points to draw.

    Returns
    -------
    (count, 2) float64 array
    (count,) int64 array
        The original of each point.
    """
    from scipy.spatial import KDTree  # most problems do without it

    points = np.asarray(points, dtype=np.float64)
    distance, _ = KDTree(points).query(points, k=[NEIGHBOUR + 1])  # the nearest is the point itself
    origin = rng.integers(len(points), size=count)
    return points[origin] + rng.standard_normal((count, 2)) * distance[origin] / 2, origin
