"""Values and gradients of transport as a loss, by a referee with more digits and by finite differences.

What a plan carries is held against the plan in full.
"""

from __future__ import annotations

import importlib

import log_domain
import numpy as np
import pytest
from scipy.special import logsumexp

from lapmark import DenseCost, PointCost, Transport, Unsupported, carry, loss, solve
from lapmark.solvers.sinkhorn import gradients

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


def with_themselves(problem):
    """Both sides' problems with themselves."""
    cost, p, scale = problem.cost, problem.cost.p, problem.cost.scale
    for points, own in ((cost.x, problem.a), (cost.y, problem.b)):
        yield Transport(PointCost(points, points, p, scale), own, own, problem.blur, problem.reach)


def referee(problem, debias):
    """The value by definition, in long double."""
    value = log_domain.value(problem)
    if not debias:
        return float(value)
    surplus = log_domain.Long(problem.a.sum()) - log_domain.Long(problem.b.sum())
    own = sum(log_domain.value(alone) for alone in with_themselves(problem))
    return float(value - own / 2 + problem.epsilon * surplus**2 / 2)


@pytest.mark.parametrize("p", [1, 1.5, 2])
@pytest.mark.parametrize("reach", [None, 0.5, 30.0])
@pytest.mark.parametrize(
    ("blur", "mass"), [(0.3, 1.0), (3.0, 1.0), (100.0, 1.0), (1e4, 1.0), (1e6, 1.0), (0.3, 1e-12), (100.0, 1e-12)]
)
def test_loss_value_of_any_problem_equals_the_definition(p, reach, blur, mass):
    x, y, a, b = case(n=11, m=13, balanced=reach is None)
    a[3], b[:4] = 0, 0
    a, b = mass * a / a.sum(), mass * b / b.sum() * (1 if reach is None else 1.3)
    problem = problem_of(x, y, a, b, blur, reach, p)
    for debias in (False, True):
        expected = referee(problem, debias)
        told = loss(problem, debias=debias, stop=1e-9).value
        # Where it is not the difference of two values of the same masses, their rounding counts, and that times ε.
        rounding = 0.0 if debias and reach is None else 1e-15 * problem.epsilon
        assert told == pytest.approx(expected, rel=1e-6, abs=(1e-9 + rounding) * mass), debias


@pytest.mark.parametrize("blur", [0.2, 1.0, 100.0, 450.0])
@pytest.mark.parametrize("seed", range(5))
def test_divergence_is_positive_with_the_default_stop(blur, seed):
    x, y, a, b = case(n=15, m=20, seed=seed)
    problem = problem_of(x, y, a, b, blur)
    assert loss(problem).value == pytest.approx(referee(problem, True), rel=2e-3)


@pytest.mark.parametrize("solver", SOLVERS)
@pytest.mark.parametrize("p", [1, 2])
@pytest.mark.parametrize("reach", [None, 0.5])
@pytest.mark.parametrize("blur", [0.01, 0.3, 1e3])
@pytest.mark.parametrize("stop", [1e-3, "schedule"])
def test_loss_of_a_cloud_to_itself_is_zero(solver, p, reach, blur, stop):
    x, _, a, _ = case(n=90)
    told = loss(problem_of(x, x, a, a, blur, reach, p), solver, stop=stop)
    assert told.value == 0
    exact = stop != "schedule"  # whose rows and columns are not summed in the same order
    for gradient in (told.a, told.b, told.x, told.y):
        np.testing.assert_allclose(gradient, 0, atol=1e-15 if exact else 1e-5)


@pytest.mark.parametrize("solver", SOLVERS)
def test_loss_terms_of_a_cloud_with_itself_take_few_passes(monkeypatch, solver):
    x, y, a, b = case(n=1000, m=900)
    plans = []
    module = importlib.import_module("lapmark.solvers.loss")  # its name in the package is the function's
    monkeypatch.setattr(module, "solve", lambda *given, **options: plans.append(solve(*given, **options)) or plans[-1])
    loss(problem_of(x, y, a, b, blur=0.05), solver)
    assert len(plans) == 3
    assert max(plan.counters["passes"] for plan in plans[1:]) <= 10


