"""A problem from a user's file: a matrix, a sparse matrix or two clouds of points."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from lapmark.solvers import Assignment, DenseCost, PointCost, SparseCost, Transport
from lapmark.solvers.problem import Cost, Problem

from . import bounded_reading, csv_file

if TYPE_CHECKING:
    import scipy.sparse

#: What an archive of points may hold.
POINTS = ("x", "y", "p", "scale", "a", "b", "blur", "reach", "partial")

#: Arrays of a sparse matrix beside `format` and `shape`, by its format, as `scipy.sparse.save_npz` writes them.
SPARSE = {**dict.fromkeys(("bsr", "csc", "csr"), ("data", "indices", "indptr")), "coo": ("data", "row", "col")}


def read(path: Path | str, header: bool | None = None) -> Problem:
    """Read a problem; parameters and errors are those of `read_with_layout`."""
    return read_with_layout(path, header)[0]


def read_with_layout(path: Path | str, header: bool | None = None) -> tuple[Problem, str]:
    """Read a problem, and tell how a table was understood.

    Parameters
    ----------
    path : path
        `.npy`, `.csv` or `.tsv`, a matrix of costs, `inf` for a forbidden pair; `.npz` with a sparse matrix, as
        `scipy.sparse.save_npz` writes it, whose absent entries are forbidden; or `.npz` with points `x` (n, d) and `y`
        (m, d), and, where wanted, `p` and `scale`, and what `Transport` takes: masses `a` and `b`, `blur` (default: 0),
        `reach` and `partial`, any of which makes it transport.
    header : bool, optional
        As `csvfile.read` takes it. In a table, a first column of words names the rows.

    Returns
    -------
    problem : Problem
    layout : str
        Empty where it is no table.

    Raises
    ------
    ValueError, TypeError
        Names the file and what is wrong with it.
    OSError
        Where it cannot be read.
    """
    path = Path(path)
    name = path.name.lower()
    csv_file.check_header(path, header)
    try:
        if name.endswith(csv_file.SUFFIXES):
            text = csv_file.read(path, header)
            with csv_file.reading(text.layout):
                return _table(text)
        if name.endswith(".npy"):
            return Assignment(DenseCost(bounded_reading.read_npy(path))), ""
        if name.endswith(".npz"):
            return _archive(path), ""
        raise ValueError(f"a cost file ends in .npy, .npz or {', '.join(csv_file.SUFFIXES)}")
    except (*bounded_reading.DAMAGED, ValueError, TypeError, MemoryError) as error:
        raise ValueError(f"{path}: {error}") from None


def _table(text: csv_file.Text) -> tuple[Assignment, str]:
    """The problem of a table, and how that was understood."""
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
    return Assignment(DenseCost(matrix)), csv_file.counted(len(frame), frame.shape[1], layout)


def _archive(path: Path) -> Problem:
    with bounded_reading.Archive(path) as arrays:
        if "indptr" in arrays or "row" in arrays:
            return Assignment(SparseCost(_sparse(path, arrays)))
        if not {"x", "y"} <= arrays.keys() <= set(POINTS):
            found = ", ".join(arrays) or "nothing"
            raise ValueError(
                f"expected points x and y, and perhaps {', '.join(POINTS[2:])}, or a sparse matrix; has {found}"
            )
        values = dict(arrays)
    settings = {name: float(values[name]) for name in ("p", "scale") if name in values}
    cost: Cost = PointCost(values["x"], values["y"], **settings)
    transport: dict[str, Any] = {name: values[name] for name in ("a", "b") if name in values}
    transport |= {name: values[name].item() for name in ("blur", "reach", "partial") if name in values}
    return Transport(cost, **{"blur": 0, **transport}) if transport else Assignment(cost)


def _sparse(path: Path, arrays: bounded_reading.Archive) -> scipy.sparse.sparray:
    """Return the sparse matrix of an archive, whose indices are within it."""
    import scipy.sparse

    arrays.check()
    form = str(arrays["format"].astype(str)) if "format" in arrays else ""
    if missing := [name for name in ("format", "shape", *SPARSE.get(form, ())) if name not in arrays]:
        raise ValueError(f"the sparse matrix lacks {', '.join(missing)}; write it with scipy.sparse.save_npz")
    if form not in SPARSE:
        raise ValueError(f"the sparse matrix has the format {form!r}; it must be one of {', '.join(SPARSE)}")
    if max(shape := arrays["shape"].tolist()) * np.intp().nbytes > bounded_reading.MOST_UNPACKED:
        raise ValueError(f"the sparse matrix has shape {tuple(shape)}; is that right?")
    matrix = scipy.sparse.load_npz(path)
    if hasattr(matrix, "check_format"):  # SciPy looks at the ends of the row pointers only, unless it is asked
        matrix.check_format(full_check=True)
    return matrix
