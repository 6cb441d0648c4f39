"""The package `shufflesnap`: points to the nodes of a grid, by exact reassignment within windows. Approximate or exact.

A problem is points at squared distance, one side of which lies on a lattice; its rows and columns may have any order,
and the lattice holes and steps of its own along either axis. The package sees it in units of a step.
"""

from typing import Any

import numpy as np

from lapmark.solvers.costs import PointCost
from lapmark.solvers.errors import Unsupported
from lapmark.solvers.problem import Assignment
from lapmark.solvers.registry import Capabilities, register
from lapmark.solvers.result import Matching

#: Distance of a node from its place on the lattice, in steps, that rounding to float32 explains.
OFF_LATTICE = 1e-3

#: Largest number of places of the lattice to a node; points at random may lie on one that fits into no memory.
PLACES = 16

SOURCE = "https://pypi.org/project/shufflesnap"


@register(
    "shufflesnap",
    Capabilities(
        exact=False,
        costs={"points"},
        rectangular=True,
        dtypes={"float32", "float64"},
        threads=True,
        family="local search",
        source=SOURCE,
        curve={"window": (5, 8, 12)},
    ),
    requires=("shufflesnap",),
)
def shufflesnap(problem: Assignment, window: int = 8, threads: int = 1) -> Matching:
    """Reassign the points of each window until none moves; the package's presets are the windows below.

    Windows of 5, 8 and 12 nodes a side are "fast", "balanced", its default, and "quality".
    """
    return _solve(problem, "shufflesnap", window, threads)


@register(
    "shufflesnap-exact",
    Capabilities(
        exact=True,
        costs={"points"},
        rectangular=True,
        dtypes={"float32", "float64"},
        threads=True,
        family="cost-scaling push-relabel",
        source=SOURCE,
    ),
    requires=("shufflesnap", "ortools"),
)
def shufflesnap_exact(problem: Assignment, threads: int = 1) -> Matching:
    """Solve by OR-tools' min-cost flow on candidate pairs, with more until the package's own bound proves the answer.

    It starts from the fast preset: a better start costs more than it saves.
    """
    return _solve(problem, "shufflesnap-exact", 5, threads, exact=True)


def _solve(problem: Assignment, solver: str, window: int, threads: int, **options: Any) -> Matching:
    from shufflesnap import Grid, assign

    cost = problem.cost
    assert isinstance(cost, PointCost)
    if cost.p != 2 or cost.x.shape[1] != 2:
        raise Unsupported(
            f"{solver} takes squared distances (p = 2) in the plane only, "
            f"not p = {cost.p:g} in {cost.x.shape[1]} dimensions"
        )
    x, y = (points.astype(np.float64, copy=False) for points in (cost.x, cost.y))
    n, m = problem.shape
    found, points, nodes_are_rows = lattice(y) if n <= m else None, x, False
    if found is None and n >= m:
        found, points, nodes_are_rows = lattice(x), y, True
    if found is None:
        raise Unsupported(f"{solver} takes points and at least as many nodes of a grid, evenly spaced along each axis")
    places, origin, steps = found
    mask = np.zeros(places.max(axis=0)[::-1] + 1, dtype=bool)
    mask[places[:, 1], places[:, 0]] = True
    grid = Grid(mask, pitch=(1.0, steps[1] / steps[0]))
    scaled = (points - origin) / steps[0]
    answer = assign(scaled, grid, window=window, normalize="none", threads=threads, **options)
    matched, every = np.lexsort(places.T)[answer.cell], np.arange(len(points))  # cells are numbered along x, then y
    return Matching.from_pairs(problem, *((matched, every) if nodes_are_rows else (every, matched)))


def lattice(nodes: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray] | None:
    """Return whole coordinates (n, 2), origin and steps of distinct nodes on a lattice, or None if they lie on none."""
    origin = nodes.min(axis=0)
    steps = np.array([_step(axis) for axis in nodes.T])
    places = np.rint((nodes - origin) / steps)
    if not (np.abs(nodes - origin - places * steps) <= OFF_LATTICE * steps).all():
        return None
    width, height = places.max(axis=0) + 1
    if width * height > PLACES * len(nodes):
        return None
    is_distinct = len(np.unique(places[:, 1] * width + places[:, 0])) == len(nodes)
    return (places.astype(np.int64), origin, steps) if is_distinct else None


def _step(axis: np.ndarray) -> float:
    """Return the step of evenly spaced coordinates: the extent over the number of the smallest gaps in it."""
    values = np.unique(axis)
    if len(values) == 1:
        return 1.0
    gaps, extent = np.diff(values), values[-1] - values[0]
    least = gaps[gaps > OFF_LATTICE * gaps.max()].min()
    return float(extent / np.rint(extent / least))
