"""Other people's plans that answer no entropic problem: of a low rank, and from points on their way."""

from __future__ import annotations

import numpy as np
import pytest

from lapmark import PointCost, Transport, Unsupported, certify, solve
from lapmark.solvers import registry

LOW_RANK = ("pot-low-rank", "ott-low-rank")


def needs(solver: str) -> str:
    if reason := registry.get(solver).missing:
        pytest.skip(f"{solver}: {reason}")
    return solver


def clusters(seed: int = 0, **options: float) -> Transport:
    """Return two clouds of three clusters each, whose optimal plan is nearly of rank three."""
    rng = np.random.default_rng(seed)
    centers = np.array([[0.0, 0.0], [4.0, 0.0], [0.0, 4.0]])
    x, y = (centers[np.arange(12) % 3] + 0.05 * rng.random((12, 2)) for _ in range(2))
    return Transport(PointCost(x + 1, y, scale=2.0), **options)


@pytest.mark.parametrize("solver", LOW_RANK)
def test_low_rank_plan_has_the_marginals_and_the_rank(solver: str) -> None:
    problem = clusters()
    plan = solve(problem, needs(solver), rank=4)
    assert plan.marginal_error < 1e-2
    assert np.linalg.matrix_rank(plan.mass.toarray(), tol=1e-6) <= 4
    optimum = solve(problem, "transport")
    certificate = certify(problem, plan, certify(problem, optimum).dual_bound)
    assert certificate.valid
    assert certificate.gap < 0.5  # the product of the masses is at 0.8


@pytest.mark.parametrize("solver", LOW_RANK)
def test_low_rank_leaves_out_rows_without_mass(solver: str) -> None:
    cost = clusters().cost
    a = np.arange(12) % 2 / 6.0
    plan = solve(Transport(cost, a, np.full(12, a.sum() / 12)), needs(solver), rank=4)
    assert plan.marginal_error < 1e-2
    assert not plan.mass[::2].sum()


@pytest.mark.parametrize("solver", LOW_RANK)
def test_low_rank_refuses_distances_and_a_reach(solver: str) -> None:
    given = clusters().cost
    with pytest.raises(Unsupported, match="not p = 1"):
        solve(Transport(PointCost(given.x, given.y, p=1)), needs(solver))
    with pytest.raises(Unsupported, match="without a reach"):
        solve(Transport(given, blur=0.1, reach=1.0), solver)


@pytest.mark.parametrize("blur", [0.0, 0.2])
def test_progressive_plan_is_near_the_optimum(blur: float) -> None:
    problem = clusters(blur=blur)
    plan = solve(problem, needs("ott-progressive"))
    assert plan.marginal_error < 1e-2
    exact = clusters()
    assert plan.cost < 1.1 * solve(exact, "transport").cost


def test_progressive_refuses_unequal_masses() -> None:
    cost = clusters().cost
    with pytest.raises(Unsupported, match="equal masses"):
        solve(Transport(cost, np.arange(12) / 66), needs("ott-progressive"))
