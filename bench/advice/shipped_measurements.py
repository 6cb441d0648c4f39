"""Measurements that ship with the package, for advice to users who have measured nothing themselves.

    python -m lapmark.bench.advice.shipped_measurements results/advice

replaces them by those of a results folder; `make advice` measures them first. They come from another machine than the
user's: ratios between solvers carry over better than seconds.
"""

import sys
from pathlib import Path

import pandas as pd

from lapmark.bench.results.store import Store

from . import measurements

FILE = Path(__file__).with_name("shipped_measurements.parquet")


def load() -> pd.DataFrame:
    """Return the shipped cells, with `measurements.COLUMNS`, features, `machine`, `versions` and `finished`."""
    import pyarrow.parquet  # not pandas.read_parquet, which hides that this is what is missing

    return pyarrow.parquet.read_table(FILE).to_pandas()


def save(directory: Path | str, file: Path = FILE) -> pd.DataFrame:
    """Write the cells of a results folder to a file, except for skipped ones, and return them."""
    with Store.open(directory, create=False) as store:
        records = [record for record in store.records() if record.status != "skipped"]
    cells = measurements.with_features(measurements.table(records))
    latest = {(record.case, record.solver, record.threads): record for record in records}
    of_cell = [latest[key] for key in zip(cells["case"], cells["solver"], cells["threads"], strict=True)]
    cells["machine"] = [str(each.machine.get("cpu", "")) for each in of_cell]
    cells["versions"] = [
        "; ".join(f"{package} {version}" for package, version in each.versions.items()) for each in of_cell
    ]
    cells["finished"] = [each.finished for each in of_cell]
    cells = cells.sort_values(["label", "n", "solver"], ignore_index=True)
    cells.to_parquet(file, index=False, compression="zstd")
    return cells


def origin(cells: pd.DataFrame) -> str:
    """Return the machine and the day of the shipped cells as text."""
    return f"{', '.join(cells['machine'].unique())}, {cells['finished'].max()[:10]}"


if __name__ == "__main__":
    print(f"{len(save(sys.argv[1]))} cells in {FILE}")
