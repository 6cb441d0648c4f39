"""The certificate proves right answers, refutes wrong ones, and never trusts or trips over what it is given."""

from __future__ import annotations

import dataclasses
import math

import numpy as np
import pytest
import scipy.sparse as sp

from lapmark import Assignment, DenseCost, Matching, Plan, PointCost, Transport, certify, solve
from lapmark.solvers.certificate.feasible_duals import Terms

COST = np.array([[4.0, 1, 3], [2, 0, 5], [3, 2, 2]])
OPTIMUM = 5.0


def problem(matrix=COST) -> Assignment:
    return Assignment(DenseCost(matrix))


def answer(**changes) -> Matching:
    return dataclasses.replace(solve(problem(), "jv"), **changes)


def test_certify_an_optimal_answer_proves_it():
    certificate = certify(problem(), answer())
    assert certificate.valid
    assert certificate.optimal
    assert certificate.cost == certificate.dual_bound == OPTIMUM
    assert certificate.gap == certificate.max_violation == 0
    assert certificate.fault is None


BAD_ANSWERS = {
    "not a permutation": ({"row_to_col": np.array([1, 1, 2])}, "not a permutation: column 1 is matched to 2 rows"),
    "left out": ({"row_to_col": np.array([1, -1, 2])}, "2 rows are matched, not 3"),
    "out of range": ({"row_to_col": np.array([1, 0, 3])}, "row 2 is matched to column 3, but there are 3 columns"),
    "below −1": ({"row_to_col": np.array([1, -2, 2])}, "row 1 is matched to column -2"),
    "unsigned wrap": ({"row_to_col": np.array([1, 0, 2**64 - 1], np.uint64)}, "row 2 is matched to column 18446744073"),
    "wrong length": ({"row_to_col": np.array([1, 0])}, r"row_to_col has shape \(2,\), not \(3,\)"),
    "floats": ({"row_to_col": np.array([1.0, 0, 2])}, "row_to_col holds float64, not integers"),
    "None": ({"row_to_col": None}, "row_to_col has shape"),
    "ragged": ({"row_to_col": [[1], [0, 2]]}, "row_to_col has shape"),
    "lies about the cost": ({"cost": 4.0}, "states a cost of 4.0, but its matching costs 5"),
    "NaN for a cost": ({"cost": np.nan}, "states a cost of nan"),
    "text for a cost": ({"cost": "5"}, "states a cost of '5'"),
    "one dual": ({"u": None}, "dual u is missing"),
    "short dual": ({"v": np.zeros(2)}, r"dual v has shape \(2,\)"),
    "ragged dual": ({"v": [[1], [2, 3]]}, "dual v has shape"),
    "NaN in a dual": ({"v": np.array([0, np.nan, 0])}, r"dual v is nan at \[1\]"),
    "complex dual": ({"u": np.zeros(3, complex)}, "dtype complex128"),
}


@pytest.mark.parametrize("name", BAD_ANSWERS)
def test_certify_a_bad_answer_is_invalid_and_no_exception(name):
    changes, fault = BAD_ANSWERS[name]
    certificate = certify(problem(), answer(**changes))
    assert not certificate.valid
    assert not certificate.optimal
    assert certificate.gap == np.inf
    with pytest.raises(ValueError, match=fault):
        raise ValueError(certificate.fault)


def test_certify_with_a_forbidden_pair_names_the_fault():
    matrix = COST.copy()
    matrix[1, 0] = np.inf
    certificate = certify(problem(matrix), Matching(np.array([1, 0, 2]), np.inf))
    assert certificate.fault == "row 1 is matched to column 0, a forbidden pair"


def test_certify_a_wrong_kind_of_answer_is_invalid():
    assert "not a Matching" in certify(problem(), Plan(0.0, 0.0)).fault
    assert "not a Plan" in certify(Transport(DenseCost(COST)), answer()).fault
    with pytest.raises(TypeError, match="not ndarray"):
        certify(COST, answer())


