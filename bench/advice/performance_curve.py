"""Time and memory of one solver on one family as functions of the size n: power laws between measured sizes."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Any

import numpy as np

from lapmark.bench.results.statuses import LIMIT_REACHED

#: Sizes up to this factor above the largest measured size, or below the smallest, are extrapolated.
REACH = 4.0

#: Relative gap that the rounding of a bound explains.
ROUNDING_GAP = 1e-12

#: Marginal error at which solvers of blurred transport stop by default.
STOP = 1e-3


@dataclass(frozen=True)
class Curve:
    """Measurements of a solver on a family.

    `gap` is the largest gap; for blurred transport the largest marginal error, with 0 for errors up to `STOP`.
    """

    n: np.ndarray  # sizes with a certified answer, ascending
    seconds: np.ndarray  # median time at each of them
    memory: np.ndarray  # peak memory in bytes at each of them
    gap: float
    sample_range: Mapping[int, tuple[float, float]]  # the fastest and the slowest sample at each size, in seconds
    failures: tuple[tuple[int, str], ...]  # sizes without a certified answer, and their statuses

    @classmethod
    def of(cls, rows: Sequence[Any]) -> Curve:
        """Return the curve of some rows of a table of cells, with medians over the seeds of each size."""
        ok = [row for row in rows if is_solved(row)]
        of_size: dict[int, list[Any]] = {}
        for row in sorted(ok, key=lambda row: row.n):
            of_size.setdefault(int(row.n), []).append(row)

        def medians(name: str) -> np.ndarray:
            return np.array([median(getattr(row, name) for row in each) for each in of_size.values()])

        low, high = medians("seconds_min"), medians("seconds_max")
        return cls(
            np.array(list(of_size), dtype=np.int64),
            medians("seconds"),
            medians("peak_memory"),
            max(map(gap_of, ok), default=math.inf),
            dict(zip(of_size, zip(low.tolist(), high.tolist(), strict=True), strict=True)),
            tuple(sorted((int(row.n), str(row.status)) for row in rows if row.status not in {"ok", "unproven"})),
        )

    def at(self, n: int, values: np.ndarray, left_out: int | None = None) -> float:
        """Return `values`, one per size, at size n: measured, interpolated, or extrapolated as a power law.

        `left_out` is a size to ignore. NaN with fewer than two sizes, none of them n.
        """
        kept = self.n != (left_out or -1)
        sizes, values = self.n[kept], values[kept]
        if n in sizes:
            return float(values[sizes == n][0])
        if len(sizes) < 2:
            return math.nan
        after = int(np.clip(np.searchsorted(sizes, n), 1, len(sizes) - 1))
        (x0, x1), (y0, y1) = np.log(sizes[after - 1 : after + 1]), np.log(values[after - 1 : after + 1])
        return math.exp(y0 + max(y1 - y0, 0.0) / (x1 - x0) * (math.log(n) - x0))

    def failure(self, n: int) -> str | None:
        """Return the failure that is expected at size n: a limit holds from its size on, any other at every size."""
        for size, status in self.failures:
            if status not in LIMIT_REACHED or n >= size:
                return f"{status} at n = {size}"
        return None

    def reaches(self, n: int) -> bool:
        """Return whether n is within `REACH` of the measured sizes."""
        return bool(len(self.n)) and self.n[0] / REACH <= n <= self.n[-1] * REACH


def is_solved(row: Any) -> bool:
    """Return whether a row of a table of cells has an answer that is certified, if only up to rounding."""
    within_rounding = row.status == "unproven" and row.exact and row.gap <= ROUNDING_GAP
    return bool(row.seconds > 0 and (row.status == "ok" or within_rounding))


def gap_of(row: Any) -> float:
    """Return the gap of an answer, or the marginal error of a blurred one, whose gap is mostly due to the blur."""
    if row.exact:
        return 0.0
    if row.kind.startswith("blurred"):
        return float(row.marginal_error) if row.marginal_error > STOP else 0.0
    return 0.0 if math.isnan(row.gap) else float(row.gap)
