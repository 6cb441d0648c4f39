"""The table of all cells on a report's page: its columns, and the text and sort value of each entry."""

import functools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from lapmark.bench.results.record import METRICS, Metric
from lapmark.bench.util.units import show_duration, show_size
from lapmark.reports import format

#: The filters of the page, with the column of the cells that each uses.
FILTERS = {"solver": "base", "problem": "problem", "n": "n", "threads": "threads", "status": "status"}

#: The condition with the share of a cell's cores that other processes used.
LOAD = "condition_others"


#: A row of the table of cells, by the names of its columns.
Cell = Mapping[str, Any]


@dataclass(frozen=True)
class Column:
    """A column: its heading, the column of the cells that it is sorted by, and a function that writes an entry."""

    title: str
    name: str
    write: Callable[[Cell], str]
    number: bool = True

    @property
    def key(self) -> str:
        """Its name in links to the page."""
        return {"series": "solver", "label": "problem"}.get(self.name, self.name)


def columns_of(shown: pd.DataFrame) -> list[Column]:
    """Return the columns in which at least one cell has an entry."""
    return [column for column in COLUMNS if _has_entries(shown.get(column.name, pd.Series(dtype=float)))]


def row(cell: Cell, columns: Sequence[Column]) -> dict[str, object]:
    """Return a row of the table: the values that filters use, and the text and sort value of each entry."""
    entries = []
    for column in columns:
        value = cell[column.name]
        known = pd.notna(value)
        text = column.write(cell) if known else ""
        entries.append({"text": text, "value": value if known and column.number else None})
    return {"cells": entries, "keys": {name: str(cell[column]) for name, column in FILTERS.items()}}


def choices(shown: pd.DataFrame) -> dict[str, list[str]]:
    """Return the options of each filter; a filter by threads only if their number varies."""
    found = {name: [str(value) for value in sorted(set(shown[column]))] for name, column in FILTERS.items()}
    return {name: values for name, values in found.items() if len(values) > (name == "threads")}


def counters(cell: Cell) -> str:
    """Return the work counters of a cell as text."""
    found = {name.removeprefix("counter_"): cell[name] for name in cell if name.startswith("counter_")}
    return ", ".join(f"{name} {count:,}" for name, count in found.items() if pd.notna(count))


def _has_entries(values: pd.Series) -> bool:
    return bool((values.notna() & (values != "")).any())


def _range(cell: Cell) -> str:
    return f"{show_duration(cell['seconds_min'])} – {show_duration(cell['seconds_max'])}"


def _error(metric: Metric, cell: Cell) -> str:
    is_proven = metric.name == "gap" and cell["status"] == "ok" and cell["exact"]
    return metric.perfect if is_proven or cell[metric.name] <= metric.negligible else format.gap(cell[metric.name])


#: All columns, in order.
COLUMNS = (
    Column("Solver", "series", lambda cell: cell["series"], number=False),
    Column("Case", "label", lambda cell: cell["label"], number=False),
    Column("n", "n", lambda cell: f"{cell['n']:,}"),
    Column("m", "m", lambda cell: f"{cell['m']:,}"),
    Column("Status", "status", lambda cell: cell["status"], number=False),
    Column("Time", "seconds", lambda cell: show_duration(cell["seconds"])),
    Column("Fastest – slowest", "seconds_min", _range),
    Column("Samples", "samples", lambda cell: str(cell["samples"])),
    Column("Rounds", "rounds", lambda cell: str(cell["rounds"])),
    Column("Relative to the fastest", "relative", lambda cell: format.ratio(cell["relative"])),
    Column("Relative to the easier case", "slowdown", lambda cell: format.ratio(cell["slowdown"])),
    Column("Speed-up by vector instructions", "speedup", lambda cell: format.ratio(cell["speedup"])),
    *(Column(metric.title.capitalize(), metric.name, functools.partial(_error, metric)) for metric in METRICS),
    Column("Cost", "cost", lambda cell: f"{cell['cost']:.9g}"),
    Column("Peak memory", "peak_memory", lambda cell: show_size(cell["peak_memory"])),
    Column("Instructions", "instructions", lambda cell: f"{cell['instructions']:,}"),
    Column("Load", LOAD, lambda cell: f"{cell[LOAD]:.0%}"),
    Column("Work", "work", lambda cell: cell["work"], number=False),
    Column("Environment", "environment", lambda cell: cell["environment"], number=False),
    Column("Message", "message", lambda cell: cell["message"], number=False),
)
