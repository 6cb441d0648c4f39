"""Small transport problems on which well-known solvers answer wrongly, crash or do not return.

As in `adversarial`, each `input` is one way to break a solver, and a valid problem. Those for entropic solvers have a
blur, the others have none.
"""

from typing import TYPE_CHECKING, Literal

import numpy as np

from lapmark.bench.problems import family
from lapmark.solvers import DenseCost, PointCost, Transport

from .adversarial_input import Input, Rng, forbidden_row, hall_violation, settings

#: The usual blur of points in the unit square.
BLUR = 0.05


def _masses(rng: Rng, n: int, total: float = 1) -> np.ndarray:
    masses = rng.exponential(1, n)
    return total * masses / masses.sum()


def _points(rng: Rng, n: int) -> PointCost:
    x, y = rng.random((2, n, 2))
    return PointCost(x, y, scale=0.5)


def _translated(rng: Rng, n: int, offset: float) -> Transport:
    x, y = rng.random((2, n, 2), dtype=np.float32) + np.float32(offset)
    return Transport(PointCost(x, y, scale=0.5), blur=BLUR)


def _with_masses(rng: Rng, n: int, total: float, blur: float) -> Transport:
    return Transport(_points(rng, n), _masses(rng, n, total), _masses(rng, n, total), blur)


def _whole_masses(rng: Rng, n: int) -> Transport:
    masses = rng.integers(1, 10, n)
    return Transport(_points(rng, n), masses, rng.permutation(masses), blur=0)


def _zero_weights(rng: Rng, n: int) -> Transport:
    a, b = (np.where(np.arange(n) % 4 == 0, 0, _masses(rng, n)) for _ in range(2))
    return Transport(_points(rng, n), a / a.sum(), b / b.sum(), BLUR)


def _unequal_sums(rng: Rng, n: int) -> Transport:
    return Transport(_points(rng, n), _masses(rng, n), _masses(rng, n, 2), blur=0, partial=True)


def _outlier(rng: Rng, n: int) -> Transport:
    x, y = rng.random((2, n, 2))
    y[0] += 10
    return Transport(PointCost(x, y, scale=0.5), blur=BLUR)


def _matrix(rng: Rng, n: int, scale: float = 1) -> Transport:
    return Transport(DenseCost(scale * rng.random((n, n))), _masses(rng, n), _masses(rng, n), blur=0)


def _big_m(rng: Rng, n: int, big: float) -> Transport:
    """Some pairs are expensive, few enough that an optimal plan uses none of them."""
    costs = np.where(rng.random((n, n)) < 0.3, big, rng.random((n, n)))
    return Transport(DenseCost(costs), blur=0)


#: All inputs by name. The failures were seen with POT 0.9.7, GeomLoss 0.3.1 and OTT-JAX 0.6.0.
INPUTS: dict[str, Input[Transport]] = {
    "far-1e3": Input(
        build=lambda rng, n: _translated(rng, n, 1e3),
        n=200,
        why="points in float32, 1e3 from the origin: |x|² + |y|² − 2x·y loses all digits, and OTT reports convergence",
    ),
    "far-1e4": Input(
        build=lambda rng, n: _translated(rng, n, 1e4),
        n=200,
        why="the same 1e4 from the origin: GeomLoss’s loss is negative",
    ),
    "tiny-mass": Input(
        build=lambda rng, n: _with_masses(rng, n, 1e-30, BLUR),
        n=64,
        why="masses of sum 1e-30: an absolute bound on the marginal error is met before the first step",
    ),
    "tiny-exact": Input(
        build=lambda rng, n: _with_masses(rng, n, 1e-30, 0),
        n=64,
        why="the same without blur: POT compares sums by an absolute tolerance",
    ),
    "whole-masses": Input(build=_whole_masses, n=64, why="whole masses, as integers: POT casts its plan to integers"),
    "zero-weights": Input(build=_zero_weights, n=64, why="points without mass, whose logarithm is −inf"),
    "unequal-sums": Input(
        build=_unequal_sums, n=64, why="sums that differ, of which the smaller is moved: most solvers do not notice"
    ),
    "outlier": Input(
        build=_outlier, n=64, why="a point so far away that exp(−c / ε) is 0: plain scalings overflow float64"
    ),
    "tiny-scale": Input(
        build=lambda rng, n: _matrix(rng, n, 1e-15), n=32, why="costs below 1e-15: POT’s emd treats them as 0"
    ),
    "big-m": Input(build=lambda rng, n: _big_m(rng, n, 1e12), n=32, why="1e12 in place of inf for unwanted pairs"),
    "huge-m": Input(build=lambda rng, n: _big_m(rng, n, 1e300), n=32, why="with 1e300: sums of duals overflow"),
    "equal": Input(
        build=lambda rng, n: Transport(DenseCost(np.ones((n, n))), blur=0), n=32, why="all costs equal", random=False
    ),
    "one-by-one": Input(build=_matrix, n=1, why="a single pair", any_size=False),
    "hall-violation": Input(
        build=lambda rng, n: Transport(hall_violation(rng, n), blur=0),
        n=12,
        why="rows that hold more mass than their allowed columns take",
        feasible=False,
    ),
    "forbidden-row": Input(
        build=lambda rng, n: Transport(forbidden_row(rng, n), _masses(rng, n), _masses(rng, n), blur=0),
        n=12,
        why="a row of inf with mass",
        feasible=False,
    ),
}

if TYPE_CHECKING:
    Name = str
else:
    Name = Literal[tuple(INPUTS)]  # so that names are checked before a run


@family("adversarial-transport", **settings(INPUTS, "far-1e3"))
def build(n: int, seed: int = 0, input: Name = "far-1e3") -> Transport:
    """`input`: which of `INPUTS`."""
    return INPUTS[input].instance(n, seed)
