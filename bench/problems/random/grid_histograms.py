"""Random histograms on a regular grid, at city block cost: exact transport of one into the other.

The setting `image` names the kind of both: independent uniform `noise`, whose mass moves little; `smooth` fields, sums
of noise around each cell; `mixture`s of Gaussians, whose mass moves far; and `few` cells with mass, one in twenty.

n is the number of cells, 32², 64² and 128² in the plane, 10³ and 30³ in space; the sides are as equal as its factors
allow. Masses are whole numbers, so that rounding changes no instance between machines.
"""

from typing import Literal, get_args

import numpy as np

from lapmark.bench.problems import family
from lapmark.solvers import GridCost, Transport

Image = Literal["noise", "smooth", "mixture", "few"]

#: Largest mass of a cell before the sums are made equal.
MOST = 255

#: Gaussians of a mixture; smallest and largest standard deviation, in sides of the grid.
GAUSSIANS, WIDTHS = 4, (0.03, 0.13)

#: Standard deviation of the weights that smooth a field, in sides.
SMOOTHING = 0.1

#: Share of the cells with mass in `few`.
SHARE = 0.05


def _sizes(image: Image, axes: int) -> tuple[int, ...]:
    return (1000, 27000) if axes == 3 else (1024, 4096, 16384)


@family(
    "grid-histograms",
    source="ours; grids and cost as in H. Ling, K. Okada, An efficient earth mover's distance algorithm for robust "
    "histogram comparison, IEEE TPAMI 29 (2007) 840–853",
    sizes=(1024, 4096, 16384),
    sizes_of=_sizes,
    variants=tuple({"image": image, "axes": axes} for axes in (2, 3) for image in get_args(Image)),
)
def build(n: int, seed: int = 0, image: Image = "noise", axes: int = 2) -> Transport:
    """Build the problem.

    Parameters
    ----------
    n : int
        Number of cells.
    seed : int
        Selects the two histograms.
    image : {"noise", "smooth", "mixture", "few"}
        The kind of both.
    axes : {2, 3}
    """
    if axes not in (2, 3):
        raise ValueError(f"axes = {axes}; choose 2 or 3")
    grid, rng = _sides(n, axes), np.random.default_rng(seed)
    a, b = (_drawn(rng, grid, image).ravel() for _ in range(2))
    return Transport(GridCost(grid), a * b.sum(), b * a.sum())


def _sides(n: int, axes: int) -> tuple[int, ...]:
    """Return the sides of a grid of n cells, ascending."""
    if axes == 1:
        return (n,)
    side = next(k for k in range(round(n ** (1 / axes)), 0, -1) if n % k == 0)
    return (side, *_sides(n // side, axes - 1))


def _drawn(rng: np.random.Generator, grid: tuple[int, ...], image: Image) -> np.ndarray:
    """Return a histogram of whole masses, one of them above 0."""
    values = rng.random(grid)
    if image == "few":
        values *= rng.random(grid) < SHARE
    elif image == "smooth":
        from scipy.ndimage import gaussian_filter

        values = gaussian_filter(values, SMOOTHING * grid[0], mode="wrap")
        values -= values.min()
    elif image == "mixture":
        values = np.sum([_gaussian(rng, grid) for _ in range(GAUSSIANS)], axis=0)
    masses = np.rint(MOST * values / max(float(values.max()), 1e-300))
    return masses if masses.any() else np.ones(grid)


def _gaussian(rng: np.random.Generator, grid: tuple[int, ...]) -> np.ndarray:
    """Return a Gaussian of random centre, width and weight at the cells of a grid."""
    centre, width, weight = rng.random(len(grid)) * grid, rng.uniform(*WIDTHS) * grid[0], rng.random()
    squares = (np.square((np.arange(k) - c) / width) for k, c in zip(grid, centre, strict=True))
    return weight * np.exp(-sum(np.ix_(*squares)) / 2)
