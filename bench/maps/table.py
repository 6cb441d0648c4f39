"""A table of one's own, CSV or Parquet, told apart into numbers, labels, names and paths of images."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import pandas as pd

#: What columns are called that are no features, whatever they hold; pandas calls a column without a name the last one.
LABELS = ("label", "labels", "class")
PATHS = ("image", "path", "file", "filename")
NAMES = ("name", "names", "id", "Unnamed: 0")


@dataclass(frozen=True, eq=False)
class Table:
    """A table.

    Attributes
    ----------
    numbers : (n, d) float64
        Finite.
    labels, paths, names : list of n str, or None
    ignored : tuple of str
        Columns that are none of these.
    """

    numbers: np.ndarray
    labels: list[str] | None
    paths: list[str] | None
    names: list[str] | None
    ignored: tuple[str, ...]


def read(path: Path) -> Table:
    """Read a table.

    Raises
    ------
    ValueError
        Where it is damaged, has an entry that is missing, not finite, or no number in a column of numbers.
    """
    import pyarrow as pa

    try:
        return _told_apart(_parquet(path) if path.suffix.lower() == ".parquet" else _csv(path))
    except pa.ArrowException as error:
        raise ValueError(f"it is damaged, or no Parquet file: {error}") from None


def _csv(path: Path) -> pd.DataFrame:
    import pandas as pd

    # A first line of numbers is no heading.
    first = pd.read_csv(path, header=None, nrows=1)
    plain = len(first.select_dtypes("number").columns) == len(first.columns)
    with warnings.catch_warnings():
        warnings.simplefilter("error", pd.errors.ParserWarning)
        try:
            frame = pd.read_csv(path, header=None if plain else 0, index_col=False, low_memory=False)
        except pd.errors.ParserWarning:
            raise ValueError(f"lines have more fields than the heading, which has {len(first.columns)}") from None
    return frame.rename(columns=lambda name: f"{name + 1}" if plain else str(name).strip())


def _parquet(path: Path) -> pd.DataFrame:
    import pandas as pd

    return pd.read_parquet(path).rename(columns=str)


def _told_apart(frame: pd.DataFrame) -> Table:
    labels, paths, named = (_words(frame, names) for names in (LABELS, PATHS, NAMES))
    numbers = frame.select_dtypes(["number", "bool"])
    others = [name for name in frame if name not in numbers]
    for name in others:
        if frame[name].dtype.kind == "O":  # texts, and not times or durations
            _check_text(frame[name], name)
    values = numbers.to_numpy(np.float64, na_value=np.nan)
    if not np.isfinite(values).all():
        row, column = np.argwhere(~np.isfinite(values))[0]
        value = "missing" if np.isnan(values[row, column]) else values[row, column]
        raise ValueError(
            f"row {row + 1} of column {numbers.columns[column]!r} is {value}; every number must be there, and finite"
        )
    return Table(values, labels, paths, named, tuple(others))


def _words(frame: pd.DataFrame, names: Sequence[str]) -> list[str] | None:
    """The first column that is called like this, where there is one; every one of them is taken out of the table."""
    found = [frame.pop(name) for name in names if name in frame]
    return list(_texts(found[0])) if found else None


def _texts(column: pd.Series) -> pd.Series:
    """Labels and names as they are written; what is missing is empty."""
    whole = column.dtype.kind == "f" and (column.dropna() % 1 == 0).all()
    return (column.astype("Int64") if whole else column).astype("string").fillna("")


def _check_text(column: pd.Series, name: str) -> None:
    """A ValueError where a column is of numbers but for some entries: to ignore it would lose a feature."""
    import pandas as pd

    broken = column.notna() & pd.to_numeric(column, errors="coerce").isna()
    if broken.sum() < len(column) / 2:
        row = int(np.argmax(broken)) if broken.any() else 0
        raise ValueError(f"row {row + 1} of column {name!r} is {column.iloc[row]!r}, no number; mend or drop it")