def schedule_value(problem, debias, scaling):
    """GeomLoss's loop over all three problems at once, and its value of their potentials."""
    cost, p, rho = problem.cost, problem.cost.p, problem.rho
    both = np.vstack([cost.x, cost.y])
    diameter = np.linalg.norm(np.ptp(both, axis=0))
    steps = np.arange(p * np.log(diameter), p * np.log(problem.blur), p * np.log(scaling))
    epsilons = [diameter**p, *np.exp(steps), problem.epsilon]

    def run(problem):
        matrix = problem.cost.dense()

        def updates(f, g, epsilon):
            damping = -epsilon / (1 + epsilon / rho)
            return (
                damping * logsumexp((g - matrix) / epsilon, b=problem.b, axis=1),
                damping * logsumexp((f[:, None] - matrix) / epsilon, b=problem.a[:, None], axis=0),
            )

        f, g = updates(np.zeros(len(matrix)), np.zeros(matrix.shape[1]), epsilons[0])
        for epsilon in epsilons:
            new_f, new_g = updates(f, g, epsilon)
            f, g = (f + new_f) / 2, (g + new_g) / 2
        f, g = updates(f, g, epsilons[-1])
        if rho < np.inf:
            f, g = (-(rho + problem.epsilon / 2) * np.expm1(-z / rho) for z in (f, g))
        return problem.a @ f + problem.b @ g

    own = sum(run(alone) for alone in with_themselves(problem)) if debias else 0.0
    return run(problem) - own / 2


@pytest.mark.parametrize("p", [1, 2])
@pytest.mark.parametrize("reach", [None, 0.4])
@pytest.mark.parametrize("blur", [0.05, 0.5, 20.0])
@pytest.mark.parametrize("debias", [False, True])
@pytest.mark.parametrize("scaling", [0.5, 0.9])
def test_schedule_tells_the_value_of_geomloss(p, reach, blur, debias, scaling):
    x, y, a, b = case(balanced=reach is None)
    a, b = 2 * a, 2 * b
    problem = problem_of(x, y, a, b, blur, reach, p, scale=1 / p)
    told = loss(problem, "sinkhorn", debias=debias, stop="schedule", scaling=scaling).value
    assert told == pytest.approx(schedule_value(problem, debias, scaling), rel=2e-4, abs=1e-6)
    # GeomLoss itself has no distances below 1e-4, not even of a point from itself.
    torch = pytest.importorskip("torch", reason="GeomLoss is not installed (make peers-entropic)")
    samples_loss = pytest.importorskip("geomloss").SamplesLoss
    theirs = samples_loss(p=p, blur=blur, reach=reach, scaling=scaling, debias=debias, backend="tensorized")
    given = (torch.from_numpy(np.array(each)) for each in (a, x, b, y))
    assert told == pytest.approx(theirs(*given).item(), rel=2e-4 if p == 2 else 1e-2)


def test_matrix_with_forbidden_pairs_has_a_loss():
    x, y, a, b = case()
    matrix = PointCost(x, y).dense()
    matrix[::3, ::4] = np.inf
    problem = Transport(DenseCost(matrix), a, b, blur=0.1)
    told = loss(problem, debias=False, stop=1e-9)
    assert told.value == pytest.approx(referee(problem, False), rel=1e-8)
    assert np.isfinite([*told.a, *told.b]).all()


def test_masses_beyond_float64_are_an_error_with_a_cure():
    x, y, a, b = case()
    with pytest.raises(ValueError, match=r"a sums to 1e\+250.*rescale"):
        loss(problem_of(x, y, 1e250 * a, 1e250 * b), debias=False)
    with pytest.raises(ValueError, match=r"a sums to 1e\+250.*rescale"):
        solve(problem_of(x, y, 1e250 * a, 1e250 * b, reach=1.0))
    assert loss(problem_of(x, y, 1e250 * a, 1e250 * b), stop=1e-8).value > 0


