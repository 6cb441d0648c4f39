"""Digests of problems and matrices: equal digests mean equal contents."""

import hashlib

import numpy as np

from lapmark.solvers.costs import Cost, GridCost, PointCost, SparseCost
from lapmark.solvers.problem import Assignment, Problem

from .protocol import assignment_settings


def digest_problem(problem: Problem) -> str:
    """Return the digest of everything that a problem holds."""
    state = hashlib.blake2b(digest_size=16)
    state.update(type(problem).__name__.encode())
    _digest_cost(problem.cost, state)
    if isinstance(problem, Assignment):
        if settings := assignment_settings(problem):
            state.update(repr(settings).encode())
    else:
        for masses in (problem.a, problem.b):
            state.update(np.ascontiguousarray(masses).data)
        state.update(repr((problem.blur, problem.reach)).encode())
        if problem.partial:
            state.update(b"partial")
    return state.hexdigest()


def digest_matrix(cost: Cost) -> str:
    """Return the digest of the dense matrix of any cost, which is built block by block."""
    state = hashlib.blake2b(digest_size=16)
    state.update(repr((cost.shape, cost.dtype.str)).encode())
    for _, block in cost.blocks():
        state.update(np.ascontiguousarray(block).data)
    return state.hexdigest()


def _digest_cost(cost: Cost, state: hashlib.blake2b) -> None:
    if isinstance(cost, PointCost):
        state.update(repr((cost.shape, cost.p, cost.scale)).encode())
        arrays = [cost.x, cost.y]
    elif isinstance(cost, GridCost):
        state.update(repr((cost.grid, cost.spacing)).encode())
        arrays = [*cost.cells]
    elif isinstance(cost, SparseCost):
        state.update(repr(cost.shape).encode())
        arrays = [cost.csr.indptr, cost.csr.indices, cost.csr.data]
    else:
        state.update(digest_matrix(cost).encode())
        arrays = []
    for array in arrays:
        state.update(array.dtype.str.encode())
        state.update(np.ascontiguousarray(array).data)
