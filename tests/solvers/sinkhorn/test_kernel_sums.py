"""Sums of Sinkhorn's algorithm over points and matrices, against all pairs in float64; nodes in the place of points."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.spatial.distance import cdist
from scipy.special import logsumexp

from lapmark.solvers.costs import DenseCost, PointCost
from lapmark.solvers.deadline import Deadline
from lapmark.solvers.native import _sinkhorn
from lapmark.solvers.native._kernels import INSTRUCTION_SETS
from lapmark.solvers.problem import Transport
from lapmark.solvers.sinkhorn.kernel_sums import FormulaPairs, KernelPairs, MatrixPairs, Ordered, PointPairs
from lapmark.solvers.sinkhorn.quadrature import Cloud


def masses(size, seed):
    weights = np.random.default_rng(seed).exponential(size=size)
    weights[1 :: max(size // 7, 2)] = 0
    return weights / weights.sum()


def state(n, m, d, p, blur, seed=0, shift=0.3):
    """Points in order, masses, and potentials near those of the plan."""
    rng = np.random.default_rng(seed)
    x, y = rng.random((n, d)), shift + rng.random((m, d))
    x, y = x[_sinkhorn.neighbours(x)], y[_sinkhorn.neighbours(y)]
    a, b = masses(n, 1), masses(m, 2)
    cost, epsilon = 0.7 * cdist(x, y) ** p, blur**p
    f, g = np.zeros(n), np.zeros(m)
    for _ in range(5):
        f = -epsilon * logsumexp((g - cost) / epsilon, b=b, axis=1)
        g = -epsilon * logsumexp((f[:, None] - cost) / epsilon, b=a[:, None], axis=0)
    return x, y, a, b, f + 0.3 * epsilon * rng.random(n) - 1.0, g + 1.0, cost, epsilon


@pytest.mark.parametrize("isa", INSTRUCTION_SETS)
@pytest.mark.parametrize("d", [2, 3])
@pytest.mark.parametrize("p", [1, 2])
@pytest.mark.parametrize(
    ("n", "m", "blur"), [(1, 1, 0.5), (5, 300, 0.3), (700, 533, 0.05), (900, 40, 0.02), (2000, 900, 0.4)]
)
@pytest.mark.parametrize("precision", [1e-4, 1e-12])
def test_sweep_over_points_equals_sums_of_all_pairs(isa, d, p, n, m, blur, precision):
    x, y, a, b, f, g, cost, epsilon = state(n, m, d, p, blur)
    e = np.exp((f[:, None] + g - cost) / epsilon)
    given = (x, y, f, g, a, b, 0.7, p, epsilon, np.inf, precision, 1, np.inf)
    rows, cols, spent, pairs = _sinkhorn.sweep(*given, spent=True, isa=isa)
    np.testing.assert_allclose(rows, e @ b, rtol=2 * precision)
    np.testing.assert_allclose(cols, e.T @ a, rtol=2 * precision)
    assert spent == pytest.approx(a @ (e * cost) @ b, rel=2 * precision, abs=precision * epsilon)
    assert 0 < pairs <= (n + 256) * (m + 256)
    values = np.random.default_rng(3).normal(size=(m, 5))
    rows, carried, _, _ = _sinkhorn.sweep(*given, values=values, isa=isa)
    np.testing.assert_allclose(rows, e @ b, rtol=2 * precision)
    np.testing.assert_allclose(carried, e @ (b[:, None] * values), rtol=4 * precision, atol=8 * precision)


def test_sweep_with_threads_changes_sums_by_rounding_only():
    x, y, a, b, f, g, _, epsilon = state(1500, 1300, 2, 2, 0.1)
    one, three = (
        _sinkhorn.sweep(x, y, f, g, a, b, 0.7, 2, epsilon, np.inf, 1e-5, threads, np.inf, spent=True)
        for threads in (1, 3)
    )
    for first, second in zip(one, three, strict=True):
        np.testing.assert_allclose(first, second, rtol=1e-13)


def test_sweep_of_far_pairs_skips_them():
    x, y, a, b, f, g, _, epsilon = state(3000, 3000, 2, 2, 0.02, shift=0.0)
    *_, pairs = _sinkhorn.sweep(x, y, f, g, a, b, 0.7, 2, epsilon, np.inf, 1e-5, 1, np.inf)
    assert pairs < 0.5 * 3000**2


def test_sweep_of_a_tile_too_wide_for_float32_takes_float64():
    # One far point widens its tile; that of the others would be lost in float32.
    x, y, a, b, f, g, cost, epsilon = state(64, 64, 2, 2, 0.05)
    x[3] = 1e5, -1e5
    f[3] = 0.7 * ((x[3] - y[0]) ** 2).sum() - g[0]
    cost = 0.7 * cdist(x, y) ** 2
    e = np.exp(np.minimum((f[:, None] + g - cost) / epsilon, 700))
    kept = np.arange(64) != 3
    for precision in (1e-5, 1e-8):
        ours = _sinkhorn.sweep(x, y, f, g, a, b, 0.7, 2, epsilon, np.inf, precision, 1, np.inf)[0]
        np.testing.assert_allclose(ours[kept], (e @ b)[kept], rtol=2 * precision, atol=2 * precision)


def test_neighbours_of_random_points_stand_in_boxes():
    points = np.random.default_rng(0).random((1000, 2))
    order = _sinkhorn.neighbours(points, 4)
    assert sorted(order) == list(range(1000))
    ordered = points[order]
    runs = ordered[:960].reshape(-1, 16, 2)
    assert np.ptp(runs, axis=1).prod(axis=1).sum() < 2.0  # boxes of 16 that overlapped would cover the square manifold


def test_neighbours_of_points_in_one_place_are_a_permutation():
    assert sorted(_sinkhorn.neighbours(np.zeros((77, 3)))) == list(range(77))


@pytest.mark.parametrize("threads", [1, 3])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_kernel_after_large_steps_is_taken_anew(dtype, threads):
    *_, a, b, f, g, cost, epsilon = state(150, 130, 2, 2, 0.2)
    cost = cost.astype(dtype)
    exact, scaled = MatrixPairs(cost, a, b), KernelPairs(cost, a, b, threads)
    for step in (0.0, 0.5, 5.0, 50.0):
        expected = exact.sums(f + step * epsilon, g - step * epsilon, epsilon, np.inf)
        sums = scaled.sums(f + step * epsilon, g - step * epsilon, epsilon, np.inf)
        np.testing.assert_allclose(sums.rows, expected.rows, rtol=2e-7)
        np.testing.assert_allclose(sums.cols, expected.cols, rtol=2e-7)
    assert np.array_equal(scaled.kernel[1], f + 50.0 * epsilon)
    assert scaled.sums(f, g, epsilon, 0.0) is None


def pairs_of(kind, x, y, a, b, p=2):
    cost = PointCost(x, y, p, scale=0.7)
    if kind is PointPairs:
        return PointPairs(x, y, p, 0.7, a, b)
    return kind(cost, a, b) if kind is FormulaPairs else kind(cost.dense(), a, b)


@pytest.mark.parametrize("kind", [MatrixPairs, KernelPairs, FormulaPairs, PointPairs])
@pytest.mark.parametrize(("p", "length"), [(1, 1.0), (2, 1.0), (1, 1e30), (2, 1e30), (1, 1e-30), (2, 1e-30)])
@pytest.mark.parametrize("mass", [1.0, 1e38, 1e-38, 1e250])
def test_sums_in_other_units_scale_with_them(kind, p, length, mass):
    x, y, a, b, f, g, _, epsilon = state(80, 70, 2, p, 0.1)
    expected = pairs_of(kind, x, y, a, b, p).sums(f, g, epsilon, np.inf, careful=True)
    unit = length**p
    pairs = pairs_of(kind, length * x, length * y, mass * a, mass * b, p)
    f, epsilon = unit * (f - epsilon * np.log(mass)), unit * epsilon
    for careful in (False, True):
        sums = pairs.sums(f, unit * g, epsilon, np.inf, careful)
        np.testing.assert_allclose(sums.rows, expected.rows, rtol=1e-9 if careful else 1e-4)
        np.testing.assert_allclose(sums.cols, expected.cols, rtol=1e-9 if careful else 1e-4)
    assert sums.cost == pytest.approx(mass * unit * expected.cost, rel=1e-9)
    values = np.random.default_rng(0).normal(size=(70, 2))
    plain = pairs_of(kind, x, y, a, b, p).carried(f / unit + epsilon / unit * np.log(mass), g, epsilon / unit, values)
    np.testing.assert_allclose(pairs.carried(f, unit * g, epsilon, values), plain, rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize("kind", [MatrixPairs, KernelPairs])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_sums_with_forbidden_pairs_leave_them_out(kind, dtype):
    *_, a, b, f, g, cost, epsilon = state(60, 50, 2, 2, 0.3)
    cost = np.where(np.random.default_rng(1).random(cost.shape) < 0.3, np.inf, cost).astype(dtype)
    cost[7] = np.inf
    pairs, e = kind(cost, a, b), np.exp((f[:, None] + g - cost) / epsilon)
    for _ in range(2):
        sums = pairs.sums(f, g, epsilon, np.inf)
        np.testing.assert_allclose(sums.rows, e @ b, rtol=2e-7)
        np.testing.assert_allclose(sums.cols, a @ e, rtol=2e-7)
    spent = a @ (e * np.where(np.isinf(cost), 0, cost)) @ b
    assert pairs.sums(f, g, epsilon, np.inf, careful=True).cost == pytest.approx(spent, rel=1e-9)
    assert pairs.soft_minima(np.array([6, 7]), g, epsilon)[1] == np.inf
    assert (pairs.carried(f, g, epsilon, np.ones((50, 1)))[7] == 0).all()


@pytest.mark.parametrize("kind", [MatrixPairs, FormulaPairs, PointPairs])
def test_soft_minima_of_the_smallest_masses_weigh_them_rightly(kind):
    # What is 120 orders of magnitude heavier counts, however far below the nearest its exponent is.
    x, y = np.array([[0.0, 0.0], [0.1, 0.0]]), np.array([[0.0, 0.0], [3.0, 0.0]])
    b = np.array([1e-120, 1.0])
    soft = pairs_of(kind, x, y, np.array([0.5, 0.5]), b).soft_minima(np.arange(2), np.zeros(2), 0.03)
    exponent = -0.7 * cdist(x, y, "sqeuclidean") / 0.03
    np.testing.assert_allclose(soft, -0.03 * logsumexp(exponent, b=b, axis=1), rtol=1e-9)


@pytest.mark.parametrize("kind", [MatrixPairs, FormulaPairs, PointPairs])
def test_soft_minima_are_right_where_no_sum_is_in_range(kind):
    x, y, a, b, _, g, cost, epsilon = state(80, 70, 2, 2, 0.02)
    x = x + np.array([30.0, 0.0])
    cost = 0.7 * cdist(x, y) ** 2
    pairs = {
        MatrixPairs: lambda: MatrixPairs(cost, a, b),
        FormulaPairs: lambda: FormulaPairs(PointCost(x, y, scale=0.7), a, b),
        PointPairs: lambda: PointPairs(x, y, 2, 0.7, a, b),
    }[kind]()
    which = np.arange(80) % 3 == 0
    exponent = (g - cost[which]) / epsilon
    highest = exponent.max(axis=1)
    expected = -epsilon * (highest + np.log(np.exp(exponent - highest[:, None]) @ b))
    np.testing.assert_allclose(pairs.soft_minima(which, g, epsilon), expected, rtol=1e-9)


def test_ordered_of_shuffled_points_permutes_masses_alike():
    x, y, a, b, *_ = state(50, 40, 2, 2, 0.3)
    shuffled = np.random.default_rng(0).permutation(50)
    ordered = Ordered.of(Transport(PointCost(x[shuffled], y), a[shuffled], b, blur=0.3), Deadline(None))
    np.testing.assert_allclose(ordered.pairs.a, a[shuffled][ordered.rows])
    matrix = Ordered.of(Transport(DenseCost(cdist(x, y)), a, b, blur=0.05), Deadline(None))
    assert matrix.rows == slice(None)


@pytest.mark.parametrize("d", [2, 3])
@pytest.mark.parametrize("n", [7, 300, 1003])
def test_nodes_of_random_points_have_their_moments(d, n):
    rng = np.random.default_rng(n)
    points = rng.normal(size=(n, d))
    points = points[_sinkhorn.neighbours(points, 4)]
    mass = rng.exponential(size=n)
    nodes = Cloud.of(points, mass).nodes(0.5)
    assert nodes.mass.sum() == pytest.approx(mass.sum())
    np.testing.assert_allclose(nodes.mass @ nodes.points, mass @ points, atol=1e-9)
    np.testing.assert_allclose((nodes.mass * nodes.points.T) @ nodes.points, (mass * points.T) @ points, rtol=1e-9)
    assert len(nodes.mass) <= n
    if n > 500 and d == 2:
        assert len(nodes.mass) < n / 2


def test_nodes_between_clusters_are_single_points():
    rng = np.random.default_rng(0)
    points = np.concatenate([rng.normal(0, 0.01, (400, 2)), rng.normal(5, 0.01, (399, 2)), [[2.5, 2.5]]])
    points = points[_sinkhorn.neighbours(points, 4)]
    cloud = Cloud.of(points, np.full(800, 1 / 800))
    nodes = cloud.nodes(0.02)
    alone = np.flatnonzero((nodes.points == [2.5, 2.5]).all(axis=1))
    assert len(alone) == 1
    spread = np.linalg.norm(nodes.root, axis=(1, 2)) / np.sqrt(2)
    assert spread.max() <= 0.02


def test_planes_through_nodes_of_a_plane_are_exact():
    rng = np.random.default_rng(1)
    points = rng.random((600, 2))
    points = points[_sinkhorn.neighbours(points, 4)]
    nodes = Cloud.of(points, rng.exponential(size=600)).nodes(0.1)
    group = nodes.holding(np.arange(600))
    values = nodes.extended(nodes.points @ [2.0, -1.0] + 3.0, group, points)
    assert np.median(np.abs(values - (points @ [2.0, -1.0] + 3.0))) < 1e-12


def test_nodes_of_points_on_a_line_or_in_one_place_are_finite():
    line = np.column_stack([np.linspace(0, 1, 500), np.zeros(500)])
    for points in (line, np.ones((500, 2))):
        nodes = Cloud.of(points, np.full(500, 1 / 500)).nodes(0.1)
        assert np.isfinite(nodes.points).all()
        np.testing.assert_allclose(nodes.mass @ nodes.points, points.mean(axis=0))
        assert np.isfinite(nodes.extended(nodes.points[:, 0], nodes.group, nodes.points)).all()
