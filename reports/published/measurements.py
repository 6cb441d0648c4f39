"""What the documents publish: suites and side-by-side comparisons, measured in one go, and their kept results.

Suites run into one store, and what was finished stays when the measuring is stopped and started again. The cells that
the tables need are kept in docs/measured, a file for each measurement, with the machine, the date and its load.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from lapmark.bench.results.store import Store
from lapmark.bench.run import configuration
from lapmark.bench.run.cells import plan
from lapmark.bench.util.atomic_write import write_atomically
from lapmark.reports import tables

#: Columns of a caption and of a command in the pages.
WIDTH = 100

#: What the tables need of a cell.
COLUMNS = [
    *("solver", "group", "exact", "case", "label", "n", "status", "current"),
    *("seconds", "relative", "cost", "gap", "peak_memory"),
]


@dataclass(frozen=True)
class Suite:
    """A run of a named configuration, with options of `lapmark run`."""

    name: str
    options: tuple[str, ...]

    def command(self, folder: str) -> list[str]:
        """Return the arguments of `lapmark` that measure it into the store of a folder."""
        return ["run", "--config", self.name, *self.options, "--to", folder]

    @property
    def shown(self) -> str:
        """The command for readers."""
        line = " ".join(["lapmark", *self.command(self.name)])
        tied = re.sub(r" (--?[\w-]+) (?=[^-])", r" \1\0", line)  # an option and its value stay on one line
        return " \\\n    ".join(textwrap.wrap(tied, WIDTH - 6, break_on_hyphens=False)).replace("\0", " ")


@dataclass(frozen=True)
class Comparison:
    """A module that measures calls side by side, and writes its rows to a file."""

    name: str
    module: str

    @property
    def shown(self) -> str:
        """The command for readers."""
        return f"python -m {self.module} {self.name}.json"


#: Options for `cascade` and every other package, each in its modes.
_OTHERS = tuple(
    word
    for name in (
        *("cascade", "lap1015", "lap1015:epsilon=false", "lap1015:precision=float64", "lapjv", "lap", "lapmod"),
        *("lapcpp", "laprust", "fastlap", "scipy", "csgraph", "ortools", "pot-emd"),
    )
    for word in ("-s", name)
)

#: In the order of measuring.
MEASUREMENTS: dict[str, Suite | Comparison] = {
    each.name: each
    for each in (
        Comparison("drop-in", "lapmark.bench.asv_benchmarks.drop_in"),
        Comparison("lists", "lapmark.bench.asv_benchmarks.lists"),
        Comparison("batches", "lapmark.bench.asv_benchmarks.batches"),
        Comparison("histograms", "lapmark.bench.asv_benchmarks.histograms"),
        Comparison("grid-histograms", "lapmark.bench.asv_benchmarks.grids"),
        Comparison("line", "lapmark.bench.asv_benchmarks.line"),
        Suite("grid", ("-n", "900", "-n", "2500", "-n", "10000", "--timeout", "30s", "--budget", "1s")),
        Suite("transport", ("--timeout", "60s", "--budget", "1s")),
        Suite("families", (*_OTHERS, "--timeout", "5s", "--budget", "200ms")),
        Suite("standard", ("--timeout", "10s", "--budget", "50ms")),
    )
}


@dataclass(frozen=True)
class Kept:
    """The kept results of a measurement: its rows, and the machine, date and share of other processes meanwhile."""

    rows: pd.DataFrame
    facts: dict[str, Any]

    @property
    def caption(self) -> str:
        """Return a sentence on where, when and under what load it was measured."""
        machine, others = self.facts["machine"], self.facts["others"]
        load = "" if others is None else f"; other processes took {100 * others:.0f} % of its time"
        cores = "one core" if self.facts.get("one_core", True) else "all cores"
        return f"Measured on {self.facts['date']} on {cores} of {machine['cpu']} ({machine['cores']} cores{load})."


def measure(name: str, folder: Path, keep: Path) -> None:
    """Measure, showing the progress, and keep the results; what is in the folder already is not measured again.

    Raise a CalledProcessError if a command fails.
    """
    measurement = MEASUREMENTS[name]
    folder.mkdir(parents=True, exist_ok=True)
    if isinstance(measurement, Comparison):
        rows = folder / f"{name}.json"
        if not rows.exists():
            subprocess.run([sys.executable, "-m", measurement.module, str(rows)], check=True)
        write_atomically(keep / f"{name}.json", rows.read_bytes())
        return
    subprocess.run([sys.executable, "-m", "lapmark", *measurement.command(str(folder))], check=True)
    write_atomically(keep / f"{name}.json", json.dumps(_of_store(measurement, folder), indent=1).encode())


def read(name: str, keep: Path) -> Kept:
    """Return the kept results of a measurement; raise a FileNotFoundError if there are none."""
    content = json.loads((keep / f"{name}.json").read_text())
    rows = pd.DataFrame(content.pop("rows"))
    return Kept(rows, content)


def kept(keep: Path) -> Iterator[str]:
    """Yield the names of the measurements that have kept results."""
    for name in MEASUREMENTS:
        if (keep / f"{name}.json").exists():
            yield name


def _of_store(suite: Suite, folder: Path) -> dict[str, Any]:
    """Return the cells of a suite in the store, and their facts."""
    config = configuration.load(suite.name)
    sizes = [int(n) for key, n in zip(suite.options, suite.options[1:], strict=False) if key == "-n"]
    cases = {str(cell.case) for cell in plan(config.solvers, config.sized(config.problems), sizes)}
    with Store.open(folder) as store:
        records = [record for record in store.records() if record.case in cases]
    cells = tables.frame(records)
    cells = cells[cells["current"]]
    latest = max(records, key=lambda record: record.finished)
    others = cells["condition_others"].median() if "condition_others" in cells else None
    facts = {
        "machine": dict(latest.machine),
        "date": latest.finished[:10],
        "others": others,
        "versions": {name: version for record in records for name, version in record.versions.items()},
    }
    rows = json.loads(cells[COLUMNS].to_json(orient="records", double_precision=15))
    return {**facts, "rows": [{name: value for name, value in row.items() if value is not None} for row in rows]}
