"""The measurements that ship with the package: what advice rests on where there are none of one's own.

    python -m lapmark.bench.advice.shipped_measurements results/advice

keeps those of a results folder; `make advice` measures them first. They come from another machine than the reader's:
ratios between solvers carry over better than seconds do.
"""

from __future__ import annotations

import sys
from pathlib import Path

import pandas as pd

from lapmark.bench.results.store import Store

from . import performance_model

FILE = Path(__file__).with_name("shipped_measurements.parquet")


def load() -> pd.DataFrame:
    """The shipped cells, with `evidence.COLUMNS`, features, `machine`, `versions` and `finished`."""
    return pd.read_parquet(FILE)


def keep(directory: Path | str, file: Path = FILE) -> pd.DataFrame:
    """Write the cells of a results folder that were tried to a file, and return them."""
    with Store.open(directory, create=False) as store:
        records = [record for record in store.records() if record.status != "skipped"]
    cells = performance_model.with_features(performance_model.rows(records))
    told = {(record.case, record.solver, record.threads): record for record in records}
    of_cell = [told[key] for key in zip(cells["case"], cells["solver"], cells["threads"], strict=True)]
    cells["machine"] = [str(each.machine.get("cpu", "")) for each in of_cell]
    cells["versions"] = [
        "; ".join(f"{package} {version}" for package, version in each.versions.items()) for each in of_cell
    ]
    cells["finished"] = [each.finished for each in of_cell]
    cells = cells.sort_values(["label", "n", "solver"], ignore_index=True)
    cells.to_parquet(file, index=False, compression="zstd")
    return cells


def origin(cells: pd.DataFrame) -> str:
    """The machine and the day of the shipped cells, for people."""
    return f"{', '.join(cells['machine'].unique())}, {cells['finished'].max()[:10]}"


if __name__ == "__main__":
    print(f"{len(keep(sys.argv[1]))} cells in {FILE}")
