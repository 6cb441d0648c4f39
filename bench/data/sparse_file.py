"""Sparse matrices of costs in files: archives of `scipy.sparse.save_npz`, and Matrix Market."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import psutil

from lapmark.solvers import DenseCost, SparseCost
from lapmark.solvers.costs import Cost

from . import bounded_reading, csv_file, named_arrays, problem_text

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

    Raise a ValueError where it is damaged, has other than real numbers, or declares more than the free memory.
    """
    # SciPy's native reader ends the process at some streams.
    with csv_file.open_text(path) as file:
        head, *lines = file.read().splitlines()
    form, field, symmetry = (*head.lower().split()[2:], "", "", "")[:3]
    fields, symmetries = ("real", "double", "integer"), ("general", "symmetric")
    if form not in ("coordinate", "array") or field not in fields or symmetry not in symmetries:
        raise ValueError(
            f"its first line is {head[:60]!r}; only matrices of real or integer costs, general or symmetric, are read"
        )
    numbers = problem_text.numbers_of("\n".join(line for line in lines if not line.lstrip().startswith("%")))
    return (_of_coordinates if form == "coordinate" else _of_array)(numbers, symmetry == "symmetric")


def _of_coordinates(numbers: np.ndarray, is_symmetric: bool) -> SparseCost:
    """Return the costs of the numbers n, m, the number of entries, and for each its row, column and cost."""
    import scipy.sparse

    if len(numbers) < 3 or len(numbers) != 3 + 3 * numbers[2]:
        declared = f"{numbers[2]:,.0f}" if len(numbers) > 2 else "no"
        raise ValueError(f"it declares {declared} entries, but has {max(0, len(numbers) - 3) / 3:,.4g}")
    n, m = _shape(numbers)
    entries = numbers[3:].reshape(-1, 3)
    places, costs = entries[:, :2], entries[:, 2]
    wrong = (places < 1) | (places > (n, m)) | (places != np.rint(places))
    if wrong.any():
        first = places[wrong.any(axis=1)][0]
        raise ValueError(f"entry ({first[0]:g}, {first[1]:g}) is none of a matrix of {n:,}×{m:,}; the first is (1, 1)")
    rows, columns = places.T.astype(np.intp) - 1
    if is_symmetric:
        if n != m:
            raise ValueError(f"it declares a symmetric matrix of {n:,}×{m:,}, which is not square")
        mirrored = rows != columns
        rows, columns = np.r_[rows, columns[mirrored]], np.r_[columns, rows[mirrored]]
        costs = np.r_[costs, costs[mirrored]]
    return SparseCost(scipy.sparse.coo_array((costs, (rows, columns)), shape=(n, m)))


def _of_array(numbers: np.ndarray, is_symmetric: bool) -> DenseCost:
    """Return the costs of the numbers n, m and then column by column; of a symmetric matrix the lower triangle."""
    if len(numbers) < 2:
        raise ValueError("it does not declare its size")
    n, m = _shape(numbers)
    expected = n * (n + 1) // 2 if is_symmetric else n * m
    if len(numbers) != 2 + expected or (is_symmetric and n != m):
        raise ValueError(f"it declares a matrix of {n:,}×{m:,} with {expected:,} numbers, but has {len(numbers) - 2:,}")
    if not is_symmetric:
        return DenseCost(numbers[2:].reshape(m, n).T)
    matrix = np.empty((n, n))
    columns, rows = np.triu_indices(n)
    matrix[rows, columns] = matrix[columns, rows] = numbers[2:]
    return DenseCost(matrix)


def _shape(numbers: np.ndarray) -> tuple[int, int]:
    """Return the shape that a file declares; a ValueError where it is none, or takes more than the free memory."""
    n, m = numbers[:2].tolist()
    most = min(bounded_reading.MOST_UNPACKED, psutil.virtual_memory().available)
    if min(n, m) < 1 or max(n, m) * np.intp().nbytes > most or (n, m) != (int(n), int(m)):
        raise ValueError(f"it declares a matrix of {n:,.16g}×{m:,.16g}; is that right?")
    return int(n), int(m)
