"""Sparse matrices of costs in files: archives of `scipy.sparse.save_npz`, and Matrix Market."""

from __future__ import annotations

import math
import warnings
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import psutil

from lapmark.bench.util.units import show_size
from lapmark.solvers import DenseCost, SparseCost
from lapmark.solvers.costs import Cost

from . import bounded_reading, named_arrays

if TYPE_CHECKING:
    import scipy.sparse

#: Ends of the names of Matrix Market files, in lower case.
SUFFIXES = (".mtx", ".mtx.gz")

#: Arrays of a sparse matrix written by `scipy.sparse.save_npz`, apart from `format` and `shape`, by format.
ARRAYS = {
    **dict.fromkeys(("bsr", "csc", "csr"), ("data", "indices", "indptr")),
    "coo": ("data", "row", "col"),
    "dia": ("data", "offsets"),
}


def is_sparse(arrays: bounded_reading.Archive) -> bool:
    """Return whether an archive is one of `scipy.sparse.save_npz`, complete or not."""
    return any(name in arrays for name in ("indptr", "row", "offsets"))


def read_archive(path: Path, arrays: bounded_reading.Archive) -> scipy.sparse.sparray:
    """Return the sparse matrix of an archive, with all indices checked."""
    import scipy.sparse

    arrays.check()
    form = str(arrays["format"].astype(str)) if "format" in arrays else ""
    if missing := [name for name in ("format", "shape", *ARRAYS.get(form, ())) if name not in arrays]:
        raise ValueError(f"the sparse matrix lacks {', '.join(missing)}; write it with scipy.sparse.save_npz")
    if form not in ARRAYS:
        raise ValueError(f"the format of the sparse matrix is {form!r}; it must be one of {', '.join(ARRAYS)}")
    most = min(bounded_reading.MOST_UNPACKED, psutil.virtual_memory().available)
    if max(shape := arrays["shape"].tolist()) * np.intp().nbytes > most:
        raise ValueError(f"the sparse matrix has shape {tuple(shape)}; is that right?")
    matrix = scipy.sparse.load_npz(path)
    if form == "dia":
        return _of_diagonals(matrix)
    named_arrays.check_indices(matrix)
    return matrix


def _of_diagonals(matrix: scipy.sparse.dia_array) -> scipy.sparse.sparray:
    """Return a matrix of diagonals as CSR; a ValueError for a 0 on one, which may be a cost or no entry."""
    n, m = matrix.shape
    columns = np.arange(matrix.data.shape[1])
    rows = columns - matrix.offsets[:, None]
    inside = (rows >= 0) & (rows < n) & (columns < m)
    if (zeros := inside & (matrix.data == 0)).any():
        diagonal, column = np.argwhere(zeros)[0]
        raise ValueError(
            f"entry ({rows[diagonal, column]}, {column}) of the matrix in format dia is 0, a cost or a forbidden pair; "
            "save matrix.tocsr(), where every 0 is forbidden, or a matrix in format coo, where stored ones are costs"
        )
    return matrix.tocsr()


def read_matrix_market(path: Path) -> Cost:
    """Return the costs of a Matrix Market file: absent entries are forbidden, and an array is a matrix.

    Raise a ValueError where it is damaged, has no numbers, or declares more than the free memory.
    """
    import scipy.io
    import scipy.sparse

    is_packed = bounded_reading.is_gzip(path)
    with bounded_reading.open_gzip(path) if is_packed else path.open("rb") as file:
        n, m, entries, form, field, _ = scipy.io.mminfo(file)
    if field == "pattern":
        raise ValueError("it is a pattern without costs; write the numbers too, with scipy.io.mmwrite")
    size = max(n, m, entries if form == "coordinate" else math.prod((n, m))) * np.dtype(float).itemsize
    if size > (most := min(bounded_reading.MOST_UNPACKED, psutil.virtual_memory().available)):
        raise ValueError(f"its header declares {n:,}×{m:,} with {entries:,} entries, more than {show_size(most)}")
    with warnings.catch_warnings(), bounded_reading.open_gzip(path) if is_packed else path.open("rb") as file:
        warnings.simplefilter("ignore")
        found = scipy.io.mmread(file)
    values = found.data if scipy.sparse.issparse(found) else found
    if field != "complex" and np.isinf(values).any() and _has_huge_number(path):
        raise ValueError("a number is too large for 64 bits; write inf for a forbidden pair")
    return SparseCost(found) if scipy.sparse.issparse(found) else DenseCost(found)


def _has_huge_number(path: Path) -> bool:
    """Return whether some word of a file is a number that float64 does not hold."""
    is_packed = bounded_reading.is_gzip(path)
    with bounded_reading.open_gzip(path) if is_packed else path.open("rb") as file:
        return any(
            word[-1:].isdigit() and math.isinf(float(word))
            for line in file
            if not line.startswith(b"%")
            for word in line.split()
        )
