"""The flow of Gaussian mixtures: POT's curve, its gradients, what it may not depend on, what it refuses."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from make_gmm_flow_losses import CURVES, FILE, name

from lapmark import DenseCost, Transport, certify, solve
from lapmark.bench import mixtures
from lapmark.bench.asv_benchmarks.gmm_flow import peer_missing, pot_flow
from lapmark.bench.mixtures import bures_distance as bures
from lapmark.bench.mixtures import flow_2d as plane
from lapmark.bench.mixtures import flow_nd as space
from lapmark.bench.mixtures.flow import SMALLEST_VARIANCE
from lapmark.bench.mixtures.gradient_step import softmax
from lapmark.bench.mixtures.transport_plan import centre, optimal_plan
from lapmark.bench.problems import Case
from lapmark.bench.problems.applied import gmm_flow
from lapmark.bench.problems.applied.gmm_flow import Mixtures

MISSING = peer_missing()
peer = pytest.mark.skipif(MISSING is not None, reason=f"POT with torch: {MISSING}")

#: What is left between two computations in float64 after a hundred steps.
CLOSE = 1e-10


def equal(n: int, d: int) -> Mixtures:
    """A mixture and itself."""
    start = gmm_flow.mixtures(n, 0, d)
    return dataclasses.replace(
        start, target_means=start.means, target_covs=start.covs, target_weights=softmax(start.logits)
    )


def differences(function, at: np.ndarray, step: float = 1e-5) -> np.ndarray:
    """Central differences of a scalar function in every entry of an array."""
    slopes = np.empty(at.shape)
    for k in np.ndindex(at.shape):
        move = np.zeros(at.shape)
        move[k] = step
        slopes[k] = (function(at + move) - function(at - move)) / (2 * step)
    return slopes


class TestAgainstPot:
    @pytest.mark.parametrize("curve", CURVES, ids=lambda curve: name(*curve))
    def test_flow_of_stored_cases_reproduces_the_losses_of_pot(self, curve: tuple[int, int, int, int]) -> None:
        losses = gmm_flow.mixtures(*curve[:3]).flow(curve[3]).losses
        assert np.abs(losses - np.load(FILE)[name(*curve)]).max() < CLOSE

    @peer
    @pytest.mark.parametrize("d", [1, 2, 3])
    @pytest.mark.parametrize("seed", range(4))
    def test_flow_reproduces_the_losses_of_pot(self, seed: int, d: int) -> None:
        start = gmm_flow.mixtures(4, 100 + seed, d)
        assert np.abs(start.flow().losses - pot_flow(start)).max() < CLOSE

    @peer
    def test_flow_of_pots_gallery_reproduces_its_losses(self) -> None:
        """Its data: normal numbers of torch's generator with seed 3, some of them projected on the simplex."""
        import torch
        from ot.utils import proj_simplex

        torch.manual_seed(3)

        def normal(*shape: int):
            return torch.randn(*shape)

        def covariances(k: int):
            root = normal(k, 2, 2)
            return root @ root.transpose(2, 1) + 0.1 * torch.eye(2)

        drawn = normal(3, 2), normal(2, 2), covariances(3), covariances(2), proj_simplex(normal(3)), torch.ones(2) / 2
        means, target_means, covs, target_covs, logits, weights = (each.double().numpy() for each in drawn)
        start = Mixtures(means, covs, logits, target_means, target_covs, weights)
        way = start.flow()
        assert way.losses[0] == pytest.approx(5.2717829, abs=1e-6)
        assert np.abs(way.losses - pot_flow(start)).max() < CLOSE


