"""The size of a map in pixels: how large its cells are, and how large a picture may be."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

#: Pixels of a picture that programs can still be expected to show, by its format: a page or a drawing is shown as a
#: whole, and takes four bytes a pixel for that.
MOST_PIXELS = {".png": 2**28, ".svg": 2**26, ".html": 2**26}


#: A map of many images has about so many pixels along a side, as long as an image keeps the least side and does not
#: get larger than the largest.
MAP_SIDE, LEAST_SIDE, LARGEST_SIDE = 4096, 8, 256

#: A map of few images is enlarged, by a whole factor, until its longer side has this many pixels.
SMALLEST_MAP = 1000

#: Images with larger sides are not: they are photographs, and a few of them are large enough.
SMALL_IMAGE = 64


def default_side(count: int) -> int:
    """Pixels of an image's side in a map of so many."""
    return min(max(MAP_SIDE // math.isqrt(count), LEAST_SIDE), LARGEST_SIDE)


def enlargement(side: float) -> int:
    """The whole factor by which a map with a side of so many pixels is enlarged."""
    return max(1, math.ceil(SMALLEST_MAP / side))


def cell_side(images: Sequence[np.ndarray] | None, shape: tuple[int, int]) -> int:
    """Pixels of a cell's side: those of the largest image, by a whole factor more where the map would be small."""
    side = max((max(image.shape[:2]) for image in images or ()), default=1)
    return side * enlargement(side * max(shape)) if side <= SMALL_IMAGE else side


def check_size(nodes: int, side: int, *suffixes: str) -> None:
    """A ValueError where so many cells of `side` pixels are more than a picture in any of some formats should have."""
    most = max(MOST_PIXELS[suffix] for suffix in suffixes)
    if nodes * side**2 > most:
        fits = math.isqrt(min(MOST_PIXELS[suffix] for suffix in suffixes) // nodes)
        cure = f"--sprite {fits} makes one that can" if fits else "take fewer"
        raise ValueError(
            f"{nodes:,} cells of {side}×{side} pixels make a picture of {nodes * side**2:,}, and no "
            f"{' or '.join(suffixes)} of more than {most:,} can be shown; {cure}"
        )
