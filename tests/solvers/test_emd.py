"""Many transport problems in one call: the answers of one by one, in all shapes that broadcast; proofs and errors."""

from __future__ import annotations

import sys

import numpy as np
import pytest
from interrupting import interrupted
from scipy.sparse import coo_array

from lapmark import DenseCost, Infeasible, PointCost, SparseCost, Transport, certify, emd, emd_plans, solve
from lapmark.solvers.native import _transport
from lapmark.solvers.native._kernels import INSTRUCTION_SETS


def histograms(rng, *shape, empty=0.5):
    masses = rng.random(shape) * (rng.random(shape) > empty)
    masses[..., 0] += 0.01
    return masses / masses.sum(axis=-1, keepdims=True)


def grid(side):
    return np.stack(np.divmod(np.arange(side * side), side), axis=1).astype(float)


@pytest.mark.parametrize("p", [1, 2])
def test_emd_of_shapes_that_broadcast_agrees_with_one_by_one(p):
    rng = np.random.default_rng(0)
    cost = PointCost(grid(4), grid(4), p=p)
    a, b = histograms(rng, 3, 16), histograms(rng, 5, 16)
    expected = np.array([[solve(Transport(cost, x, y, blur=0)).cost for y in b] for x in a])
    np.testing.assert_allclose(emd(cost, a[:, None], b), expected, rtol=1e-12)
    np.testing.assert_allclose(emd(cost, a, b[:3]), np.diag(expected), rtol=1e-12)
    np.testing.assert_allclose(emd(cost, a[0], b), expected[0], rtol=1e-12)
    alone = emd(cost, a[1], b[2])
    assert alone.shape == ()
    assert alone.dtype == np.float64
    assert float(alone) == pytest.approx(expected[1, 2], rel=1e-12)
    assert emd(cost, a[:0], b[0]).shape == (0,)


def test_emd_invalid_masses_are_named():
    cost = DenseCost(np.ones((3, 2)))
    a, b = np.full((4, 3), 1 / 3), np.full((4, 2), 1 / 2)
    for change, message in (
        ((a[:, :2], b), r"a has shape \(4, 2\); the cost needs \(…, 3\)"),
        ((np.where(np.arange(3) == 1, -1, a), b), r"a\[0, 1\] is -1.0; masses must be finite and at least 0"),
        ((a, np.where(np.arange(4)[:, None] == 2, 0, b)), r"b\[2\] has no mass"),
        ((a, np.where(np.arange(4)[:, None] == 2, 1e-300, b)), r"b\[2\] sums to less than 1e-280; rescale"),
        ((a, np.where(np.arange(4)[:, None] == 2, 1e308, b)), r"b\[2\] sums beyond the largest float64"),
        ((a[0], 0 * b[0]), r"^b has no mass"),
        ((a, b[:3]), "broadcast"),
        ((a.astype(complex), b), "complex"),
        ((a, b * [[1], [1], [1], [2]]), "masses do not match"),
    ):
        with pytest.raises((ValueError, TypeError), match=message):
            emd(cost, *change)
    with pytest.raises(TypeError, match="wrap a matrix"):
        emd(np.ones((3, 2)), a, b)
    with pytest.raises(ValueError, match="threads = 0"):
        emd(cost, a, b, threads=0)
    np.testing.assert_array_equal(emd(cost, a, b, threads=-1), emd(cost, a, b))


COSTS = {
    "squared distance": lambda rng, n: PointCost(grid(n), grid(n)),
    "distance": lambda rng, n: PointCost(grid(n), grid(n), p=1),
    "root of a distance": lambda rng, n: PointCost(grid(n), grid(n), p=0.5),
    "distance as a matrix": lambda rng, n: DenseCost(PointCost(grid(n), grid(n), p=1).dense()),
    "walks on a circle, one way": lambda rng, n: DenseCost((np.arange(n * n) - np.arange(n * n)[:, None]) % (n * n)),
    "equal": lambda rng, n: DenseCost(np.ones((n * n, n * n), dtype=np.float32)),
    "random, of both signs": lambda rng, n: DenseCost(rng.normal(size=(n * n, n * n))),
    "more columns": lambda rng, n: DenseCost(rng.random((n * n, 2 * n * n + 3), dtype=np.float32)),
    "one column": lambda rng, n: DenseCost(rng.random((n * n, 1))),
}
MASSES = {
    "some empty": histograms,
    "full": lambda rng, *shape: histograms(rng, *shape, empty=0.0),
    "one bin each": lambda rng, *shape: np.eye(shape[-1])[rng.integers(0, shape[-1], shape[0])],
    "whole, which tie": lambda rng, k, n: rng.permuted(np.tile(np.arange(n) % 3 + (n == 1), (k, 1)), axis=1) / n,
    "of many sizes": lambda rng, *shape: np.exp(5 * rng.normal(size=shape)),
}


