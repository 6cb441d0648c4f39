"""Conditions of a measurement: other load, frequency and heat of the cores; and warnings before a run.

A worker takes them before and after its timed calls, and stores them in its record as `Record.conditions`:

    others             share of the time of the worker's cores that went to other processes, interrupts, and the host
                       of a virtual machine (steal); of all cores where a worker cannot be pinned
    frequency          lowest frequency of those cores between calls, relative to their maximum
    frequency_moved    range of the frequency, relative to the same
    throttled          number of times that a core or its package was too hot

Figures that the system does not provide are absent. Nothing here stops a run.
"""

import contextlib
import os
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

import psutil

from . import cores as usable_cores
from . import process_resources

#: Shortest time in seconds for a share of others: the system counts the time of a core in ticks of 10 ms.
SHORTEST = 0.2

#: Share of others above which a cell was measured under load: twice the error from the ticks over the shortest time,
#: and far above the 1 % of an idle machine.
LOADED = 0.1

#: Number of busy cores before a run above which to warn.
BUSY = 0.5

#: Share of the time taken by the host of a virtual machine above which to warn.
STEAL = 0.02

_STAT = Path("/proc/stat")
_CPUS = Path("/sys/devices/system/cpu")


@dataclass(frozen=True)
class Snapshot:
    """The counts of some cores at a moment: seconds, and the number of times that one of them was too hot."""

    cores: int
    at: float
    total: float
    idle: float
    own: float
    hot: float | None


class ConditionsMonitor:
    """Monitors the cores that this process may use, from its construction on."""

    def __init__(self) -> None:
        self._cores = usable_cores.usable()
        self._frequencies: list[float] = []
        self.sample_frequency()
        self._start = _snapshot(self._cores)

    def sample_frequency(self) -> None:
        """Sample the frequency of the cores, between two calls."""
        self._frequencies += filter(None, (_frequency(core) for core in self._cores))

    def conditions(self) -> dict[str, float]:
        """Return the conditions from the start until now."""
        found: dict[str, float] = {}
        first, last = self._start, _snapshot(self._cores)
        if first and last and (share := others(first, last)) is not None:
            found["others"] = share
        if self._frequencies:
            found["frequency"] = min(self._frequencies)
            found["frequency_moved"] = max(self._frequencies) - min(self._frequencies)
        if first and last and first.hot is not None and last.hot is not None:
            found["throttled"] = last.hot - first.hot
        return found


def others(first: Snapshot, last: Snapshot) -> float | None:
    """Return the share of the cores' time that was neither idle nor this process's own; None where it is unknown."""
    seconds = (last.at - first.at) * last.cores
    if last.at - first.at < SHORTEST or last.total - first.total < seconds / 2:  # some containers do not count
        return None
    busy = seconds - (last.idle - first.idle)
    return min(1.0, max(0.0, (busy - (last.own - first.own)) / seconds))


def worst(one: Mapping[str, float], other: Mapping[str, float]) -> dict[str, float]:
    """Return the more disturbing condition of two rounds, for each name."""
    worse = {"frequency": min}
    both = {name: worse.get(name, max)(one[name], other[name]) for name in one.keys() & other.keys()}
    return {**one, **other, **both}


def is_loaded(conditions: Mapping[str, float]) -> bool:
    """Return whether a cell was measured under load."""
    return conditions.get("others", 0.0) > LOADED


def warnings(cpus: Path = _CPUS) -> list[str]:
    """Return causes of noisy times here, one line each with a remedy; takes 0.2 s. `cpus` has the processors' files."""
    return [*_load(), *_settings(cpus), *_battery()]


def _load() -> Iterable[str]:
    used = psutil.cpu_times_percent(SHORTEST)
    cores = psutil.cpu_count() or 1
    busy = cores * (100 - used.idle - getattr(used, "iowait", 0.0)) / 100
    if busy > BUSY:
        yield f"other processes use {busy:.1f} of {cores} cores now: end them, or read the times as upper bounds"
    if (steal := getattr(used, "steal", 0.0) / 100) > STEAL:
        yield f"the host of this virtual machine takes {steal:.0%} of its time: use a dedicated machine, or --rounds 5"


def _settings(cpus: Path) -> Iterable[str]:
    governors = {_read(path) for path in cpus.glob("cpu[0-9]*/cpufreq/scaling_governor")}
    if slow := governors - {"performance", None}:
        yield (
            f"the frequency governor is {', '.join(sorted(filter(None, slow)))}: "
            "sudo cpupower frequency-set --governor performance"
        )
    for path, on, off in ((cpus / "intel_pstate/no_turbo", "0", "1"), (cpus / "cpufreq/boost", "1", "0")):
        if _read(path) == on:
            yield f"turbo is on, whose speed depends on heat: echo {off} | sudo tee {path}"


def _battery() -> Iterable[str]:
    battery = psutil.sensors_battery() if hasattr(psutil, "sensors_battery") else None
    if battery is not None and battery.power_plugged is False:
        yield "this machine runs on battery, which slows it down: plug it in"


def _snapshot(cores: list[int]) -> Snapshot | None:
    """Return the counts of these cores, of all cores where a process cannot be kept to some of them."""
    times = _times(cores) if cores else [(sum(core), core.idle) for core in psutil.cpu_times(percpu=True)]
    if not times:
        return None
    total, idle = map(sum, zip(*times, strict=True))
    return Snapshot(len(times), time.perf_counter(), total, idle, process_resources.processor_time(), _hot(cores))


def _times(cores: list[int]) -> list[tuple[float, float]]:
    """Return the seconds of each core since the start of the system, and those of them that it was idle."""
    with contextlib.suppress(OSError, ValueError, IndexError):
        ticks = os.sysconf("SC_CLK_TCK")
        lines = map(str.split, _STAT.read_text(encoding="ascii").splitlines())
        rows = {line[0]: [int(value) / ticks for value in line[1:9]] for line in lines if line}
        mine = [rows[f"cpu{core}"] for core in cores if f"cpu{core}" in rows]
        return [(sum(row), row[3] + row[4]) for row in mine]
    return []


def _frequency(core: int) -> float | None:
    """Return the frequency of a core relative to its maximum."""
    folder = _CPUS / f"cpu{core}/cpufreq"
    now, most = _read(folder / "scaling_cur_freq"), _read(folder / "cpuinfo_max_freq")
    return int(now) / int(most) if now and most and now.isdigit() and most.isdigit() else None


def _hot(cores: list[int]) -> float | None:
    names = ("core_throttle_count", "package_throttle_count")
    counts = [_read(_CPUS / f"cpu{core}/thermal_throttle/{name}") for core in cores for name in names]
    return float(sum(int(count) for count in counts if count)) if any(counts) else None


def _read(path: Path) -> str | None:
    try:
        return path.read_text(encoding="utf-8").strip()
    except OSError:
        return None
