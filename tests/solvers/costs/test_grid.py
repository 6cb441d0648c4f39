"""City block costs on a grid: their matrix, their minima, and errors of input."""

from __future__ import annotations

import numpy as np
import pytest

from lapmark import GridCost
from lapmark.solvers.costs.c_transform import column_minima, row_minima
from lapmark.solvers.errors import OutOfRange

RNG = np.random.default_rng(0)
GRIDS = [((1,), 1.0), ((7,), 0.25), ((3, 4), 1.0), ((3, 1, 5), (2.0, 1.0, 0.1)), ((2, 3, 2, 2), 0.7)]


def city_block(grid, spacing):
    cells = np.stack(np.unravel_index(np.arange(np.prod(grid)), grid), axis=1) * np.broadcast_to(spacing, len(grid))
    return np.abs(cells[:, None] - cells).sum(axis=2)


@pytest.mark.parametrize(("grid", "spacing"), GRIDS)
def test_grid_cost_of_all_cells_is_their_city_block_distance(grid, spacing):
    cost = GridCost(grid, spacing)
    expected = city_block(grid, spacing)
    np.testing.assert_allclose(cost.dense(), expected, rtol=1e-15)
    np.testing.assert_allclose(np.concatenate([block for _, block in cost.blocks()]), expected, rtol=1e-15)
    assert cost.span() == (0.0, pytest.approx(expected.max()))
    i, j = RNG.integers(0, len(expected), (2, 50))
    high, rest = cost.exact_entries(i, j)
    np.testing.assert_allclose(high, expected[i, j], rtol=1e-15)
    assert (np.abs(rest) <= 1e-15 * np.maximum(high, 1)).all()


def test_grid_cost_of_some_cells_is_a_part_of_the_matrix():
    cost, whole = GridCost((4, 5)), city_block((4, 5), 1.0)
    rows, columns = np.array([19, 0, 7]), np.array([3, 12])
    expected = whole[np.ix_(rows, columns)]
    np.testing.assert_array_equal(GridCost((4, 5), 1.0, rows, columns).dense(), expected)
    np.testing.assert_array_equal(cost.part(rows, columns).dense(), expected)
    np.testing.assert_array_equal(cost.part(rows, columns).mirrored().dense(), expected.T)
    np.testing.assert_array_equal(cost.part(rows, columns).part(np.array([1]), np.array([0])).dense(), [[3.0]])


@pytest.mark.parametrize(("grid", "spacing"), GRIDS)
@pytest.mark.parametrize("every_pair", [False, True])
def test_minima_on_a_grid_are_at_most_those_of_the_matrix_and_as_good(grid, spacing, every_pair):
    n = int(np.prod(grid))
    cost = GridCost(grid, spacing, rows=RNG.permutation(n)[: n // 2 + 1])
    matrix = cost.dense()
    for scale in (1.0, 100.0):
        g, f, tail = scale * RNG.random(n), scale * RNG.random(len(matrix)), 1e-17 * RNG.random(n)
        for (low, rest), expected in (
            (row_minima(cost, g, every_pair=every_pair), (matrix - g).min(axis=1)),
            (row_minima(cost, g, tail, every_pair), (matrix - (g + tail)).min(axis=1)),
            (column_minima(cost, f, every_pair=every_pair), (matrix - f[:, None]).min(axis=0)),
        ):
            found = low + rest
            assert (found <= expected + 1e-15 * scale).all()
            np.testing.assert_allclose(found, expected, atol=1e-12 * scale)


def test_minima_of_whole_heights_are_exact():
    cost, g = GridCost((6, 7)), RNG.integers(-20, 20, 42).astype(float)
    low, rest = row_minima(cost, g)
    np.testing.assert_array_equal(low, (cost.dense() - g).min(axis=1))
    assert not rest.any()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (((0, 3),), "at least 1"),
        (((2.5, 3),), "whole numbers"),
        (((),), "whole numbers"),
        (((2**16, 2**16),), "at most"),
        (((2, 3), 0.0), "spacing"),
        (((2, 3), (1.0, np.nan)), "spacing"),
        (((2, 3), (1.0,)), "one per axis"),
        (((2, 3), (1.0, 1e9)), "2\\*\\*20"),
        (((2, 3), 1.0, [0, 6]), "0 to 5"),
        (((2, 3), 1.0, [1, 1]), "twice"),
        (((2, 3), 1.0, [[0, 1]]), "list of cells"),
        (((2, 3), 1.0, [0.5]), "list of cells"),
    ],
)
def test_grid_cost_of_bad_input_names_the_fault(arguments, message):
    with pytest.raises(ValueError, match=message):
        GridCost(*arguments)


def test_grid_cost_beyond_float64_is_out_of_range():
    with pytest.raises(OutOfRange, match="rescale"):
        GridCost((2, 9), 1e300)
