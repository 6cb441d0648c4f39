"""Limits of a worker: time, memory and processes."""

from __future__ import annotations

from dataclasses import dataclass

#: Seconds for imports, for reading the problem and for compilation; none of it counts as the solver's time.
START_UP = 60.0

#: Bytes for imports and compilation in the warm-up, on top of the memory limit.
WARM_UP_MEMORY = 1 << 30

#: Matrices of the problem's shape that may be allocated while it is read.
COPIES = 4

#: Processes of one worker; with more it counts as out of control.
MOST_PROCESSES = 256

#: Seconds for a worker that is done to exit by itself. Packages save their caches at exit; a worker killed meanwhile
#: would leave half a file behind, which breaks every later process.
EXIT_TIME = 5.0


@dataclass(frozen=True, kw_only=True)
class Limits:
    """Limits of one call: seconds, and bytes above the worker's baseline."""

    timeout: float
    memory: int
    start_up: float = START_UP

    def slower(self, times: float) -> Limits:
        """Return the limits for a program that runs slower by a factor, as under callgrind."""
        return Limits(timeout=self.timeout * times, memory=2 * self.memory, start_up=self.start_up * times)
