"""Calibration: how many times as long as on the machine of the shipped measurements a candidate takes on this one.

A few reference cells are measured here, and the ratios kept in the cache folder (`lapmark calibrate`). The shipped
times are multiplied by them: each candidate's by its own, those of others by the mean of all.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pandas as pd

from lapmark.bench.system.machine import machine
from lapmark.bench.util import cache
from lapmark.bench.util.atomic_write import write_atomically

from . import measured_cases
from .call_timing import time_calls
from .measure import load_packages

#: Labels and sizes of the reference cells: one of each group of problems, small and large.
REFERENCES: Mapping[str, tuple[int, ...]] = {
    "uniform:dtype=float64": (10, 50, 200, 1000),
    "geometric:cost=points,p=2": (50, 500),
    "sparse:share=0.05": (50, 500),
    "masses:layout=uniform": (20, 200),
    "masses:blur=0.05,layout=uniform": (20, 200),
}

#: Size from which a problem is large: below it, the time of a call is mostly that of Python.
LARGE = 100

#: Seconds of the calls of a reference cell, and of one call.
BUDGET, TIMEOUT = 0.05, 2.0

#: The name under which the means of all candidates are kept.
ALL = ""


@dataclass(frozen=True)
class Calibration:
    """Ratios of times, here over there, of small and of large problems, by candidate."""

    small: Mapping[str, float]
    large: Mapping[str, float]
    machine: Mapping[str, object] = field(default_factory=machine)
    finished: str = ""

    def factors(self, cells: pd.DataFrame) -> np.ndarray:
        """Return what to multiply the times of cells by."""
        return np.array([self._factor(name, n) for name, n in zip(cells["solver"], cells["n"], strict=True)])

    def _factor(self, name: str, n: int) -> float:
        ratios = self.small if n < LARGE else self.large
        return ratios.get(name, ratios.get(ALL, 1.0))

    def apply(self, cells: pd.DataFrame) -> pd.DataFrame:
        """Return the cells with their times as on this machine."""
        factors, names = self.factors(cells), ("seconds", "seconds_min", "seconds_max")
        return cells.assign(**{name: cells[name] * factors for name in names})


def calibrate(cells: pd.DataFrame, say: Callable[[str], None]) -> Calibration:
    """Measure the reference cells that are among `cells` on this machine; `say` gets the case that is measured."""
    load_packages()
    ratios: dict[bool, dict[str, list[float]]] = {False: {}, True: {}}
    known = cells[(cells["status"] == "ok") & (cells["threads"] == 1)].set_index(["label", "n", "solver"])["seconds"]
    for label, sizes in REFERENCES.items():
        for n in sizes:
            case = measured_cases.sized(label, n)
            assert case is not None
            say(str(case))
            problems = measured_cases.instances(case, case.build())
            for name in measured_cases.names(problems[0]):
                if (there := known.get((label, case.n, name))) is None:
                    continue
                timing = time_calls(name, problems, BUDGET, TIMEOUT, 1 << 31)
                if not timing.status:
                    ratio = float(np.median(timing.seconds)) / float(there)
                    ratios[case.n >= LARGE].setdefault(name, []).append(ratio)
    small, large = (_means(ratios[is_large]) for is_large in (False, True))
    return Calibration(small, large, machine(), datetime.now(UTC).isoformat(timespec="seconds"))


def _means(ratios: Mapping[str, list[float]]) -> dict[str, float]:
    """Return the geometric means by candidate, and of all."""
    means = {name: math.exp(np.log(each).mean()) for name, each in ratios.items()}
    return {ALL: math.exp(np.log(list(means.values())).mean()), **means} if means else {}


def file() -> Path:
    """Return the file that keeps the calibration of this machine."""
    return cache.folder() / "calibration.json"


def save(found: Calibration) -> Path:
    """Keep a calibration."""
    return write_atomically(file(), json.dumps(asdict(found), indent=2, default=str).encode())


def load() -> Calibration | None:
    """Return the calibration of this machine; None if there is none, it is damaged, or is another machine's."""
    try:
        found = Calibration(**json.loads(file().read_text(encoding="utf-8")))
        ratios = [float(ratio) for each in (found.small, found.large) for ratio in each.values()]
    except (OSError, ValueError, TypeError, AttributeError):
        return None
    is_here = dict(found.machine) == json.loads(json.dumps(machine(), default=str))
    return found if is_here and all(0 < ratio < math.inf for ratio in ratios) else None
