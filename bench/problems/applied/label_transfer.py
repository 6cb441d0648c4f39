"""Labels carried from one cloud of points to another by an entropic plan: a tutorial of GeomLoss, at any size.

Both clouds are sampled from pictures, with a density that grows with darkness. Each point of the second has the colour
of its picture. A point of the first gets the mean colour of the points that the plan matches it to, Σ_j π_ij l_j / a_i,
computed on the fly (`lapmark.carry`). With a reach, points far from all others are not matched and stay black.

The cost is half the squared distance and the default blur 0.05, as in the tutorial. The pictures are drawn by this
module, or read from files that Pillow reads.
"""

import functools
from dataclasses import dataclass

import numpy as np
from PIL import Image, UnidentifiedImageError

from lapmark.bench.data import bounded_reading
from lapmark.bench.problems import family
from lapmark.solvers import PointCost, Transport

#: Side of the drawn pictures, in pixels.
SIDE = 256

#: Colours of the three shapes of the target, which the colour-blind can tell apart.
COLOURS = ((0.9, 0.3, 0.1), (0.0, 0.55, 0.45), (0.15, 0.4, 0.85))


@dataclass(frozen=True, eq=False)
class Clouds:
    """Points x and y, both (n, 2) in the unit square, and the colours of y, (n, 3) from 0 to 1."""

    x: np.ndarray
    y: np.ndarray
    labels: np.ndarray


@family(
    "label-transfer",
    source="J. Feydy, GeomLoss: optimal transport in color and label transfer; our pictures, or any",
    sizes=(500, 2000),
    variants=({"reach": 0.2}, {}),
)
def build(
    n: int, seed: int = 0, source: str = "drawn", target: str = "drawn", blur: float = 0.05, reach: float = 0.0
) -> Transport:
    """Build the problem.

    Parameters
    ----------
    n : int
        Points of each cloud.
    source, target : str
        Pictures to sample the clouds from: "drawn" for the built-in ones, or paths.
    blur : float
        Length, in units of the side of a picture; 0 for the exact plan.
    reach : float
        Scale of the distance beyond which mass is not moved; 0 for a balanced plan.
    """
    sample = clouds(n, seed, source, target)
    return Transport(PointCost(sample.x, sample.y, scale=0.5), blur=blur, reach=reach or None)


@functools.lru_cache(maxsize=4)
def clouds(n: int, seed: int = 0, source: str = "drawn", target: str = "drawn") -> Clouds:
    """Sample n points of each picture.

    Raises
    ------
    ValueError
        n is below 1, a file is not a picture, or a picture is completely white.
    """
    if n < 1:
        raise ValueError(f"n = {n}; a cloud has at least one point")
    rng = np.random.default_rng(seed)
    x, _ = _sample(rng, n, _drawn_source() if source == "drawn" else _read(source), source)
    y, labels = _sample(rng, n, _drawn_target() if target == "drawn" else _read(target), target)
    return Clouds(x, y, labels)


def _sample(rng: np.random.Generator, n: int, picture: np.ndarray, name: str) -> tuple[np.ndarray, np.ndarray]:
    """Sample points (n, 2) of a picture (height, width, 3), y upwards, and return them with their colours."""
    ink = 1 - picture.mean(axis=2).ravel()
    if not ink.sum() > 0:
        raise ValueError(f"{name} is completely white: it has no points to sample")
    pixels = rng.choice(len(ink), n, p=ink / ink.sum())
    height, width = picture.shape[:2]
    row, column = np.divmod(pixels, width)
    inside = rng.random((n, 2))
    points = np.column_stack([column + inside[:, 0], height - row - inside[:, 1]]) / max(height, width)
    return points, picture.reshape(-1, 3)[pixels]


def _read(path: str) -> np.ndarray:
    """Read a picture as (height, width, 3) from 0 to 1, with transparent parts white."""
    try:
        with Image.open(path) as image:
            bounded_reading.check_pixels(image.width * image.height, bounded_reading.PIXELS_AT_A_TIME)
            coloured = image.convert("RGBA")
    except FileNotFoundError:
        raise ValueError(f'no picture {path}; give an existing path, or "drawn"') from None
    except (UnidentifiedImageError, Image.DecompressionBombError, OSError, ValueError) as error:
        raise ValueError(f"{path} cannot be read as a picture: {error}") from None
    white = Image.new("RGBA", coloured.size, "white")
    return np.asarray(Image.alpha_composite(white, coloured).convert("RGB"), dtype=np.float64) / 255


def _grid() -> tuple[np.ndarray, np.ndarray]:
    """Return coordinates of the pixels in the unit square, y downwards."""
    at = (np.arange(SIDE) + 0.5) / SIDE
    return at[None, :], at[:, None]


def _ellipse(x: float, y: float, width: float, height: float, turn: float) -> np.ndarray:
    """Return which pixels are within an ellipse."""
    across, down = _grid()
    cos, sin = np.cos(turn), np.sin(turn)
    u, v = (across - x) * cos + (down - y) * sin, (down - y) * cos - (across - x) * sin
    return (u / width) ** 2 + (v / height) ** 2 < 1


def _drawn_source() -> np.ndarray:
    """Draw three grey blobs, a thin bridge between two of them, and an island far from all colours of the target."""
    parts = [
        (0.9, _ellipse(0.32, 0.3, 0.15, 0.11, 0.6)),
        (0.9, _ellipse(0.7, 0.3, 0.11, 0.14, 0.2)),
        (0.9, _ellipse(0.58, 0.66, 0.2, 0.09, -0.3)),
        (0.4, _ellipse(0.5, 0.3, 0.2, 0.02, 0.0)),
        (0.9, _ellipse(0.13, 0.9, 0.07, 0.05, 0.3)),
    ]
    ink = np.maximum.reduce([grey * part for grey, part in parts])
    return np.repeat(1 - ink[:, :, None], 3, axis=2)


def _drawn_target() -> np.ndarray:
    """Draw a disc, a ring and a bar, each in a colour of its own."""
    across, down = _grid()
    shapes = [
        _ellipse(0.24, 0.45, 0.12, 0.12, 0.0),
        np.abs(np.hypot(across - 0.74, down - 0.62) - 0.13) < 0.045,
        _ellipse(0.53, 0.15, 0.27, 0.06, 0.15),
    ]
    picture = np.ones((SIDE, SIDE, 3))
    for shape, colour in zip(shapes, COLOURS, strict=True):
        picture[shape] = colour
    return picture
