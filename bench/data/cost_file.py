"""Cost files: a problem from a user's matrix, sparse matrix or two point clouds, in any of the usual formats.

The content decides how a file is read, not its name: an archive may be called `.npy`. Among files that are text the
name decides between a table and the formats of `problem_text`.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import psutil

from lapmark.solvers import Assignment, DenseCost, SparseCost
from lapmark.solvers.problem import Problem

from . import bounded_reading, cost_table, csv_file, matlab_file, named_arrays, problem_text

if TYPE_CHECKING:
    import scipy.sparse

#: Ends of the names of DIMACS files, and of all text files that need not be tables, in lower case.
DIMACS = (".asn", ".min", ".dimacs")
TEXTS = (".txt", *DIMACS)

#: Ends of the names of files that are not text, in lower case.
BINARY = (".npy", ".npz", ".mat", ".parquet", ".feather", ".arrow")

#: Ends of the names of cost files, in lower case.
SUFFIXES = (
    *BINARY,
    *csv_file.SUFFIXES,
    *(suffix + packed for suffix in TEXTS for packed in ("", ".gz")),
)

#: First bytes of files that are not text, and what they are.
SIGNATURES = {
    b"\x93NUMPY": "array",
    b"PK\x03\x04": "archive",
    b"PK\x05\x06": "archive",
    b"MATLAB 5.0": "MATLAB",
    b"PAR1": "Parquet",
    b"ARROW1": "Arrow",
}

#: First bytes of files that are not read, and the cure.
UNREADABLE = {
    b"MATLAB 7.3": matlab_file.HDF5,
    b"\x89HDF\r\n\x1a\n": matlab_file.HDF5,
    b"FEA1": "it is a Feather file of version 1; write it again, with frame.to_feather",
    b"\x80\x02": "it is a pickle, which runs code as it is read; write it with np.save",
    b"\x80\x03": "it is a pickle, which runs code as it is read; write it with np.save",
    b"\x80\x04": "it is a pickle, which runs code as it is read; write it with np.save",
    b"\x80\x05": "it is a pickle, which runs code as it is read; write it with np.save",
    b"\xd0\xcf\x11\xe0": "it is an Excel workbook; save the sheet as CSV",
}

#: Arrays of a sparse matrix written by `scipy.sparse.save_npz`, apart from `format` and `shape`, by format.
SPARSE = {**dict.fromkeys(("bsr", "csc", "csr"), ("data", "indices", "indptr")), "coo": ("data", "row", "col")}


def read(path: Path | str, header: bool | None = None) -> Problem:
    """Read a problem, with the parameters and errors of `read_with_layout`."""
    return read_with_layout(path, header)[0]


def read_with_layout(path: Path | str, header: bool | None = None) -> tuple[Problem, str]:
    """Read a problem, and describe what was found in the file.

    Parameters
    ----------
    path : path
        An array of NumPy, a table in text, Parquet or Arrow: a matrix of costs, with `inf` for forbidden pairs. An
        archive of `scipy.sparse.save_npz`: a sparse matrix, whose absent entries are forbidden. Other archives and
        files of MATLAB: `named_arrays.problem`. Texts of the OR-Library and of DIMACS: `problem_text`.
    header : bool, optional
        As for `csv_file.read`; a text with a heading or without one is a table. There a first column of words names
        the rows.

    Returns
    -------
    problem : Problem
    layout : str
        How a table was read, or which of several arrays has the costs; empty where nothing was guessed.

    Raises
    ------
    ValueError
        The file is damaged or no such problem; the text names it and the fault.
    OSError
        The file cannot be opened.
    """
    path = Path(path)
    try:
        kind = _kind(path)
        if header is not None and kind not in ("table", "text"):
            raise ValueError("it has no first line; --header and --no-header are for tables of text")
        return _read(path, kind, header)
    except (ValueError, TypeError, MemoryError, OverflowError) as error:
        raise ValueError(f"{path}: {str(error).strip() or type(error).__name__}") from None
    except Exception as error:  # libraries do not say what damaged bytes may raise
        if isinstance(error, OSError) and error.filename is not None:
            raise  # it cannot be opened
        raise ValueError(f"{path}: it is damaged: {str(error).strip() or type(error).__name__}") from None


def is_cost_file(path: Path) -> bool:
    """Return whether a file in a folder is a cost file, by its name; a text must begin with a number or like DIMACS."""
    name = path.name.lower()
    if not name.endswith(SUFFIXES):
        return False
    if not name.removesuffix(".gz").endswith(TEXTS):
        return True
    try:
        with csv_file.open_text(path) as file:
            start = file.read(200)
    except (*bounded_reading.DAMAGED, OSError, ValueError):
        return False
    words = start.replace(",", " ").replace(";", " ").split(maxsplit=1)
    return bool(words) and (problem_text.is_dimacs(start) or words[0][0] in "+-.0123456789")


def _kind(path: Path) -> str:
    """Return what a file is, by its first bytes; a ValueError for what cannot be read."""
    with path.open("rb") as file:
        start = file.read(512)
    for signature, cure in UNREADABLE.items():
        if start.startswith(signature):
            raise ValueError(cure)
    for signature, kind in SIGNATURES.items():
        if start.startswith(signature):
            return kind
    name = path.name.lower()
    if name.endswith(".mat") and b"\0" in start:
        return "MATLAB"  # version 4 has no signature
    if not start:
        raise ValueError("it is empty")
    if name.endswith(BINARY):
        raise ValueError(f"its first bytes are not those of a {path.suffix} file, nor of another known format")
    if b"\0" in start and not start.startswith((b"\xff\xfe", b"\xfe\xff", b"\x1f\x8b")):
        raise ValueError(f"it is neither text nor of another known format; known are {', '.join(SUFFIXES)}")
    return "table" if name.endswith(csv_file.SUFFIXES) else "text"


def _read(path: Path, kind: str, header: bool | None) -> tuple[Problem, str]:
    match kind:
        case "array":
            return Assignment(DenseCost(bounded_reading.read_npy(path))), ""
        case "archive":
            return _archive(path)
        case "MATLAB":
            return named_arrays.problem(matlab_file.read(path), may_ignore=True)
        case "Parquet":
            matrix, layout = cost_table.read_parquet(path)
        case "Arrow":
            matrix, layout = cost_table.read_arrow(path)
        case "text" if header is None and (found := _text(path)) is not None:
            return found, ""
        case _:
            matrix, layout = cost_table.read_text(path, header)
    return Assignment(DenseCost(matrix)), layout


def _text(path: Path) -> Problem | None:
    """Return the problem of a text of the OR-Library or of DIMACS, None for a table."""
    with csv_file.open_text(path) as file:
        try:
            text = file.read()
        except UnicodeDecodeError as error:
            raise ValueError(f"byte {error.object[error.start]:#04x} is not UTF-8; save it as UTF-8") from None
    if problem_text.is_dimacs(text) or path.name.lower().removesuffix(".gz").endswith(DIMACS):
        return problem_text.dimacs(text)
    return Assignment(DenseCost(problem_text.orlib(text))) if problem_text.is_orlib(text) else None


def _archive(path: Path) -> tuple[Problem, str]:
    with bounded_reading.Archive(path) as arrays:
        if any(name.startswith("xl/") for name in arrays):
            raise ValueError("it is an Excel workbook; save the sheet as CSV")
        if "indptr" in arrays or "row" in arrays:
            return Assignment(SparseCost(_sparse(path, arrays))), ""
        return named_arrays.problem(dict(arrays))


def _sparse(path: Path, arrays: bounded_reading.Archive) -> scipy.sparse.sparray:
    """Return the sparse matrix of an archive, with all indices checked."""
    import scipy.sparse

    arrays.check()
    form = str(arrays["format"].astype(str)) if "format" in arrays else ""
    if missing := [name for name in ("format", "shape", *SPARSE.get(form, ())) if name not in arrays]:
        raise ValueError(f"the sparse matrix lacks {', '.join(missing)}; write it with scipy.sparse.save_npz")
    if form not in SPARSE:
        raise ValueError(f"the format of the sparse matrix is {form!r}; it must be one of {', '.join(SPARSE)}")
    most = min(bounded_reading.MOST_UNPACKED, psutil.virtual_memory().available)
    if max(shape := arrays["shape"].tolist()) * np.intp().nbytes > most:
        raise ValueError(f"the sparse matrix has shape {tuple(shape)}; is that right?")
    matrix = scipy.sparse.load_npz(path)
    named_arrays.check_indices(matrix)
    return matrix
