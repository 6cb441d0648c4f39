"""Maximising is minimising the negative, mirrored: answers, duals, bounds and errors."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.optimize import linear_sum_assignment as referee
from scipy.sparse import csr_array

from lapmark import (
    Assignment,
    DenseCost,
    Infeasible,
    Matching,
    PointCost,
    SparseCost,
    TimeLimit,
    Unsupported,
    certify,
    names,
    solve,
)

SHAPES = st.tuples(st.integers(0, 8), st.integers(0, 8))


@given(SHAPES.flatmap(lambda shape: arrays(np.float64, shape, elements=st.floats(-1e3, 1e3))))
def test_maximize_of_any_matrix_agrees_with_scipy_and_proves_it(matrix):
    problem = Assignment(DenseCost(matrix), maximize=True)
    rows, cols = referee(matrix, maximize=True)
    for name in ("jv", "auction", "scipy"):
        matching = solve(problem, name)
        assert matching.cost == pytest.approx(matrix[rows, cols].sum(), rel=1e-12, abs=1e-9)
        certificate = certify(problem, matching, certify(problem, solve(problem, "jv")).dual_bound)
        # Costs that differ by 80 orders of magnitude are summed with a rounding error; nothing larger is forgiven.
        assert certificate.optimal or certificate.gap < 1e-15
        assert certificate.dual_bound >= certificate.cost - 1e-9


@pytest.mark.parametrize("dtype", ["?", "i1", "u1", ">i2", "u8", "i8", "f2", "f4", ">f8"])
def test_maximize_of_every_type_agrees_with_scipy(dtype):
    rng = np.random.default_rng(0)
    matrix = rng.integers(0, 2 if dtype == "?" else 100, (9, 9)).astype(dtype)
    matrix[0, 0] = {"i1": -128, "u1": 255, "u8": 2**53}.get(dtype, 1)
    rows, cols = referee(matrix.astype(np.float64), maximize=True)
    matching = solve(Assignment(DenseCost(matrix), maximize=True))
    assert matching.cost == math.fsum(matrix[rows, cols].astype(np.float64))


def test_maximize_duals_of_any_shape_are_mirrored():
    rng = np.random.default_rng(1)
    for shape in ((6, 6), (4, 7), (7, 4)):
        matrix = rng.random(shape)
        matching = solve(Assignment(DenseCost(matrix), maximize=True))
        assert (matching.u[:, None] + matching.v >= matrix - 1e-12).all()
        assert matching.u.sum() + matching.v.sum() == pytest.approx(matching.cost)
        if shape[0] < shape[1]:
            assert (matching.v >= 0).all()


def test_maximize_inf_forbids_a_pair():
    matrix = np.array([[np.inf, 1.0], [2.0, 9.0]])
    problem = Assignment(DenseCost(matrix), maximize=True)
    assert solve(problem).row_to_col.tolist() == [1, 0]
    assert certify(problem, solve(problem)).optimal
    matrix[1, 0] = np.inf
    with pytest.raises(Infeasible, match="rows 0 and 1 cannot all be matched") as caught:
        solve(Assignment(DenseCost(matrix), maximize=True))
    assert caught.value.columns.tolist() == [1]


def test_maximize_with_every_kind_of_cost_is_optimal():
    rng = np.random.default_rng(2)
    points = PointCost(rng.random((8, 2)), rng.random((8, 2)))
    stored = SparseCost(csr_array(1 + rng.random((8, 8))))
    for cost in (points, stored):
        rows, cols = referee(cost.dense(), maximize=True)
        matching = solve(Assignment(cost, maximize=True))
        assert matching.cost == pytest.approx(cost.dense()[rows, cols].sum(), rel=1e-12)
        assert certify(Assignment(cost, maximize=True), matching).optimal


@given(
    SHAPES.flatmap(lambda shape: arrays(np.float64, shape, elements=st.sampled_from([-2.0, 0.0, 1.0, 5.0, np.inf]))),
    st.sampled_from([-3.0, -2.0, 0.5, 1.0, 6.0]),
)
def test_maximize_with_a_limit_keeps_out_what_brings_less(matrix, limit):
    problem = Assignment(DenseCost(matrix), limit, maximize=True)
    matching = solve(problem)
    n, m = matrix.shape
    padded = np.zeros((n + m, n + m))
    padded[:n, :m] = np.where(np.isinf(matrix), -np.inf, matrix - problem.limit)
    rows, cols = referee(padded, maximize=True)
    certificate = certify(problem, matching)
    assert certificate.cost == padded[rows, cols].sum()
    assert certificate.optimal
    assert (matching.u >= 0).all()
    assert (matching.v >= 0).all()


def test_certify_maximize_with_a_poor_answer_finds_its_gap():
    matrix = np.array([[1.0, 5.0], [5.0, 1.0]])
    problem = Assignment(DenseCost(matrix), maximize=True)
    best = solve(problem)
    poor = certify(problem, Matching.of(problem, [0, 1], best.u, best.v))
    assert (poor.valid, poor.optimal, poor.cost, poor.dual_bound, poor.gap) == (True, False, 2.0, 10.0, 4.0)
    assert certify(problem, Matching.of(problem, [0, 1])).dual_bound == 10.0
    assert certify(problem, Matching(None, 2.0)).dual_bound == np.inf
    assert certify(problem, Matching.of(problem, [1, 0], "no", "duals")).fault is not None


def test_maximize_when_the_time_is_over_leaves_an_upper_bound():
    k = np.arange(1.0, 2001)
    problem = Assignment(DenseCost(np.multiply.outer(k, -k)), maximize=True)
    bounds = []
    for seconds in (0.2, 1.0, 5.0):
        with pytest.raises(TimeLimit, match=f"within {seconds:g} s") as caught:
            solve(problem, "jv", time_limit=seconds)
        bounds.append(caught.value.bound)
        assert bounds[-1] >= -(k @ k[::-1])
        if bounds[-1] < np.inf:
            break  # a busy machine needs longer for the negative alone
    assert bounds[-1] < np.inf
    with pytest.raises(TimeLimit, match=r"within 1e-09 s; no bound") as caught:
        solve(problem, "jv", time_limit=1e-9)
    assert caught.value.bound == np.inf


def test_maximize_is_refused_by_solvers_of_points():
    pytest.importorskip("ot", reason="POT is not installed")
    points = Assignment(PointCost([[0.0]], [[1.0]]), maximize=True)
    assert "pot-bsp" not in names(points)
    with pytest.raises(Unsupported, match="pot-bsp cannot maximize"):
        solve(points, "pot-bsp")
    with pytest.raises(TypeError, match="maximize = 'yes'; it must be True or False"):
        Assignment(DenseCost([[1.0]]), maximize="yes")