def test_certify_a_suboptimal_answer_finds_its_gap():
    worse = Matching.of(problem(), [0, 1, 2])
    best = answer()
    for certificate in (
        certify(problem(), dataclasses.replace(worse, u=best.u, v=best.v)),
        certify(problem(), worse, bound=OPTIMUM),
    ):
        assert certificate.valid
        assert not certificate.optimal
        assert certificate.dual_bound == OPTIMUM
        assert certificate.gap == pytest.approx(1 / 6)


def test_certify_without_duals_finds_them():
    rng = np.random.default_rng(0)
    for given in (problem(), problem(rng.random((40, 40))), problem(rng.random((9, 30))), problem(rng.random((30, 9)))):
        certificate = certify(given, Matching.of(given, solve(given, "scipy").row_to_col))
        assert certificate.optimal
        assert math.isnan(certificate.max_violation)


def test_certify_without_a_search_bounds_by_minima_alone():
    given = problem(np.random.default_rng(0).random((40, 40)))
    certificate = certify(given, Matching.of(given, solve(given, "scipy").row_to_col), search=False)
    assert certificate.valid
    assert not certificate.optimal
    assert 0 < certificate.gap < 1


def test_certify_uses_the_better_of_two_bounds():
    poor = answer(u=np.zeros(3), v=np.full(3, -1.0))
    assert certify(problem(), poor, bound=OPTIMUM).optimal
    assert certify(problem(), poor, bound=0.0).dual_bound >= 3


@pytest.mark.parametrize("shape", [(40, 40), (30, 50), (50, 30)])
def test_bound_of_any_duals_is_at_most_the_optimum(shape):
    rng = np.random.default_rng(0)
    given = problem(rng.normal(size=shape))
    optimum = solve(given, "scipy").cost
    for scale in (1e-3, 1, 1e3):
        terms = Terms.of(given)
        assert terms.given_rows(rng.normal(size=shape[0]) * scale).bound() <= optimum
        assert terms.given_columns(rng.normal(size=shape[1]) * scale).bound() <= optimum


def test_certify_matching_with_huge_duals_proves_nothing():
    """c − v is −v where v is large enough: the bound would be 0, above the optimum."""
    negative = problem(-COST)
    worst = Matching.of(negative, [1, 2, 0])
    for size in (1e17, 1e300):
        certificate = certify(negative, dataclasses.replace(worst, u=np.full(3, -size), v=np.full(3, size)))
        assert certificate.valid
        assert not certificate.optimal
    liar = Matching.of(negative, [0, 1, 2], u=np.full(3, -1e17), v=np.full(3, 1e17))
    assert not certify(negative, liar).optimal


@pytest.mark.parametrize("shape", [(60, 60), (40, 60), (60, 40)])
def test_rounded_duals_still_prove_an_optimal_matching(shape):
    """float32 keeps 7 digits of the duals; that is enough to find the others again."""
    given = problem(np.random.default_rng(1).random(shape) * 1000)
    matching = solve(given, "jv")
    u, v = (dual.astype("f4").astype("f8") for dual in (matching.u, matching.v))
    rounded = dataclasses.replace(matching, u=u, v=v)
    certificate = certify(given, rounded)
    assert certificate.max_violation > 1e-6
    assert Terms.of(given).given_columns(v).bound() < certificate.dual_bound
    assert certificate.optimal
    assert 0 <= certificate.gap < 1e-9


def test_certify_with_a_large_penalty_still_finds_the_excess():
    """Rounding of a penalty is larger than the error here, but the penalty is no part of the answer."""
    matrix = np.array([[1e15, 1.0, 2.0], [1.0, 1e15, 2.0], [2.0, 2.5, 1.0]])
    given = problem(matrix)
    best = solve(given, "jv")
    assert certify(given, best).optimal
    worse = Matching.of(given, [1, 2, 0], best.u, best.v)
    assert worse.cost > best.cost
    assert not certify(given, worse).optimal


@pytest.mark.parametrize(("shape", "side"), [((2, 3), "v"), ((3, 2), "u")])
def test_certify_duals_of_wrong_sign_measures_the_violation(shape, side):
    given = problem(np.ones(shape))
    matching = solve(given, "jv")
    certificate = certify(given, dataclasses.replace(matching, u=matching.u - 1, v=matching.v + 1))
    if side == "v":
        assert certificate.max_violation == pytest.approx(1)
    certificate = certify(given, dataclasses.replace(matching, u=matching.u + 1, v=matching.v - 1))
    if side == "u":
        assert certificate.max_violation == pytest.approx(1)