class TestDistance:
    @pytest.mark.parametrize("d", [1, 2, 3, 6])
    def test_squared_distances_equal_those_by_matrix_roots(self, d: int) -> None:
        from scipy.linalg import sqrtm

        start = gmm_flow.mixtures(4, 0, d)
        squared = mixtures.squared_distances(start.means, start.covs, start.target_means, start.target_covs)
        for i, (mean, cov) in enumerate(zip(start.means, start.covs, strict=True)):
            for j, (other, target) in enumerate(zip(start.target_means, start.target_covs, strict=True)):
                root = sqrtm(cov)
                spread = np.trace(cov + target - 2 * sqrtm(root @ target @ root).real)
                assert squared[i, j] == pytest.approx(((mean - other) ** 2).sum() + spread, abs=1e-12)

    def test_squared_distances_are_symmetric_and_zero_for_equal_gaussians(self) -> None:
        start = gmm_flow.mixtures(6, 0, 4)
        there = mixtures.squared_distances(start.means, start.covs, start.target_means, start.target_covs)
        back = mixtures.squared_distances(start.target_means, start.target_covs, start.means, start.covs)
        assert np.allclose(there, back.T, rtol=0, atol=1e-13)
        same = mixtures.squared_distances(start.means, start.covs, start.means, start.covs)
        assert np.diag(same).max() < 1e-13

    @pytest.mark.parametrize("d", [1, 2, 5])
    def test_maps_carry_one_gaussian_to_the_other(self, d: int) -> None:
        start = gmm_flow.mixtures(6, 0, d)
        goal = start.target_covs[[0, 1, 2, 3, 0, 1]]
        matrix = bures.maps(start.covs, bures.factors(goal))
        assert np.allclose(matrix @ start.covs @ matrix, goal, rtol=0, atol=1e-12)

    @pytest.mark.parametrize("d", [1, 2, 4])
    def test_maps_give_the_gradient_of_the_distance(self, d: int) -> None:
        start = gmm_flow.mixtures(1, 0, d)
        target = start.target_means, start.target_covs

        def squared(cov: np.ndarray) -> float:
            return float(mixtures.squared_distances(start.means, (cov + cov.swapaxes(1, 2)) / 2, *target)[0, 0])

        slopes = np.eye(d) - bures.maps(start.covs, bures.factors(start.target_covs))
        assert np.allclose(slopes, differences(squared, start.covs), atol=1e-7)

    def test_squared_distance_in_the_plane_equals_the_general_one(self) -> None:
        start = gmm_flow.mixtures(6)
        general = mixtures.squared_distances(start.means, start.covs, start.target_means, start.target_covs)
        maps = bures.maps(start.covs[:4], bures.factors(start.target_covs))
        for i, j in np.ndindex(general.shape):
            pair = start.means[i], start.covs[i], start.target_means[j], start.target_covs[j]
            assert plane.squared_distance(*pair) == pytest.approx(general[i, j], abs=1e-13)
            if i == j:
                to_mean, to_cov = np.zeros(2), np.zeros((2, 2))
                plane.add_gradient(0.5, *pair, to_mean, to_cov)
                assert np.allclose(to_mean, start.means[i] - start.target_means[j], rtol=0, atol=1e-14)
                assert np.allclose(to_cov, (np.eye(2) - maps[i]) / 2, rtol=0, atol=1e-13)

    def test_bounds_below_are_at_most_the_distances(self) -> None:
        start = gmm_flow.mixtures(12, 0, 4)
        both = start.means, start.covs, start.target_means, start.target_covs
        assert (bures.bounds_below(*both) <= mixtures.squared_distances(*both)).all()


