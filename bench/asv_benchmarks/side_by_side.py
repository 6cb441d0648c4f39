"""Side-by-side timing of several calls, and tables of the results."""

import json
import re
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from lapmark.bench.system.conditions import ConditionsMonitor
from lapmark.bench.system.cores import pin_to_last
from lapmark.bench.system.machine import machine
from lapmark.bench.util.atomic_write import write_atomically

#: Rounds that are measured however long they take: the first has cold caches.
LEAST_ROUNDS = 2


def shortest_times(
    calls: Mapping[str, Callable[[], object]], rounds: int, budget: float = np.inf, longest: float = np.inf
) -> dict[str, float]:
    """Return the shortest time of each call in seconds; every round makes each call once, so that load hits all.

    Further rounds begin until `budget` seconds are over. A call of more than `longest` seconds is not made again.
    """
    best = dict.fromkeys(calls, np.inf)
    end = time.perf_counter() + budget
    for number in range(rounds):
        if number >= LEAST_ROUNDS and time.perf_counter() > end:
            break
        for name, call in calls.items():
            if longest < best[name] < np.inf:
                continue
            start = time.perf_counter()
            call()
            best[name] = min(best[name], time.perf_counter() - start)
    return best


def lead(seconds: Mapping[str, float]) -> float:
    """Return the shortest time of the others over Lapmark's, NaN if there are no others."""
    return min((each for name, each in seconds.items() if name != "lapmark"), default=np.nan) / seconds["lapmark"]


def known_rows(path: Path) -> list[dict[str, Any]]:
    """Return the rows of a comparison that was interrupted, for `write_rows` to the same path to go on from."""
    part = _part(path)
    return [json.loads(line) for line in part.read_text().splitlines()] if part.exists() else []


def write_rows(
    rows: Iterable[Mapping[str, object]],
    versions: Mapping[str, str],
    path: Path,
    one_core: bool = True,
    continues: bool = False,
) -> None:
    """Measure rows on one core or on all, showing each, and write them to a file of JSON with facts of the machine.

    They are kept in a file beside it meanwhile. If it `continues`, the rows are those that the `known_rows` lack.
    """
    if one_core:
        pin_to_last()
    monitor = ConditionsMonitor()
    with _part(path).open("a" if continues else "w") as part:
        for row in rows:
            print(*row.values(), flush=True)
            print(json.dumps(row), file=part, flush=True)
    date = time.strftime("%Y-%m-%d", time.gmtime())
    others = monitor.conditions().get("others")
    facts = {"machine": machine(), "one_core": one_core, "date": date, "others": others, "versions": versions}
    write_atomically(path, json.dumps({**facts, "rows": known_rows(path)}, indent=1).encode())
    _part(path).unlink()


def _part(path: Path) -> Path:
    return path.with_suffix(".part")


@dataclass(frozen=True)
class Table:
    """A table that is printed line by line; `columns` has the format specification of each title, with a width."""

    columns: Mapping[str, str]

    def print_heading(self) -> None:
        """Print the titles, aligned like their columns."""
        widths = (re.sub(r"(\d+).*", r"\1", form) for form in self.columns.values())
        print("".join(map(format, self.columns, (f">{width}" if width.isdigit() else width for width in widths))))

    def print_row(self, *values: object) -> None:
        """Print one value for each column."""
        print("".join(map(format, values, self.columns.values())), flush=True)
