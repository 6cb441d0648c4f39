"""Check of the times that a worker states, against the harness's clock and the system's processor time.

A stated time is compared with the time between the order to call the solver and the worker's report that it has
answered: it can be neither longer nor much shorter. So a stopped clock and invented samples show. The system charges
processor time to the worker and all that it has started, however much other processes delay it. The charge during a
call, with that of processes that have ended since, must fit the stated time. The charge before and after a call must
be little more than reading and writing. A charge of more than its cores could deliver proves helpers elsewhere. The
cores that its threads may use are checked after each call.

Each call is compared with its own stated time, and the median over all calls of a cell judges: a single call may be
delayed, and on a busy machine all take longer by the clock, each by another amount.
"""

import contextlib
import os
import statistics
import time
from dataclasses import dataclass
from pathlib import Path

from lapmark.bench.system.cores import of_threads
from lapmark.bench.system.process_tree import ProcessTree

#: Tolerances of a stated time: seconds of delay by other processes, seconds of processor time, and the fraction of the
#: stated time that is added to both.
DELAY, CHARGE, FRACTION = 0.05, 0.003, 0.1

#: Processor time allowed beyond that if there is a single call, in seconds.
SINGLE = 0.004

#: Processor time allowed to read a problem, or to write an answer: a multiple of the time that both take here, seconds
#: per pair for the conversion to a matrix, and a constant.
HANDLING_FACTOR, PAIR_TIME, HANDLING_CONSTANT = 5.0, 6e-8, 0.005

#: Tolerances of processor time against the capacity of the cores: seconds, as the system counts in ticks, and a factor.
#: The seconds are also allowed to processes that have ended, over all calls.
TICKS, CAPACITY_FACTOR = 0.03, 1.05

#: Tolerances of the first call, which fills caches and memory pools, against the others: a factor, seconds of processor
#: time, and the seconds of a solver that may load packages then.
FIRST_FACTOR, SETTING_UP, LOADING = 3.0, 0.02, 0.5


@dataclass
class _Call:
    """Times of a call in seconds.

    `stated` is the worker's, `seen` this side's; the others are processor time charged while the problem is read, the
    previous call repeated, the solver called and the answer written.
    """

    stated: float = 0.0
    seen: float = 0.0
    reading: float = 0.0
    repeating: float = 0.0
    calling: float = 0.0
    writing: float = 0.0


