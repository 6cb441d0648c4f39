"""Grid layouts: each point of the plane gets a node of a grid, at the least total squared distance.

A grid shows images that would cover each other in a scatter plot. The assignment is exact: no point is rounded to a
lattice, and the grid may have more nodes than points. In place of a grid there may be any nodes of the plane.
"""

from numbers import Integral
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from .costs import PointCost
from .errors import place
from .problem import Assignment
from .solve import solve
from .validation import MASKED_POINTS, as_numeric, check_number, first

#: Largest extent of given nodes along an axis.
LARGEST_EXTENT = 1e150


def grid_layout(
    points: ArrayLike,
    shape: tuple[int, int] | None = None,
    solver: str = "auto",
    *,
    nodes: ArrayLike | None = None,
) -> np.ndarray:
    """Lay points on a grid, or on nodes of any shape.

    Parameters
    ----------
    points : array_like, shape (n, 2)
        x and y, n ≥ 2, of any real dtype and memory layout. Each axis is stretched to the grid's extent, so that units
        do not matter; points without extent along an axis lie in its middle.
    shape : (int, int), optional
        Rows and columns, with n nodes or more; the assignment decides which nodes stay empty. Default:
        `fitting_shape(n)`.
    solver : str
        As for `solve`.
    nodes : array_like, optional
        In place of `shape`: a mask (rows, columns) of bool, of which the true cells are nodes; or nodes (k, 2), k ≥ n,
        x and y each, of any other real dtype.

    Returns
    -------
    (n, 2) intp
        Row and column of each point. Row 0 is at the top (largest y), column 0 at the left (smallest x).
        With `nodes` of shape (k, 2) that are no mask, (n,) intp: the index of each point's node.

    Raises
    ------
    ValueError
        If there are fewer than two points, a coordinate is not finite, or there are too few nodes.
    TypeError
        For complex, text, object and masked arrays.

    Notes
    -----
    The layout minimises the sum of squared Euclidean distances in cells. `grid_problem` returns the problem itself.
    Points are stretched to the extent of the true cells of a mask, or of the nodes.

    Examples
    --------
    >>> grid_layout([[0, 0], [1, 0], [0, 5], [1, 5]])
    array([[1, 0],
           [1, 1],
           [0, 0],
           [0, 1]])
    >>> grid_layout([[0, 0], [1, 0], [0.5, 1]], nodes=np.array([[False, True, False], [True, False, True]]))
    array([[1, 0],
           [1, 2],
           [0, 1]])
    >>> grid_layout([[0, 0], [1, 0], [0.5, 1]], nodes=[[5.0, 9.0], [3.0, 7.0], [8.0, 8.0]])
    array([1, 2, 0])
    """
    problem, (_, columns) = grid_problem(points, shape, nodes=nodes)
    chosen = solve(problem, solver).row_to_col
    if nodes is None:
        return np.column_stack(np.divmod(chosen, columns))
    target = np.asarray(nodes)
    return np.argwhere(target)[chosen] if target.dtype == bool else chosen


def grid_problem(
    points: ArrayLike, shape: tuple[int, int] | None = None, *, nodes: ArrayLike | None = None
) -> tuple[Assignment, tuple[int, int]]:
    """Return the assignment that `grid_layout` solves, and the grid's shape.

    Parameters
    ----------
    points, shape, nodes
        As for `grid_layout`.

    Returns
    -------
    problem : Assignment
        Rows are the points, columns the nodes in reading order: node k of a grid is (k div columns, k mod columns), of
        a mask its true cell k, of given nodes the one at index k. The cost is a `PointCost`.
    shape : (int, int)
        Rows and columns of the grid or the mask; (k, 1) for k given nodes.
    """
    stretched = _stretched(points)
    if nodes is not None:
        if shape is not None:
            raise ValueError(f"shape = {shape!r} and nodes are given; nodes have a shape of their own, leave one out")
        targets, shape = _targets(nodes, len(stretched))
        low, high = targets.min(axis=0), targets.max(axis=0)
        return Assignment(PointCost(low + stretched * (high - low), targets)), shape
    rows, columns = grid_shape(len(stretched), shape)
    across, down = np.arange(columns, dtype=np.float64), np.arange(rows, dtype=np.float64)
    cells = np.column_stack([np.tile(across, rows), np.repeat(down, columns)])
    wanted = np.column_stack([stretched[:, 0] * (columns - 1), (1 - stretched[:, 1]) * (rows - 1)])
    return Assignment(PointCost(wanted, cells)), (rows, columns)


