"""Control groups, which count and limit all memory of a process tree: private, shared, mapped or in memory files.

They need root, or a scope that systemd has delegated to this process (`systemd-run --user --scope -p Delegate=yes
lapmark run ...`). Both versions of the interface work (cgroups(7)).
"""

import contextlib
import dataclasses
import functools
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import psutil

_OWN, _ROOT = Path("/proc/self/cgroup"), Path("/sys/fs/cgroup")


@dataclass(frozen=True)
class _Interface:
    """The file names of one version of the interface, and the entries of `memory.stat` to add up."""

    limit: str
    with_swap: str
    usage: str
    events: str
    counted: tuple[str, ...]


_VERSION_1 = _Interface(
    "memory.limit_in_bytes",
    "memory.memsw.limit_in_bytes",
    "memory.usage_in_bytes",
    "memory.oom_control",
    ("rss", "shmem"),
)
_VERSION_2 = _Interface("memory.max", "memory.swap.max", "memory.current", "memory.events", ("anon", "shmem"))


@dataclass(frozen=True)
class ControlGroup:
    """A control group; `lapmark.bench.system.supervisor` puts a process into it, and removes it at the end.

    `cpu_path` is the group of the same name that counts processor time; in version 2 of the interface the same group.
    """

    path: Path
    interface: _Interface
    cpu_path: Path | None = None

    @classmethod
    def make(cls, name: str) -> Self | None:
        """Make a group; return None where that is not possible."""
        if (parent := _parent()) is None:
            return None
        path, interface = parent
        group = cls(path / name, interface)
        with contextlib.suppress(OSError):
            group.path.mkdir()
            if (group.path / interface.limit).exists():
                return dataclasses.replace(group, cpu_path=_cpu_path(group))
            group.path.rmdir()
        return None

    @property
    def paths(self) -> tuple[str, ...]:
        """Return the folders of both groups."""
        return tuple({str(path) for path in (self.path, self.cpu_path) if path is not None})

    def processor_time(self) -> float | None:
        """Return the seconds used by the group's processes, also ended ones; None where they are not counted."""
        if self.cpu_path is None:
            return None
        with contextlib.suppress(OSError, ValueError):
            if self.interface is _VERSION_2:
                return _read(self.cpu_path / "cpu.stat")["usage_usec"] / 1e6
            return int((self.cpu_path / "cpuacct.usage").read_text()) / 1e9
        return None

    def limit(self, size: int) -> None:
        """Make the kernel kill processes of the group before it exceeds `size` bytes."""
        size = max(size, self._number(self.interface.usage))  # a smaller limit would be refused, or kill at once
        if self.interface is _VERSION_2:
            self._write(self.interface.limit, size)
            self._write(self.interface.with_swap, 0)
        else:
            # The first must never exceed the second; the order that works depends on whether the limit rises.
            for name in (self.interface.limit, self.interface.with_swap, self.interface.limit):
                self._write(name, size)

    def used(self) -> int:
        """Return the bytes of the group: private, in shared mappings and in memory files, without disk caches."""
        stat = _read(self.path / "memory.stat")
        return sum(stat.get(name, 0) for name in self.interface.counted)

    def kills(self) -> int:
        """Return the number of processes that the kernel has killed at the limit."""
        return _read(self.path / self.interface.events).get("oom_kill", 0)

    def _number(self, name: str) -> int:
        with contextlib.suppress(OSError, ValueError):
            return int((self.path / name).read_text())
        return 0

    def _write(self, name: str, value: int) -> None:
        with contextlib.suppress(OSError):  # some systems do not count swap
            (self.path / name).write_text(str(value))


def groups_named(name: str) -> Iterator[Path]:
    """Yield all groups of this name: an earlier process may have run in another group than this one."""
    for root in (_ROOT / "memory", _ROOT / "cpuacct", _ROOT):
        if (root / "cgroup.procs").exists():
            yield from root.rglob(name)


@functools.cache
def _parent() -> tuple[Path, _Interface] | None:
    """Return the group below which this process makes others, and its interface."""
    own = _own()
    if "memory" in own:
        return own["memory"], _VERSION_1
    if "" in own and enable_controller(own[""], "memory"):
        return own[""], _VERSION_2
    return None


def _own() -> Mapping[str, Path]:
    """Return the groups of this process by controller for version 1; the key "" has that of version 2."""
    found = {}
    with contextlib.suppress(OSError):
        for line in _OWN.read_text(encoding="utf-8").splitlines():
            _, controllers, path = line.split(":", 2)
            for name in controllers.split(","):
                found[name] = _ROOT / name / path.lstrip("/")
    return found


def enable_controller(above: Path, controller: str) -> bool:
    """Enable a controller for the groups below one of version 2; return whether it is enabled.

    A group with controllers below it cannot contain processes itself (the rule of no internal processes). If all of
    them belong to this command, they are moved to a group below, permanently.
    """
    control = above / "cgroup.subtree_control"
    try:
        if controller in control.read_text().split():
            return True
        if controller not in (above / "cgroup.controllers").read_text().split():
            return False
        inside = set(map(int, (above / "cgroup.procs").read_text().split()))
        own = {process.pid for process in psutil.Process().children(recursive=True)} | {os.getpid()}
        if inside <= own:
            below = above / f"lapmark-{os.getpid()}"
            below.mkdir()
            for process in inside:
                (below / "cgroup.procs").write_text(str(process))
        control.write_text(f"+{controller}")
    except OSError:
        return False
    return True


def _cpu_path(group: ControlGroup) -> Path | None:
    if group.interface is _VERSION_2:
        return group.path
    with contextlib.suppress(OSError, KeyError):
        path = _own()["cpuacct"] / group.path.name
        path.mkdir()
        return path
    return None


def _read(path: Path) -> Mapping[str, int]:
    with contextlib.suppress(OSError, ValueError):
        return {name: int(number) for name, number in map(str.split, path.read_text(encoding="ascii").splitlines())}
    return {}