class TestPlan:
    @pytest.mark.parametrize("seed", range(30))
    def test_optimal_plan_is_proven_by_its_duals(self, seed: int) -> None:
        rng = np.random.default_rng(seed)
        n, m = rng.integers(1, 12, 2)
        cost = rng.integers(0, 9, (n, m)).astype(float) if seed % 2 else rng.random((n, m))
        a, b = (rng.integers(0 if k > 1 else 1, 5, k).astype(float) for k in (n, m))
        a[0], b[-1] = a[0] + 1, b[-1] + 1
        a, b = a / a.sum(), b / b.sum()
        u, v, plan = rng.standard_normal(n), np.empty(m), np.empty((n, m))
        optimal_plan(cost, a, b, u, v, plan)
        for _ in range(2):  # and once more after the duals were centred
            assert (plan >= 0).all()
            assert np.allclose(plan.sum(axis=1), a, atol=1e-13)
            assert np.allclose(plan.sum(axis=0), b, atol=1e-13)
            reduced = cost - u[:, None] - v
            assert reduced.min() > -1e-12
            assert np.abs(reduced[plan > 1e-13]).max() < 1e-12
            centre(cost, u, v, plan)
        exact = solve(Transport(DenseCost(cost), a, b, blur=0))
        assert np.vdot(plan, cost) == pytest.approx(exact.cost, abs=1e-12)

    def test_centre_depends_on_the_problem_only(self) -> None:
        rng = np.random.default_rng(0)
        cost, even = rng.random((5, 5)), np.full(5, 0.2)
        centred = []
        for _ in range(8):
            order, start = rng.permutation(5), rng.standard_normal(5)
            u, v, plan = start, np.empty(5), np.empty((5, 5))
            optimal_plan(cost[order], even, even, u, v, plan)
            assert centre(cost[order], u, v, plan)
            back = np.argsort(order)
            centred.append(u[back] - u.mean())
        assert np.abs(np.ptp(centred, axis=0)).max() < 1e-12
        symmetric = cost + cost.T
        np.fill_diagonal(symmetric, 0)
        optimal_plan(symmetric, even, even, u, v, plan)
        centre(symmetric, u, v, plan)
        assert np.ptp(u) < 1e-12


@pytest.mark.parametrize(("module", "d"), [(plane, 2), (space, 1), (space, 2), (space, 3)])
@pytest.mark.parametrize("n", [1, 4])
def test_loss_gradient_equals_finite_differences(module, n: int, d: int) -> None:
    """By the envelope theorem, against differences of the loss, in every parameter."""
    start = gmm_flow.mixtures(n, 5, d)
    now = np.concatenate([start.means.ravel(), start.covs.ravel(), start.logits])
    m = len(start.target_weights)
    gradient, off = np.empty(len(now)), np.empty(len(now))
    target = start.target_means, start.target_covs
    factors = bures.factors(start.target_covs)

    def loss(at: np.ndarray, slopes: np.ndarray = off) -> float:
        # Differences in one of two entries that are to be equal: half goes to each.
        covs = at[n * d : -n].reshape(n, d, d)
        at = np.concatenate([at[: n * d], (covs + covs.swapaxes(1, 2)).ravel() / 2, at[-n:]])
        duals = np.zeros(n), np.empty(m), np.empty((n, m)), slopes
        if module is plane:
            return plane.loss(at, *target, start.target_weights, *duals)
        return space.loss(at, (*target, factors), start.target_weights, np.zeros((n, m)), *duals)

    loss(now, gradient)
    assert np.allclose(gradient, differences(loss, now), rtol=0, atol=1e-7)
    assert np.abs(gradient[: n * d]).min() > 1e-3
    assert n == 1 or np.abs(gradient[-n:]).min() > 1e-4


