"""The assignment of a map as a table for other programs: which item is at which node."""

import io
from pathlib import Path

import numpy as np
import pandas as pd

from lapmark.bench.applications.grid_map.pipeline import Layout
from lapmark.bench.util.atomic_write import write_atomically
from lapmark.reports.csv_text import to_csv


def write_assignment(layout: Layout, path: Path) -> Path:
    """Write which item is at which node; the ending of the name chooses `.csv`, `.json`, `.npy` or `.parquet`."""
    return write_atomically(path, encode(layout.table(), path.suffix.lower()))


def encode(table: pd.DataFrame, suffix: str) -> bytes:
    """Return a table as `.csv`, `.json` (a list of rows), `.npy` (a structured array without pickles) or `.parquet`."""
    match suffix:
        case ".csv":
            return to_csv(table).encode()
        case ".json":
            return (table.to_json(orient="records", force_ascii=False, indent=1) + "\n").encode()
        case ".parquet":
            return table.to_parquet(None, index=False)
    texts = {name: f"U{max(map(len, table[name]))}" for name in ("name", "label") if name in table}
    with io.BytesIO() as file:
        np.save(file, np.array(table.to_records(index=False, column_dtypes=texts)), allow_pickle=False)
        return file.getvalue()
