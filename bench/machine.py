"""Where and with what a measurement was made: the machine, and the commit of the source."""

from __future__ import annotations

import functools
import hashlib
import os
import platform
import subprocess
from pathlib import Path

import psutil

_ROOT = Path(__file__).resolve().parent.parent

#: What decides a measurement; a change of the documentation or of a report does not.
SOURCES = ("solvers", "bench", "pyproject.toml", "meson.build")


@functools.cache
def machine() -> dict[str, object]:
    """Facts about this machine; two runs with equal ones were made on the same kind of machine."""
    return {
        "cpu": _processor(),
        "cores": os.cpu_count() or 1,
        "memory": psutil.virtual_memory().total,
        "system": f"{platform.system()} {platform.release()}",
        "architecture": platform.machine(),
        "python": platform.python_version(),
    }


@functools.cache
def commit() -> str | None:
    """The commit of the source, followed by `+` and a digest of the changes since; None where there is no checkout."""
    head = _git("rev-parse", "HEAD")
    if head is None:
        return None
    changes = _git("diff", "HEAD", "--", *SOURCES)
    return head + (f"+{hashlib.sha256(changes.encode()).hexdigest()[:8]}" if changes else "")


def _git(*arguments: str) -> str | None:
    if not (_ROOT / ".git").exists():  # an installed package may lie in somebody else's checkout
        return None
    try:
        done = subprocess.run(["git", "-C", _ROOT, *arguments], capture_output=True, text=True, check=True, timeout=10)
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout.strip()


def _processor() -> str:
    """The processor as its maker calls it."""
    try:
        for line in Path("/proc/cpuinfo").read_text().splitlines():
            name, _, value = line.partition(":")
            if name.strip() == "model name":
                return value.strip()
    except OSError:
        pass
    # Slow, because it may run programs, and needed only where the kernel does not say.
    import cpuinfo

    return str(cpuinfo.get_cpu_info().get("brand_raw") or platform.processor() or platform.machine())
