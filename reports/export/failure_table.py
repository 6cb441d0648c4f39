"""Failures of solvers on each case, as a table in Markdown: `python -m lapmark.reports.export.failure_table DIR`."""

import sys
from collections.abc import Iterator
from itertools import groupby

import pandas as pd

from lapmark.bench.results.store import Store
from lapmark.bench.util import spec
from lapmark.reports import tables


def failures(cells: pd.DataFrame) -> pd.DataFrame:
    """Return a row per label: the number of solvers with a certified answer, and the status of the others.

    A solver with several settings is named once per status.
    """
    tried = cells[cells["current"] & (cells["status"] != "skipped") & (cells["group"] != "harness")]
    rows = []
    for label, of_label in tried.groupby("label", sort=False):
        named = of_label.assign(name=[spec.parse(solver)[0] for solver in of_label["solver"]])
        failed = named[named["status"] != "ok"].drop_duplicates(["name", "status"])
        answered = named.loc[named["status"] == "ok", "name"].nunique()
        rows.append((label, answered, ", ".join(_phrases(failed))))
    return pd.DataFrame(rows, columns=["label", "answered", "failed"])


def _phrases(failed: pd.DataFrame) -> Iterator[str]:
    """Yield texts such as `wrong: lap, pot-emd`, sorted by status."""
    ordered = failed.sort_values(["status", "name"])
    for status, rows in groupby(ordered.itertuples(), key=lambda row: str(row.status)):
        yield f"{status}: " + ", ".join(row.name for row in rows)


def markdown(table: pd.DataFrame) -> str:
    head = "| input | answered by | failed |\n|---|---:|---|\n"
    return head + "".join(f"| `{row.label}` | {row.answered} | {row.failed} |\n" for row in table.itertuples())


if __name__ == "__main__":
    with Store.open(sys.argv[1], create=False) as store:
        print(markdown(failures(tables.frame(store.records()))), end="")