def _targets(nodes: ArrayLike, n: int) -> tuple[np.ndarray, tuple[int, int]]:
    """Return nodes as (k, 2) float64, x and y each, and their shape; a ValueError if they are fewer than n."""
    array = np.asarray(nodes)
    if array.dtype == bool:
        if array.ndim != 2:
            raise ValueError(f"nodes have shape {array.shape}; a mask is (rows, columns)")
        rows, columns = np.nonzero(array)
        targets, shape = np.column_stack([columns, -rows]).astype(np.float64), array.shape
    else:
        targets = _plane(nodes, "nodes")
        shape = (len(targets), 1)
    if len(targets) < n:
        raise ValueError(f"there are {len(targets):,} nodes for {n:,} points; give at least as many")
    # Costs are squares: those of numbers far from 0 would be rounded, those of huge ones infinite.
    if not (np.ptp(targets, axis=0) < LARGEST_EXTENT).all():
        raise ValueError(f"nodes are farther apart than {LARGEST_EXTENT:.0e}, too far to compare distances; scale them")
    return targets - targets.min(axis=0), (shape[0], shape[1])


def grid_shape(n: int, shape: tuple[int, int] | None = None) -> tuple[int, int]:
    """Return the grid for n points, `shape` if given; a ValueError if that has too few nodes."""
    if shape is None:
        return fitting_shape(n)
    rows, columns = checked_shape(shape)
    if rows * columns < n:
        fits = "×".join(map(str, fitting_shape(n, columns / rows)))
        raise ValueError(f"a {rows}×{columns} grid has room for {rows * columns:,} of {n:,} points; {fits} has for all")
    return rows, columns


def fitting_shape(n: int, aspect: float = 1.0) -> tuple[int, int]:
    """Return a grid with room for n points that is near an aspect and leaves few nodes empty.

    Parameters
    ----------
    n : int
        At least 1.
    aspect : float
        Wanted ratio of columns to rows; above 0.

    Returns
    -------
    (int, int)
        Rows and columns that minimise the share of empty nodes plus |log(columns / rows / aspect)|.

    Examples
    --------
    >>> fitting_shape(10_000), fitting_shape(12), fitting_shape(9973, aspect=3 / 2)
    ((100, 100), (3, 4), (82, 122))
    """
    if not isinstance(n, Integral) or n < 1:
        raise ValueError(f"n = {n!r}; a grid has room for a whole number of points, at least 1")
    aspect = check_number(aspect, "aspect", positive=True)
    rows = np.arange(1, n + 1)
    columns = -(-n // rows)
    empty = (rows * columns - n) / n
    loss = empty + np.abs(np.log(columns / rows / aspect))
    best = np.argmin(loss.round(12))  # rounded, so that the widest of equal ones wins
    return int(rows[best]), int(columns[best])


def checked_shape(shape: Any, name: str = "shape") -> tuple[int, int]:
    """Return a shape as two whole numbers above 0; a ValueError names the parameter."""
    sides = tuple(shape) if isinstance(shape, tuple | list | np.ndarray) else (shape,)
    if len(sides) != 2 or not all(isinstance(side, Integral) and int(side) > 0 for side in sides):
        raise ValueError(f"{name} = {shape!r}; a grid is (rows, columns), two whole numbers above 0")
    return int(sides[0]), int(sides[1])


def _stretched(points: ArrayLike) -> np.ndarray:
    """Return points as (n, 2) float64, moved and stretched to fill [0, 1] along each axis."""
    array = _plane(points, "points")
    if len(array) < 2:
        raise ValueError(f"there {'is 1 point' if len(array) else 'are no points'}; a layout takes at least 2")
    # Differences of the largest float64 numbers overflow, those of numbers in [−1, 1] do not.
    array /= np.maximum(np.abs(array).max(axis=0), np.finfo(np.float64).tiny)
    low, high = array.min(axis=0), array.max(axis=0)
    return np.where(high > low, (array - low) / np.where(high > low, high - low, 1), 0.5)


def _plane(values: ArrayLike, what: str) -> np.ndarray:
    """Return finite points of the plane as a new (n, 2) float64 array."""
    array = as_numeric(values, what, masked=MASKED_POINTS)
    if array.ndim != 2 or array.shape[1] != 2:
        raise ValueError(f"{what} have shape {array.shape}; a layout takes x and y of each, as an (n, 2) array")
    array = array.astype(np.float64)
    if not np.isfinite(array).all():
        where = first(~np.isfinite(array))
        raise ValueError(f"{what}{place(where)} is {array[where]}; a layout takes finite coordinates")
    return array
