"""Images on the nodes of a grid, as one picture: each in a square cell, whole, pixel by pixel where it fits."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from PIL import Image


def mosaic(
    images: Sequence[np.ndarray] | np.ndarray, nodes: np.ndarray, shape: tuple[int, int], side: int
) -> np.ndarray:
    """Draw images on a grid.

    Parameters
    ----------
    images : sequence of n (height, width) or (height, width, 3) uint8 arrays
        Grey or coloured, of any sizes.
    nodes : (n, 2) int array
        Row, from the top, and column of each.
    shape : (int, int)
        Rows and columns.
    side : int
        Pixels of a cell's side. An image is shown in its middle, at its own proportions, as large as fits: enlarged by
        a whole factor, or else made smaller.

    Returns
    -------
    (rows · side, columns · side) or (rows · side, columns · side, 3) uint8
        Grey where every image is; black where there is no image.
    """
    rows, columns = shape
    grey = all(image.ndim == 2 for image in images)
    picture = np.zeros((rows * side, columns * side, *(() if grey else (3,))), np.uint8)
    for image, (row, column) in zip(images, nodes, strict=True):
        fitted = fit(image, side)
        height, width = fitted.shape[:2]
        top, left = row * side + (side - height) // 2, column * side + (side - width) // 2
        cell = picture[top : top + height, left : left + width]
        cell[:] = fitted if grey or fitted.ndim == 3 else fitted[..., None]
    return picture


def fit(image: np.ndarray, side: int) -> np.ndarray:
    """An image as large as fits into a square: enlarged by a whole factor, pixel by pixel, or else made smaller."""
    height, width = image.shape[:2]
    factor = side // max(height, width)
    if factor == 1:
        return image
    if factor > 1:
        return image.repeat(factor, axis=0).repeat(factor, axis=1)
    size = max(1, round(width * side / max(height, width))), max(1, round(height * side / max(height, width)))
    return np.asarray(Image.fromarray(image).resize(size, Image.Resampling.LANCZOS))
