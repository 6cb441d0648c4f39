"""Locally linear embedding: scikit-learn's conventions and its results, the way back, and what is hard for it."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
import scipy.sparse as sp
from scipy.linalg import eigh, subspace_angles
from sklearn.datasets import load_digits, make_s_curve
from sklearn.manifold import LocallyLinearEmbedding as Peer
from sklearn.utils.estimator_checks import parametrize_with_checks

from lapmark.bench.embeddings import LocallyLinearEmbedding, null_space
from lapmark.bench.embeddings.lle import barycentric
from lapmark.bench.embeddings.neighbours import FEW_DIMENSIONS, nearest

# Small samples often fall into parts; one test asks for the warning.
pytestmark = pytest.mark.filterwarnings("ignore:the graph of")


@parametrize_with_checks([LocallyLinearEmbedding()])
def test_estimator_follows_scikit_learns_conventions(estimator, check):  # type: ignore[no-untyped-def]
    check(estimator)


@pytest.fixture(scope="module")
def digits() -> np.ndarray:
    """Images of which no two are as far from a third: their neighbours are no matter of chance."""
    images = load_digits().data / 16
    return images + np.random.default_rng(0).normal(scale=1e-3, size=images.shape)


@pytest.fixture(scope="module")
def fitted(digits: np.ndarray) -> LocallyLinearEmbedding:
    return LocallyLinearEmbedding(n_neighbors=10).fit(digits[:600])


def up_to_sign(one: np.ndarray, other: np.ndarray) -> float:
    """The largest difference of two embeddings when each column has the sign that suits."""
    return float(np.abs(one - other * np.sign((one * other).sum(axis=0))).max())


@pytest.mark.parametrize(("n", "way"), [(150, "dense"), (400, "dense"), (1797, "arpack")])
def test_fit_equals_scikit_learns_embedding(digits: np.ndarray, n: int, way: str) -> None:
    mine = LocallyLinearEmbedding(3, n_neighbors=10).fit(digits[:n])
    peer = Peer(n_components=3, n_neighbors=10, eigen_solver=way, tol=1e-12).fit(digits[:n])
    assert up_to_sign(mine.embedding_vectors_, peer.embedding_) < 1e-6
    assert mine.reconstruction_error_ == pytest.approx(peer.reconstruction_error_, rel=1e-6)


def test_transform_equals_scikit_learns(digits: np.ndarray) -> None:
    known, new = digits[:1500], digits[1500:]
    mine = LocallyLinearEmbedding(n_neighbors=10).fit(known)
    peer = Peer(n_neighbors=10, eigen_solver="arpack", tol=1e-12).fit(known)
    assert up_to_sign(mine.transform(new), peer.transform(new)) < 1e-6


def test_fit_sets_the_documented_attributes(digits: np.ndarray, fitted: LocallyLinearEmbedding) -> None:
    digits, n = digits[:600], 600
    w = np.zeros((n, n))
    neighbours = fitted.nbrs_X_.kneighbors(return_distance=False)
    np.put_along_axis(w, neighbours, barycentric(digits, digits, neighbours, fitted.reg), axis=1)
    m = (np.eye(n) - w).T @ (np.eye(n) - w)
    assert sp.issparse(fitted.M_)
    assert np.abs(fitted.M_.toarray() - m).max() < 1e-12
    vectors = np.column_stack([np.full(n, n**-0.5), fitted.embedding_vectors_])
    assert np.abs(vectors.T @ vectors - np.eye(3)).max() < 1e-10
    assert np.abs(m @ vectors - fitted.eigenvalues_ * vectors).max() < 1e-10
    assert np.allclose(fitted.eigenvalues_, eigh(m, eigvals_only=True)[:3], rtol=1e-6, atol=1e-13)
    assert fitted.reconstruction_error_ == pytest.approx(((vectors - w @ vectors) ** 2).sum(), rel=1e-9)
    itself = fitted.nbrs_y_.kneighbors(fitted.embedding_vectors_[:5], 1, return_distance=False)
    assert itself.ravel().tolist() == [0, 1, 2, 3, 4]


def test_inverse_transform_uses_embedded_neighbours(fitted: LocallyLinearEmbedding, digits: np.ndarray) -> None:
    y = fitted.embedding_vectors_[::50] + 1e-5
    neighbours = fitted.nbrs_y_.kneighbors(y, return_distance=False)
    weights = barycentric(y, fitted.embedding_vectors_, neighbours, fitted.reg)
    back = fitted.inverse_transform(y)
    for point, near, weight in zip(back, neighbours, weights, strict=True):
        assert weight.sum() == pytest.approx(1)
        assert np.abs(weight @ digits[near] - point).max() < 1e-10


def test_inverse_transform_of_a_plane_restores_it() -> None:
    rng = np.random.default_rng(0)
    flat = rng.random((400, 2))
    points = flat @ rng.standard_normal((2, 5))
    fitted = LocallyLinearEmbedding(n_neighbors=8, reg=1e-6).fit(points)
    new = rng.uniform(0.2, 0.8, (50, 2)) @ np.linalg.lstsq(flat, points, rcond=None)[0]
    assert np.abs(fitted.inverse_transform(fitted.transform(new)) - new).max() < 0.02


def test_fit_repeated_gives_equal_bytes(digits: np.ndarray) -> None:
    one, other = (LocallyLinearEmbedding(n_jobs=threads).fit_transform(digits) for threads in (1, -1))
    assert np.array_equal(one, other)
    assert (one[np.abs(one).argmax(axis=0), [0, 1]] > 0).all()


def parts(count: int, each: int, d: int = 20) -> np.ndarray:
    """Clouds far from each other, the first of them the largest."""
    rng = np.random.default_rng(1)
    sizes = [each + 10 * (count - k) for k in range(count)]
    return np.concatenate([100 * k + rng.random((size, d)) for k, size in enumerate(sizes)])


@pytest.mark.parametrize(("count", "each", "components"), [(2, 20, 2), (2, 120, 2), (3, 60, 4), (5, 50, 2), (5, 50, 4)])
def test_fit_of_a_graph_in_parts_warns(count: int, each: int, components: int) -> None:
    points = parts(count, each)
    with pytest.warns(UserWarning, match=f"has {count} parts .*: {min(count - 1, components)} of {components}"):
        mine = LocallyLinearEmbedding(components, n_neighbors=6).fit(points)
    values, vectors = eigh(mine.M_.toarray())
    assert np.allclose(mine.eigenvalues_, values[: components + 1], rtol=1e-6, atol=1e-12)
    null = vectors[:, :count]
    given = mine.embedding_vectors_[:, : count - 1]
    assert np.sin(subspace_angles(null, given)).max() < 1e-6
    if components >= count:
        rest = mine.embedding_vectors_[:, count - 1 :]
        assert np.sin(subspace_angles(vectors[:, count : components + 1], rest)).max() < 1e-6


def test_closed_classes_leave_out_parts_with_a_way_out() -> None:
    w = sp.csr_array(np.array([[0, 1, 0, 0], [1, 0, 0, 0], [0.5, 0, 0, 0.5], [0, 0, 0, 1]]))
    assert null_space.closed_classes(w).tolist() == [0, 3]


@pytest.mark.parametrize("n", [60, 300])
def test_fit_of_duplicates_succeeds(n: int) -> None:
    rng = np.random.default_rng(2)
    points = np.repeat(rng.random((n // 2, 3)), 2, axis=0)
    mine = LocallyLinearEmbedding(n_neighbors=6).fit(points)
    values = eigh(mine.M_.toarray(), eigvals_only=True)
    assert np.allclose(mine.eigenvalues_, values[:3], rtol=1e-5, atol=1e-12)
    assert np.abs(mine.embedding_vectors_[::2] - mine.embedding_vectors_[1::2]).max() < 0.01


def test_fit_of_equal_points_succeeds() -> None:
    for n, d in ((10, 4), (300, 4), (300, 40)):
        for everywhere in (0.0, 1.0):
            embedded = LocallyLinearEmbedding().fit_transform(np.full((n, d), everywhere))
            assert np.abs(embedded.T @ embedded - np.eye(2)).max() < 1e-10


def test_fit_with_more_neighbours_than_dimensions_succeeds() -> None:
    points, _ = make_s_curve(500, random_state=0)
    mine = LocallyLinearEmbedding(n_neighbors=12).fit(points)
    peer = Peer(n_neighbors=12, eigen_solver="arpack", tol=1e-12).fit(points)
    assert up_to_sign(mine.embedding_vectors_, peer.embedding_) < 1e-6


def test_fit_without_regularization_needs_independent_neighbours(digits: np.ndarray) -> None:
    mine = LocallyLinearEmbedding(n_neighbors=10, reg=0).fit(digits)
    peer = Peer(n_neighbors=10, reg=0, eigen_solver="arpack", tol=1e-12).fit(digits)
    assert up_to_sign(mine.embedding_vectors_, peer.embedding_) < 1e-6
    with pytest.raises(ValueError, match=r"reg = 0 does not determine the weights of point 0: its 5 neighbours"):
        LocallyLinearEmbedding(reg=0).fit(digits[:, :3])


def test_lowest_with_failing_factors_uses_a_dense_matrix() -> None:
    pairs = sp.csr_array(np.kron(np.eye(150), [[1.0, -1.0], [-1.0, 1.0]]))
    with pytest.warns(UserWarning, match="singular; using a dense matrix"):
        values, vectors = null_space.lowest(pairs, 3, closed=np.array([], int))
    assert np.abs(values).max() < 1e-12
    assert np.abs(vectors.T @ vectors - np.eye(3)).max() < 1e-12
    assert np.ptp(vectors[:, 0]) < 1e-12


def test_lowest_with_a_large_residual_raises_arithmetic_error() -> None:
    rng = np.random.default_rng(3)
    a = sp.csr_array(np.eye(20) - np.full((20, 20), 1 / 20))
    with pytest.raises(ArithmeticError, match=r"residual of .*; at most .* is allowed"):
        null_space._checked(a + 0.1 * sp.csr_array(rng.random((20, 20))), np.linalg.qr(rng.random((20, 3)))[0])


@pytest.mark.parametrize(
    ("parameters", "fault"),
    [
        ({"n_components": 0}, "n_components = 0; with 50 points it is a whole number from 1 to 49"),
        ({"n_components": 50}, "n_components = 50"),
        ({"n_neighbors": 50}, "n_neighbors = 50"),
        ({"n_neighbors": 2.5}, r"n_neighbors = 2\.5"),
        ({"reg": -1}, "reg = -1; it is a finite number, 0 or above"),
        ({"reg": np.nan}, "reg = nan"),
        ({"n_jobs": 0}, "n_jobs = 0; it must be a whole number of at least 1, or -1"),
    ],
)
def test_fit_with_a_parameter_out_of_range_names_it(digits: np.ndarray, parameters: dict, fault: str) -> None:
    with pytest.raises(ValueError, match=fault):
        LocallyLinearEmbedding(**parameters).fit(digits[:50])


def test_fit_of_invalid_data_raises_value_error(fitted: LocallyLinearEmbedding) -> None:
    with pytest.raises(ValueError, match="squares overflow"):
        LocallyLinearEmbedding().fit(np.random.default_rng(0).random((20, 3)) * 1e200)
    with pytest.raises(ValueError, match="y has 3 columns; embedded points have 2"):
        fitted.inverse_transform(np.zeros((4, 3)))
    with pytest.raises(ValueError, match="NaN"):
        fitted.inverse_transform(np.full((4, 2), np.nan))


def brute(x: np.ndarray, k: int) -> np.ndarray:
    distance = ((x[:, None] - x) ** 2).sum(axis=2)
    np.fill_diagonal(distance, np.inf)
    return np.sort(distance.argsort(axis=1)[:, :k], axis=1)


@pytest.mark.parametrize("offset", [0, 1e3, 1e6])
@pytest.mark.parametrize("scale", [1e-30, 1, 1e30])
@pytest.mark.parametrize("d", [3, FEW_DIMENSIONS + 1, 60])
def test_nearest_is_exact_at_any_scale_and_offset(d: int, scale: float, offset: float) -> None:
    x = (np.random.default_rng(d).random((300, d)) + offset) * scale
    assert np.array_equal(nearest(x, 7, 2), brute(x / scale, 7))


def test_nearest_across_blocks_is_exact(monkeypatch: pytest.MonkeyPatch) -> None:
    x = np.random.default_rng(5).random((517, 40))
    expected = brute(x, 4)
    for block in (16, 100, 517, 1000):
        monkeypatch.setattr("lapmark.bench.embeddings.neighbours.BLOCK", block)
        assert np.array_equal(nearest(x, 4, 2), expected)


def test_nearest_of_points_equal_in_float32_is_exact() -> None:
    """A point amid a shell of others, whose distances differ in the ninth digit."""
    rng = np.random.default_rng(6)
    shell = rng.standard_normal((200, 30))
    shell /= np.linalg.norm(shell, axis=1, keepdims=True)
    x = np.concatenate([np.zeros((1, 30)), shell * (1 + 1e-9 * rng.permutation(200)[:, None])])
    assert np.array_equal(nearest(x, 5)[0], brute(x, 5)[0])


def test_nearest_among_duplicates_excludes_the_point_itself() -> None:
    x = np.repeat(np.random.default_rng(7).random((30, 20)), 12, axis=0)
    found = nearest(x, 5, 2)
    assert (found != np.arange(len(x))[:, None]).all()
    assert (found // 12 == (np.arange(len(x)) // 12)[:, None]).all(), "they lie at the same place"


def test_fit_of_regular_data_does_not_warn(digits: np.ndarray) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        LocallyLinearEmbedding(n_neighbors=12).fit(digits).transform(digits[:3])
