"""Resources of this process: resident memory now and at its peak, processor time, and limits.

Linux tells the resident size at any time and resets its peak. macOS has only the peak since the process started, so
that growth below an earlier peak is not seen there. Windows has neither, and nothing is measured on it.
"""

import contextlib
import sys
from pathlib import Path

if sys.platform != "win32":
    import resource

_STATUS = Path("/proc/self/status")

#: Bytes in the unit of `ru_maxrss`, see getrusage(2).
_PEAK_UNIT = 1 if sys.platform == "darwin" else 1024


def _is_known() -> bool:
    """Return whether the system tells more than the peak of the whole process."""
    return _STATUS.exists()


def start_peak() -> int:
    """Reset the peak of the resident size, and return the current size in bytes."""
    with contextlib.suppress(OSError):
        Path("/proc/self/clear_refs").write_text("5", encoding="ascii")
    return _read("VmRSS")


def growth(before: int) -> int:
    """Return by how many bytes the peak since `start_peak` is above what that returned."""
    return max(_read("VmHWM") - before, 0)


def _read(name: str) -> int:
    """Return a line of /proc/self/status in bytes; on other systems the peak of the process."""
    if not _is_known():
        return peak(resource.getrusage(resource.RUSAGE_SELF))
    for line in _STATUS.read_text(encoding="utf-8").splitlines():
        if line.startswith(name + ":"):
            return int(line.split()[1]) * 1024
    raise RuntimeError(f"{_STATUS} has no line {name}")


def peak(usage: "resource.struct_rusage") -> int:
    """Return the peak of the resident size, in bytes, of a process whose use of resources the system has told."""
    return usage.ru_maxrss * _PEAK_UNIT


def processor_time() -> float:
    """Return the seconds of processor time of this process and of its ended children."""
    usages = map(resource.getrusage, (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(usage.ru_utime + usage.ru_stime for usage in usages)


def limit_growth(allowed: int | None) -> None:
    """Let the data of this process grow by so many bytes only, where their size is known; with None without limit."""
    if _is_known():
        limit_data(None if allowed is None else _read("VmData") + allowed)


def limit_data(size: int | None) -> None:
    """Let the data of this process take so many bytes at most, where the system enforces that; with None no limit."""
    _, hard = resource.getrlimit(resource.RLIMIT_DATA)
    soft = hard if size is None else size
    resource.setrlimit(resource.RLIMIT_DATA, (soft if hard < 0 else min(soft, hard), hard))


def forbid_core_dumps() -> None:
    """Let a crash of this process write no memory to the disk."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
