"""Points on a grid: the optimum, the orientation, the shapes, and what is refused."""

from __future__ import annotations

import doctest
import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from scipy.optimize import linear_sum_assignment

from lapmark import certify, fitting_shape, grid_layout, grid_problem, solve

RNG = np.random.default_rng(0)

coordinates = st.one_of(st.floats(-1e3, 1e3), st.integers(-3, 3).map(float), st.floats(-1e308, 1e308))


def wanted(points: np.ndarray, shape: tuple[int, int]) -> np.ndarray:
    """Where each point would be, in rows and columns, were there no others; made another way than by the library."""
    sides = []
    for values, last in ((-points[:, 1], shape[0] - 1), (points[:, 0], shape[1] - 1)):
        low, high = float(values.min()), float(values.max())
        extent = high / 2 - low / 2
        sides.append((values / 2 - low / 2) / extent * last if extent > 0 else np.full(len(values), last / 2))
    return np.column_stack(sides)


@settings(deadline=None, max_examples=150)
@given(
    points=st.integers(2, 12).flatmap(lambda n: arrays.arrays(np.float64, (n, 2), elements=coordinates)),
    more=st.tuples(st.integers(0, 3), st.integers(0, 3)),
)
def test_grid_layout_of_any_points_is_the_nearest(points: np.ndarray, more: tuple[int, int]) -> None:
    rows, columns = fitting_shape(len(points))
    shape = rows + more[0], columns + more[1]
    nodes = grid_layout(points, shape)
    assert nodes.dtype == np.intp
    assert ((nodes >= 0) & (nodes < shape)).all()
    assert len(set(map(tuple, nodes.tolist()))) == len(points)
    every = np.stack(np.divmod(np.arange(shape[0] * shape[1]), shape[1]), axis=1)
    cost = ((wanted(points, shape)[:, None] - every) ** 2).sum(axis=2)
    best = cost[linear_sum_assignment(cost)].sum()
    assert ((wanted(points, shape) - nodes) ** 2).sum() == pytest.approx(best, rel=1e-9, abs=1e-9)


@pytest.mark.parametrize(
    ("points", "shape"),
    [
        (RNG.random((2500, 2)), (50, 50)),
        (RNG.random((1200, 2)), (50, 50)),
        (0.3 + 0.01 * RNG.standard_normal((2000, 2)), (50, 50)),
        (np.ones((2000, 2)), (50, 50)),
        (np.column_stack([RNG.random(900), np.zeros(900)]), (30, 31)),
        (RNG.integers(0, 9, (2497, 2)), None),
        (RNG.random((500, 2)), (1, 700)),
    ],
    ids=["full", "half empty", "clumped", "one place", "a line", "ties", "a row"],
)
def test_grid_layout_is_proven_optimal(points: np.ndarray, shape: tuple[int, int] | None) -> None:
    problem, (rows, columns) = grid_problem(points, shape)
    assert problem.shape == (len(points), rows * columns)
    matching = solve(problem)
    assert certify(problem, matching).optimal
    nodes = grid_layout(points, shape)
    chosen = problem.cost.entries(np.arange(len(points)), nodes @ [columns, 1])
    assert chosen.sum() == pytest.approx(matching.cost)


@settings(deadline=None, max_examples=60)
@given(points=arrays.arrays(np.float64, (7, 2), elements=coordinates), seed=st.integers(0, 99))
def test_grid_layout_on_given_nodes_is_the_nearest(points: np.ndarray, seed: int) -> None:
    rng = np.random.default_rng(seed)
    targets = rng.normal(50, 9, (10, 2))
    chosen = grid_layout(points, nodes=targets)
    assert (chosen.dtype, len(set(chosen.tolist()))) == (np.intp, 7)
    low, extent = targets.min(axis=0), np.ptp(targets, axis=0)
    unit = wanted(points, (2, 2))[:, ::-1]
    place = low + np.column_stack([unit[:, 0], 1 - unit[:, 1]]) * extent
    cost = ((place[:, None] - targets) ** 2).sum(axis=2)
    best = cost[linear_sum_assignment(cost)].sum()
    assert cost[np.arange(7), chosen].sum() == pytest.approx(best, rel=1e-9, abs=1e-9)


def test_grid_layout_on_a_mask_uses_its_true_cells_only() -> None:
    mask = RNG.random((12, 9)) < 0.6
    points = RNG.random((40, 2))
    nodes = grid_layout(points, nodes=mask)
    assert mask[tuple(nodes.T)].all()
    assert len(np.unique(nodes, axis=0)) == 40
    rows, columns = np.nonzero(mask)
    chosen = grid_layout(points, nodes=np.column_stack([columns, -rows]))
    np.testing.assert_array_equal(nodes, np.column_stack([rows, columns])[chosen])
    np.testing.assert_array_equal(grid_layout(points, nodes=np.ones((8, 5), bool)), grid_layout(points, (8, 5)))
    problem, shape = grid_problem(points, nodes=mask)
    assert (shape, problem.shape) == ((12, 9), (40, mask.sum()))
    assert certify(problem, solve(problem)).optimal


def test_grid_layout_on_nodes_of_other_types_and_places_is_the_same() -> None:
    points, targets = RNG.random((20, 2)), RNG.integers(0, 99, (30, 2))
    chosen = grid_layout(points, nodes=targets)
    for other in (targets.tolist(), targets.astype(np.float32), np.asfortranarray(targets), targets + 2.0**40):
        np.testing.assert_array_equal(grid_layout(points, nodes=other), chosen)


