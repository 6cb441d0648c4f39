"""Run matrix: seconds of every candidate on every measured case, as model, evaluation and export need them."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pandas as pd

from lapmark.bench.results.record import METRICS
from lapmark.bench.util import spec
from lapmark.bench.worker.protocol import BUILD_MATRIX

from . import candidates, features
from .measurements import FEATURE_PREFIX
from .performance_curve import gap_of, is_solved

#: Seconds after which a run counts as failed, and how many times this a failed run counts (PAR10).
CUTOFF, PENALTY = 10.0, 10.0

#: Which candidates may be chosen: all of them, those there are without Lapmark, and its own.
PORTFOLIOS: dict[str, Callable[[str], bool]] = {
    "everything": lambda name: True,
    "without ours": lambda name: not candidates.is_ours(name),
    "ours only": candidates.is_ours,
}

#: Columns that hold the features of a case.
FEATURES = [FEATURE_PREFIX + name for name in features.NAMES]


@dataclass(frozen=True)
class RunMatrix:
    """Cases of one group of problems (`features.group`), and the runs on them.

    `cases` has a row per case, indexed by (label, n): `family`, `m`, `kind` and `FEATURES`. `seconds` has the same
    index and a column per candidate (`column`): inf where it failed, NaN where it was not tried, since it does not take
    the problem or is far behind at such sizes.
    """

    cases: pd.DataFrame
    seconds: pd.DataFrame

    @classmethod
    def of(cls, cells: pd.DataFrame, gap: float = METRICS[0].negligible) -> dict[str, RunMatrix]:
        """Return the matrix of each group, of a table with `measurements.COLUMNS`, features and costs of matrices.

        An answer with a larger `gap` counts as a failure.
        """
        cells = cells[(cells["solver"] != BUILD_MATRIX) & (cells["status"] != "skipped")]
        solved = np.array([is_solved(row) and gap_of(row) <= gap for row in cells.itertuples()], dtype=bool)
        cells = cells.assign(
            time=cells["seconds"].where(solved, math.inf),
            family=[spec.parse(label)[0] for label in cells["label"]],
            column=[column(*series) for series in zip(cells["solver"], cells["threads"], strict=True)],
        )
        found = {}
        for group, rows in cells.groupby([features.group(kind) for kind in cells["kind"]]):
            cases = rows.groupby(["label", "n"])[["family", "m", "kind", *FEATURES]].first()
            seconds = rows.pivot_table(index=["label", "n"], columns="column", values="time", aggfunc="median")
            found[str(group)] = cls(cases, seconds)._of(np.isfinite(seconds).any(axis=1))
        return found

    @property
    def penalized(self) -> pd.DataFrame:
        """The seconds, where a run that failed or cannot be made counts `PENALTY` times the cutoff."""
        return self.seconds.fillna(math.inf).where(lambda seconds: seconds <= CUTOFF, PENALTY * CUTOFF)

    def restricted(self, takes: Callable[[str], bool]) -> RunMatrix:
        """Return the matrix with some candidates only, and the cases that one of them solves."""
        seconds = self.seconds[[name for name in self.seconds if name not in candidates.NOT_CHOSEN and takes(name)]]
        return RunMatrix(self.cases, seconds)._of(np.isfinite(seconds).any(axis=1))

    def without(self, family: str) -> RunMatrix:
        """Return the matrix without a family."""
        return self._of(self.cases["family"] != family)

    def only(self, family: str) -> RunMatrix:
        """Return the cases of one family."""
        return self._of(self.cases["family"] == family)

    def single_best(self) -> str:
        """Return the candidate with the least mean time on all cases, failures penalized."""
        return str(self.penalized.mean().idxmin())

    def _of(self, kept: pd.Series) -> RunMatrix:
        return RunMatrix(self.cases[kept], self.seconds[kept])


def column(solver: str, threads: int) -> str:
    """Return the name of the column of a candidate with a number of threads."""
    return solver if threads == 1 else f"{solver} on {threads} threads"
