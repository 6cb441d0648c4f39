"""Problem of arrays with names, as archives of NumPy and files of MATLAB hold them."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from lapmark.solvers import Assignment, DenseCost, PointCost, SparseCost, Transport
from lapmark.solvers.costs import Cost
from lapmark.solvers.problem import Problem

if TYPE_CHECKING:
    import scipy.sparse

#: An array of NumPy or of scipy.sparse.
Array: TypeAlias = "np.ndarray | scipy.sparse.sparray"

#: Names of a matrix of costs among other arrays, in any case.
COSTS = ("cost", "costs", "cost_matrix", "costmatrix", "c", "m", "d", "distance", "distances")

#: Names of two sets of points, of settings of their cost, and of the masses and settings of a transport problem.
POINTS = ("x", "y")
POINT_SETTINGS = ("p", "scale")
MASSES = ("a", "b")
TRANSPORT_SETTINGS = ("blur", "reach", "partial")

#: Name of the largest cost worth paying for a pair, a setting of an assignment problem.
LIMIT = "limit"

#: What a file may hold beside costs or points, and in all, for messages.
BESIDE = (*POINT_SETTINGS, *MASSES, *TRANSPORT_SETTINGS, LIMIT)
EXPECTED = (
    "call the matrix of costs cost, C, M, D, costMatrix or distance, or give points x and y; beside them there may be "
    f"{', '.join(BESIDE)}"
)


def problem(arrays: Mapping[str, Array], may_ignore: bool = False) -> tuple[Problem, str]:
    """Return the problem of arrays, and a text that names the matrix and what is ignored.

    Masses or a setting of transport make it a transport problem. Arrays that belong to nothing are an error, or are
    ignored if they `may` be. Raise a ValueError, which lists the arrays, where it is unclear which has the costs.
    """
    if not arrays:
        raise ValueError(f"it holds no array; {EXPECTED}")
    settings = {name: array for name, array in arrays.items() if name in (*MASSES, *TRANSPORT_SETTINGS, LIMIT)}
    if len(arrays) == 1:  # A alone may be called a
        settings = {}
    names = [name for name in arrays if name not in settings]
    if points := _points(names):
        point_settings = {name: _scalar(name, arrays[name]) for name in POINT_SETTINGS if name in arrays}
        cost: Cost = PointCost(arrays[points[0]], arrays[points[1]], **point_settings)
        used, layout = {*points, *POINT_SETTINGS}, ""
    else:
        chosen = _matrix_name({name: arrays[name] for name in names}, arrays)
        cost = _cost(arrays[chosen])
        used, layout = {chosen}, f"costs in {chosen}" if len(arrays) > 1 else ""
    if unused := [name for name in names if name not in used]:
        if not may_ignore:
            raise ValueError(_surplus(arrays, unused, used & arrays.keys()))
        layout = f"{layout}, ignored {', '.join(unused)}".lstrip(", ")
    transport: dict[str, Any] = {name: np.ravel(settings[name]) for name in MASSES if name in settings}
    transport |= {name: _scalar(name, settings[name]) for name in TRANSPORT_SETTINGS if name in settings}
    if "partial" in transport:
        transport["partial"] = bool(transport["partial"])
    limit = _scalar(LIMIT, settings[LIMIT]) if LIMIT in settings else None
    if transport and limit is not None:
        raise ValueError(f"{LIMIT} is a setting of an assignment problem, {', '.join(transport)} of transport")
    return (Transport(cost, **transport) if transport else Assignment(cost, limit)), layout


def describe(arrays: Mapping[str, Array]) -> str:
    """Return names and shapes of arrays as text."""
    return ", ".join(f"{name} ({_kind(array)})" for name, array in arrays.items())


def _kind(array: Array) -> str:
    shape = "×".join(map(str, array.shape))
    if array.dtype.kind in "biufc":
        return shape or "a number"
    return f"{shape} {'texts' if shape else 'a text'}".strip() if array.dtype.kind in "US" else f"{shape} {array.dtype}"


def _surplus(arrays: Mapping[str, Array], unused: Sequence[str], used: Collection[str]) -> str:
    """Return the message on arrays that belong to nothing, where it is clear which has the costs."""
    them, are = ("it", "belongs") if len(unused) == 1 else ("them", "belong")
    return (
        f"it holds {describe(arrays)}; {', '.join(unused)} {are} to nothing: leave {them} out; beside "
        f"{' and '.join(sorted(used))} there may be {', '.join(BESIDE)}"
    )


def _points(names: Collection[str]) -> list[str]:
    """Return the names of two sets of points in small or capital letters; none beside a matrix of costs."""
    if any(name.lower() in COSTS for name in names):
        return []
    for pair in (POINTS, tuple(map(str.upper, POINTS))):
        if set(pair) <= set(names):
            return list(pair)
    return []


def _matrix_name(candidates: Mapping[str, Array], arrays: Mapping[str, Array]) -> str:
    """Return the name of the costs: a known name, the only array that is no vector, or the only array."""
    matrices = {name: array for name, array in candidates.items() if array.ndim == 2}
    if len(candidates) == 1 and set(candidates) <= set(POINTS):
        matrices = candidates = {}  # points whose partners are missing
    for found in (
        [name for name in matrices if name.lower() in COSTS],
        [name for name, array in matrices.items() if min(array.shape) > 1],
        list(matrices),
        list(candidates),
    ):
        if len(found) == 1:
            return found[0]
        if len(found) > 1:
            break
    raise ValueError(f"it holds {describe(arrays)}; {EXPECTED}")


def _cost(array: Array) -> Cost:
    if isinstance(array, np.ndarray):
        return DenseCost(array)
    check_indices(array)
    return SparseCost(array)


def check_indices(matrix: scipy.sparse.sparray) -> None:
    """Raise a ValueError for a sparse matrix with an index out of range: by default SciPy checks only the ends."""
    if hasattr(matrix, "check_format"):
        matrix.check_format(full_check=True)


def _scalar(name: str, array: Array) -> Any:
    if not isinstance(array, np.ndarray) or array.size != 1:
        raise ValueError(f"{name} must be a single number, but has shape {array.shape}")
    return array.item()