@pytest.mark.parametrize("partial", [False, True])
@pytest.mark.parametrize("masses", MASSES)
@pytest.mark.parametrize("kind", COSTS)
def test_emd_plans_are_proven_optimal(kind, masses, partial):
    rng = np.random.default_rng(1)
    for side in (1, 2, 5):
        cost = COSTS[kind](rng, side)
        n, m = cost.shape
        a, b = MASSES[masses](rng, 12, n), MASSES[masses](rng, 12, m)
        if partial:
            a, b = a * rng.choice([0.2, 1, 5], (12, 1)), b * rng.choice([0.2, 1, 5], (12, 1))
        else:
            a, b = a / a.sum(axis=1, keepdims=True), b / b.sum(axis=1, keepdims=True)
        costs, plans = emd(cost, a, b, partial=partial), emd_plans(cost, a, b, partial=partial)
        for x, y, stated, plan in zip(a, b, costs, plans, strict=True):
            problem = Transport(cost, x, y, blur=0, partial=partial)
            proof = certify(problem, plan)
            assert proof.optimal, proof
            size = np.abs(cost.dense()).max() * min(x.sum(), y.sum())
            assert stated == pytest.approx(plan.cost, rel=1e-12, abs=1e-15 * size)
            assert plan.marginal_error < 1e-12
            slack = cost.dense() - plan.f[:, None] - plan.g
            assert slack.min() >= -1e-13 * np.abs(cost.dense()).max()


def test_is_metric_of_a_matrix_tells_whether_common_mass_stays():
    n = 20
    ways = (np.arange(n) - np.arange(n)[:, None]) % n
    squared = PointCost(grid(5), grid(5)).dense()
    for matrix, is_one in (
        (np.sqrt(squared), True),
        (ways.astype(float), True),
        (1 - np.eye(4), True),
        (squared, False),
        (np.ones((4, 4)), False),
        (-ways.astype(float), False),
        (np.ones((3, 4)), False),
        (np.where(np.arange(n) == np.arange(n)[:, None], 0, np.where(ways == n - 1, 100.0, ways)), False),
    ):
        for isa in INSTRUCTION_SETS:
            assert _transport.is_metric(np.ascontiguousarray(matrix), isa) == is_one


def test_histograms_of_any_instruction_set_and_threads_do_the_same_work():
    rng = np.random.default_rng(2)
    cost, pairs = rng.random((40, 37)), np.arange(300)
    a, b = histograms(rng, 300, 40), histograms(rng, 300, 37)
    answers = [
        _transport.histograms(cost, a, b, pairs, pairs, False, False, 1e-6, True, threads, isa=isa)
        for isa in INSTRUCTION_SETS
        for threads in (1, 3)
    ]
    for costs, pivots, whole in answers:
        np.testing.assert_array_equal(costs, answers[0][0])
        np.testing.assert_array_equal(pivots, answers[0][1])
        for one, other in zip(whole, answers[0][2], strict=True):
            np.testing.assert_array_equal(one, other)


def test_emd_of_large_costs_one_by_one_agrees_with_together(monkeypatch):
    rng = np.random.default_rng(3)
    cost, a, b = PointCost(grid(6), grid(6)), histograms(rng, 4, 36), histograms(rng, 4, 36)
    together = emd(cost, a, b)
    monkeypatch.setattr(sys.modules["lapmark.solvers.emd"], "LARGEST", 0)
    np.testing.assert_allclose(emd(cost, a, b), together, rtol=1e-12)
    assert [plan.cost for plan in emd_plans(cost, a, b, threads=2)] == pytest.approx(list(together), rel=1e-12)


def test_emd_with_forbidden_pairs_or_sparse_costs_agrees_with_solve():
    rng = np.random.default_rng(4)
    matrix = np.where(rng.random((8, 8)) < 0.3, np.inf, rng.random((8, 8)))
    np.fill_diagonal(matrix, 1.0)
    a = histograms(rng, 5, 8)
    for cost in (DenseCost(matrix), SparseCost(coo_array(np.where(np.isfinite(matrix), matrix, 0)))):
        np.testing.assert_allclose(emd(cost, a, a), [solve(Transport(cost, x, x, blur=0)).cost for x in a])
    alone = DenseCost(np.where(np.eye(2) > 0, 1, np.inf))
    with pytest.raises(
        Infeasible, match=r"^the pair \[1\]: row 0 holds 0.7, but allows column 0 only, which takes 0.5$"
    ):
        emd(alone, [[0.5, 0.5], [0.7, 0.3]], [0.5, 0.5], threads=1)


@pytest.mark.parametrize("kind", ["together", "one by one"])
@pytest.mark.parametrize("threads", [1, 2])
def test_emd_ctrl_c_ends_it(kind, threads):
    setting = (
        "import numpy as np\n"
        "import sys\nfrom lapmark import DenseCost, emd\n"
        f"sys.modules['lapmark.solvers.emd'].LARGEST = {0 if kind == 'one by one' else 2**20}\n"
        "cost = DenseCost(np.random.default_rng(0).random((200, 200)))"
    )
    solving = f"emd(cost, np.full((100_000, 200), 0.005), np.full(200, 0.005), threads={threads})"
    # Unanswered it would take minutes and end without a word.
    assert interrupted(setting, solving, 1) == "interrupted\n"


def test_emd_of_pairs_of_other_sums_needs_partial():
    cost = DenseCost(1 - np.eye(3))
    a, b = np.ones((2, 3)), np.array([[1.0, 1, 1], [2, 2, 2]])
    with pytest.raises(ValueError, match=r"a sums to 3, b to 6, for the pair \[0, 1\]; rescale one, or give partial"):
        emd(cost, a[:, None], b)
    np.testing.assert_allclose(emd(cost, a[:, None], b, partial=True), 0)
