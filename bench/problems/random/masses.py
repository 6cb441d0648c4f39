"""Unequal masses moved from n points to n others at least cost: transport, by default without blur.

Uniform points and masses are easy. Mixtures, masses of very different sizes, and a lattice with tied costs slow down
network simplex methods.
"""

from typing import Literal

import numpy as np

from lapmark.bench.problems import family
from lapmark.solvers import DenseCost, PointCost, Transport

#: Gaussians in a mixture, and their standard deviation.
GAUSSIANS, WIDTH = 5, 0.08


@family(
    "masses",
    source="ours; the lattice is that of images, as in DOTmark, J. Schrieber et al., IEEE Access 5 (2017) 271–282",
    sizes=(256, 1024),
    variants=(
        {},
        {"layout": "mixtures"},
        {"mass": "lognormal"},
        {"p": 1},
        {"layout": "mixtures", "p": 1},
        {"layout": "lattice", "mass": "whole"},
        {"layout": "random"},
    ),
)
def build(
    n: int,
    seed: int = 0,
    layout: Literal["uniform", "mixtures", "lattice", "random"] = "uniform",
    mass: Literal["uniform", "exponential", "whole", "lognormal"] = "exponential",
    p: int = 2,
    blur: float = 0,
    reach: float | None = None,
) -> Transport:
    """Build the problem.

    Parameters
    ----------
    layout : {"uniform", "mixtures", "lattice", "random"}
        Points that are uniform on the unit square, from a mixture of Gaussians per side, or on a square lattice shared
        by both sides, with tied costs; "random" has no points but a matrix of uniform costs.
    mass : {"uniform", "exponential", "whole", "lognormal"}
        Equal or random masses; those of "whole" are whole numbers from 1 to 9, with ties.
    p : {1, 2}
        Exponent of the distance.
    blur, reach : float
        As in `Transport`.
    """
    if p not in (1, 2):
        raise ValueError(f"p = {p}; choose 1 or 2")
    rng = np.random.default_rng(seed)
    a, b = (_masses(rng, n, mass) for _ in range(2))
    if layout == "random":
        cost: PointCost | DenseCost = DenseCost(rng.random((n, n)))
    else:
        x, y = (_points(rng, n, layout) for _ in range(2))
        cost = PointCost(x, y, p=p)
    return Transport(cost, a / a.sum(), b / b.sum(), blur, reach)


def _points(rng: np.random.Generator, n: int, layout: str) -> np.ndarray:
    if layout == "uniform":
        return rng.random((n, 2))
    if layout == "mixtures":
        return rng.random((GAUSSIANS, 2))[rng.integers(0, GAUSSIANS, n)] + WIDTH * rng.standard_normal((n, 2))
    side = int(np.ceil(np.sqrt(n)))
    return np.column_stack(np.divmod(np.arange(n), side)) / side


def _masses(rng: np.random.Generator, n: int, mass: str) -> np.ndarray:
    match mass:
        case "uniform":
            return np.ones(n)
        case "exponential":
            return rng.exponential(1, n)
        case "whole":
            return rng.integers(1, 10, n).astype(float)
        case _:
            return np.exp(3 * rng.standard_normal(n))
