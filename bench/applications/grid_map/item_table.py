"""A user's table, as text or Parquet, split into numeric features, labels, names and paths of images."""

from __future__ import annotations

import reprlib
from dataclasses import dataclass
from numbers import Number
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from lapmark.bench.data import bounded_reading, csv_file

from . import columns
from .columns import UNNAMED, Choice, Column

if TYPE_CHECKING:
    import pandas as pd

SUFFIXES = (*csv_file.SUFFIXES, ".parquet")

#: Rows of Parquet that are read at a time.
BATCH = 1024


@dataclass(frozen=True, eq=False)
class Table:
    """A table.

    Attributes
    ----------
    numbers : (n, d) float64
        Finite.
    feature_names : tuple of d str
        Columns of `numbers`.
    labels, paths, names : list of n str, or None
    columns : tuple of Column
        The role of each column of the table.
    have_units : bool
        Whether the features are quantities with units of their own: not one list, nor a numbered series.
    layout : str
        How the file was interpreted, as text for the user.
    """

    numbers: np.ndarray
    feature_names: tuple[str, ...]
    labels: list[str] | None
    paths: list[str] | None
    names: list[str] | None
    columns: tuple[Column, ...]
    have_units: bool
    layout: str


def read(path: Path, header: bool | None = None, choice: Choice = UNNAMED) -> Table:
    """Read a table.

    Parameters
    ----------
    path : Path
        With an ending of `SUFFIXES`.
    header : bool, optional
        As in `csv_file.read`.
    choice : Choice
        Columns that the user names.

    Raises
    ------
    ValueError
        It is damaged, or an entry of a numeric column is missing, not finite, or not a number.
    """
    import pyarrow as pa

    if path.suffix.lower() != ".parquet":
        text = csv_file.read(path, header)
        with csv_file.errors_with_layout(text.layout):
            return split(text.frame, text.layout, choice)
    try:
        return split(_parquet(path), "", choice)
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


def split(frame: pd.DataFrame, layout: str = "", choice: Choice = UNNAMED) -> Table:
    """Split a table, whose columns have names of text, by the roles of its columns."""
    import pandas as pd

    found = {name: values for name in frame if (values := _features(frame[name])) is not None}
    roles = columns.assign(frame, list(found), choice)
    features = [column.name for column in roles if column.role == "feature"]
    for name in features:
        _check_finite(found[name], name)
    text = {
        column.role: list(_texts(frame[column.name])) for column in roles if column.role in ("label", "name", "image")
    }
    names = text.get("name")
    if names is None and not frame.index.equals(pd.RangeIndex(len(frame))):
        names = list(_texts(frame.index.to_series()))
    numbers = np.column_stack([np.empty((len(frame), 0)), *(found[name] for name in features)])
    return Table(
        numbers,
        tuple(name for name in features for _ in range(found[name].shape[1])),
        text.get("label"),
        text.get("image"),
        names,
        tuple(roles),
        len(features) > len(columns.series_of(features)) and numbers.shape[1] == len(features),
        csv_file.describe(len(frame), sum(values.shape[1] for values in found.values()), layout),
    )


def _check_finite(values: np.ndarray, name: str) -> None:
    """Raise a ValueError if a feature (n, k) is missing or infinite in a row."""
    if not np.isfinite(values).all():
        row, k = np.argwhere(~np.isfinite(values))[0]
        value = "missing" if np.isnan(values[row, k]) else values[row, k]
        raise ValueError(
            f"row {row + 1} of column {name!r} is {value}; every number must be present and finite: fill it in, or "
            "leave the column out by --features"
        )


def _features(column: pd.Series) -> np.ndarray | None:
    """Return a column's numbers, (n, k) float64: one per row, or as many as its lists have; None if it has none."""
    import pandas as pd

    if column.isna().all() and len(column):
        return None
    if pd.api.types.is_numeric_dtype(column.dtype):
        return column.to_numpy(np.float64, na_value=np.nan)[:, None]
    if column.dtype.kind != "O" or column.empty:
        return None  # times and durations
    first = column.dropna().iloc[0]
    if isinstance(first, Number):
        return column.astype(float).to_numpy()[:, None]
    if isinstance(first, str) and first.startswith("["):
        column, first = column.map(_listed, na_action="ignore"), _listed(first)
    if isinstance(first, list | np.ndarray):
        return _stacked(column, np.asarray(first))
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


def _texts(column: pd.Series) -> pd.Series:
    """Return labels or names as text; missing entries become empty."""
    whole = column.dtype.kind == "f" and (column.dropna() % 1 == 0).all()
    return (column.astype("Int64") if whole else column).astype("string").fillna("")
