"""Cost files: a problem from a user's matrix, sparse matrix or two point clouds, in any of the usual formats.

The content decides how a file is read, not its name: an archive, or a table of text, may be called `.npy`. Only a text
that could be either is a table if it is called `.csv` or `.tsv`, and one of `problem_text` otherwise.
"""

from __future__ import annotations

import codecs
from pathlib import Path

from lapmark.solvers import Assignment, DenseCost, SparseCost
from lapmark.solvers.problem import Problem

from . import bounded_reading, cost_table, csv_file, matlab_file, named_arrays, problem_text, sparse_file

#: Ends of the names of DIMACS files, and of all text files that need not be tables, in lower case.
DIMACS = (".asn", ".min", ".dimacs")
TEXTS = (".txt", *DIMACS)

#: Ends of the names of files that are not text, in lower case.
BINARY = (".npy", ".npz", ".mat", ".parquet", ".feather", ".arrow")

#: Ends of the names of cost files, in lower case.
SUFFIXES = (
    *BINARY,
    *csv_file.SUFFIXES,
    *sparse_file.SUFFIXES,
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
    b"%%MatrixMarket": "Matrix Market",
}

#: First bytes of files that are not read, and the cure.
UNREADABLE = {
    b"MATLAB 7.3": matlab_file.HDF5,
    b"\x89HDF\r\n\x1a\n": matlab_file.HDF5,
    b"FEA1": "it is a Feather file of version 1; write it again, with frame.to_feather",
    **dict.fromkeys(
        (b"\x80\x02", b"\x80\x03", b"\x80\x04", b"\x80\x05"),
        "it is a pickle, which runs code as it is read; write it with np.save",
    ),
    b"\xd0\xcf\x11\xe0": "it is an Excel workbook; save the sheet as CSV",
}


def read(path: Path | str, header: bool | None = None, names: bool | None = None) -> Problem:
    """Read a problem, with the parameters and errors of `read_with_layout`."""
    return read_with_layout(path, header, names)[0]


def read_with_layout(path: Path | str, header: bool | None = None, names: bool | None = None) -> tuple[Problem, str]:
    """Read a problem, and describe what was found in the file.

    Parameters
    ----------
    path : path
        An array of NumPy, a table in text, Parquet or Arrow: a matrix of costs, with `inf` for forbidden pairs, or a
        `long_table`. An archive of `scipy.sparse.save_npz`, or Matrix Market: a sparse matrix, whose absent entries are
        forbidden. Other archives and files of MATLAB: `named_arrays.problem`. Texts of the OR-Library and of DIMACS:
        `problem_text`.
    header : bool, optional
        As for `csv_file.read`; a text with a heading or without one is a table.
    names : bool, optional
        Whether the first column of a table names the rows, by default detected by `row_names`.

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
        if names is not None and kind not in ("table", "text", "Parquet", "Arrow"):
            raise ValueError("it has no column of names; the setting names is for tables")
        return _read(path, kind, header, names)
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
    if start.startswith(b"\x1f\x8b"):
        start = _unpacked(path) or start
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
    if name.endswith(BINARY) and not _is_table(start):
        raise ValueError(
            f"its first bytes are not those of a {path.suffix} file, nor of another known format; write it again"
        )
    if start.lstrip()[:1] in (b"{", b"[") or name.endswith((".json", ".json.gz")):
        raise ValueError("it is JSON, which is not read; write the matrix with np.save, or as CSV")
    if b"\0" in start and not start.startswith((b"\xff\xfe", b"\xfe\xff", b"\x1f\x8b")):
        raise ValueError(f"it is neither text nor of another known format; known are {', '.join(SUFFIXES)}")
    return "table" if name.endswith(csv_file.SUFFIXES) else "text"


def _unpacked(path: Path) -> bytes:
    """Return the first bytes of a gzipped text of Matrix Market or JSON, and none of another file."""
    try:
        with bounded_reading.open_gzip(path) as file:
            start = file.read(512)
    except (*bounded_reading.DAMAGED, OSError, ValueError):
        return b""
    return start if start.startswith((b"%%MatrixMarket", b"{", b"[")) else b""


def _is_table(start: bytes) -> bool:
    """Return whether the first bytes of a file are text with a number."""
    try:
        text = codecs.getincrementaldecoder("utf-8-sig")().decode(start)  # a letter may be cut at the end
    except UnicodeDecodeError:
        return False
    return "\0" not in text and any(map(str.isdigit, text))


def _read(path: Path, kind: str, header: bool | None, names: bool | None) -> tuple[Problem, str]:
    match kind:
        case "array":
            return Assignment(DenseCost(bounded_reading.read_npy(path))), ""
        case "archive":
            return _archive(path)
        case "MATLAB":
            return named_arrays.problem(matlab_file.read(path), may_ignore=True)
        case "Parquet":
            cost, layout = cost_table.read_parquet(path, names)
        case "Arrow":
            cost, layout = cost_table.read_arrow(path, names)
        case "Matrix Market":
            cost, layout = sparse_file.read_matrix_market(path), ""
        case _:
            if header is None and names is None and (found := _text(path, kind)) is not None:
                return found, ""
            cost, layout = cost_table.read_text(path, header, names)
    return Assignment(cost), layout


def _text(path: Path, kind: str) -> Problem | None:
    """Return the problem of a text of the OR-Library or of DIMACS, None for a table; one called a table is in doubt."""
    try:
        with csv_file.open_text(path) as file:
            start = file.read(200)
            if kind == "table" and not problem_text.may_be_problem(start):
                return None
            text = start + file.read()
    except UnicodeDecodeError as error:
        raise ValueError(f"byte {error.object[error.start]:#04x} is not UTF-8; save the {kind} as UTF-8") from None
    is_called_dimacs = path.name.lower().removesuffix(".gz").endswith(DIMACS)
    is_dimacs = problem_text.has_problem_line(text) if kind == "table" else problem_text.is_dimacs(text)
    if is_dimacs or is_called_dimacs:
        return problem_text.dimacs(text)
    is_orlib = problem_text.is_whole_orlib(text) if kind == "table" else problem_text.is_orlib(text)
    return Assignment(problem_text.orlib(text)) if is_orlib else None


def _archive(path: Path) -> tuple[Problem, str]:
    with bounded_reading.Archive(path) as arrays:
        if any(name.startswith("xl/") for name in arrays):
            raise ValueError("it is an Excel workbook; save the sheet as CSV")
        if sparse_file.is_sparse(arrays):
            return Assignment(SparseCost(sparse_file.read_archive(path, arrays))), ""
        return named_arrays.problem(dict(arrays))
