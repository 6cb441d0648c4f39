"""A control group for a process tree, which counts and limits all of its memory: shared, mapped or in memory files.

Only where this process may make groups below its own: as root in most containers, or in a scope that systemd has
delegated (`systemd-run --user --scope -p Delegate=yes lapmark run ...`). Both versions of the interface will do
(cgroups(7)).
"""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Self

_OWN, _ROOT = Path("/proc/self/cgroup"), Path("/sys/fs/cgroup")


@dataclass(frozen=True)
class _Names:
    """What a version of the interface calls its files, and what counts in `memory.stat`."""

    limit: str
    with_swap: str
    events: str
    counted: tuple[str, ...]


_FIRST = _Names("memory.limit_in_bytes", "memory.memsw.limit_in_bytes", "memory.oom_control", ("rss", "shmem"))
_SECOND = _Names("memory.max", "memory.swap.max", "memory.events", ("anon", "shmem"))


@dataclass(frozen=True)
class Group:
    """A control group; `bench.keeper` puts a process into it, and removes it in the end."""

    path: Path
    names: _Names

    @classmethod
    def make(cls, name: str) -> Self | None:
        """Make a group below that of this process; None where that is not possible."""
        for above, names in places():
            group = cls(above / name, names)
            with contextlib.suppress(OSError):
                group.path.mkdir()
                if (group.path / names.limit).exists():
                    return group
                group.path.rmdir()
        return None

    def limit(self, size: int) -> None:
        """Have the kernel kill processes of the group before it takes more memory than `size` bytes."""
        size = max(size, self._usage())  # less than that would be refused, or kill at once
        with contextlib.suppress(OSError):
            (self.path / self.names.limit).write_text(str(size))
        with contextlib.suppress(OSError):  # absent where swap is not counted
            (self.path / self.names.with_swap).write_text("0" if self.names is _SECOND else str(size))

    def used(self) -> int:
        """Bytes that the group holds: private, in shared mappings and in memory files; not what the disk has too."""
        stat = _read(self.path / "memory.stat")
        return sum(stat.get(name, 0) for name in self.names.counted)

    def kills(self) -> int:
        """How many processes the kernel has killed at the limit."""
        return _read(self.path / self.names.events).get("oom_kill", 0)

    def _usage(self) -> int:
        name = "memory.current" if self.names is _SECOND else "memory.usage_in_bytes"
        try:
            return int((self.path / name).read_text())
        except OSError:
            return 0


def places() -> list[tuple[Path, _Names]]:
    """The group of this process, by each version of the interface that is there."""
    places = []
    with contextlib.suppress(OSError):
        for line in _OWN.read_text().splitlines():
            _, controllers, path = line.split(":", 2)
            if not controllers:
                places.append((_ROOT / path.lstrip("/"), _SECOND))
            elif "memory" in controllers.split(","):
                places.append((_ROOT / "memory" / path.lstrip("/"), _FIRST))
    return places


def _read(path: Path) -> Mapping[str, int]:
    with contextlib.suppress(OSError, ValueError):
        return {name: int(number) for name, number in map(str.split, path.read_text().splitlines())}
    return {}
