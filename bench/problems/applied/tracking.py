"""Tracked boxes matched to detections in the next frame of a video, at cost 1 − IoU.

IoU is the overlap of two boxes, their intersection over their union. Most pairs do not overlap and cost 1, a box and
its detection cost little, and some tracks end while others begin. Trackers solve thousands of such small problems, so
that the constant cost of a call matters most.
"""

import numpy as np

from lapmark.bench.problems import FloatType, family
from lapmark.solvers import Assignment, DenseCost

#: Side of the frame, in pixels per square root of the number of boxes: their density is constant.
ROOM = 150.0

#: Range of the width of a box, in pixels; its height is 1.5 to 3 times the width.
WIDTH = (25.0, 80.0)

#: Standard deviation, in pixels, of a detection from the expected place, across and down.
NOISE = 4.0


@family(
    "tracking",
    source="the association step of A. Bewley et al., Simple online and realtime tracking, ICIP 2016 "
    "(arXiv 1602.00763), on made-up boxes",
    sizes=(8, 32, 128),
)
def build(n: int, seed: int = 0, lost: float = 0.1, dtype: FloatType = "float64") -> Assignment:
    """Build the problem; `lost`: share of tracks whose detection is replaced by one elsewhere."""
    if not 0 <= lost <= 1:
        raise ValueError(f"lost = {lost}; give a share of all tracks from 0 to 1")
    rng = np.random.default_rng(seed)
    tracks = boxes(n, n, rng)
    seen = tracks + np.tile(NOISE * rng.standard_normal((n, 2)), 2)
    newcomers = rng.random(n) < lost
    seen[newcomers] = boxes(int(newcomers.sum()), n, rng)
    return Assignment(DenseCost((1 - overlap(tracks, rng.permutation(seen))).astype(dtype)))


def boxes(count: int, crowd: int, rng: np.random.Generator) -> np.ndarray:
    """Draw boxes in the frame of a crowd, as a (count, 4) array of left, top, right and bottom."""
    corner = rng.uniform(0, ROOM * np.sqrt(crowd), (count, 2))
    width = rng.uniform(*WIDTH, count)
    height = width * rng.uniform(1.5, 3, count)
    return np.column_stack([corner, corner + np.column_stack([width, height])])


def overlap(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Return the intersection over union of each box of a (n, 4) and each of b (m, 4), (n, m) in [0, 1]."""
    low = np.maximum(a[:, None, :2], b[:, :2])
    high = np.minimum(a[:, None, 2:], b[:, 2:])
    both = np.prod(np.maximum(high - low, 0), axis=2)
    area_a, area_b = (np.prod(each[:, 2:] - each[:, :2], axis=1) for each in (a, b))
    return both / (area_a[:, None] + area_b - both)
