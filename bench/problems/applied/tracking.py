"""Boxes followed from one frame of a video to the next: tracks are matched to detections at 1 − IoU.

IoU is the overlap of two boxes, their intersection over their union. Most pairs do not overlap and cost 1; a box and
its detection cost little; and some tracks are lost while others begin. Such problems are small and come by the
thousand, so what a call costs before it starts decides.
"""

from __future__ import annotations

import numpy as np

from lapmark.bench.problems import FloatType, family
from lapmark.solvers import Assignment, DenseCost

#: Pixels a frame is wide and high, per box: a busy street has more in view, at the same density.
ROOM = 150.0

#: A box is so many pixels wide, and half as high again to three times as high.
WIDTH = (25.0, 80.0)

#: Standard deviation, in pixels, of where a box is seen against where its track expects it, across and down.
NOISE = 4.0


@family(
    "tracking",
    source="the association step of A. Bewley et al., Simple online and realtime tracking, ICIP 2016 "
    "(arXiv 1602.00763), on made-up boxes",
    sizes=(8, 32, 128),
)
def build(n: int, seed: int = 0, lost: float = 0.1, dtype: FloatType = "float64") -> Assignment:
    """`lost`: the share of tracks whose detection is that of a newcomer elsewhere."""
    if not 0 <= lost <= 1:
        raise ValueError(f"lost = {lost}; it is a part of all tracks, from 0 to 1")
    rng = np.random.default_rng(seed)
    tracks = boxes(n, n, rng)
    seen = tracks + np.tile(NOISE * rng.standard_normal((n, 2)), 2)
    newcomers = rng.random(n) < lost
    seen[newcomers] = boxes(int(newcomers.sum()), n, rng)
    return Assignment(DenseCost((1 - overlap(tracks, rng.permutation(seen))).astype(dtype)))


def boxes(count: int, crowd: int, rng: np.random.Generator) -> np.ndarray:
    """Boxes anywhere in the frame of a crowd, as a (count, 4) array of left, top, right and bottom."""
    corner = rng.uniform(0, ROOM * np.sqrt(crowd), (count, 2))
    width = rng.uniform(*WIDTH, count)
    height = width * rng.uniform(1.5, 3, count)
    return np.column_stack([corner, corner + np.column_stack([width, height])])


def overlap(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Intersection over union of each box of a (n, 4) with each of b (m, 4), as an (n, m) array in [0, 1]."""
    low = np.maximum(a[:, None, :2], b[:, :2])
    high = np.minimum(a[:, None, 2:], b[:, 2:])
    both = np.prod(np.maximum(high - low, 0), axis=2)
    area_a, area_b = (np.prod(each[:, 2:] - each[:, :2], axis=1) for each in (a, b))
    return both / (area_a[:, None] + area_b - both)
