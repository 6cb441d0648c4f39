"""What an operating system lacks for measuring. Linux lacks nothing, and Windows too much."""

import sys

#: Why nothing is measured on Windows, and what to do.
NO_WINDOWS = "Lapmark measures on Linux and macOS only: on Windows, run this command in WSL, which is a Linux"

#: What macOS does not offer: measurements go without it, and say so.
MISSING = (
    "pinned cores",
    "processor time of workers",
    "peak memory of single calls",
    "namespaces",
    "control groups",
    "instruction counts",
)


def check() -> None:
    """Raise a ValueError where nothing can be measured."""
    if sys.platform == "win32":
        raise ValueError(NO_WINDOWS)


def missing() -> tuple[str, ...]:
    """Return what this system does not offer."""
    return () if sys.platform == "linux" else MISSING
