"""The harness's own clocks beside a worker's: what it says of its time must fit both of them.

From the order to call the solver until the worker says that it has answered, a call cannot have taken longer than
this side saw, nor much less: so a clock that was stopped, or samples that were made up, show. The system charges
processor time to the worker and all that it has started, however much others delay it. What is charged during a call
fits into what was stated for it, together with what processes have used that have ended since; what is charged before
or after it is little more than reading and writing; and more than its cores had is proof of helpers elsewhere. The
cores that its threads may use are looked at after each call.

The medians over all calls of a cell count, as that of its samples does: one call or another may be delayed, or honest.
"""

from __future__ import annotations

import contextlib
import os
import statistics
import time
from dataclasses import dataclass
from pathlib import Path

from lapmark.bench.system.process_tree import Tree

#: By how much a call may have seemed longer on this side than was stated, in seconds, which others may have delayed it
#: by, and of processor time; and the part of what was stated that is added to both.
DELAY, CHARGE, PART = 0.05, 0.003, 0.1

#: Seconds of processor time that it may take to read a problem, or to write an answer down: how many times as long as
#: both do here, for each pair that a matrix may be made of, and beside.
TIMES, OF_PAIR, ASIDE = 5.0, 3e-8, 0.005

#: Of processor time over what the cores had in that time, which the system may tell to the tick; the seconds are also
#: allowed to processes that have ended, over all calls.
TICKS, MORE = 0.03, 1.05


#: By how much the first call, in which caches and pools of memory are filled, may take longer than the others: a
#: factor, and seconds of processor time, and those of a solver that may load packages then.
FIRST, SETTING_UP, LOADING = 3.0, 0.02, 0.5


@dataclass
class _Call:
    """Seconds: stated, and seen; and processor time charged while the problem is read, the call before made again, the
    solver called and the answer written."""

    stated: float = 0.0
    seen: float = 0.0
    reading: float = 0.0
    again: float = 0.0
    calling: float = 0.0
    writing: float = 0.0


class Clock:
    """Looks at a worker's calls from outside; `cores` are those that it may use, where the system knows that.

    `starts_slowly` is for a solver whose first call may load packages.
    """

    def __init__(self, tree: Tree, threads: int, cores: set[int], starts_slowly: bool) -> None:
        self._set_up = LOADING if starts_slowly else SETTING_UP
        self._pid, self._group, self._threads, self._cores = tree.pid, tree.group, threads, cores
        self._began = self._charged = self._total = self._ended = 0.0
        self._calls: list[_Call] = []

    def load(self) -> None:
        """The problem is about to be ordered to be read."""
        self._charge()
        if not self._calls:
            self._ended = self._used_by_ended()
        self._calls.append(_Call())

    def loaded(self) -> None:
        """The worker has read the problem."""
        self._calls[-1].reading = self._charge()

    def start(self) -> None:
        """A call is about to be ordered, after the one before may have been made again."""
        self._calls[-1].again = self._charge()
        self._began = time.perf_counter()

    def stop(self, stated: float) -> str | None:
        """End a call that the worker says took so long; return what contradicts it, None where nothing does."""
        call = self._calls[-1]
        call.stated, call.seen, call.calling = stated, time.perf_counter() - self._began, self._charge()
        if stated > call.seen:
            return f"says that a call took {stated:.6f} s, which ended {call.seen:.6f} s after it was ordered"
        if call.calling > MORE * self._threads * call.seen + TICKS:
            return f"used {call.calling:.3f} s of processor time in {call.seen:.3f} s on {self._threads} core(s)"
        return self._fault_of_cores()

    def written(self) -> None:
        """The answer is there."""
        self._calls[-1].writing = self._charge()

    def fault(self, handling: float, pairs: int) -> str | None:
        """Return what contradicts the stated times, by the medians over all calls; None where nothing does.

        Parameters
        ----------
        handling : float
            Seconds of processor time that problem and answer take here to be written and read.
        pairs : int
            Of the problem.
        """
        calls = self._calls[1:] or self._calls  # the first is no sample where there are more
        stated, seen, reading, again, calling, writing = (
            statistics.median(getattr(call, name) for call in calls)
            for name in ("stated", "seen", "reading", "again", "calling", "writing")
        )
        says, fits = f"says that a call took {stated:.6f} s; ", self._threads * (1 + PART) * stated + CHARGE
        ended = max(self._used_by_ended() - self._ended - TICKS, 0.0) / len(self._calls)
        # The call made again may not be what takes longer than a call: the next problem is there by then.
        if (used := calling + ended + max(again - self._threads * stated, 0.0)) > fits:
            return f"{says}it used the processor for {used:.6f} s"
        if seen > (1 + PART) * stated + DELAY:
            return f"{says}here {seen:.6f} s had passed"
        due = ASIDE + TIMES * handling + OF_PAIR * pairs
        for what, used, most in (
            ("read the problem before", reading, due),
            ("make the call before once more", again, fits),
            ("write the answer after", writing, due),
        ):
            if used > most:
                return f"{says}it used the processor for {used:.6f} s to {what} that, where {most:.6f} s are due"
        if (first := self._calls[0].calling) > FIRST * max(calling, self._threads * stated) + self._set_up:
            return f"{says}the first one used the processor for {first:.6f} s, as if others had made use of it"
        return None

    def _charge(self) -> float:
        """Processor time since the last look, of the worker and what it has started, as far as that is alive."""
        before, self._charged = self._charged, sum(map(_used, _family(self._pid)))
        used = max(self._charged - before, 0.0)
        self._total += used
        return used

    def _used_by_ended(self) -> float:
        """Processor time of processes that have ended, to within some ticks of the system."""
        if self._group and (all_of_it := self._group.processor_time()) is not None:
            return all_of_it - self._total
        return sum(map(_used_by_children, _family(self._pid)))

    def _fault_of_cores(self) -> str | None:
        if not self._cores:
            return None
        for pid in _family(self._pid):
            with contextlib.suppress(OSError):
                for thread in os.listdir(f"/proc/{pid}/task"):
                    if not (allowed := os.sched_getaffinity(int(thread))) <= self._cores:
                        return f"runs on cores {sorted(allowed)}, where it was given {sorted(self._cores)}"
        return None


def _used(pid: int) -> float:
    """Seconds of processor time of a process that is alive."""
    with contextlib.suppress(OSError):
        # What clock_getcpuclockid(3) gives, in nanoseconds where /proc has ticks.
        return time.clock_gettime((~pid << 3) | 2)
    return 0.0


def _used_by_children(pid: int) -> float:
    """Seconds of processor time of children of a process that it has waited for."""
    with contextlib.suppress(OSError):
        user, system = Path(f"/proc/{pid}/stat").read_bytes().rpartition(b")")[2].split()[13:15]
        return (int(user) + int(system)) / os.sysconf("SC_CLK_TCK")
    return 0.0


def _family(pid: int) -> list[int]:
    """The process and those below it, where the system lists them."""
    found = [pid]
    for one in found:
        with contextlib.suppress(OSError):
            for listed in Path(f"/proc/{one}/task").glob("*/children"):
                found += map(int, listed.read_text().split())
    return found
