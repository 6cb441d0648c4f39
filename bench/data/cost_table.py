"""Matrix of costs in a table: text, Parquet or Arrow, with row names dropped and every entry checked."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import psutil

from lapmark.bench.util.units import show_size

from . import bounded_reading, csv_file

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa


def read_text(path: Path, header: bool | None) -> tuple[np.ndarray, str]:
    """Return the matrix of a text table, and its layout."""
    text = csv_file.read(path, header)
    with csv_file.errors_with_layout(text.layout):
        return _matrix(text.frame, text.layout)


def read_parquet(path: Path) -> tuple[np.ndarray, str]:
    """Return the matrix of a Parquet file, and its layout."""
    import pyarrow.parquet

    with pyarrow.parquet.ParquetFile(path) as file:
        _check_size(file.metadata.num_rows, file.metadata.num_columns)
        return _arrow_matrix(file.read())


def read_arrow(path: Path) -> tuple[np.ndarray, str]:
    """Return the matrix of an Arrow file, also called Feather, and its layout."""
    import pyarrow.ipc

    with pyarrow.ipc.open_file(path) as file:
        batches, rows = [], 0
        for place in range(file.num_record_batches):
            batches.append(file.get_batch(place))
            batches[-1].validate(full=True)  # wrong offsets would be read as they are
            rows += batches[-1].num_rows
            _check_size(rows, len(file.schema))
        return _arrow_matrix(pyarrow.Table.from_batches(batches, file.schema))


def _check_size(rows: int, columns: int) -> None:
    """Raise a ValueError if a table takes more than the bound of a compressed file or the free memory."""
    most = min(bounded_reading.MOST_UNPACKED, psutil.virtual_memory().available)
    if rows * columns * np.dtype(float).itemsize > most:
        raise ValueError(
            f"it declares {rows:,}×{columns:,} numbers, more than {show_size(most)}; write it with np.save"
        )


def _arrow_matrix(table: pa.Table) -> tuple[np.ndarray, str]:
    frame = table.to_pandas()
    frame.columns = frame.columns.map(str)
    csv_file.check_names(frame)
    return _matrix(frame, "")


def _matrix(frame: pd.DataFrame, layout: str) -> tuple[np.ndarray, str]:
    """Return the matrix of a table; a ValueError names the row and the column of an entry that is no number."""
    import pandas as pd

    if frame.empty:
        return np.empty(frame.shape), layout
    frame = frame.apply(_plain)
    numbers = frame.apply(_numbers)
    first = frame.iloc[:, 0]
    are_words = numbers.iloc[:, 0].isna().all() and first.notna().all()
    if frame.shape[1] > 1 and (frame.columns[0] in csv_file.NAMES or are_words):
        frame, numbers = frame.iloc[:, 1:], numbers.iloc[:, 1:]
        layout = ", ".join(filter(None, (layout, "rows named by column 1")))
    if (missing := numbers.isna()).any(axis=None):
        row, column = np.argwhere(missing)[0]
        value = frame.iloc[row, column]
        fault = "missing; write inf for a forbidden pair" if pd.isna(value) else f"{value!r}, not a number"
        raise ValueError(f"row {row + 1} of column {frame.columns[column]!r} is {fault}")
    matrix = np.column_stack([_array(numbers.iloc[:, place]) for place in range(numbers.shape[1])])
    return matrix, csv_file.describe(len(frame), frame.shape[1], layout)


def _array(column: pd.Series) -> np.ndarray:
    """Return a column of numbers as an array; the types of Arrow and those that allow missing numbers are dropped."""
    dtype = getattr(column.dtype, "numpy_dtype", column.dtype)
    return column.to_numpy(np.float64 if dtype.kind == "O" else dtype)  # decimals are objects


def _plain(column: pd.Series) -> pd.Series:
    """Return a column without categories."""
    import pandas as pd

    return column.astype(column.cat.categories.dtype) if isinstance(column.dtype, pd.CategoricalDtype) else column


def _numbers(column: pd.Series) -> pd.Series:
    """Return the numbers of a column, NaN for other entries; dates are none, though pandas makes them integers."""
    import pandas as pd

    if pd.api.types.is_numeric_dtype(column.dtype):
        return column
    if column.dtype.kind in "mM":
        return pd.Series(np.nan, column.index)
    return pd.to_numeric(column, errors="coerce")
