"""The earth mover's distance between images: by hand, its properties, the family and its pictures."""

import numpy as np
import pytest

from lapmark import Transport, certify, solve
from lapmark.bench.problems import Case
from lapmark.bench.problems.applied import images_emd


def one_pixel(*places: tuple[int, int]) -> np.ndarray:
    """4×4 images, each with one white pixel."""
    images = np.zeros((len(places), 4, 4))
    for image, place in zip(images, places, strict=True):
        image[place] = 255
    return images_emd.histograms(images)


@pytest.fixture
def heaps() -> np.ndarray:
    return images_emd.histograms(np.random.default_rng(0).integers(0, 9, (6, 4, 4)))


@pytest.mark.parametrize(("p", "expected"), [(1, 5), (2, 25)])
def test_distances_of_single_pixels_are_euclidean(p: int, expected: float) -> None:
    corner, far = one_pixel((0, 0), (3, 3))
    assert images_emd.distances(corner[None], corner[None], p) == 0
    heaps = images_emd.histograms(np.eye(25).reshape(25, 5, 5))
    assert images_emd.distances(heaps[:1], heaps[[3 * 5 + 4]], p) == pytest.approx(expected)
    assert images_emd.distances(corner[None], far[None], p) == pytest.approx(np.sqrt(18) ** p)


def test_distances_of_half_the_mass_are_half_the_work() -> None:
    left = np.array([[[1, 1, 0], [0, 0, 0], [0, 0, 0]]])
    right = np.array([[[0, 1, 1], [0, 0, 0], [0, 0, 0]]])
    one, other = images_emd.histograms(left), images_emd.histograms(right)
    assert images_emd.distances(one, other, 1) == pytest.approx(1)  # half of it by two pixels, or all of it by one
    assert images_emd.distances(one, other, 2) == pytest.approx(1)  # all of it by one; half by two would cost 2


def test_distances_are_a_metric(heaps: np.ndarray) -> None:
    table = images_emd.distances(heaps, heaps)
    assert np.abs(np.diag(table)).max() <= 1e-12
    assert table == pytest.approx(table.T)
    assert (table[~np.eye(6, dtype=bool)] > 0).all()
    assert (table[:, None] <= table[:, :, None] + table.T[None] + 1e-12).all()


def test_distances_equal_those_of_a_linear_program(heaps: np.ndarray) -> None:
    from scipy.optimize import linprog
    from scipy.spatial.distance import cdist

    pixels = images_emd.centres(4, 4)
    sums = np.vstack([np.kron(np.eye(16), np.ones(16)), np.kron(np.ones(16), np.eye(16))])
    for p in (1, 2):
        best = linprog(cdist(pixels, pixels).ravel() ** p, A_eq=sums, b_eq=np.concatenate(heaps[:2])).fun
        assert images_emd.distances(heaps[:1], heaps[1:2], p) == pytest.approx(best)


def test_neighbours_are_sorted_and_accuracy_counts_them() -> None:
    images = images_emd.SOURCES["digits"]()
    queries, found = images_emd.neighbours(images, seed=2)
    heaps = images_emd.histograms(images.pixels)
    by_hand = images_emd.distances(heaps[queries[:1]], heaps[found["EMD"][0]])[0]
    assert (np.diff(by_hand) >= 0).all()
    assert len(set(queries) | set(found["L2"][0])) == images_emd.QUERIES + images_emd.LABELLED
    shares = images_emd.accuracy(seeds=1)
    assert all(0.5 < share <= 1 for share in shares.values())
    queries, found = images_emd.neighbours(images, seed=0)
    same = images.label[found["EMD"][:, 0]] == images.label[queries]
    assert shares["EMD"] == same.mean()


def test_centres_run_along_the_rows_first() -> None:
    assert images_emd.centres(2, 3).tolist() == [[0, 0], [1, 0], [2, 0], [0, 1], [1, 1], [2, 1]]


def test_histograms_of_a_black_image_raise_value_error() -> None:
    with pytest.raises(ValueError, match="image 1 is completely black"):
        images_emd.histograms(np.stack([np.ones((2, 2)), np.zeros((2, 2))]))


@pytest.mark.parametrize("n", [1, 64, 100])
def test_build_gives_two_images_of_n_pixels(n: int) -> None:
    problem = Case("images-emd", n).build()
    assert isinstance(problem, Transport)
    assert problem.shape == (n, n)
    assert problem.a.sum() == pytest.approx(1)
    assert problem.b.sum() == pytest.approx(1)
    assert problem.blur == 0
    assert certify(problem, solve(problem)).optimal


def test_build_at_the_original_size_leaves_images_unchanged() -> None:
    images = images_emd.SOURCES["digits"]()
    problem = Case("images-emd", 64, 5).build()
    heaps = images_emd.histograms(images.pixels)
    labels = [images.label[(heaps == mass).all(axis=1).argmax()] for mass in (problem.a, problem.b)]
    assert (heaps == problem.a).all(axis=1).any()
    assert (heaps == problem.b).all(axis=1).any()
    assert labels[0] != labels[1]


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("images-emd:n=60", r"the nearest that do: 49 \(7×7\) and 64 \(8×8\)"),
        ("images-emd:n=64,p=3", "p = 3; choose 1 or 2"),
        ("images-emd:n=64,source=faces", "it must be digits or mnist"),
    ],
)
def test_build_with_an_invalid_setting_raises_value_error(text: str, fault: str) -> None:
    with pytest.raises(ValueError, match=fault):
        Case.read(text).build()
