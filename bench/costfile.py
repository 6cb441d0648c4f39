"""A problem from a file of one's own: a matrix, a sparse matrix or two clouds of points."""

from __future__ import annotations

import zipfile
from pathlib import Path

import numpy as np

from solvers import Assignment, DenseCost, PointCost, SparseCost, Transport
from solvers.problem import Cost, Problem

#: What an archive of points may hold.
POINTS = ("x", "y", "p", "scale", "a", "b", "blur")


def read(path: Path | str) -> Problem:
    """Read a problem.

    Parameters
    ----------
    path : path
        `.npy` or `.csv`, a matrix of costs, `inf` for a forbidden pair; `.npz` with a sparse matrix, as
        `scipy.sparse.save_npz` writes it, whose absent entries are forbidden; or `.npz` with points `x` (n, d) and `y`
        (m, d), and, where wanted, `p`, `scale`, masses `a` and `b`, and a `blur`. Masses make it transport.

    Raises
    ------
    ValueError, TypeError
        Names the file and what is wrong with it.
    OSError
        Where it cannot be read.
    """
    path = Path(path)
    try:
        match path.suffix.lower():
            case ".npy":
                return Assignment(DenseCost(np.load(path, allow_pickle=False)))
            case ".csv":
                return Assignment(DenseCost(_table(path)))
            case ".npz":
                return _archive(path)
        raise ValueError("a cost file ends in .npy, .npz or .csv")
    except (ValueError, TypeError, EOFError, zipfile.BadZipFile) as error:
        raise ValueError(f"{path}: {error}") from None


def _table(path: Path) -> np.ndarray:
    import pandas as pd

    table = pd.read_csv(path, header=None, skip_blank_lines=True)
    for column in table.select_dtypes(exclude="number").columns:
        numbers = pd.to_numeric(table[column], errors="coerce")
        row = int(np.argmax(numbers.isna()))
        raise ValueError(f"line {row + 1}, column {column + 1} is {table[column][row]!r}, not a number")
    return table.to_numpy()


def _archive(path: Path) -> Problem:
    with np.load(path, allow_pickle=False) as arrays:
        values = {name: arrays[name] for name in arrays.files}
    if "indptr" in values or "row" in values:
        import scipy.sparse

        return Assignment(SparseCost(scipy.sparse.load_npz(path)))
    if not {"x", "y"} <= values.keys() <= set(POINTS):
        found = ", ".join(values) or "nothing"
        raise ValueError(
            f"expected points x and y, and perhaps {', '.join(POINTS[2:])}, or a sparse matrix; has {found}"
        )
    settings = {name: float(values[name]) for name in ("p", "scale") if name in values}
    cost: Cost = PointCost(values["x"], values["y"], **settings)
    if not {"a", "b", "blur"} & values.keys():
        return Assignment(cost)
    return Transport(cost, values.get("a"), values.get("b"), blur=float(values.get("blur", 0)))
