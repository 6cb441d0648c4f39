"""Solvers that attack other processes, use memory that belongs to no process, or write to foreign files."""

from __future__ import annotations

import contextlib
import ctypes
import mmap
import os
import resource
import shutil
import signal
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from multiprocessing import resource_tracker, shared_memory
from pathlib import Path

import numpy as np

from lapmark import Assignment, Capabilities, Matching, register, solve

MIB = 1 << 20

#: Key of the System V shared memory that is left behind.
LEFT = 86397


def intruder(name: str) -> Callable[[Callable[[Assignment], object]], object]:
    def add(fault: Callable[[Assignment], object]) -> object:
        @register(name, Capabilities(exact=True))
        def function(problem: Assignment) -> object:
            return answer(problem) if problem.shape[0] <= 16 else fault(problem)

        return function

    return add


def answer(problem: Assignment) -> Matching:
    return replace(solve(problem, "jv"), u=None, v=None)


def others() -> Iterator[int]:
    """Return the visible processes, without this one and those of the system."""
    for name in filter(str.isdecimal, os.listdir("/proc")):
        command = Path("/proc", name, "cmdline")
        with contextlib.suppress(OSError):
            if int(name) != os.getpid() and b"python" in command.read_bytes():
                yield int(name)


@intruder("kills-its-parent")
def kills_its_parent(problem: Assignment) -> object:
    with contextlib.suppress(OSError):
        os.kill(os.getppid(), signal.SIGKILL)
    return answer(problem)


@intruder("kills-the-harness")
def kills_the_harness(problem: Assignment) -> object:
    """Kill the parent's parent, if it is visible."""
    above = int(Path(f"/proc/{os.getppid()}/stat").read_text().rpartition(")")[2].split()[1])
    if above > 1:
        os.kill(above, signal.SIGKILL)
        time.sleep(600)
    return answer(problem)


def signal_others(number: int) -> None:
    for process in others():
        with contextlib.suppress(OSError):
            os.kill(process, number)


@intruder("kills-whom-it-sees")
def kills_whom_it_sees(problem: Assignment) -> object:
    signal_others(signal.SIGKILL)
    return answer(problem)


@intruder("stops-whom-it-sees")
def stops_whom_it_sees(problem: Assignment) -> object:
    signal_others(signal.SIGSTOP)
    return answer(problem)


@intruder("traces-whom-it-sees")
def traces_whom_it_sees(problem: Assignment) -> object:
    seize = 0x4206
    traced = [process for process in others() if ctypes.CDLL(None).ptrace(seize, process, None, None) == 0]
    if traced:
        raise ArithmeticError(f"traced {traced}")
    return answer(problem)


@intruder("writes-into-whom-it-sees")
def writes_into_whom_it_sees(problem: Assignment) -> object:
    for process in others():
        with contextlib.suppress(OSError), open(f"/proc/{process}/mem", "r+b") as memory:
            raise ArithmeticError(f"can write to {memory.name}")
    return answer(problem)


@intruder("greedy-in-a-memory-file")
def greedy_in_a_memory_file(problem: Assignment) -> object:
    """Fill a memory file, whose pages belong to no process."""
    file = os.memfd_create("hoard")
    for _ in range(2048):
        os.write(file, bytes(MIB))
        time.sleep(0.001)
    return answer(problem)


@intruder("greedy-in-a-shared-mapping")
def greedy_in_a_shared_mapping(problem: Assignment) -> object:
    hoard = mmap.mmap(-1, 2048 * MIB)
    for start in range(0, len(hoard), MIB):
        hoard[start : start + MIB] = bytes(MIB)
        time.sleep(0.001)
    return answer(problem)


@intruder("greedy-in-shared-memory")
def greedy_in_shared_memory(problem: Assignment) -> object:
    with open("/dev/shm/lapmark-hoard", "wb", buffering=0) as file:
        os.unlink(file.name)
        for _ in range(2048):
            file.write(bytes(MIB))
            time.sleep(0.001)
    return answer(problem)


@intruder("greedy-in-a-burst")
def greedy_in_a_burst(problem: Assignment) -> object:
    """Fill shared memory all at once; a process may ask for any amount of it."""
    size = 8192 * MIB
    hoard = mmap.mmap(-1, size)
    ctypes.memset(ctypes.addressof(ctypes.c_char.from_buffer(hoard)), 1, size)
    return answer(problem)


@intruder("greedy-beyond-its-limit")
def greedy_beyond_its_limit(problem: Assignment) -> object:
    _, hard = resource.getrlimit(resource.RLIMIT_DATA)
    resource.setrlimit(resource.RLIMIT_DATA, (hard, hard))
    hoard = []
    while True:
        hoard.append(np.ones(MIB))
        time.sleep(0.001)


@intruder("greedy-for-threads")
def greedy_for_threads(problem: Assignment) -> object:
    for _ in range(100_000):
        threading.Thread(target=time.sleep, args=(3600,), daemon=True).start()
    return answer(problem)


