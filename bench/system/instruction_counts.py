"""How many instructions a call takes: work that hardly varies where time does, and that needs no quiet machine.

    hardware     counted by the processor, in user mode, over all threads of the process (perf_event_open(2))
    callgrind    counted by Valgrind, which runs the program some fifty times as slowly, one thread at a time

The two do not compare: Valgrind has no AVX-512, and takes a vector instruction for what it is, not for what the
processor makes of it. So a record says which it was.
"""

from __future__ import annotations

import contextlib
import ctypes
import fcntl
import os
import platform
import re
import shutil
import stat
import struct
import subprocess
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Any, Self

#: What Valgrind may take in place of one second.
SLOWER = 60

#: The C function within which Valgrind counts (`solvers/native/_counted.pyx`).
FUNCTION = "lapmark_counted"

#: The file that Valgrind writes, and how much of it is read.
_COUNTS = "callgrind.out"
MOST_COUNTS = 64 << 20

#: perf_event_open(2): its number, and the attributes "instructions", "disabled, inherited, not the kernel's".
_SYSCALL = {"x86_64": 298, "aarch64": 241}
_ATTRIBUTES = struct.pack("=IIQQQQQIIQ", 0, 64, 1, 0, 0, 0, 1 | 2 | 1 << 5 | 1 << 6, 0, 0, 0)
_ENABLE, _DISABLE = 0x2400, 0x2401


class Hardware:
    """The processor's counter, for what runs in the `with` statement: `count`, afterwards. An OSError where refused."""

    count: int

    def __init__(self) -> None:
        number = _SYSCALL.get(platform.machine())
        if number is None or not hasattr(ctypes.CDLL(None), "syscall"):
            raise OSError(f"not known how on {platform.system()} on {platform.machine()}")
        libc = ctypes.CDLL(None, use_errno=True)
        self._file = libc.syscall(number, _ATTRIBUTES, 0, -1, -1, 0)
        if self._file < 0:
            code = ctypes.get_errno()
            raise OSError(code, os.strerror(code))

    def __enter__(self) -> Self:
        fcntl.ioctl(self._file, _ENABLE, 0)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        fcntl.ioctl(self._file, _DISABLE, 0)
        (self.count,) = struct.unpack("=Q", os.read(self._file, 8))
        os.close(self._file)


class Counted:
    """A call, with its instructions in `count` once it was made; None where somebody else counts."""

    def __init__(self, call: Callable[[], Any], how: str) -> None:
        self._call, self._how = call, how
        self.count: int | None = None

    def __call__(self) -> Any:
        if self._how == "hardware":
            with Hardware() as counter:
                result = self._call()
            self.count = counter.count
            return result
        from lapmark.solvers.native import _counted

        return _counted.counted(self._call)


def chosen(how: str) -> str:
    """The way to count that `how` stands for, "auto" being the processor's where it may be asked.

    Raises
    ------
    ValueError
        Where it cannot be had on this machine; with the cure.
    """
    ways = {"hardware": _no_hardware, "callgrind": _no_callgrind}
    if how != "auto" and how not in ways:
        raise ValueError(f"instructions {how!r}: choose from auto, {', '.join(ways)}")
    reasons = []
    for way, missing in ways.items():
        if how in ("auto", way):
            if (reason := missing()) is None:
                return way
            reasons.append(reason)
    raise ValueError(f"instructions cannot be counted: {'; '.join(reasons)}")


def counter(how: str) -> str:
    """Who counts, with its version: counts of one only are compared."""
    if how == "hardware":
        return f"hardware, {platform.machine()}"
    told = subprocess.run(["valgrind", "--version"], capture_output=True, text=True, check=True)
    return told.stdout.strip().replace("valgrind-", "callgrind ")


def callgrind() -> list[str]:
    """What to put before a command, to have the instructions of `FUNCTION` written to its temporary folder."""
    out = f"--callgrind-out-file=%q{{TMPDIR}}/{_COUNTS}"
    switches = ["--collect-atstart=no", f"--toggle-collect={FUNCTION}", out, "--quiet"]
    return ["valgrind", "--tool=callgrind", *switches]


def read_callgrind(folder: Path) -> int | None:
    """The count that callgrind wrote to a folder, None where there is none."""
    with contextlib.suppress(OSError):
        # The folder is the worker's, which may have put anything there.
        file = os.open(folder / _COUNTS, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
        with os.fdopen(file, "rb") as content:
            text = content.read(MOST_COUNTS) if stat.S_ISREG(os.fstat(file).st_mode) else b""
        if found := re.search(rb"^(?:summary|totals): (\d{1,18})$", text, re.MULTILINE):
            return int(found[1]) or None
    return None


def _no_hardware() -> str | None:
    try:
        with Hardware():
            pass
    except OSError as error:
        return (
            f"the processor's counter is refused ({error.strerror or error}); a virtual machine may have none, "
            "elsewhere: sudo sysctl kernel.perf_event_paranoid=2"
        )
    return None


def _no_callgrind() -> str | None:
    return None if shutil.which("valgrind") else "Valgrind is not installed (apt install valgrind)"
