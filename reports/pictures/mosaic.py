"""Images on the nodes of a grid as one picture, each in a square cell."""

from collections.abc import Sequence

import numpy as np
from PIL import Image


def mosaic(
    images: Sequence[np.ndarray] | np.ndarray, nodes: np.ndarray, shape: tuple[int, int], side: int
) -> np.ndarray:
    """Draw images on a grid, in one picture.

    Parameters
    ----------
    images : sequence of n (height, width) or (height, width, 3) uint8 arrays
        Grey or coloured, of any size.
    nodes : (n, 2) int array
        Row, from the top, and column of each image.
    shape : (int, int)
        Rows and columns.
    side : int
        Side of a cell in pixels. An image is shown in its middle with its proportions, as large as fits: enlarged by a
        whole factor, or reduced.

    Returns
    -------
    (rows · side, columns · side) or (rows · side, columns · side, 3) uint8
        Grey if all images are; cells without an image are black.
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
    """Return an image as large as fits into a square: enlarged by a whole factor, or reduced."""
    height, width = image.shape[:2]
    factor = side // max(height, width)
    if factor == 1:
        return image
    if factor > 1:
        return image.repeat(factor, axis=0).repeat(factor, axis=1)
    size = max(1, round(width * side / max(height, width))), max(1, round(height * side / max(height, width)))
    return np.asarray(Image.fromarray(image).resize(size, Image.Resampling.LANCZOS))