class ClockCheck:
    """Observes a worker's calls from outside.

    `cores` are those that it may use, empty where the system does not list them. `starts_slowly` is for a solver whose
    first call may load packages.
    """

    def __init__(self, tree: ProcessTree, threads: int, cores: set[int], starts_slowly: bool) -> None:
        self._set_up = LOADING if starts_slowly else SETTING_UP
        self._pid, self._group, self._threads, self._cores = tree.pid, tree.group, threads, cores
        self._began = self._charged = self._total = self._ended = 0.0
        self._calls: list[_Call] = []

    def load(self) -> None:
        """Note that the worker is about to read a problem."""
        self._charge()
        if not self._calls:
            self._ended = self._used_by_ended()
        self._calls.append(_Call())

    def loaded(self) -> None:
        """Note that the worker has read the problem."""
        self._calls[-1].reading = self._charge()

    def start(self) -> None:
        """Note that a call is about to be ordered, after the previous one may have been repeated."""
        self._calls[-1].repeating = self._charge()
        self._began = time.perf_counter()

    def stop(self, stated: float) -> str | None:
        """Note the end of a call and the worker's stated time; return what contradicts that, or None."""
        call = self._calls[-1]
        call.stated, call.seen, call.calling = stated, time.perf_counter() - self._began, self._charge()
        if stated > call.seen:
            return f"states that a call took {stated:.6f} s, but it ended {call.seen:.6f} s after it was ordered"
        if call.calling > CAPACITY_FACTOR * self._threads * call.seen + TICKS:
            return f"used {call.calling:.3f} s of processor time in {call.seen:.3f} s on {self._threads} core(s)"
        return self._fault_of_cores()

    def written(self) -> None:
        """Note that the answer is written."""
        self._calls[-1].writing = self._charge()

    def fault(self, handling: float, pairs: int) -> str | None:
        """Return what contradicts the stated times, by the medians over all calls, or None.

        `handling` is the processor time in seconds to write the problem and read the answer in this process.
        """
        calls = self._calls[1:] or self._calls  # the first is no sample where there are more
        before = self._calls[: len(calls)]  # the calls that these repeat
        stated, seen, reading, repeating, calling, writing = (
            statistics.median(getattr(call, name) for call in calls)
            for name in ("stated", "seen", "reading", "repeating", "calling", "writing")
        )
        claim, allowance = f"states that a call took {stated:.6f} s; ", FRACTION * self._threads * stated + CHARGE
        if len(self._calls) == 1:  # a single call, and no median that passes over late orders
            allowance += SINGLE
        ended = max(self._used_by_ended() - self._ended - TICKS, 0.0) / len(self._calls)
        repeated = [call.repeating - self._threads * last.stated for last, call in zip(before, calls, strict=True)]
        # The repeated call must not take longer than a call: the next problem is in memory by then.
        excess = statistics.median(
            call.calling - self._threads * call.stated + max(more, 0.0)
            for call, more in zip(calls, repeated, strict=True)
        )
        if excess + ended > allowance:
            return f"{claim}it used the processor for {self._threads * stated + excess + ended:.6f} s"
        if statistics.median(call.seen - (1 + FRACTION) * call.stated for call in calls) > DELAY:
            return f"{claim}{seen:.6f} s passed on the harness's clock"
        handling_allowed = HANDLING_CONSTANT + HANDLING_FACTOR * handling + PAIR_TIME * pairs
        most_repeating = repeating - statistics.median(repeated) + allowance
        for what, used, most in (
            ("read the problem before", reading, handling_allowed),
            ("repeat the previous call before", repeating, most_repeating),
            ("write the answer after", writing, handling_allowed),
        ):
            if used > most:
                return f"{claim}it used the processor for {used:.6f} s to {what} that, at most {most:.6f} s are allowed"
        if (first := self._calls[0].calling) > FIRST_FACTOR * max(calling, self._threads * stated) + self._set_up:
            return f"{claim}the first one used the processor for {first:.6f} s, as if it had computed for the others"
        return None

    def _charge(self) -> float:
        """Return the processor time since the last reading, of the worker and its living descendants."""
        before, self._charged = self._charged, sum(map(_used, _family(self._pid)))
        used = max(self._charged - before, 0.0)
        self._total += used
        return used

    def _used_by_ended(self) -> float:
        """Return the processor time of processes that have ended, to within a few system ticks."""
        if self._group and (total := self._group.processor_time()) is not None:
            return total - self._total
        return sum(map(_used_by_children, _family(self._pid)))

    def _fault_of_cores(self) -> str | None:
        if not self._cores:
            return None
        for pid in _family(self._pid):
            for allowed in of_threads(pid):
                if not allowed <= self._cores:
                    return f"runs on cores {sorted(allowed)}, but was given {sorted(self._cores)}"
        return None


def _used(pid: int) -> float:
    """Return the seconds of processor time of a living process; 0 where the system has no such clock."""
    with contextlib.suppress(OSError):
        # The clock of clock_getcpuclockid(3), which counts nanoseconds; /proc counts ticks.
        return time.clock_gettime((~pid << 3) | 2)
    return 0.0


def _used_by_children(pid: int) -> float:
    """Return the seconds of processor time of the ended children that a process has waited for."""
    with contextlib.suppress(OSError):
        user, system = Path(f"/proc/{pid}/stat").read_bytes().rpartition(b")")[2].split()[13:15]
        return (int(user) + int(system)) / os.sysconf("SC_CLK_TCK")
    return 0.0


def _family(pid: int) -> list[int]:
    """Return the process and its descendants, where the system lists them."""
    found = [pid]
    for one in found:
        with contextlib.suppress(OSError):
            for listed in Path(f"/proc/{one}/task").glob("*/children"):
                found += map(int, listed.read_text().split())
    return found
