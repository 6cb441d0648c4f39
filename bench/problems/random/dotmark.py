"""Random grey images of the benchmark DOTmark, as histograms on a grid: exact transport of one into another.

DOTmark's classes are drawn by its rules, not read from its files, which gives any size and any number of pairs;
optima differ from those of its files. Its classes of drawn and photographed images are left out. The setting `image`
names the class:

- `white-noise`: pixels are independent and uniform.
- `grf-rough`, `grf-moderate`, `grf-smooth`: a Gaussian random field, shifted so that its least value is black.
- `log-grf`, `logit-grf`: the exponential and the logistic function of a field.
- `cauchy-density`: a bivariate Cauchy density with a random centre, whose contours are random ellipses.

n is the number of pixels, a square: 1024, 4096 and 16 384 for DOTmark's 32×32, 64×64 and 128×128. Grey levels are whole
numbers from 0 to 255, so that rounding changes no instance between machines.
"""

import functools
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np

from lapmark.bench.problems import family
from lapmark.bench.problems.applied.images_emd import centres, histograms
from lapmark.bench.problems.applied.square_grid import side
from lapmark.solvers import PointCost, Transport

Image = Literal["white-noise", "grf-rough", "grf-moderate", "grf-smooth", "log-grf", "logit-grf", "cauchy-density"]

#: Grey levels of a pixel.
WHITE = 255

#: Sides of the torus on which a field is drawn, in sides of the image: what wraps around is then uncorrelated.
TORUS = 4

#: Smallest and largest half-axis of the ellipses of `cauchy-density`, in sides of the image; DOTmark states none.
AXES = 0.05, 0.3


@dataclass(frozen=True)
class Field:
    """A Gaussian random field of mean 0 with Matérn's covariance: variance, smoothness ν, and scale in sides."""

    variance: float
    smoothness: float
    scale: float


#: Fields by class, with DOTmark's parameters.
FIELDS = {
    "grf-rough": Field(1, 0.25, 0.05),
    "grf-moderate": Field(1, 1, 0.15),
    "grf-smooth": Field(1, 2.5, 0.3),
    "log-grf": Field(1, 0.5, 0.4),
    "logit-grf": Field(4, 4.5, 0.1),
}


@family(
    "dotmark",
    source="J. Schrieber, D. Schuhmacher, C. Gottschlich, DOTmark – a benchmark for discrete optimal transport, "
    "IEEE Access 5 (2017) 271–282",
    sizes=(1024, 4096, 16384),
    variants=tuple({"image": image} for image in get_args(Image)),
)
def build(n: int, seed: int = 0, image: Image = "grf-moderate", p: int = 2) -> Transport:
    """Build the problem.

    Parameters
    ----------
    n : int
        Number of pixels; a square.
    seed : int
        Selects the two images.
    image : str
        The class of both.
    p : {1, 2}
        Exponent of the distance, which is measured in pixels.
    """
    if p not in (1, 2):
        raise ValueError(f"p = {p}; choose 1 or 2")
    k = side(n)
    rng = np.random.default_rng(seed)
    a, b = histograms(np.stack([draw(rng, k, image) for _ in range(2)]))
    pixels = centres(k, k)
    return Transport(PointCost(pixels, pixels, p=p), a, b, blur=0)


def draw(rng: np.random.Generator, k: int, image: Image) -> np.ndarray:
    """Return a random image of a class, (k, k) whole numbers from 0 to 255."""
    match image:
        case "white-noise":
            return rng.integers(0, WHITE, (k, k), endpoint=True)
        case "cauchy-density":
            return _grey(_cauchy_density(rng, k))
        case "log-grf":
            return _grey(np.exp(_field(rng, k, FIELDS[image])))
        case "logit-grf":
            return _grey(1 / (1 + np.exp(-_field(rng, k, FIELDS[image]))))
        case _:
            values = _field(rng, k, FIELDS[image])
            return _grey(values - values.min())


def _grey(values: np.ndarray) -> np.ndarray:
    """Return values ≥ 0 as grey levels; the largest is white."""
    largest = values.max()
    return np.rint(WHITE * values / largest) if largest > 0 else np.full(values.shape, float(WHITE))


def _field(rng: np.random.Generator, k: int, field: Field) -> np.ndarray:
    """Return a Gaussian random field at the k×k nodes, drawn by circulant embedding."""
    noise = np.fft.rfft2(rng.standard_normal((TORUS * k, TORUS * k)))
    return np.fft.irfft2(noise * _spectrum(k, field), (TORUS * k, TORUS * k))[:k, :k]


@functools.lru_cache(maxsize=len(FIELDS))
def _spectrum(k: int, field: Field) -> np.ndarray:
    """Return the square roots of the eigenvalues of the covariance on the torus; the few negative ones count as 0.

    C. R. Dietrich, G. N. Newsam, SIAM Journal on Scientific Computing 18 (1997) 1088–1107.
    """
    from scipy import special

    period, nu = TORUS * k, field.smoothness
    along = np.minimum(np.arange(period), period - np.arange(period)) / k
    distance = np.sqrt(2 * nu) * np.hypot(along[:, None], along) / field.scale
    with np.errstate(invalid="ignore"):  # 0 · inf at distance 0, where the correlation is 1
        correlation = 2 ** (1 - nu) / special.gamma(nu) * distance**nu * special.kv(nu, distance)
    correlation[0, 0] = 1
    eigenvalues = field.variance * np.fft.rfft2(correlation).real
    spectrum = np.sqrt(np.maximum(eigenvalues, 0))
    spectrum.flags.writeable = False
    return spectrum


def _cauchy_density(rng: np.random.Generator, k: int) -> np.ndarray:
    """Return a bivariate Cauchy density at the k×k pixels, up to a factor."""
    offset = (centres(k, k) + 0.5) / k - rng.random(2)
    angle, axes = np.pi * rng.random(), rng.uniform(*AXES, 2)
    turn = np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
    return (1 + ((offset @ turn.T / axes) ** 2).sum(axis=1)).reshape(k, k) ** -1.5
