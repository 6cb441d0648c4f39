"""A control group for a process tree, which counts and limits all of its memory: shared, mapped or in memory files.

Only where this process may make groups: as root, or in a scope that systemd has delegated to it (`systemd-run --user
--scope -p Delegate=yes lapmark run ...`). Both versions of the interface will do (cgroups(7)).
"""

from __future__ import annotations

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
class _Names:
    """Names of the files in one version of the interface, and of the entries of `memory.stat` that count."""

    limit: str
    with_swap: str
    usage: str
    events: str
    counted: tuple[str, ...]


_FIRST = _Names(
    "memory.limit_in_bytes",
    "memory.memsw.limit_in_bytes",
    "memory.usage_in_bytes",
    "memory.oom_control",
    ("rss", "shmem"),
)
_SECOND = _Names("memory.max", "memory.swap.max", "memory.current", "memory.events", ("anon", "shmem"))


@dataclass(frozen=True)
class Group:
    """A control group; `lapmark.bench.system.supervisor` puts a process into it, and removes it in the end.

    Attributes
    ----------
    path : Path
    accounts : Path or None
        The group of the same name that counts processor time: the same in version 2 of the interface.
    """

    path: Path
    names: _Names
    accounts: Path | None = None

    @classmethod
    def make(cls, name: str) -> Self | None:
        """Make a group; None where that is not possible."""
        if (place := _place()) is None:
            return None
        above, names = place
        group = cls(above / name, names)
        with contextlib.suppress(OSError):
            group.path.mkdir()
            if (group.path / names.limit).exists():
                return dataclasses.replace(group, accounts=_accounts(group))
            group.path.rmdir()
        return None

    @property
    def paths(self) -> tuple[str, ...]:
        """The folders of both groups."""
        return tuple({str(path) for path in (self.path, self.accounts) if path is not None})

    def processor_time(self) -> float | None:
        """Seconds that the group's processes have used, those that have ended included; None where nobody counts."""
        if self.accounts is None:
            return None
        with contextlib.suppress(OSError, ValueError):
            if self.names is _SECOND:
                return _read(self.accounts / "cpu.stat")["usage_usec"] / 1e6
            return int((self.accounts / "cpuacct.usage").read_text()) / 1e9
        return None

    def limit(self, size: int) -> None:
        """Have the kernel kill processes of the group before it takes more memory than `size` bytes."""
        size = max(size, self._number(self.names.usage))  # less than that would be refused, or kill at once
        if self.names is _SECOND:
            self._write(self.names.limit, size)
            self._write(self.names.with_swap, 0)
        else:
            # Neither may pass the other, so that which is written first depends on whether the limit rises.
            for name in (self.names.limit, self.names.with_swap, self.names.limit):
                self._write(name, size)

    def used(self) -> int:
        """Bytes that the group holds: private, in shared mappings and in memory files; not what the disk has too."""
        stat = _read(self.path / "memory.stat")
        return sum(stat.get(name, 0) for name in self.names.counted)

    def kills(self) -> int:
        """How many processes the kernel has killed at the limit."""
        return _read(self.path / self.names.events).get("oom_kill", 0)

    def _number(self, name: str) -> int:
        with contextlib.suppress(OSError, ValueError):
            return int((self.path / name).read_text())
        return 0

    def _write(self, name: str, value: int) -> None:
        with contextlib.suppress(OSError):  # swap is not counted everywhere
            (self.path / name).write_text(str(value))


def named(name: str) -> Iterator[Path]:
    """Groups of that name, wherever they are: an earlier process may have run in another group than this one."""
    for root in (_ROOT / "memory", _ROOT / "cpuacct", _ROOT):
        if (root / "cgroup.procs").exists():
            yield from root.rglob(name)


@functools.cache
def _place() -> tuple[Path, _Names] | None:
    """The group below which this process makes others, and the names of its files."""
    own = _own()
    if "memory" in own:
        return own["memory"], _FIRST
    if "" in own and has_room(own[""], "memory"):
        return own[""], _SECOND
    return None


def _own() -> Mapping[str, Path]:
    """The groups of this process by controller in version 1 of the interface; under "" that of version 2."""
    found = {}
    with contextlib.suppress(OSError):
        for line in _OWN.read_text().splitlines():
            _, controllers, path = line.split(":", 2)
            for name in controllers.split(","):
                found[name] = _ROOT / name / path.lstrip("/")
    return found


def has_room(above: Path, controller: str) -> bool:
    """Whether groups below one of version 2 can have a controller; make it so, where that is possible.

    A group with controllers below it cannot have processes of its own (the rule of no internal processes). Where all
    of them belong to this command they move to a group below, for good.
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


def _accounts(group: Group) -> Path | None:
    if group.names is _SECOND:
        return group.path
    with contextlib.suppress(OSError, KeyError):
        accounts = _own()["cpuacct"] / group.path.name
        accounts.mkdir()
        return accounts
    return None


def _read(path: Path) -> Mapping[str, int]:
    with contextlib.suppress(OSError, ValueError):
        return {name: int(number) for name, number in map(str.split, path.read_text().splitlines())}
    return {}
