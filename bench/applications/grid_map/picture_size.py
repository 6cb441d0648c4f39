"""Sizes of maps in pixels: the side of a cell, and limits of pictures."""

import math
from collections.abc import Sequence

import numpy as np

#: Most pixels of a picture that programs can show, by format. Pages and SVG files are shown as a whole, at four bytes a
#: pixel.
MOST_PIXELS = {".png": 2**28, ".svg": 2**26, ".html": 2**26}


#: Side of a map of many images, about, and bounds of the side of an image.
MAP_SIDE, LEAST_SIDE, LARGEST_SIDE = 4096, 8, 256

#: Smallest longer side of a map: smaller maps are enlarged by a whole factor.
SMALLEST_MAP = 1000

#: Largest side of images that are enlarged; larger ones are photographs.
SMALL_IMAGE = 64


def default_side(count: int) -> int:
    """Return the side of an image in a map of `count` images."""
    return min(max(MAP_SIDE // math.isqrt(count), LEAST_SIDE), LARGEST_SIDE)


def enlargement(side: float) -> int:
    """Return the whole factor by which a map with a given side is enlarged."""
    return max(1, math.ceil(SMALLEST_MAP / side))


def cell_side(images: Sequence[np.ndarray] | None, shape: tuple[int, int]) -> int:
    """Return the side of a cell: that of the largest image, enlarged by a whole factor if the map is small."""
    side = max((max(image.shape[:2]) for image in images or ()), default=1)
    return side * enlargement(side * max(shape)) if side <= SMALL_IMAGE else side


def check_size(nodes: int, side: int, *suffixes: str) -> None:
    """Raise a ValueError if a map is too large for a picture in all of the formats."""
    most = max(MOST_PIXELS[suffix] for suffix in suffixes)
    if nodes * side**2 > most:
        fits = math.isqrt(min(MOST_PIXELS[suffix] for suffix in suffixes) // nodes)
        cure = f"use --sprite {fits}" if fits else "take fewer items"
        raise ValueError(
            f"{nodes:,} cells of {side}×{side} pixels make a picture of {nodes * side**2:,} pixels; "
            f"{' or '.join(suffixes)} can have {most:,}: {cure}"
        )
