"""Answers as matrices and mirrored: `Plan.matrix`, `Matching.col_to_row`, `carry` both ways, and the meaning of ε."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
import scipy.sparse

from lapmark import (
    Assignment,
    DenseCost,
    GridCost,
    Matching,
    Plan,
    PointCost,
    SparseCost,
    Transport,
    carry,
    certify,
    linear_sum_assignment,
    solve,
)
from lapmark.solvers.costs import Cost

RANDOM = np.random.default_rng(0)
X, Y = RANDOM.random((7, 2)), RANDOM.random((9, 2))
A, B = RANDOM.random(7), RANDOM.random(9)
A, B = A / A.sum(), B / B.sum()
SQUARES = ((X[:, None] - Y) ** 2).sum(-1)


def costs() -> dict[str, Cost]:
    allowed = np.where(RANDOM.random((7, 9)) < 0.8, SQUARES, np.inf)
    allowed[:, 0] = allowed[0] = 1.0
    return {
        "dense": DenseCost(SQUARES),
        "float32": DenseCost(np.asfortranarray(SQUARES, dtype=np.float32)),
        "forbidden": DenseCost(allowed),
        "points": PointCost(X, Y),
        "sparse": SparseCost(scipy.sparse.csr_array(SQUARES)),
        "grid": GridCost((3, 4), rows=np.arange(7), columns=np.arange(3, 12)),
    }


def answer(problem: Transport) -> Plan:
    """The plan, converged if it has a blur."""
    return solve(problem, **({"stop": 1e-9} if problem.blur else {}))


@pytest.mark.parametrize("name", costs())
@pytest.mark.parametrize("settings", [{}, {"blur": 0.3}, {"blur": 0.3, "reach": 1.0}], ids=["exact", "blur", "reach"])
def test_plan_matrix_has_the_marginals_and_the_cost_of_the_plan(name: str, settings: dict[str, float]) -> None:
    problem = Transport(costs()[name], A, B, **settings)
    plan = answer(problem)
    matrix = plan.matrix(problem)
    certificate = certify(problem, plan)
    finite = np.where(np.isfinite(problem.cost.dense()), problem.cost.dense(), 0.0)
    assert matrix.shape == (7, 9)
    assert matrix.dtype == np.float64
    assert (matrix >= 0).all()
    assert (matrix * finite).sum() == pytest.approx(certificate.cost, rel=1e-9)
    if "reach" not in settings:
        np.testing.assert_allclose(matrix.sum(axis=1), A, atol=1e-5)
        np.testing.assert_allclose(matrix.sum(axis=0), B, atol=1e-5)
    assert (matrix[~np.isfinite(problem.cost.dense())] == 0).all()


def test_plan_matrix_of_rows_without_mass_is_zero_there() -> None:
    a = np.where(np.arange(7) == 2, 0.0, A)
    problem = Transport(PointCost(X, Y), a / a.sum(), B, blur=0.1)
    matrix = answer(problem).matrix(problem)
    assert (matrix[2] == 0).all()
    assert np.isfinite(matrix).all()


def test_plan_matrix_of_another_problem_is_refused() -> None:
    problem = Transport(PointCost(X, Y), A, B, blur=0.1)
    with pytest.raises(ValueError, match="the plan is 7×9, the problem 9×7"):
        solve(problem).matrix(problem.mirrored())
    with pytest.raises(ValueError, match="has no mass"):
        Plan(0.0, 0.0).matrix(problem)
    with pytest.raises(ValueError, match="without a blur potentials do not tell it"):
        Plan(0.0, 0.0, np.zeros(7), np.zeros(9)).matrix(Transport(PointCost(X, Y), A, B))


def test_plan_matrix_that_does_not_fit_names_its_size() -> None:
    points = np.zeros((2**22, 1))
    problem = Transport(PointCost(points, points), blur=0.1)
    with pytest.raises(MemoryError, match=r"4194304×4194304 matrix of the plan takes 1\.31e\+05 GiB; use plan\.mass"):
        Plan(0.0, 0.0, np.zeros(2**22), np.zeros(2**22)).matrix(problem)


@pytest.mark.parametrize("shape", [(5, 5), (4, 7), (7, 4)])
def test_col_to_row_is_the_inverse_of_row_to_col(shape: tuple[int, int]) -> None:
    matrix = RANDOM.random(shape)
    problem = Assignment(DenseCost(matrix))
    matching = solve(problem)
    other = solve(Assignment(DenseCost(matrix.T)))
    assert matching.col_to_row.tolist() == other.row_to_col.tolist()
    assert matching.negative().col_to_row.tolist() == other.row_to_col.tolist()
    theirs = Matching.from_pairs(problem, *linear_sum_assignment(matrix))
    assert theirs.col_to_row.tolist() == other.row_to_col.tolist()
    assert "columns" not in repr(matching)


def test_col_to_row_of_a_matching_that_does_not_know_its_columns_is_refused() -> None:
    with pytest.raises(ValueError, match="the number of columns is unknown"):
        Matching(np.array([1, 0]), 0.0).col_to_row  # noqa: B018
    assert Matching(np.array([2, 0]), 0.0, np.zeros(2), np.zeros(3)).col_to_row.tolist() == [1, -1, 0]


@pytest.mark.parametrize("name", costs())
@pytest.mark.parametrize("blur", [0.0, 0.3])
def test_carry_to_either_side_is_the_mean_over_the_matrix(name: str, blur: float) -> None:
    problem = Transport(costs()[name], A, B, blur=blur)
    plan = answer(problem)
    matrix = plan.matrix(problem)
    at_columns, at_rows = RANDOM.random((9, 2)), RANDOM.random(7)
    np.testing.assert_allclose(carry(problem, plan, at_columns), matrix @ at_columns / A[:, None], rtol=1e-4)
    np.testing.assert_allclose(carry(problem, plan, at_rows, to="columns"), matrix.T @ at_rows / B, rtol=1e-4)


def test_carry_names_the_side_that_values_must_fit() -> None:
    problem = Transport(PointCost(X, Y), A, B, blur=0.3)
    plan = solve(problem)
    with pytest.raises(ValueError, match=r"expected numbers, \(7,\) or \(7, k\)"):
        carry(problem, plan, np.zeros(9), to="columns")
    with pytest.raises(ValueError, match="to = 'cols': values go to the"):
        carry(problem, plan, np.zeros(9), to="cols")  # type: ignore[arg-type]


@pytest.mark.parametrize("name", costs())
def test_mirrored_problem_has_the_transposed_costs(name: str) -> None:
    cost = costs()[name]
    np.testing.assert_array_equal(cost.mirrored().dense(), cost.dense().T)
    problem = Transport(cost, A, B, blur=0.3)
    assert answer(problem.mirrored()).matrix(problem.mirrored()) == pytest.approx(
        answer(problem).matrix(problem).T, abs=1e-6
    )


@pytest.mark.parametrize("p", [1, 2, 1.5])
def test_epsilon_means_the_same_for_points_and_matrices(p: float) -> None:
    points = PointCost(X, Y, p=p)
    between, listed = (Transport(cost, A, B, epsilon=0.02) for cost in (points, DenseCost(points.dense())))
    assert between.epsilon == pytest.approx(0.02, rel=1e-12)
    assert listed.epsilon == listed.blur == 0.02
    assert between.blur == pytest.approx(0.02 ** (1 / p))
    plans = [answer(problem).matrix(problem) for problem in (between, listed)]
    np.testing.assert_allclose(*plans, atol=1e-6)


def test_epsilon_beside_another_blur_is_refused() -> None:
    assert Transport(PointCost(X, Y), blur=0.1, epsilon=0.1**2).blur == 0.1
    with pytest.raises(ValueError, match=r"blur = 0\.1 means epsilon = blur\*\*2 = 0\.01, not 0\.1; give one of them"):
        Transport(PointCost(X, Y), blur=0.1, epsilon=0.1)
    for wrong in (-1.0, np.nan, np.inf, "x"):
        with pytest.raises((ValueError, TypeError), match="epsilon"):
            Transport(PointCost(X, Y), epsilon=wrong)  # type: ignore[arg-type]


def test_replacing_the_blur_replaces_epsilon() -> None:
    problem = Transport(PointCost(X, Y), epsilon=0.02)
    assert dataclasses.replace(problem, blur=0.0).epsilon == 0.0
    assert dataclasses.replace(problem, a=A).epsilon == problem.epsilon