@pytest.mark.parametrize(
    ("nodes", "shape", "error", "fault"),
    [
        (np.eye(2, dtype=bool), (2, 2), ValueError, "leave one out"),
        (np.eye(2, dtype=bool), None, ValueError, "there are 2 nodes for 3 points"),
        (np.ones(5, bool), None, ValueError, "a mask is"),
        (np.ones((5, 3)), None, ValueError, r"nodes have shape \(5, 3\)"),
        ([[0, 1], [2, np.inf], [3, 4]], None, ValueError, r"nodes\[1, 1\] is inf"),
        ([[0, 1], [2, 1e200], [3, 4]], None, ValueError, "farther apart"),
        ([["a", "b"]] * 3, None, TypeError, "give numbers"),
        (np.empty((0, 2)), None, ValueError, "there are 0 nodes"),
        (np.zeros((3, 3), bool), None, ValueError, "there are 0 nodes"),
    ],
)
def test_grid_layout_on_bad_nodes_is_refused(nodes, shape, error: type[Exception], fault: str) -> None:
    with pytest.raises(error, match=fault):
        grid_layout(RNG.random((3, 2)), shape, nodes=nodes)


def test_grid_layout_of_a_grid_keeps_it() -> None:
    row, column = np.divmod(RNG.permutation(20 * 30), 30)
    points = np.column_stack([7.5 * column - 3, 1e-3 * (20 - row)])
    np.testing.assert_array_equal(grid_layout(points, (20, 30)), np.column_stack([row, column]))


def test_grid_layout_in_other_units_or_types_is_the_same() -> None:
    points = RNG.integers(0, 200, (90, 2))
    nodes = grid_layout(points, (10, 9))
    for other in (
        points.astype(np.float16),
        points.astype(np.uint8),
        points.astype(">f8"),
        np.asfortranarray(points),
        np.repeat(points, 2, axis=0)[::2],
        points.tolist(),
        points * [2.0**900, 2.0**-900],
    ):
        np.testing.assert_array_equal(grid_layout(other, (10, 9)), nodes)


def test_grid_layout_with_a_named_solver_uses_it() -> None:
    points = RNG.random((60, 2))
    nodes = grid_layout(points, (8, 8))
    np.testing.assert_array_equal(grid_layout(points, (8, 8), solver="jv"), nodes)
    with pytest.raises(ValueError, match="no solver is called 'jvv'"):
        grid_layout(points, solver="jvv")


@pytest.mark.parametrize(
    ("points", "shape", "error", "fault"),
    [
        ([[1, 2]], None, ValueError, "there is 1 point; a layout takes at least 2"),
        (np.empty((0, 2)), None, ValueError, "there are no points"),
        ([1, 2, 3], None, ValueError, r"points have shape \(3,\)"),
        (np.ones((4, 3)), None, ValueError, r"points have shape \(4, 3\)"),
        ([[0, 1], [2, np.nan]], None, ValueError, r"points\[1, 1\] is nan"),
        ([[0, -np.inf], [2, 0]], None, ValueError, r"points\[0, 1\] is -inf"),
        ([[0, 1j], [2, 0]], None, TypeError, "real part"),
        ([["a", "b"], ["c", "d"]], None, TypeError, "give numbers"),
        (np.ma.masked_less([[0, 1], [2, 3]], 1), None, TypeError, "masked"),
        (np.eye(2), (1, 1), ValueError, "a 1×1 grid has room for 1 of 2 points; 1×2 has for all"),
        (np.ones((30, 2)), (2, 8), ValueError, "a 2×8 grid has room for 16 of 30 points; 3×10 has for all"),
        (np.eye(2), (0, 5), ValueError, r"shape = \(0, 5\)"),
        (np.eye(2), (2.0, 2), ValueError, "two whole numbers"),
        (np.eye(2), 4, ValueError, "two whole numbers"),
        (np.eye(2), (1, 2, 3), ValueError, "two whole numbers"),
    ],
)
def test_grid_layout_of_bad_arguments_is_refused(points, shape, error: type[Exception], fault: str) -> None:
    with pytest.raises(error, match=fault):
        grid_layout(points, shape)


def test_fitting_shape_of_any_count_is_near_its_aspect_and_nearly_full() -> None:
    for n in range(1, 60):
        for aspect in (1.0, 1.7, 0.4):
            every = [(rows, columns) for rows in range(1, 60) for columns in range(1, 60) if rows * columns >= n]
            loss = {(r, c): r * c / n - 1 + abs(np.log(c / r) - np.log(aspect)) for r, c in every}
            assert loss[fitting_shape(n, aspect)] == pytest.approx(min(loss.values()))
    assert [fitting_shape(n) for n in (2, 6, 12, 20, 30, 90)] == [(k, k + 1) for k in (1, 2, 3, 4, 5, 9)]
    assert fitting_shape(10_000) == (100, 100)
    for wrong in (0, -1, 2.5):
        with pytest.raises(ValueError, match="whole number"):
            fitting_shape(wrong)
    for wrong in (0.0, np.nan):
        with pytest.raises(ValueError, match="aspect"):
            fitting_shape(5, wrong)


def test_grid_layout_docstring_examples_are_true() -> None:
    failures, count = doctest.testmod(sys.modules["lapmark.solvers.grid_layout"])
    assert (failures, count > 0) == (0, True)
