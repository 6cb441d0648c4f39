"""Costs in a table: text, Parquet or Arrow, a matrix or a line for each pair, with every entry checked."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import psutil

from lapmark.bench.util.units import show_size
from lapmark.solvers import DenseCost
from lapmark.solvers.costs import Cost

from . import bounded_reading, csv_dialect, csv_file, long_table, row_names

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa


def read_text(path: Path, header: bool | None, names: bool | None) -> tuple[Cost, str]:
    """Return the costs of a text table, and its layout; the parameters are those of `csv_file.read`."""
    text = csv_file.read(path, header, names)
    with csv_file.errors_with_layout(text.layout):
        return _cost(text.frame, text.layout, names)


def read_parquet(path: Path, names: bool | None) -> tuple[Cost, str]:
    """Return the costs of a Parquet file, and its layout."""
    import pyarrow.parquet

    with pyarrow.parquet.ParquetFile(path) as file:
        _check_size(file.metadata.num_rows, file.metadata.num_columns)
        return _arrow_cost(file.read(), names)


def read_arrow(path: Path, names: bool | None) -> tuple[Cost, str]:
    """Return the costs of an Arrow file, also called Feather, and its layout."""
    import pyarrow.ipc

    with pyarrow.ipc.open_file(path) as file:
        batches, rows = [], 0
        for place in range(file.num_record_batches):
            batches.append(file.get_batch(place))
            batches[-1].validate(full=True)  # wrong offsets would be read as they are
            rows += batches[-1].num_rows
            _check_size(rows, len(file.schema))
        return _arrow_cost(pyarrow.Table.from_batches(batches, file.schema), names)


def _check_size(rows: int, columns: int) -> None:
    """Raise a ValueError if a table takes more than the bound of a compressed file or the free memory."""
    most = min(bounded_reading.MOST_UNPACKED, psutil.virtual_memory().available)
    if rows * columns * np.dtype(float).itemsize > most:
        raise ValueError(
            f"it declares {rows:,}×{columns:,} numbers, more than {show_size(most)}; write it with np.save"
        )


def _arrow_cost(table: pa.Table, names: bool | None) -> tuple[Cost, str]:
    frame = table.to_pandas()
    frame.columns = frame.columns.map(str)
    csv_file.check_names(frame)
    return _cost(frame, "", names)


def _cost(frame: pd.DataFrame, layout: str, names: bool | None) -> tuple[Cost, str]:
    """Return the costs of a table, and its layout; `names` is whether column 1 names the rows, detected by default."""
    if frame.empty:
        return DenseCost(np.empty(frame.shape)), layout
    frame = frame.apply(_plain)
    if places := long_table.find(list(frame)):
        sides, costs = frame.iloc[:, list(places[:2])], frame.iloc[:, [places[2]]]
        values = _checked(costs, costs.apply(_numbers))[:, 0]
        cost, long_layout = long_table.read(sides.iloc[:, 0], sides.iloc[:, 1], values)
        return cost, ", ".join(filter(None, (long_layout, layout)))
    numbers = frame.apply(_numbers)
    is_named = "rows named by column 1" in layout  # names that are the index already
    if frame.shape[1] > 1 and not (is_named and names):
        has_names, note = row_names.find(frame, numbers, names)
        frame, numbers = frame.iloc[:, int(has_names) :], numbers.iloc[:, int(has_names) :]
        layout = ", ".join(filter(None, (layout, note * (has_names or not is_named))))
    return DenseCost(_checked(frame, numbers)), csv_file.describe(len(frame), frame.shape[1], layout)


def _checked(frame: pd.DataFrame, numbers: pd.DataFrame) -> np.ndarray:
    """Return the numbers as a matrix; a ValueError names the row and the column of an entry that is none."""
    import pandas as pd

    if (missing := numbers.isna()).any(axis=None):
        row, column = np.argwhere(missing)[0]
        value = frame.iloc[row, column]
        fault = "missing; write inf for a forbidden pair" if pd.isna(value) else f"{value!r}, not a number"
        raise ValueError(f"row {row + 1} of column {frame.columns[column]!r} is {fault}")
    return np.column_stack([_array(numbers.iloc[:, place]) for place in range(numbers.shape[1])])


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
    values = pd.to_numeric(column, errors="coerce")
    csv_dialect.check_infinities(values, column)
    return values
