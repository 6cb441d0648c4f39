"""Unequal masses moved from n places to n others at least cost: transport, without a blur unless one is asked for.

Even points and even masses are the easy end. Mixtures, masses of many sizes, and a lattice on which costs tie are where
network simplex methods slow down.
"""

from __future__ import annotations

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
    """The problem.

    Parameters
    ----------
    n : int
    seed : int
    layout : {"uniform", "mixtures", "lattice", "random"}
        Points in the unit square, from two mixtures of Gaussians, or on a square lattice, which both sides share and
        whose costs tie; "random": no points, but a matrix of uniform costs.
    mass : {"uniform", "exponential", "whole", "lognormal"}
        Equal masses, or masses drawn at random; "whole" ones, from 1 to 9, tie.
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