class TestFlow:
    @pytest.mark.parametrize("seed", range(3))
    @pytest.mark.parametrize("n", [1, 3, 9])
    def test_descend_in_any_dimension_equals_the_plane(self, n: int, seed: int) -> None:
        start = gmm_flow.mixtures(n, seed)
        way = start.flow(60)
        path, losses = np.empty((61, 7 * n)), np.empty(60)
        path[0] = np.concatenate([start.means.ravel(), start.covs.ravel(), start.logits])
        rate = np.full(7 * n, 0.03)
        rate[: 2 * n] *= 2
        target = start.target_means, start.target_covs, start.target_weights
        space.descend(path, losses, rate, *target, SMALLEST_VARIANCE)
        assert np.abs(losses - way.losses).max() < CLOSE
        assert np.abs(path[:, : 2 * n].reshape(61, n, 2) - way.means).max() < 1e-8

    @pytest.mark.parametrize("d", [1, 2, 3])
    def test_flow_first_step_descends_every_slope(self, d: int) -> None:
        """Adam's first step is the learning rate against the sign of the gradient, whatever its size."""
        start = gmm_flow.mixtures(3, 2, d)
        target = start.target_means, start.target_covs

        def loss(means: np.ndarray, covs: np.ndarray, logits: np.ndarray) -> float:
            cost = DenseCost(mixtures.squared_distances(means, (covs + covs.swapaxes(1, 2)) / 2, *target))
            return solve(Transport(cost, softmax(logits), start.target_weights, blur=0)).cost

        way, lr = start.flow(2, lr=1e-3), 1e-3
        slopes = differences(lambda means: loss(means, start.covs, start.logits), start.means)
        assert np.allclose(way.means[1] - start.means, -2 * lr * np.sign(slopes), atol=1e-8)
        slopes = differences(lambda covs: loss(start.means, covs, start.logits), start.covs)
        assert np.allclose(way.covs[1] - start.covs, -lr * np.sign(slopes), atol=1e-8)
        slopes = differences(lambda logits: loss(start.means, start.covs, logits), start.logits)
        moved = softmax(start.logits - lr * np.sign(slopes))
        assert np.allclose(way.weights[1], moved, atol=1e-8)
        assert way.losses[0] == pytest.approx(loss(start.means, start.covs, start.logits), rel=1e-12)
        assert way.losses[1] < way.losses[0]

    @pytest.mark.parametrize(("n", "d"), [(3, 2), (40, 2), (6, 3), (40, 3), (20, 5)])
    def test_flow_losses_equal_costs_of_certified_plans(self, n: int, d: int) -> None:
        start = gmm_flow.mixtures(n, 1, d)
        way = start.flow(30)
        for step in (0, 7, 29):
            cost = mixtures.squared_distances(way.means[step], way.covs[step], start.target_means, start.target_covs)
            problem = Transport(DenseCost(cost), way.weights[step], start.target_weights, blur=0)
            exact = solve(problem)
            assert certify(problem, exact).optimal
            assert way.losses[step] == pytest.approx(exact.cost, abs=1e-11)

    def test_descend_interrupted_after_every_step_continues_unchanged(self, monkeypatch: pytest.MonkeyPatch) -> None:
        start = gmm_flow.mixtures(4)
        way = start.flow(40)
        monkeypatch.setattr(plane, "PAIRS_AT_ONCE", 1)
        assert np.array_equal(start.flow(40).losses, way.losses)

    def test_descend_with_bounds_computes_few_distances_and_the_same_curve(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        start, computed, of_pairs = gmm_flow.mixtures(30, 0, 5), [], bures.of_pairs

        def counted(*given: np.ndarray) -> np.ndarray:
            computed.append(len(given[-1]))
            return of_pairs(*given)

        monkeypatch.setattr(bures, "of_pairs", counted)
        few = start.flow(30).losses
        assert sum(computed) < 0.4 * 30 * 20 * 30
        computed.clear()
        monkeypatch.setattr(space, "NEARLY", np.inf)
        assert np.abs(start.flow(30).losses - few).max() < CLOSE
        assert sum(computed) == 30 * 20 * 30

    @pytest.mark.parametrize("d", [1, 2, 3])
    def test_flow_returns_losses_means_covariances_and_weights(self, d: int) -> None:
        start = gmm_flow.mixtures(3, 0, d)
        before = [np.copy(each) for each in vars(start).values()]
        way = start.flow(50)
        assert (way.losses.shape, way.means.shape, way.covs.shape) == ((50,), (51, 3, d), (51, 3, d, d))
        assert np.array_equal(way.means[0], start.means)
        assert np.allclose(way.covs[0], start.covs, rtol=0, atol=1e-15)
        assert np.allclose(way.weights.sum(axis=1), 1)
        assert np.allclose(way.weights[0], start.weights)
        assert way.losses[-1] < way.losses[0] / 5
        assert all(np.array_equal(one, another) for one, another in zip(before, vars(start).values(), strict=True))
        assert len(start.flow(0).losses) == 0

    @pytest.mark.parametrize("d", [2, 3])
    def test_flow_of_translated_mixtures_is_translated(self, d: int) -> None:
        start = gmm_flow.mixtures(4, 0, d)
        by = np.arange(1.0, d + 1)
        moved = dataclasses.replace(start, means=start.means + by, target_means=start.target_means + by)
        way, other = start.flow(50), moved.flow(50)
        assert np.abs(way.losses - other.losses).max() < CLOSE
        assert np.allclose(way.means + by, other.means, atol=1e-9)

    @pytest.mark.parametrize("d", [2, 3])
    def test_flow_of_permuted_components_is_permuted(self, d: int) -> None:
        start = gmm_flow.mixtures(5, 0, d)
        turn, other = np.arange(5)[::-1], np.arange(len(start.target_means))[::-1]
        turned = Mixtures(
            *(each[turn] for each in (start.means, start.covs, start.logits)),
            *(each[other] for each in (start.target_means, start.target_covs, start.target_weights)),
        )
        assert np.abs(start.flow(50).losses - turned.flow(50).losses).max() < CLOSE

    @pytest.mark.parametrize("d", [1, 2, 4])
    @pytest.mark.parametrize("n", [1, 3, 6])
    def test_flow_of_equal_mixtures_stays_at_rest(self, n: int, d: int) -> None:
        way = equal(n, d).flow()
        assert way.losses.max() < 1e-12
        assert np.abs(way.means - way.means[0]).max() < 1e-12
        assert np.abs(way.weights - way.weights[0]).max() < 1e-12

    def test_flow_of_single_components_reaches_the_target(self) -> None:
        start = gmm_flow.mixtures(1)
        way = start.flow(400)
        assert way.losses[-1] < 1e-6
        assert np.allclose(way.means[-1], start.target_means, atol=1e-3)
        assert (way.weights == 1).all()

    @pytest.mark.parametrize("d", [2, 3])
    def test_flow_of_equal_round_covariances_keeps_them_round(self, d: int) -> None:
        """Where eigenvalues are all equal, the derivative of eigenvectors does not exist; no step here takes it."""
        start = gmm_flow.mixtures(3, 0, d)
        round_one, round_two = (np.repeat(np.eye(d)[None], k, axis=0) for k in (3, 2))
        way = dataclasses.replace(start, covs=round_one, target_covs=round_two).flow(60)
        assert np.allclose(way.covs, np.eye(d), atol=1e-12)
        assert way.losses[-1] < way.losses[0] / 5

    @pytest.mark.parametrize("d", [2, 3])
    @pytest.mark.parametrize("thin", [1e-3, 1e-7, 1e-12])
    def test_flow_of_nearly_singular_covariances_stays_finite(self, thin: float, d: int) -> None:
        rng = np.random.default_rng(0)
        start = gmm_flow.mixtures(3, 0, d)
        needles = [[np.outer(x, x) + thin * np.eye(d) for x in rng.standard_normal((k, d))] for k in (3, 2)]
        way = dataclasses.replace(start, covs=np.array(needles[0]), target_covs=np.array(needles[1])).flow()
        assert np.isfinite(way.losses).all()
        assert way.losses.min() >= 0
        assert way.losses[-1] < way.losses[0]
        values = np.linalg.eigvalsh(way.covs[1:])
        assert values.min() > SMALLEST_VARIANCE * (1 - 1e-6)

    @pytest.mark.parametrize("d", [2, 3])
    def test_flow_of_even_weights_is_unique_despite_many_duals(self, d: int) -> None:
        """The first plan is degenerate; the loss there is POT's, and the way does not depend on the order."""
        start = gmm_flow.mixtures(6, 0, d)
        start = dataclasses.replace(start, logits=np.zeros(6), target_weights=np.full(4, 0.25))
        way = start.flow(3)
        turn = np.array([3, 1, 5, 0, 2, 4])
        turned = dataclasses.replace(start, means=start.means[turn], covs=start.covs[turn]).flow(3)
        assert np.abs(way.losses - turned.losses).max() < 1e-9
        if MISSING is None:
            assert way.losses[0] == pytest.approx(pot_flow(start, 1)[0], abs=1e-12)

    def test_flow_takes_any_real_dtype_and_layout(self) -> None:
        start = gmm_flow.mixtures(3)
        single = Mixtures(*(each.astype(np.float32) for each in vars(start).values()))
        assert np.abs(single.flow().losses[:20] - start.flow().losses[:20]).max() < 1e-4
        turned = Mixtures(*(np.asfortranarray(each) for each in vars(start).values()))
        assert np.array_equal(turned.flow().losses, start.flow().losses)
        lists = Mixtures(*(each.tolist() for each in vars(start).values()))
        assert np.array_equal(lists.flow().losses, start.flow().losses)


def spoilt(name: str, where: tuple[int, ...], value: float) -> dict[str, np.ndarray]:
    array = vars(gmm_flow.mixtures(3))[name].copy()
    array[where] = value
    return {name: array}


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        (spoilt("means", (1, 0), np.nan), r"means contains invalid numeric entries: nan at \[1, 0\]"),
        (spoilt("means", (1, 0), np.inf), r"means\[1, 0\] is inf; give finite numbers"),
        (spoilt("target_means", (0, 1), 1e80), r"target_means\[0, 1\] is 1e\+80"),
        (spoilt("logits", (2,), -np.inf), "logits contains invalid numeric entries: -inf"),
        (spoilt("covs", (1, 0, 1), 5), r"covs\[1\] is not symmetric: entry \[0, 1\] is 5"),
        (spoilt("covs", (1, 0, 0), -1), r"covs\[1\] is not positive definite: its eigenvalues go from"),
        ({"target_covs": np.zeros((2, 2, 2))}, r"target_covs\[0\] is not positive definite.*add a multiple"),
        ({"target_covs": np.ones((2, 2, 2))}, r"target_covs\[0\] is not positive definite"),
        (spoilt("target_weights", (0,), -0.1), r"target_weights\[0\] is -0.1"),
        ({"target_weights": np.array([1, 2])}, "target_weights sums to 3; divide by the sum"),
        ({"target_weights": np.ones(3) / 3}, r"target_weights has shape \(3,\)"),
        ({"means": np.zeros(3)}, r"means has shape \(3,\); expected \(n, d\)"),
        ({"means": np.zeros((0, 2))}, "at least one component"),
        ({"covs": np.eye(2)}, r"covs has shape \(2, 2\); expected \(3, 2, 2\)"),
        ({"logits": np.zeros(2)}, r"logits has shape \(2,\); expected \(3,\)"),
        (
            {"target_means": np.zeros((2, 3)), "target_covs": np.repeat(np.eye(3)[None], 2, 0)},
            "means has 2 coordinates, target_means has 3",
        ),
    ],
)
def test_flow_of_invalid_mixtures_raises_an_error(change: dict[str, np.ndarray], fault: str) -> None:
    with pytest.raises(ValueError, match=fault):
        dataclasses.replace(gmm_flow.mixtures(3), **change).flow()


