"""Resident memory of this process: its size now, its peak since a moment, and a limit on its growth."""

import contextlib
import resource
import sys
from pathlib import Path

_STATUS = Path("/proc/self/status")


def is_known() -> bool:
    """Return whether the system tells more than the peak of the whole process."""
    return _STATUS.exists()


def start_peak() -> int:
    """Reset the peak of the resident size, and return the current size in bytes."""
    with contextlib.suppress(OSError):
        Path("/proc/self/clear_refs").write_text("5")
    return read("VmRSS")


def read(name: str) -> int:
    """Return a line of /proc/self/status in bytes; on other systems the peak of the process, which all have."""
    if not is_known():
        scale = 1 if sys.platform == "darwin" else 1024
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * scale
    for line in _STATUS.read_text().splitlines():
        if line.startswith(name + ":"):
            return int(line.split()[1]) * 1024
    raise RuntimeError(f"{_STATUS} has no line {name}")


def limit_growth(allowed: int | None) -> None:
    """Let the data of this process grow by so many bytes only, where their size is known; with None without limit."""
    if is_known():
        _, hard = resource.getrlimit(resource.RLIMIT_DATA)
        soft = hard if allowed is None else read("VmData") + allowed
        resource.setrlimit(resource.RLIMIT_DATA, (soft if hard < 0 else min(soft, hard), hard))
