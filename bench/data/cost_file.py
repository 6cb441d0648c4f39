"""Cost files: a problem from a user's matrix, sparse matrix or two point clouds."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from lapmark.solvers import Assignment, DenseCost, PointCost, SparseCost, Transport
from lapmark.solvers.costs import Cost
from lapmark.solvers.problem import Problem

from . import bounded_reading, csv_file

if TYPE_CHECKING:
    import scipy.sparse

#: Arrays that an archive of points may contain.
POINTS = ("x", "y", "p", "scale", "a", "b", "blur", "reach", "partial")

#: Arrays of a sparse matrix written by `scipy.sparse.save_npz`, apart from `format` and `shape`, by format.
SPARSE = {**dict.fromkeys(("bsr", "csc", "csr"), ("data", "indices", "indptr")), "coo": ("data", "row", "col")}


def read(path: Path | str, header: bool | None = None) -> Problem:
    """Read a problem, with the parameters and errors of `read_with_layout`."""
    return read_with_layout(path, header)[0]


def read_with_layout(path: Path | str, header: bool | None = None) -> tuple[Problem, str]:
    """Read a problem, and describe how a table was read.

    Parameters
    ----------
    path : path
        `.npy`, `.csv` or `.tsv`: a matrix of costs, with `inf` for forbidden pairs. `.npz` of
        `scipy.sparse.save_npz`: a sparse matrix, whose absent entries are forbidden. Other `.npz`: points `x` (n, d)
        and `y` (m, d), optionally `p` and `scale`, and arguments of `Transport`: `a`, `b`, `blur`, `reach`, `partial`;
        any of these makes it a transport problem.
    header : bool, optional
        As for `csv_file.read`. In a table, a first column of words names the rows.

    Returns
    -------
    problem : Problem
    layout : str
        Empty for a file that is not a table.

    Raises
    ------
    ValueError, TypeError
        The file is damaged or no such problem; the text names it and the fault.
    """
    path = Path(path)
    name = path.name.lower()
    csv_file.check_header(path, header)
    try:
        if name.endswith(csv_file.SUFFIXES):
            text = csv_file.read(path, header)
            with csv_file.errors_with_layout(text.layout):
                return _table(text)
        if name.endswith(".npy"):
            return Assignment(DenseCost(bounded_reading.read_npy(path))), ""
        if name.endswith(".npz"):
            return _archive(path), ""
        raise ValueError(f"the name of a cost file must end in .npy, .npz or {', '.join(csv_file.SUFFIXES)}")
    except (*bounded_reading.DAMAGED, ValueError, TypeError, MemoryError) as error:
        raise ValueError(f"{path}: {error}") from None


def _table(text: csv_file.CsvTable) -> tuple[Assignment, str]:
    """Return the problem of a table, and its layout."""
    import pandas as pd

    frame, layout = text.frame, text.layout
    if frame.empty:
        return Assignment(DenseCost(np.empty(frame.shape))), layout
    numbers = frame.apply(pd.to_numeric, errors="coerce")
    if frame.shape[1] > 1 and (frame.columns[0] in csv_file.NAMES or numbers.iloc[:, 0].isna().all()):
        frame, numbers, layout = frame.iloc[:, 1:], numbers.iloc[:, 1:], f"{layout}, rows named by column 1"
    if (words := numbers.isna() & frame.notna()).any(axis=None):
        row, column = np.argwhere(words)[0]
        value = frame.iloc[row, column]
        raise ValueError(f"row {row + 1} of column {frame.columns[column]!r} is {value!r}, not a number")
    matrix = numbers.to_numpy(float if numbers.dtypes.nunique() > 1 else None)
    return Assignment(DenseCost(matrix)), csv_file.describe(len(frame), frame.shape[1], layout)


def _archive(path: Path) -> Problem:
    with bounded_reading.Archive(path) as arrays:
        if "indptr" in arrays or "row" in arrays:
            return Assignment(SparseCost(_sparse(path, arrays)))
        if not {"x", "y"} <= arrays.keys() <= set(POINTS):
            found = ", ".join(arrays) or "nothing"
            raise ValueError(
                f"expected points x and y, optionally {', '.join(POINTS[2:])}, or a sparse matrix; has {found}"
            )
        values = dict(arrays)
    settings = {name: float(values[name]) for name in ("p", "scale") if name in values}
    cost: Cost = PointCost(values["x"], values["y"], **settings)
    transport: dict[str, Any] = {name: values[name] for name in ("a", "b") if name in values}
    transport |= {name: values[name].item() for name in ("blur", "reach", "partial") if name in values}
    return Transport(cost, **transport) if transport else Assignment(cost)


def _sparse(path: Path, arrays: bounded_reading.Archive) -> scipy.sparse.sparray:
    """Return the sparse matrix of an archive, with all indices checked."""
    import scipy.sparse

    arrays.check()
    form = str(arrays["format"].astype(str)) if "format" in arrays else ""
    if missing := [name for name in ("format", "shape", *SPARSE.get(form, ())) if name not in arrays]:
        raise ValueError(f"the sparse matrix lacks {', '.join(missing)}; write it with scipy.sparse.save_npz")
    if form not in SPARSE:
        raise ValueError(f"the format of the sparse matrix is {form!r}; it must be one of {', '.join(SPARSE)}")
    if max(shape := arrays["shape"].tolist()) * np.intp().nbytes > bounded_reading.MOST_UNPACKED:
        raise ValueError(f"the sparse matrix has shape {tuple(shape)}; is that right?")
    matrix = scipy.sparse.load_npz(path)
    if hasattr(matrix, "check_format"):  # by default SciPy checks only the ends of the row pointers
        matrix.check_format(full_check=True)
    return matrix
