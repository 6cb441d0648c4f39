"""The clock behind a `time_limit`."""

import time

import numpy as np

from .errors import TimeLimit

#: Seconds that a bound takes for an entry of the matrix on a slow machine. A search stops that much before its
#: deadline, but not before half of its time, so that the bound is ready in time.
BOUND_SECONDS = 1e-9


class Deadline:
    """The end of a time limit in seconds that starts now; None for no limit."""

    def __init__(self, seconds: float | None) -> None:
        self.seconds = np.inf if seconds is None else seconds
        self._end = time.monotonic() + self.seconds

    @property
    def left(self) -> float:
        """Seconds left; below 0 once the deadline has passed."""
        return self._end - time.monotonic()

    def left_before(self, seconds: float) -> float:
        """Return the seconds left, minus a reserve for the final bound, but at least half of what is left."""
        left = self.left
        return left - min(seconds, left / 2)

    def check(self, shape: tuple[int, int]) -> None:
        """Raise TimeLimit, without a bound, if the deadline has passed; `shape` is that of the problem."""
        if self.left <= 0:
            raise TimeLimit(self.seconds, shape)
