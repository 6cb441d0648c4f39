"""Values and gradients of transport as a loss, by finite differences; what a plan carries, by the plan in full."""

from __future__ import annotations

import numpy as np
import pytest

from solvers import DenseCost, PointCost, Transport, Unsupported, carry, loss, losses, solve

SOLVERS = ["sinkhorn", "sinkhorn-multilevel"]


def problem_of(x, y, a, b, blur=0.2, reach=None, p=2, scale=0.5):
    return Transport(PointCost(x, y, p=p, scale=scale), a, b, blur, reach)


def case(d=2, n=23, m=31, seed=0, balanced=True):
    rng = np.random.default_rng(seed)
    x, y = rng.random((n, d)), 0.2 + rng.random((m, d))
    a, b = rng.exponential(size=n), rng.exponential(size=m)
    return x, y, a / a.sum(), b / b.sum() * (1.0 if balanced else 1.3)


def slope(value, at, towards, step=1e-4):
    return (value(at + step * towards) - value(at - step * towards)) / (2 * step)


@pytest.mark.parametrize("p", [1, 1.5, 2])
@pytest.mark.parametrize("reach", [None, 0.5])
@pytest.mark.parametrize("debias", [False, True])
@pytest.mark.parametrize("d", [2, 3, 5])
def test_gradients_are_finite_differences(monkeypatch, d, debias, reach, p):
    monkeypatch.setattr(losses, "PRECISION", 1e-11)  # or the differences are of rounding
    if debias and d == 5 and p == 1.5:
        pytest.skip("the same code as the others, at several times the price")
    x, y, a, b = case(d, balanced=reach is None)
    rng = np.random.default_rng(1)
    towards = {"x": rng.normal(size=x.shape), "y": rng.normal(size=y.shape)}
    towards |= {"a": a * rng.normal(size=len(a)), "b": b * rng.normal(size=len(b))}
    if reach is None:  # balanced: mass is moved about, not made
        towards["a"] -= a * towards["a"].sum()
        towards["b"] -= b * towards["b"].sum()
    given = {"x": x, "y": y, "a": a, "b": b}

    def value(**changed):
        now = given | changed
        problem = problem_of(now["x"], now["y"], now["a"], now["b"], reach=reach, p=p)
        return loss(problem, "sinkhorn", debias=debias, stop=1e-9).value

    told = loss(problem_of(x, y, a, b, reach=reach, p=p), "sinkhorn", debias=debias, stop=1e-9)
    for name, way in towards.items():
        expected = slope(lambda moved, name=name: value(**{name: moved}), given[name], way)
        assert (getattr(told, name) * way).sum() == pytest.approx(expected, rel=2e-4, abs=2e-6), name


@pytest.mark.parametrize("solver", SOLVERS)
def test_divergence_is_none_from_itself(solver):
    x, _, a, _ = case(n=200)
    told = loss(problem_of(x, x, a, a, blur=0.05), solver, stop=1e-6)
    assert told.value == pytest.approx(0, abs=1e-8)
    np.testing.assert_allclose(told.x, 0, atol=1e-7)


def test_divergence_of_a_translation_is_its_length():
    x, _, a, _ = case(n=100)
    shift = np.array([2.0, -1.0])
    told = loss(problem_of(x, x + shift, a, a, blur=0.1), "sinkhorn", stop=1e-7)
    assert told.value == pytest.approx(shift @ shift / 2, rel=1e-6)
    np.testing.assert_allclose(told.x, -a[:, None] * shift, rtol=1e-3, atol=1e-6)


def test_exact_loss_has_gradients_of_its_own():
    x, y, a, b = case()
    problem = Transport(PointCost(x, y), a, b, blur=0)
    told = loss(problem)
    assert told.value == told.plan.cost
    way = np.random.default_rng(2).normal(size=x.shape)
    expected = slope(lambda moved: loss(Transport(PointCost(moved, y), a, b, blur=0)).value, x, way, 1e-6)
    assert (told.x * way).sum() == pytest.approx(expected, rel=1e-5)


def test_matrix_has_no_self():
    x, y, a, b = case()
    problem = Transport(DenseCost(PointCost(x, y).dense()), a, b, blur=0.1)
    with pytest.raises(Unsupported, match="debias"):
        loss(problem)
    told = loss(problem, debias=False)
    assert told.x is None
    assert told.y is None


@pytest.mark.parametrize("blur", [0, 0.05, 0.3])
@pytest.mark.parametrize("kind", ["points", "line", "far", "matrix"])
def test_carry_is_the_plan_times_values(kind, blur):
    d = {"points": 2, "line": 1, "far": 4, "matrix": 2}[kind]
    x, y, a, b = case(d)
    cost = PointCost(x, y, p=1)
    if kind == "matrix":
        cost = DenseCost(cost.dense())
    problem = Transport(cost, a, b, blur=blur)
    plan = solve(problem)
    if plan.mass is not None:
        pi = plan.mass.toarray()
    else:
        pi = a[:, None] * b * np.exp((plan.f[:, None] + plan.g - problem.cost.dense()) / problem.epsilon)
    values = np.random.default_rng(3).normal(size=(len(b), 6))
    np.testing.assert_allclose(carry(problem, plan, values), pi @ values / a[:, None], rtol=1e-4, atol=1e-5)
    first = carry(problem, plan, values[:, 0], threads=-1)
    np.testing.assert_allclose(first, pi @ values[:, 0] / a, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize(
    ("values", "message"),
    [(np.zeros(5), "expected numbers"), (np.full(31, np.nan), "finite"), (np.zeros((31, 2, 2)), "expected numbers")],
)
def test_carry_refuses(values, message):
    x, y, a, b = case()
    problem = problem_of(x, y, a, b)
    with pytest.raises(ValueError, match=message):
        carry(problem, solve(problem), values)