@pytest.mark.parametrize(
    ("steps", "lr", "fault"),
    [
        (-1, 0.03, "steps = -1"),
        (2.5, 0.03, "steps = 2.5"),
        (3, 0, "lr = 0"),
        (3, np.nan, "lr = nan"),
        (3, 1e70, "smaller"),
    ],
)
def test_flow_with_invalid_settings_raises_an_error(steps: int, lr: float, fault: str) -> None:
    with pytest.raises(ValueError, match=fault):
        gmm_flow.mixtures(3).flow(steps, lr)


def test_flow_of_complex_numbers_raises_type_error() -> None:
    with pytest.raises(TypeError, match="means"):
        dataclasses.replace(gmm_flow.mixtures(3), means=np.zeros((3, 2), dtype=complex)).flow()


@pytest.mark.parametrize("text", ["gmm-flow:n=0", "gmm-flow:n=3,d=0"])
def test_build_of_empty_mixtures_raises_value_error(text: str) -> None:
    with pytest.raises(ValueError, match="= 0"):
        Case.read(text).build()


def test_build_gives_the_first_step_of_the_flow() -> None:
    problem = Case("gmm-flow", 3).build()
    assert problem.shape == (3, 2)
    assert solve(problem).cost == pytest.approx(gmm_flow.mixtures(3).flow(1).losses[0], rel=1e-13)
