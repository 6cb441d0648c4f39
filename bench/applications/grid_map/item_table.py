"""A user's table, as text or Parquet, split into numeric features, labels, names and paths of images."""

from __future__ import annotations

import reprlib
from collections.abc import Sequence
from dataclasses import dataclass
from numbers import Number
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from lapmark.bench.data import bounded_reading, csv_file

if TYPE_CHECKING:
    import pandas as pd

SUFFIXES = (*csv_file.SUFFIXES, ".parquet")

#: Names of columns that are not features, whatever they hold.
LABELS = ("label", "labels", "class")
PATHS = ("image", "path", "file", "filename")

#: Rows of Parquet that are read at a time.
BATCH = 1024


@dataclass(frozen=True, eq=False)
class Table:
    """A table.

    Attributes
    ----------
    numbers : (n, d) float64
        Finite.
    labels, paths, names : list of n str, or None
    ignored : tuple of str
        Columns of other types.
    layout : str
        How the file was interpreted, as text for the user.
    """

    numbers: np.ndarray
    labels: list[str] | None
    paths: list[str] | None
    names: list[str] | None
    ignored: tuple[str, ...]
    layout: str


def read(path: Path, header: bool | None = None) -> Table:
    """Read a table.

    Parameters
    ----------
    path : Path
        With an ending of `SUFFIXES`.
    header : bool, optional
        As in `csv_file.read`.

    Raises
    ------
    ValueError
        It is damaged, or an entry of a numeric column is missing, not finite, or not a number.
    """
    import pyarrow as pa

    if path.suffix.lower() != ".parquet":
        text = csv_file.read(path, header)
        with csv_file.errors_with_layout(text.layout):
            return _split(text.frame, text.layout)
    try:
        return _split(_parquet(path), "")
    except pa.ArrowException as error:
        raise ValueError(f"it is damaged, or not a Parquet file: {error}") from None


def _parquet(path: Path) -> pd.DataFrame:
    import pyarrow as pa
    import pyarrow.parquet

    with pyarrow.parquet.ParquetFile(path) as file:
        groups = [file.metadata.row_group(k) for k in range(file.metadata.num_row_groups)]
        count = sum(group.column(k).num_values for group in groups for k in range(group.num_columns))
        bounded_reading.check_unpacked("the table", np.dtype(np.float64).itemsize * count, "take fewer rows")
        # The header does not give the lengths of texts.
        batches, size = [], 0
        for batch in file.iter_batches(BATCH):
            batches.append(batch)
            size += batch.nbytes
            bounded_reading.check_unpacked("the table", size, "drop columns of text")
        table = pa.Table.from_batches(batches, file.schema_arrow)
    # Types come from the file: pandas cannot read all of its own metadata, such as Arrow's lists.
    frame = table.to_pandas(ignore_metadata=True)
    index = [name for name in (table.schema.pandas_metadata or {}).get("index_columns", []) if isinstance(name, str)]
    frame = (frame.set_index(index) if index else frame).rename(columns=str)
    csv_file.check_names(frame)
    return frame


def _split(frame: pd.DataFrame, layout: str) -> Table:
    import pandas as pd

    labels, paths, named = (_words(frame, names) for names in (LABELS, PATHS, csv_file.NAMES))
    if named is None and not frame.index.equals(pd.RangeIndex(len(frame))):
        named = list(_texts(frame.index.to_series()))
    features = {name: _features(frame[name]) for name in frame}
    found = {name: values for name, values in features.items() if values is not None}
    numbers = np.column_stack([np.empty((len(frame), 0)), *found.values()])
    columns = [name for name, values in found.items() for _ in range(values.shape[1])]
    if not np.isfinite(numbers).all():
        row, column = np.argwhere(~np.isfinite(numbers))[0]
        value = "missing" if np.isnan(numbers[row, column]) else numbers[row, column]
        raise ValueError(
            f"row {row + 1} of column {columns[column]!r} is {value}; every number must be present and finite"
        )
    others = tuple(name for name in features if name not in found)
    return Table(numbers, labels, paths, named, others, csv_file.describe(len(frame), len(columns), layout))


def _features(column: pd.Series) -> np.ndarray | None:
    """Return a column's numbers, (n, k) float64: one per row, or as many as its lists have; None if it has none."""
    import pandas as pd

    if pd.api.types.is_numeric_dtype(column.dtype):
        return column.to_numpy(np.float64, na_value=np.nan)[:, None]
    if column.dtype.kind != "O" or column.isna().all():
        return None  # times, durations and empty columns
    first = column.dropna().iloc[0]
    if isinstance(first, Number):
        return column.astype(float).to_numpy()[:, None]
    if isinstance(first, str) and first.startswith("["):
        column, first = column.map(_listed, na_action="ignore"), _listed(first)
    if isinstance(first, list | np.ndarray):
        return _stacked(column, np.asarray(first))
    if isinstance(first, str):
        _check_text(column)
    return None


def _listed(text: str) -> list[float] | str:
    """Parse a list of numbers written by Python or NumPy; return the text if it is not one."""
    try:
        return [float(number) for number in text.strip("[] ").replace(",", " ").split()]
    except ValueError:
        return text


def _stacked(column: pd.Series, first: np.ndarray) -> np.ndarray | None:
    """Return a column of lists as (n, k); None if the first is not a list of numbers."""
    if first.dtype.kind not in "biuf":
        return None
    for row, value in enumerate(column, 1):
        if not isinstance(value, list | np.ndarray) or np.shape(value) != first.shape:
            what = f"row {row} of column {column.name!r} is {reprlib.repr(value)}"
            raise ValueError(f"{what}; each must be a list of {first.size} numbers like the first")
    return np.array(column.tolist(), dtype=np.float64).reshape(len(column), -1)


def _words(frame: pd.DataFrame, names: Sequence[str]) -> list[str] | None:
    """Remove all columns with these names from the table, and return the texts of the first, None if there is none."""
    found = [frame.pop(name) for name in names if name in frame]
    return list(_texts(found[0])) if found else None


def _texts(column: pd.Series) -> pd.Series:
    """Return labels or names as text; missing entries become empty."""
    whole = column.dtype.kind == "f" and (column.dropna() % 1 == 0).all()
    return (column.astype("Int64") if whole else column).astype("string").fillna("")


def _check_text(column: pd.Series) -> None:
    """Raise a ValueError if most entries of a column are numbers: ignoring it would lose a feature."""
    import pandas as pd

    broken = column.notna() & pd.to_numeric(column, errors="coerce").isna()
    if broken.sum() < len(column) / 2:
        row = int(np.argmax(broken)) if broken.any() else 0
        raise ValueError(
            f"row {row + 1} of column {column.name!r} is {column.iloc[row]!r}, not a number; correct or drop it"
        )
