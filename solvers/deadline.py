"""The clock behind a `time_limit`."""

from __future__ import annotations

import time

import numpy as np

from .problem import TimeLimit


class Deadline:
    """The end of a time limit that begins now, in seconds; of none where it is None."""

    def __init__(self, seconds: float | None) -> None:
        self.seconds = np.inf if seconds is None else seconds
        self._end = time.monotonic() + self.seconds

    @property
    def left(self) -> float:
        """Seconds until then; below 0 afterwards."""
        return self._end - time.monotonic()

    def left_before(self, seconds: float) -> float:
        """Seconds until so much before the end, where something else is due; but no less than half of what is left."""
        left = self.left
        return left - min(seconds, left / 2)

    def check(self, shape: tuple[int, int]) -> None:
        """Raise TimeLimit where nothing is known yet of a problem of that shape, and the time is over."""
        if self.left <= 0:
            raise TimeLimit(self.seconds, shape)
