"""DOTmark's random images: what each class is, and that problems of its sizes are solved and proven."""

from collections.abc import Callable
from typing import get_args

import numpy as np
import pytest

from lapmark import PointCost, certify, solve
from lapmark.bench.problems import Case
from lapmark.bench.problems.random import dotmark

SEEDS = range(6)


def images(image: dotmark.Image, k: int = 64) -> np.ndarray:
    return np.stack([dotmark.draw(np.random.default_rng(seed), k, image) for seed in SEEDS])


@pytest.mark.parametrize("image", get_args(dotmark.Image))
def test_dotmark_images_are_grey_levels_up_to_white(image: dotmark.Image) -> None:
    found = images(image)
    assert (found == np.rint(found)).all()
    assert found.min() >= 0
    assert (found.max(axis=(1, 2)) == 255).all()


@pytest.mark.parametrize(
    ("image", "closed_form"),
    [
        ("log-grf", lambda r: np.exp(-r / 0.4)),  # ν = 1/2
        ("grf-smooth", lambda r: (1 + (x := np.sqrt(5) * r / 0.3) + x**2 / 3) * np.exp(-x)),  # ν = 5/2
    ],
)
def test_dotmark_fields_have_materns_covariance(image: str, closed_form: Callable[[np.ndarray], np.ndarray]) -> None:
    k, field = 16, dotmark.FIELDS[image]
    fields = np.stack([dotmark._field(np.random.default_rng(seed), k, field)[0] for seed in range(4000)])
    products = (fields[:, :1] * fields).mean(axis=0)
    assert products == pytest.approx(closed_form(np.arange(k) / k), abs=0.06)  # four standard errors of such a mean


def test_dotmark_fields_differ_in_smoothness_as_their_names_say() -> None:
    steps = [np.abs(np.diff(images(image), axis=2)).mean() for image in ("grf-rough", "grf-moderate", "grf-smooth")]
    assert steps[0] > 2 * steps[1] > 4 * steps[2]


def test_dotmark_white_noise_neighbours_are_uncorrelated() -> None:
    found = images("white-noise").astype(float)
    assert abs(np.corrcoef(found[:, :, 1:].ravel(), found[:, :, :-1].ravel())[0, 1]) < 0.02
    assert np.bincount(found.astype(int).ravel() // 64).tolist() == pytest.approx([64 * 64 * 6 / 4] * 4, rel=0.05)


def test_dotmark_cauchy_density_falls_off_from_one_centre() -> None:
    for image in images("cauchy-density"):
        row, column = np.unravel_index(image.argmax(), image.shape)
        assert (np.diff(image[row, column:]) <= 0).all()
        assert (np.diff(image[row, : column + 1]) >= 0).all()


@pytest.mark.parametrize("p", [1, 2])
def test_dotmark_of_32_by_32_pixels_is_solved_and_proven(p: int) -> None:
    problem = Case("dotmark", 1024, 0, {"p": p}).build()
    assert isinstance(problem.cost, PointCost)
    assert certify(problem, solve(problem)).optimal


@pytest.mark.slow
@pytest.mark.parametrize("k", [64, 128])
@pytest.mark.parametrize("image", get_args(dotmark.Image))
def test_dotmark_of_large_images_is_solved_and_proven(image: str, k: int) -> None:
    problem = Case("dotmark", k * k, 0, {"image": image}).build()
    assert certify(problem, solve(problem)).optimal


@pytest.mark.parametrize(("text", "fault"), [("dotmark:n=10", "the nearest that do: 9"), ("dotmark:n=16,p=3", "p = 3")])
def test_dotmark_of_an_invalid_setting_raises_value_error(text: str, fault: str) -> None:
    with pytest.raises(ValueError, match=fault):
        Case.read(text).build()
