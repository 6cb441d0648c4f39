"""What else the machine did while a cell was measured, and what should be mended before a run.

A worker looks before and after its timed calls; the figures go into its record, as `Record.conditions`:

    others             share of the worker's cores' time that went to others: other processes, interrupts, and what the
                       host of a virtual machine took (steal)
    frequency          lowest frequency of those cores between calls, over the most they can
    frequency_moved    how far it moved, over the same
    throttled          times that a core or its package was too hot

One that the system does not tell is absent. Nothing here stops a run.
"""

from __future__ import annotations

import contextlib
import os
import resource
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

import psutil

#: Seconds below which nothing is said of others: the system counts a core's time in ticks of 10 ms.
SHORTEST = 0.2

#: A cell with more than this share of its cores' time gone to others was measured under load: twice what the ticks may
#: feign over the shortest time, and far above an idle machine's 1 %.
LOADED = 0.1

#: Busy cores, before a run, from which on others are worth a warning: it is what would be taken of the one in use.
BUSY = 0.5

#: Share of the time that the host of a virtual machine takes, from which on it is worth a warning.
STEAL = 0.02

_STAT = Path("/proc/stat")
_CPUS = Path("/sys/devices/system/cpu")


@dataclass(frozen=True)
class Look:
    """What the system has counted up to a moment: seconds, and times too hot."""

    at: float
    total: float
    idle: float
    own: float
    hot: float | None


class Watch:
    """Watches the cores that this process may use, from its making on."""

    def __init__(self) -> None:
        self._cores = sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else []
        self._frequencies: list[float] = []
        self.glance()
        self._start = _look(self._cores)

    def glance(self) -> None:
        """Look at the frequency, between two calls."""
        self._frequencies += filter(None, (_frequency(core) for core in self._cores))

    def conditions(self) -> dict[str, float]:
        """The figures from the start up to now."""
        found: dict[str, float] = {}
        first, last = self._start, _look(self._cores)
        if first and last and (share := others(first, last, len(self._cores))) is not None:
            found["others"] = share
        if self._frequencies:
            found["frequency"] = min(self._frequencies)
            found["frequency_moved"] = max(self._frequencies) - min(self._frequencies)
        if first and last and first.hot is not None and last.hot is not None:
            found["throttled"] = last.hot - first.hot
        return found


def others(first: Look, last: Look, cores: int) -> float | None:
    """Share of the time of so many cores that was neither idle nor this process's own; None where that says nothing."""
    seconds = (last.at - first.at) * cores
    if last.at - first.at < SHORTEST or last.total - first.total < seconds / 2:  # some containers count nothing
        return None
    busy = seconds - (last.idle - first.idle)
    return min(1.0, max(0.0, (busy - (last.own - first.own)) / seconds))


def worst(one: Mapping[str, float], other: Mapping[str, float]) -> dict[str, float]:
    """Of two rounds, the conditions that disturb more."""
    worse = {"frequency": min}
    both = {name: worse.get(name, max)(one[name], other[name]) for name in one.keys() & other.keys()}
    return {**one, **other, **both}


def loaded(conditions: Mapping[str, float]) -> bool:
    """Whether a cell was measured under load."""
    return conditions.get("others", 0.0) > LOADED


def warnings(cpus: Path = _CPUS) -> list[str]:
    """What would make times here noisy, one line each with its cure. It takes a fifth of a second.

    Parameters
    ----------
    cpus : Path
        Where the system tells of its processors.
    """
    return [*_load(), *_settings(cpus), *_battery()]


def _load() -> Iterable[str]:
    used = psutil.cpu_times_percent(SHORTEST)
    cores = psutil.cpu_count() or 1
    busy = cores * (100 - used.idle - getattr(used, "iowait", 0.0)) / 100
    if busy > BUSY:
        yield f"others use {busy:.1f} of {cores} cores at this moment: end them, or take the times for an upper bound"
    if (steal := getattr(used, "steal", 0.0) / 100) > STEAL:
        yield f"the host of this virtual machine takes {steal:.0%} of its time: use a machine of its own, or --rounds 5"


def _settings(cpus: Path) -> Iterable[str]:
    governors = {_read(path) for path in cpus.glob("cpu[0-9]*/cpufreq/scaling_governor")}
    if slow := governors - {"performance", None}:
        yield (
            f"the frequency governor is {', '.join(sorted(filter(None, slow)))}: "
            "sudo cpupower frequency-set --governor performance"
        )
    for path, on, off in ((cpus / "intel_pstate/no_turbo", "0", "1"), (cpus / "cpufreq/boost", "1", "0")):
        if _read(path) == on:
            yield f"turbo is on, which depends on heat: echo {off} | sudo tee {path}"


def _battery() -> Iterable[str]:
    battery = psutil.sensors_battery() if hasattr(psutil, "sensors_battery") else None
    if battery is not None and battery.power_plugged is False:
        yield "this machine runs on its battery, which slows it down: plug it in"


def _look(cores: list[int]) -> Look | None:
    with contextlib.suppress(OSError, ValueError, IndexError):
        ticks = os.sysconf("SC_CLK_TCK")
        rows = {row[0]: [int(value) / ticks for value in row[1:9]] for row in map(str.split, _STAT.open()) if row}
        mine = [rows[f"cpu{core}"] for core in cores if f"cpu{core}" in rows]
        if mine:
            own = sum(
                usage.ru_utime + usage.ru_stime
                for usage in map(resource.getrusage, (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
            )
            idle = sum(row[3] + row[4] for row in mine)
            return Look(time.perf_counter(), sum(map(sum, mine)), idle, own, _hot(cores))
    return None


def _frequency(core: int) -> float | None:
    """The core's frequency over the most that it can."""
    folder = _CPUS / f"cpu{core}/cpufreq"
    now, most = _read(folder / "scaling_cur_freq"), _read(folder / "cpuinfo_max_freq")
    return int(now) / int(most) if now and most and now.isdigit() and most.isdigit() else None


def _hot(cores: list[int]) -> float | None:
    names = ("core_throttle_count", "package_throttle_count")
    counts = [_read(_CPUS / f"cpu{core}/thermal_throttle/{name}") for core in cores for name in names]
    return float(sum(int(count) for count in counts if count)) if any(counts) else None


def _read(path: Path) -> str | None:
    try:
        return path.read_text().strip()
    except OSError:
        return None
