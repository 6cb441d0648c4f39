"""Problems to warm a solver up on: small ones, and ones of the same shape with nothing to solve."""

import dataclasses

import numpy as np

from lapmark.solvers.costs import Cost, DenseCost, GridCost, PointCost, SparseCost
from lapmark.solvers.problem import Assignment, Problem, Transport


def small(problem: Problem, size: int = 16) -> Problem:
    """Return the first rows and columns of a problem: the same kind, type and proportions, quick to solve.

    The pairs on its diagonal are allowed even where the problem forbids them, so that a matching exists: a package
    that crashes where none exists should not crash here.
    """
    n, m = problem.shape
    shrink = min(1.0, size / max(1, min(n, m)))
    rows, cols = slice(0, round(n * shrink)), slice(0, round(m * shrink))
    cost = problem.cost
    part: Cost
    if isinstance(cost, PointCost):
        part = PointCost(cost.x[rows], cost.y[cols], cost.p, cost.scale)
    elif isinstance(cost, GridCost):
        part = cost.part(np.arange(n)[rows], np.arange(m)[cols])
    elif isinstance(cost, SparseCost):
        import scipy.sparse

        matrix = _allow_diagonal(SparseCost(cost.csr[rows, cols]).dense())
        pairs = np.nonzero(np.isfinite(matrix))
        stored = matrix[pairs].astype(cost.csr.dtype)
        part = SparseCost(scipy.sparse.coo_array((stored, pairs), shape=matrix.shape))
    else:
        part = DenseCost(_allow_diagonal(cost.dense()[rows, cols].copy(order="K")))
    return _with_cost(problem, part)


def blank(problem: Problem) -> Problem:
    """Return a problem of the same shapes and types with nothing to solve: costs of 0, or a grid, and equal masses."""
    cost = problem.cost
    part: Cost
    if isinstance(cost, PointCost):
        part = PointCost(np.zeros_like(cost.x), np.zeros_like(cost.y), cost.p, cost.scale)
    elif isinstance(cost, GridCost):
        part = cost  # equal masses stay where they are
    elif isinstance(cost, SparseCost):
        csr = cost.csr.copy()
        csr.data[:] = 0
        part = SparseCost(csr)
    else:
        part = DenseCost(np.zeros(cost.shape, cost.dtype))
    return _with_cost(problem, part)


def _with_cost(problem: Problem, cost: Cost) -> Problem:
    """Return the problem with another cost, and equal masses."""
    if isinstance(problem, Assignment):
        return dataclasses.replace(problem, cost=cost)
    return Transport(cost, blur=problem.blur, reach=problem.reach, partial=problem.partial)


def _allow_diagonal(matrix: np.ndarray) -> np.ndarray:
    along = np.arange(min(matrix.shape))
    diagonal = matrix[along, along]
    matrix[along, along] = np.where(np.isinf(diagonal), 0, diagonal)
    return matrix