@pytest.mark.parametrize("p", [1, 1.5, 2])
@pytest.mark.parametrize("reach", [None, 0.5])
@pytest.mark.parametrize("debias", [False, True])
@pytest.mark.parametrize("d", [2, 3, 5])
def test_loss_gradients_of_any_problem_equal_finite_differences(monkeypatch, d, debias, reach, p):
    monkeypatch.setattr(gradients, "PRECISION", 1e-11)  # or the differences are of rounding
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
def test_divergence_of_a_cloud_from_itself_is_zero(solver):
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


def test_loss_without_blur_has_gradients_of_the_exact_plan():
    x, y, a, b = case()
    problem = Transport(PointCost(x, y), a, b, blur=0)
    told = loss(problem)
    assert told.value == told.plan.cost
    way = np.random.default_rng(2).normal(size=x.shape)
    expected = slope(lambda moved: loss(Transport(PointCost(moved, y), a, b, blur=0)).value, x, way, 1e-6)
    assert (told.x * way).sum() == pytest.approx(expected, rel=1e-5)


def test_loss_of_a_matrix_refuses_debias():
    x, y, a, b = case()
    problem = Transport(DenseCost(PointCost(x, y).dense()), a, b, blur=0.1)
    with pytest.raises(Unsupported, match="debias"):
        loss(problem)
    told = loss(problem, debias=False)
    assert told.x is None
    assert told.y is None


@pytest.mark.parametrize("blur", [0, 0.05, 0.3])
@pytest.mark.parametrize("kind", ["points", "line", "far", "matrix"])
def test_carry_of_values_equals_the_plan_times_them(kind, blur):
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


@pytest.mark.parametrize("kind", ["points", "line", "far", "matrix"])
@pytest.mark.parametrize("p", [1, 2])
@pytest.mark.parametrize(("length", "mass"), [(1e24, 1.0), (1e-24, 1.0), (1.0, 1e38), (1.0, 1e-38), (1e100, 1e250)])
def test_carry_in_other_units_is_the_same(kind, p, length, mass):
    x, y, a, b = case({"points": 2, "line": 1, "far": 4, "matrix": 2}[kind])

    def carried(length, mass):
        cost = PointCost(length * x, length * y, p)
        if kind == "matrix":
            cost = DenseCost(cost.dense())
        blur = (0.05 * length) ** (p if kind == "matrix" else 1)
        problem = Transport(cost, mass * a, mass * b, blur)
        return carry(problem, solve(problem), y)

    np.testing.assert_allclose(carried(length, mass), carried(1.0, 1.0), rtol=1e-4)


@pytest.mark.parametrize("solver", [*SOLVERS, "transport"])
def test_carry_brings_something_to_every_mass(solver):
    x, y, a, b = case()
    a[:4] = 1e-18, 1e-25, 1e-300, 5e-324
    problem = Transport(PointCost(x, y), a / a.sum(), b, blur=0 if solver == "transport" else 0.05)
    plan = solve(problem, solver)
    carried = carry(problem, plan, y)
    if solver == "transport":
        expected = y[(problem.cost.dense() - plan.g).argmin(axis=1)]
    else:  # what the others leave to a mass that changes none of them
        exponent = (plan.g - problem.cost.dense()) / problem.epsilon
        share = b * np.exp(exponent - exponent.max(axis=1, keepdims=True))
        expected = share @ y / share.sum(axis=1, keepdims=True)
    np.testing.assert_allclose(carried[:4], expected[:4], rtol=0.02)


@pytest.mark.parametrize(
    ("values", "message"),
    [(np.zeros(5), "expected numbers"), (np.full(31, np.nan), "finite"), (np.zeros((31, 2, 2)), "expected numbers")],
)
def test_carry_of_bad_values_is_refused(values, message):
    x, y, a, b = case()
    problem = problem_of(x, y, a, b)
    with pytest.raises(ValueError, match=message):
        carry(problem, solve(problem), values)
