"""Instruction counts of calls: they vary far less than times, and need no quiet machine.

    hardware     counted by the processor, in user mode, over all threads of the process (perf_event_open(2))
    callgrind    counted by Valgrind, which runs the program about fifty times as slowly, one thread at a time

The two are not comparable: Valgrind has no AVX-512, and counts a vector instruction as one, while the processor may
split it. A record therefore names the method.
"""

import contextlib
import ctypes
import os
import platform
import re
import shutil
import stat
import struct
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, Self

#: Factor on all time limits under Valgrind.
CALLGRIND_SLOWDOWN = 60

#: The C function within which Valgrind counts (`solvers/native/_counted_call.pyx`).
FUNCTION = "lapmark_counted"

#: The file that Valgrind writes, and the most bytes to read of it.
_COUNTS = "callgrind.out"
MOST_COUNTS = 64 << 20

#: perf_event_open(2): its number, and the attributes "instructions", "disabled, inherited, not the kernel's".
_SYSCALL = {"x86_64": 298, "aarch64": 241}
_ATTRIBUTES = struct.pack("=IIQQQQQIIQ", 0, 64, 1, 0, 0, 0, 1 | 2 | 1 << 5 | 1 << 6, 0, 0, 0)
_ENABLE, _DISABLE = 0x2400, 0x2401


class HardwareCounter:
    """The processor's counter: `count` has the instructions of the `with` statement. Raises OSError where refused."""

    count: int
    _file: int

    def __init__(self) -> None:
        number = _SYSCALL.get(platform.machine())
        if number is None or sys.platform != "linux":
            raise OSError(f"not supported on {platform.system()}, {platform.machine()}")
        libc = ctypes.CDLL(None, use_errno=True)
        self._file = libc.syscall(number, _ATTRIBUTES, 0, -1, -1, 0)
        if self._file < 0:
            code = ctypes.get_errno()
            raise OSError(code, os.strerror(code))

    def __enter__(self) -> Self:
        self._control(_ENABLE)
        return self

    def __exit__(self, *error: object) -> None:
        self._control(_DISABLE)
        (self.count,) = struct.unpack("=Q", os.read(self._file, 8))
        os.close(self._file)

    def _control(self, request: int) -> None:
        import fcntl  # which Windows lacks

        fcntl.ioctl(self._file, request, 0)


class CountedCall:
    """A call; afterwards `count` has its instructions, or None where Valgrind counts them."""

    def __init__(self, call: Callable[[], Any], how: str) -> None:
        self._call, self._how = call, how
        self.count: int | None = None

    def __call__(self) -> Any:
        if self._how == "hardware":
            with HardwareCounter() as counter:
                result = self._call()
            self.count = counter.count
            return result
        from lapmark.solvers.native import _counted_call

        return _counted_call.counted(self._call)


def choose_method(how: str) -> str:
    """Return the method that `how` names; "auto" is `hardware` where available, else `callgrind`.

    Raise a ValueError, with the remedy, where the method is not available on this machine.
    """
    ways = {"hardware": _no_hardware, "callgrind": _no_callgrind}
    if how != "auto" and how not in ways:
        raise ValueError(f"instructions {how!r} is not a method: choose from auto, {', '.join(ways)}")
    reasons = []
    for way, missing in ways.items():
        if how in ("auto", way):
            if (reason := missing()) is None:
                return way
            reasons.append(reason)
    raise ValueError(f"instructions cannot be counted: {'; '.join(reasons)}")


def counter_version(how: str) -> str:
    """Return the name and version of the counter; only counts of the same one are compared."""
    if how == "hardware":
        return f"hardware, {platform.machine()}"
    done = subprocess.run(["valgrind", "--version"], capture_output=True, text=True, check=True)
    return done.stdout.strip().replace("valgrind-", "callgrind ")


def callgrind_prefix() -> list[str]:
    """Return the words before a command that make Valgrind write the instructions of `FUNCTION` to its TMPDIR."""
    out = f"--callgrind-out-file=%q{{TMPDIR}}/{_COUNTS}"
    switches = ["--collect-atstart=no", f"--toggle-collect={FUNCTION}", out, "--quiet"]
    return ["valgrind", "--tool=callgrind", *switches]


def read_callgrind(folder: Path) -> int | None:
    """Return the count that callgrind wrote to a folder, or None."""
    with contextlib.suppress(OSError):
        # The worker can write to this folder, and may have put anything there.
        file = os.open(folder / _COUNTS, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
        with os.fdopen(file, "rb") as content:
            text = content.read(MOST_COUNTS) if stat.S_ISREG(os.fstat(file).st_mode) else b""
        if found := re.search(rb"^(?:summary|totals): (\d{1,18})$", text, re.MULTILINE):
            return int(found[1]) or None
    return None


def _no_hardware() -> str | None:
    try:
        with HardwareCounter():
            pass
    except OSError as error:
        return (
            f"the processor's counter is refused ({error.strerror or error}); virtual machines often have none, "
            "elsewhere: sudo sysctl kernel.perf_event_paranoid=2"
        )
    return None


def _no_callgrind() -> str | None:
    return None if shutil.which("valgrind") else "Valgrind is not installed (apt install valgrind)"
