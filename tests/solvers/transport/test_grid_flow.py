"""Minimum cost flow on grids: against linear programming and `transport`, its certificate, and degenerate inputs."""

from __future__ import annotations

import math
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from lapmark import GridCost, TimeLimit, Transport, certify, emd, solve
from lapmark.solvers.auto import automatic
from lapmark.solvers.errors import Unsupported
from lapmark.solvers.native._kernels import INSTRUCTION_SETS

SPACINGS = [1.0, 0.3, 1e-200, 1e200]


def assert_optimal(problem, plan):
    proof = certify(problem, plan)
    assert proof.optimal, proof
    assert proof.marginal_error < 1e-12


@given(st.data())
@settings(deadline=None)
def test_grid_flow_agrees_with_transport_on_the_matrix(data):
    grid = data.draw(st.lists(st.integers(1, 5), min_size=1, max_size=4).map(tuple))
    spacing = data.draw(st.sampled_from([*SPACINGS, tuple(0.5 + k for k in range(len(grid)))]))
    a, b = (data.draw(arrays(np.float64, math.prod(grid), elements=st.integers(0, 9))) for _ in range(2))
    a[0], b[-1] = a[0] + 1, b[-1] + 1
    problem = Transport(GridCost(grid, spacing), a / a.sum(), b / b.sum())
    plan = solve(problem, "grid-flow")
    assert_optimal(problem, plan)
    assert plan.cost == pytest.approx(solve(problem, "transport").cost, rel=1e-12, abs=1e-15 * problem.cost.diameter)


