"""Calls that a recording sees: the functions of the usual packages, and the problem that each was called with.

A problem is a mapping of names to arrays, as `named_arrays` reads it from a file.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import IO, Any

import numpy as np

Problem = Mapping[str, Any]


class NotRecorded(Exception):
    """A call's problem cannot be kept; the message says why."""


@dataclass(frozen=True)
class Target:
    """A function to watch, and how to read the problem from its arguments."""

    module: str
    name: str
    read: Callable[[tuple[Any, ...], Mapping[str, Any]], Problem]

    def __str__(self) -> str:
        return f"{self.module}.{self.name}"


def _argument(args: tuple[Any, ...], given: Mapping[str, Any], place: int, name: str, default: Any = None) -> Any:
    return args[place] if len(args) > place else given.get(name, default)


def _matrix(matrix: Any, maximize: bool = False) -> np.ndarray:
    """Return costs as a matrix of a plain type, negated if the call maximises."""
    array = np.asarray(matrix)
    if array.dtype == object:
        array = array.astype(np.float64)
    if array.ndim != 2 or array.dtype.kind not in "biuf":
        raise NotRecorded("no matrix of real numbers")
    if array.dtype == bool:
        array = array.astype(np.int8)
    if array.dtype.itemsize > 8:
        array = array.astype(np.float64)
    if maximize and array.dtype.kind in "iu":
        # The negative of an unsigned number, or of the least one, is not of the same type.
        array = array.astype(np.int64 if array.dtype.itemsize < 8 else np.float64)
    if not array.dtype.isnative:
        array = array.astype(array.dtype.newbyteorder("="))
    return np.ascontiguousarray(-array if maximize else array)


def _scipy(args: tuple[Any, ...], given: Mapping[str, Any]) -> Problem:
    matrix = _argument(args, given, 0, "cost_matrix")
    return {"cost": _matrix(matrix, bool(_argument(args, given, 1, "maximize", False)))}


def _csgraph(args: tuple[Any, ...], given: Mapping[str, Any]) -> Problem:
    from scipy.sparse import csr_array

    matrix = csr_array(_argument(args, given, 0, "biadjacency"))
    sign = -1 if _argument(args, given, 1, "maximize", False) else 1
    return {"cost": csr_array((sign * matrix.data.astype(np.float64), matrix.indices, matrix.indptr), matrix.shape)}


def _lap(args: tuple[Any, ...], given: Mapping[str, Any]) -> Problem:
    limit = float(_argument(args, given, 2, "cost_limit", np.inf))
    problem = {"cost": _matrix(_argument(args, given, 0, "cost"))}
    return problem if limit == np.inf else {**problem, "limit": np.float64(limit)}


def _first(name: str) -> Callable[[tuple[Any, ...], Mapping[str, Any]], Problem]:
    return lambda args, given: {"cost": _matrix(_argument(args, given, 0, name))}


def _solve(args: tuple[Any, ...], given: Mapping[str, Any]) -> Problem:
    from lapmark.solvers import Assignment, PointCost, SparseCost

    problem = _argument(args, given, 0, "problem")
    if isinstance(problem, Assignment):
        problem = problem.minimizing
        settings = {"limit": problem.limit}
    else:
        settings = {"a": problem.a, "b": problem.b, "blur": problem.blur, "reach": problem.reach}
        settings |= {"partial": True} if problem.partial else {}
    more = {name: np.asarray(value) for name, value in settings.items() if value is not None}
    cost = problem.cost
    if isinstance(cost, PointCost):
        return {"x": cost.x, "y": cost.y, "p": np.asarray(cost.p), "scale": np.asarray(cost.scale), **more}
    if isinstance(cost, SparseCost):
        if more:
            raise NotRecorded("no file format for sparse costs with a limit or masses")
        return {"cost": cost.csr}
    return {"cost": _matrix(cost.dense()), **more}


#: The functions that a recording watches. A module that is not loaded is watched once it is.
TARGETS = (
    Target("scipy.optimize", "linear_sum_assignment", _scipy),
    Target("scipy.sparse.csgraph", "min_weight_full_bipartite_matching", _csgraph),
    Target("lapmark.solvers", "linear_sum_assignment", _scipy),
    Target("lapmark.solvers", "solve", _solve),
    *(Target("lap", name, _lap) for name in ("lapjv", "lapjvx", "lapjvxa")),
    *(Target("lap", name, _first("cost")) for name in ("lapjvc", "lapjvs", "lapjvsa")),
    Target("lapjv", "lapjv", _first("cost_matrix")),
    Target("lapsolver", "solve_dense", _first("costs")),
)


def shape_of(problem: Problem) -> tuple[int, int]:
    """Return the numbers of rows and columns."""
    if "cost" in problem:
        n, m = problem["cost"].shape
        return n, m
    return len(problem["x"]), len(problem["y"])


def arrays_of(problem: Problem) -> dict[str, np.ndarray]:
    """Return all arrays, those of a sparse matrix one by one."""
    cost = problem.get("cost")
    if cost is None or isinstance(cost, np.ndarray):
        return dict(problem)
    return {"indptr": cost.indptr, "indices": cost.indices, "data": cost.data}


def digest_of(problem: Problem) -> str:
    """Return the digest of a problem: equal problems have equal ones."""
    state = hashlib.blake2b(repr(shape_of(problem)).encode(), digest_size=16)
    for name, array in sorted(arrays_of(problem).items()):
        state.update(f"{name} {array.dtype.str} {array.shape}".encode())
        state.update(np.ascontiguousarray(array).reshape(-1).view(np.uint8).data)
    return state.hexdigest()


def suffix(problem: Problem) -> str:
    """Return the end of the name of a problem's file."""
    return ".npy" if set(problem) == {"cost"} and isinstance(problem["cost"], np.ndarray) else ".npz"


def write(problem: Problem, file: IO[bytes]) -> None:
    """Write a file that `cost_file` reads as this problem."""
    cost = problem.get("cost")
    if suffix(problem) == ".npy":
        np.save(file, problem["cost"], allow_pickle=False)
    elif cost is None or isinstance(cost, np.ndarray):
        np.savez(file, **problem)
    else:
        from scipy.sparse import save_npz

        save_npz(file, cost, compressed=False)