def test_certify_zero_costs_proves_them_without_dividing():
    certificate = certify(problem(np.zeros((4, 4))), solve(problem(np.zeros((4, 4))), "jv"))
    assert (certificate.optimal, certificate.gap, certificate.cost) == (True, 0, 0)


# Plans.

A, B = np.array([0.25, 0.75]), np.array([0.5, 0.5])
MASS = sp.csr_array(np.array([[0.25, 0.0], [0.25, 0.5]]))
TRANSPORT = Transport(DenseCost([[0.0, 2.0], [1.0, 0.0]]), A, B, blur=0)
OPTIMAL = Plan(0.25, 0.0, f=np.array([-1.0, 0.0]), g=np.array([1.0, 0.0]), mass=MASS)


def test_certify_an_optimal_plan_proves_it():
    certificate = certify(TRANSPORT, OPTIMAL)
    assert certificate.optimal
    assert certificate.dual_bound == certificate.cost == 0.25


BAD_PLANS = {
    "neither plan nor potentials": (Plan(0.25, 0.0), "has only potentials"),
    "wrong shape": (dataclasses.replace(OPTIMAL, mass=MASS[:1]), "not a sparse array of shape"),
    "dense": (dataclasses.replace(OPTIMAL, mass=MASS.toarray()), "not a sparse array of shape"),
    "negative mass": (dataclasses.replace(OPTIMAL, mass=-MASS), r"moves a mass of -0.25 at \[0, 0\]"),
    "NaN mass": (dataclasses.replace(OPTIMAL, mass=MASS * np.nan), r"moves a mass of nan at \[0, 0\]"),
    "misses its marginals": (
        dataclasses.replace(OPTIMAL, mass=MASS * 0.9),
        "error of 0.0, but has 0.1",
    ),
    "no marginal error": (dataclasses.replace(OPTIMAL, marginal_error=np.nan), "states a marginal error of nan"),
    "lies about the cost": (dataclasses.replace(OPTIMAL, cost=0.2), "states a cost of 0.2, but its plan costs 0.25"),
}


@pytest.mark.parametrize("name", BAD_PLANS)
def test_certify_a_bad_plan_is_invalid(name):
    plan, fault = BAD_PLANS[name]
    certificate = certify(TRANSPORT, plan)
    assert not certificate.valid
    with pytest.raises(ValueError, match=fault):
        raise ValueError(certificate.fault)


def test_certify_mass_between_a_forbidden_pair_is_a_fault():
    forbidding = Transport(DenseCost([[0.0, 2.0], [np.inf, 0.0]]), A, B, blur=0)
    assert "forbidden pair" in certify(forbidding, OPTIMAL).fault


def test_certify_a_plan_that_misses_its_marginals_is_not_optimal():
    """Half of the mass costs less than any plan of all of it, but not once the other half is moved too."""
    half = dataclasses.replace(OPTIMAL, mass=MASS / 2, cost=0.125, marginal_error=0.5)
    certificate = certify(TRANSPORT, half)
    assert certificate.valid
    assert certificate.cost < certificate.dual_bound < certificate.feasible_cost
    assert certificate.gap == pytest.approx(1 - 0.25 / certificate.feasible_cost)
    assert not certificate.optimal


def test_certify_an_entropic_plan_judges_its_potentials():
    rng = np.random.default_rng(2)
    given = Transport(PointCost(rng.random((8, 2)), rng.random((9, 2))), blur=0.1)
    plan = solve(given, "sinkhorn", stop=1e-6)
    certificate = certify(given, plan)
    assert certificate.valid
    assert 0 < certificate.gap < 1
    assert not certify(given, dataclasses.replace(plan, f=plan.f + 1)).valid
    assert "potential f" in certify(given, dataclasses.replace(plan, f=None)).fault
    assert "potential g" in certify(given, dataclasses.replace(plan, g=plan.g[:3])).fault