@pytest.mark.parametrize("grid", [(1000,), (40, 50), (13, 9, 11), (2,) * 10])
@pytest.mark.parametrize("masses", ["noise", "whole", "few", "far"])
def test_grid_flow_on_larger_grids_is_proven_exactly(grid, masses):
    rng = np.random.default_rng(0)
    n = math.prod(grid)
    a, b = {
        "noise": lambda: rng.random((2, n)),
        "whole": lambda: rng.integers(0, 5, (2, n)).astype(float),
        "few": lambda: rng.random((2, n)) * (rng.random((2, n)) < 0.02) + np.eye(n)[[0, -1]],
        "far": lambda: rng.random((2, n)) * np.stack([np.arange(n) < n // 2, np.arange(n) >= n // 2]),
    }[masses]()
    b = b * (a.sum() / b.sum())
    problem = Transport(GridCost(grid), a, b)
    assert automatic(problem) == "grid-flow"
    plan = solve(problem)
    proof = certify(problem, plan)
    assert proof.exactly_optimal or proof.scope == 0 or proof.gap < 1e-13, proof
    assert proof.marginal_error < 1e-12
    assert (plan.f + plan.g == 0).all()
    assert all(np.abs(np.diff(plan.f.reshape(grid), axis=k)).max(initial=0) <= 1 for k in range(len(grid)))


@pytest.mark.parametrize("isa", INSTRUCTION_SETS[1:])
def test_grid_flow_scalar_and_vector_kernels_agree_to_the_bit(isa):
    rng = np.random.default_rng(1)
    problem = Transport(GridCost((17, 33), (1.0, 0.7)), *(x / x.sum() for x in rng.random((2, 561))))
    one, other = (solve(problem, "grid-flow", isa=each) for each in ("scalar", isa))
    np.testing.assert_array_equal(one.f, other.f)
    assert not (one.mass != other.mass).nnz
    assert one.counters == other.counters


def test_grid_flow_of_equal_histograms_moves_nothing():
    a = np.random.default_rng(2).random(60)
    plan = solve(Transport(GridCost((6, 10)), a, a), "grid-flow")
    assert plan.cost == 0
    np.testing.assert_array_equal(plan.mass.toarray(), np.diag(a))


def test_grid_flow_of_one_cell_keeps_its_mass():
    plan = solve(Transport(GridCost((1, 1)), [2.0], [2.0]), "grid-flow")
    assert plan.cost == 0
    assert plan.mass[0, 0] == 2.0


def test_grid_flow_on_a_line_is_the_distance_of_the_cumulated_masses():
    a, b = np.random.default_rng(3).random((2, 500))
    b *= a.sum() / b.sum()
    expected = np.abs(np.cumsum(a - b))[:-1].sum() * 0.5
    for grid in ((500,), (1, 500), (500, 1)):
        assert solve(Transport(GridCost(grid, 0.5), a, b)).cost == pytest.approx(expected, rel=1e-12)


def test_grid_flow_of_masses_of_many_sizes_meets_each_to_its_own_precision():
    rng = np.random.default_rng(4)
    a, b = np.exp(8 * rng.standard_normal((2, 400)))
    b *= a.sum() / b.sum()
    problem = Transport(GridCost((20, 20)), a, b)
    plan = solve(problem, "grid-flow")
    assert_optimal(problem, plan)
    np.testing.assert_allclose(plan.mass.sum(axis=1), a, rtol=1e-10)
    np.testing.assert_allclose(plan.mass.sum(axis=0), b, rtol=1e-10)


def test_grid_flow_of_spacings_without_common_unit_is_proven():
    rng = np.random.default_rng(5)
    a, b = (x / x.sum() for x in rng.random((2, 600)))
    for spacing in ((np.pi, 1.0, np.sqrt(2)), (1.0, 1e-5, 1.0), (1e6, 1.1, 1e3)):
        problem = Transport(GridCost((10, 6, 10), spacing), a, b)
        plan = solve(problem, "grid-flow")
        assert_optimal(problem, plan)
        assert plan.cost == pytest.approx(solve(problem, "transport").cost, rel=1e-12)


def test_grid_flow_of_float32_masses_takes_their_rounding_for_rounding():
    a, b = np.random.default_rng(6).random((2, 256), dtype=np.float32)
    a, b = a / a.sum(), b / b.sum()
    problem = Transport(GridCost((16, 16)), a, b)
    assert certify(problem, solve(problem)).optimal


def test_grid_flow_refuses_other_sums_and_costs():
    cost = GridCost((2, 3))
    with pytest.raises(ValueError, match="masses do not match"):
        Transport(cost, np.ones(6), np.full(6, 2.0))
    with pytest.raises(ValueError, match=r"a\[3\] is nan"):
        Transport(cost, [1, 1, 1, np.nan, 1, 1], np.ones(6))
    partial = Transport(cost, np.ones(6), np.full(6, 2.0), partial=True)
    assert automatic(partial) == "transport"
    assert_optimal(partial, solve(partial))
    with pytest.raises(Unsupported, match="the sums differ"):
        solve(partial, "grid-flow")
    with pytest.raises(Unsupported, match="takes grid costs, not dense"):
        solve(Transport(cost.negative()), "grid-flow")
    with pytest.raises(Unsupported, match="exact"):
        solve(Transport(cost, blur=0.1), "grid-flow")


def test_auto_takes_the_matrix_between_few_cells_of_a_large_grid():
    n = 60 * 60
    few, many = np.zeros((2, n)), np.random.default_rng(9).random((2, n)) + 0.1
    few[0, 5], few[1, 7] = 1, 1
    assert automatic(Transport(GridCost((60, 60)), *few)) == "transport"
    assert automatic(Transport(GridCost((60, 60)), many[0], many[1] * (many[0].sum() / many[1].sum()))) == "grid-flow"
    assert solve(Transport(GridCost((60, 60), 0.5), *few)).cost == 1.0


def test_emd_of_many_sparse_histograms_on_a_grid_agrees_with_single_ones():
    rng = np.random.default_rng(10)
    a, b = rng.integers(1, 9, (2, 40, 324)) * (rng.random((2, 40, 324)) < 0.1) + np.eye(324)[5]
    b *= a.sum(axis=1, keepdims=True) / b.sum(axis=1, keepdims=True)
    cost = GridCost((18, 18))
    single = [emd(cost, x, y) for x, y in zip(a, b, strict=True)]
    np.testing.assert_allclose(emd(cost, a, b), single, rtol=1e-12)


def wide_problem():
    rng = np.random.default_rng(7)
    return Transport(GridCost((100, 100, 30)), *(x / x.sum() for x in rng.random((2, 300_000))))


def test_grid_flow_past_its_time_limit_states_a_bound():
    with pytest.raises(TimeLimit) as late:
        solve(wide_problem(), time_limit=0.15)
    assert np.isfinite(late.value.bound)


#: Interrupts itself while it solves, in a process of its own: that of the tests has other plans for the signal.
INTERRUPTED = """
import signal, threading
import numpy as np
from lapmark import GridCost, Transport, solve
a, b = (x / x.sum() for x in np.random.default_rng(7).random((2, 300_000)))
problem = Transport(GridCost((100, 100, 30)), a, b)
threading.Timer(0.15, signal.raise_signal, [signal.SIGINT]).start()
try:
    while True:
        solve(problem)
except KeyboardInterrupt:
    print("stopped")
"""


def test_grid_flow_answers_ctrl_c():
    done = subprocess.run([sys.executable, "-c", INTERRUPTED], capture_output=True, text=True, timeout=60)
    assert done.stdout == "stopped\n", done.stderr


def test_emd_of_histograms_on_a_grid_agrees_with_solve():
    rng = np.random.default_rng(8)
    for grid in ((4, 4), (17, 16), (40, 40)):
        a, b = (x / x.sum(axis=-1, keepdims=True) for x in rng.random((2, 3, math.prod(grid))))
        found = emd(GridCost(grid), a, b)
        expected = [solve(Transport(GridCost(grid), *pair)).cost for pair in zip(a, b, strict=True)]
        np.testing.assert_allclose(found, expected, rtol=1e-12)