@intruder("leaves-shared-memory")
def leaves_shared_memory(problem: Assignment) -> object:
    with contextlib.suppress(FileExistsError):
        block = shared_memory.SharedMemory(name="lapmark-left", create=True, size=MIB)
        resource_tracker.unregister(block._name, "shared_memory")  # type: ignore[attr-defined]
    if ctypes.CDLL(None).shmget(LEFT, MIB, 0o1600) < 0:  # IPC_CREAT: System V's, which is in no folder
        raise OSError("no shared memory")
    return answer(problem)


@intruder("leaves-temporary-files")
def leaves_temporary_files(problem: Assignment) -> object:
    folder = Path(tempfile.mkdtemp())
    (folder / "inner").mkdir()
    (folder / "inner" / "file").write_bytes(bytes(MIB))
    (folder / "link").symlink_to(Path.home())
    (folder / "inner").chmod(0)
    return answer(problem)


@intruder("removes-temporary-files")
def removes_temporary_files(problem: Assignment) -> object:
    """Remove the scratch folder and put a link to another one in its place."""
    folder = Path(tempfile.gettempdir())
    if not folder.is_symlink() and folder != Path("/tmp"):
        shutil.rmtree(folder)
        folder.symlink_to(os.environ["LAPMARK_TEST_FOLDER"])
    return answer(problem)


@intruder("leaves-a-daemon")
def leaves_a_daemon(problem: Assignment) -> object:
    """Leave a daemon: in its own session, without parent or environment, ignoring signals; its name marks it."""
    if hasattr(leaves_a_daemon, "left"):  # starting it takes longer than to answer
        return answer(problem)
    leaves_a_daemon.left = True
    if not os.fork():
        if not os.fork():
            os.setsid()
            for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGINT):
                signal.signal(number, signal.SIG_IGN)
            os.closerange(0, 1024)
            os.execve("/bin/sleep", [os.environ.get("LAPMARK_TEST_RUN", "sleep"), "86397"], {})
        os._exit(0)
    os.wait()
    return answer(problem)


def busy_on(cores: set[int]) -> None:
    if not os.fork():
        if not os.fork():
            os.sched_setaffinity(0, cores)
            end = time.monotonic() + 20
            while time.monotonic() < end:
                pass
        os._exit(0)
    os.wait()


@intruder("has-a-helper-elsewhere")
def has_a_helper_elsewhere(problem: Assignment) -> object:
    """Compute in an orphan on all cores of the machine."""
    if not hasattr(busy_on, "started"):
        busy_on.started = True  # type: ignore[attr-defined]
        busy_on(set(range(os.cpu_count() or 1)))
    time.sleep(0.05)
    return answer(problem)


@intruder("has-a-helper-at-home")
def has_a_helper_at_home(problem: Assignment) -> object:
    """Compute in an orphan, while this process seems to sleep and stops its clock."""
    if not hasattr(busy_on, "started"):
        busy_on.started = True  # type: ignore[attr-defined]
        busy_on(os.sched_getaffinity(0))
    now = time.perf_counter_ns()
    time.perf_counter_ns = lambda: now
    time.sleep(0.05)
    return answer(problem)


@intruder("becomes-another-program")
def becomes_another_program(problem: Assignment) -> object:
    os.execv(sys.executable, [sys.executable, "-c", "print('nothing to say')"])


@intruder("sets-an-alarm")
def sets_an_alarm(problem: Assignment) -> object:
    signal.setitimer(signal.ITIMER_REAL, 0.05)
    return time.sleep(600)


@intruder("asks-for-precedence")
def asks_for_precedence(problem: Assignment) -> object:
    """Raise its own priority for the scheduler and when memory runs out."""
    with contextlib.suppress(OSError):
        os.setpriority(os.PRIO_PROCESS, 0, -20)
    with contextlib.suppress(OSError):
        Path("/proc/self/oom_score_adj").write_text("-1000")
    return answer(problem)


@intruder("leaves-a-deep-folder")
def leaves_a_deep_folder(problem: Assignment) -> object:
    here = os.getcwd()
    os.chdir(tempfile.mkdtemp())
    for _ in range(2000):
        os.mkdir("deeper")
        os.chdir("deeper")
    os.chdir(here)
    return answer(problem)


@intruder("puts-a-pipe-in-place-of-its-folder")
def puts_a_pipe_in_place_of_its_folder(problem: Assignment) -> object:
    """Replace the scratch folder by a pipe, which blocks every process that opens it."""
    folder = os.environ["TMPDIR"]
    if os.path.isdir(folder):
        shutil.rmtree(folder)
        os.mkfifo(folder)
    return answer(problem)


@intruder("changes-the-system")
def changes_the_system(problem: Assignment) -> object:
    """Change kernel settings and control groups, as root."""
    for path in ("/proc/sys/kernel/core_pattern", "/sys/kernel/mm/transparent_hugepage/enabled"):
        if os.path.exists(path) and not os.access(path, os.W_OK):
            continue
        with contextlib.suppress(OSError), open(path, "r+"):
            raise ArithmeticError(f"can write to {path}")
    if list(Path("/sys/fs/cgroup").rglob("cgroup.procs")):
        raise ArithmeticError("sees control groups")
    return answer(problem)
