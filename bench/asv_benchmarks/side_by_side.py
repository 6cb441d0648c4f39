"""Side-by-side timing of several calls, and tables of the results."""

import re
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np


def shortest_times(calls: Mapping[str, Callable[[], object]], rounds: int) -> dict[str, float]:
    """Return the shortest time of each call in seconds; every round makes each call once, so that load hits all."""
    best = dict.fromkeys(calls, np.inf)
    for _ in range(rounds):
        for name, call in calls.items():
            start = time.perf_counter()
            call()
            best[name] = min(best[name], time.perf_counter() - start)
    return best


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
