"""Another operating system, as far as Lapmark's own code can see: calls, modules and files that it lacks are hidden.

Python loads this file at its start if the folder is on PYTHONPATH; $LAPMARK_TEST_SYSTEM is "darwin" or "win32". Only
modules of Lapmark see the difference, since the standard library and other packages were built for this system. What
runs is this system's kernel: that a call exists elsewhere does not prove that it does the same there.

The supervisor runs without a path, and is started by way of this file.
"""

from __future__ import annotations

import builtins
import errno
import importlib
import os
import sys
import types
from collections.abc import Callable, Mapping
from typing import Any

SYSTEM = os.environ.get("LAPMARK_TEST_SYSTEM", "")

#: Modules that Windows lacks.
NO_MODULES = {"fcntl", "grp", "posix", "pty", "pwd", "readline", "resource", "syslog", "termios", "tty"}

#: Folders that other systems lack.
NO_FOLDERS = ("/proc", "/sys", "/dev/shm")

#: Names that modules lack on macOS.
NOT_ON_MACOS = {
    "os": """
        MFD_ALLOW_SEALING MFD_CLOEXEC O_PATH O_TMPFILE copy_file_range eventfd getrandom getresgid getresuid
        memfd_create pidfd_open posix_fadvise posix_fallocate sched_getaffinity sched_getparam sched_getscheduler
        sched_setaffinity sched_setscheduler setns setresuid splice unshare waitid
    """,
    "fcntl": "F_ADD_SEALS F_GET_SEALS F_SEAL_GROW F_SEAL_SEAL F_SEAL_SHRINK F_SEAL_WRITE F_SETPIPE_SZ",
    "mmap": "MAP_POPULATE MAP_STACK MADV_HUGEPAGE",
    "resource": "RLIMIT_MSGQUEUE RLIMIT_NICE RLIMIT_RTPRIO RLIMIT_RTTIME RLIMIT_SIGPENDING RUSAGE_THREAD prlimit",
    "select": "epoll",
    "signal": "SIGRTMAX SIGRTMIN pidfd_send_signal sigtimedwait sigwaitinfo",
    "socket": "AF_NETLINK AF_PACKET SO_PEERCRED SOCK_CLOEXEC SOCK_NONBLOCK",
    "time": "CLOCK_BOOTTIME CLOCK_MONOTONIC_COARSE CLOCK_REALTIME_COARSE pthread_getcpuclockid",
}

#: The names that Windows lacks beyond those.
NOT_ON_WINDOWS = {
    "os": """
        O_CLOEXEC O_DIRECTORY O_NOCTTY O_NOFOLLOW O_NONBLOCK O_SYNC WEXITSTATUS WIFEXITED WIFSIGNALED WNOHANG WTERMSIG
        chown chroot confstr ctermid fchdir fchmod fchown fork forkpty get_blocking getegid geteuid getgid getgroups
        getloadavg getpgid getpgrp getpriority getsid getuid initgroups killpg lchown lockf major makedev mkfifo mknod
        nice openpty pipe2 posix_spawn pread pwrite register_at_fork sched_yield set_blocking setgid setpgid setsid
        setuid statvfs sync sysconf tcgetpgrp ttyname uname wait wait3 wait4
    """,
    "mmap": "MAP_PRIVATE MAP_SHARED PROT_READ PROT_WRITE",
    "select": "poll",
    "signal": """
        ITIMER_REAL SIGALRM SIGBUS SIGCHLD SIGCONT SIGHUP SIGKILL SIGPIPE SIGQUIT SIGSTOP SIGUSR1 SIGUSR2 SIGXCPU
        SIGXFSZ alarm pthread_kill pthread_sigmask setitimer siginterrupt sigpending sigwait
    """,
    "socket": "AF_UNIX CMSG_LEN MSG_DONTWAIT SCM_RIGHTS recv_fds send_fds",
    "time": "CLOCK_MONOTONIC CLOCK_PROCESS_CPUTIME_ID CLOCK_REALTIME clock_getres clock_gettime tzset",
}


class View(types.ModuleType):
    """A module without the hidden names, and with others in place of its own."""

    def __init__(self, module: types.ModuleType, hidden: set[str], own: Mapping[str, object]) -> None:
        super().__init__(module.__name__, module.__doc__)
        for name, value in (("_seen", module), ("_hidden", hidden), ("_own", own)):
            object.__setattr__(self, name, value)

    def __getattr__(self, name: str) -> Any:
        if name in self._own:
            return self._own[name]
        if name in self._hidden:
            raise AttributeError(f"module {self.__name__!r} has no attribute {name!r} on {SYSTEM}")
        return getattr(self._seen, name)

    def __setattr__(self, name: str, value: object) -> None:
        setattr(self._seen, name, value)


def clock_gettime(clock: int) -> float:
    """Return a clock's time; there are none of other processes, which Linux numbers below 0."""
    if clock < 0:
        raise OSError(errno.EINVAL, os.strerror(errno.EINVAL))
    return importlib.import_module("time").clock_gettime(clock)


def getrusage(who: int) -> object:
    """Return what a process has used, with its peak of memory in bytes."""
    usage = importlib.import_module("resource").getrusage(who)
    return types.SimpleNamespace(ru_utime=usage.ru_utime, ru_stime=usage.ru_stime, ru_maxrss=usage.ru_maxrss << 10)


def refuse(*_: object, **__: object) -> Any:
    """Stand for a function of Linux's C library."""
    raise AssertionError(f"this function does not exist on {SYSTEM}")


def open_no_folder(path: Any, *arguments: Any, **more: Any) -> int:
    """Open a file; Windows refuses to open a folder."""
    if os.path.isdir(path):
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), path)
    return os.open(path, *arguments, **more)


def get_context(method: str | None = None) -> object:
    """Return a context of processes; Windows can only spawn."""
    if method not in (None, "spawn"):
        raise ValueError(f"cannot find context for {method!r}")
    return importlib.import_module("multiprocessing").get_context("spawn")


def locking(descriptor: int, mode: int, size: int) -> None:
    """Lock an open file as Windows does: another process that holds it is a refusal of permission."""
    fcntl = importlib.import_module("fcntl")
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES)) from None


def popen(words: Any, *arguments: Any, **more: Any) -> Any:
    """Start a process; the supervisor, which sees no path, by way of this file."""
    if "-S" in words[:3]:
        place = words.index("-S") + 1
        words = [*words[:place], __file__, *words[place:]] if words[place].endswith(".py") else words
    return importlib.import_module("subprocess").Popen(words, *arguments, **more)


#: What stands in place of names of a module.
INSTEAD: Mapping[str, Mapping[str, object]] = {
    "sys": {"platform": SYSTEM},
    "ctypes": {"CDLL": refuse},
    "subprocess": {"Popen": popen},
    "time": {"clock_gettime": clock_gettime} if SYSTEM == "darwin" else {},
    "resource": {"getrusage": getrusage},
    "os": {"open": open_no_folder} if SYSTEM == "win32" else {},
    "multiprocessing": {"get_context": get_context} if SYSTEM == "win32" else {},
}


def is_ours(names: Mapping[str, Any]) -> bool:
    """Return whether these are the global names of a module of Lapmark."""
    own = any(str(names.get(name)).partition(".")[0] == "lapmark" for name in ("__name__", "__package__"))
    return own or os.path.basename(str(names.get("__file__"))) == "supervisor.py"


def asks_lapmark() -> bool:
    """Return whether code of Lapmark asks, directly or through the standard library, and not another package."""
    library, frame = os.path.dirname(os.__file__), sys._getframe(2)
    while frame is not None:
        file = frame.f_code.co_filename
        if is_ours(frame.f_globals):
            return True
        if "site-packages" in file or not (file.startswith((library, "<")) or file == __file__):
            return False
        frame = frame.f_back  # type: ignore[assignment]
    return False


def hide_files(event: str, arguments: tuple[Any, ...]) -> None:
    """Raise a FileNotFoundError where Lapmark opens or lists what other systems lack (an audit hook)."""
    if event in ("open", "os.listdir", "os.scandir") and is_hidden(arguments[0]) and asks_lapmark():
        raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), arguments[0])


def is_hidden(path: object) -> bool:
    return isinstance(path, str | os.PathLike) and f"{os.fspath(path)}/".startswith(tuple(f"{p}/" for p in NO_FOLDERS))


def with_files_hidden(function: Callable[..., Any]) -> Callable[..., Any]:
    """Return a function of a path that finds no file which other systems lack; no audit hook sees these."""

    def ask(path: Any, *arguments: Any, **more: Any) -> Any:
        if is_hidden(path) and asks_lapmark():
            raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), path)
        return function(path, *arguments, **more)

    return ask


def install() -> None:
    """Hide what the system lacks."""
    views: dict[str, View] = {}
    lacks: list[Mapping[str, str]] = [NOT_ON_MACOS, *([NOT_ON_WINDOWS] if SYSTEM == "win32" else [])]

    def view(name: str) -> View:
        if name not in views:
            hidden = {word for names in lacks for word in names.get(name, "").split()}
            views[name] = View(importlib.import_module(name), hidden, INSTEAD.get(name, {}))
        return views[name]

    def import_(name: str, globals: Any = None, locals: Any = None, fromlist: Any = (), level: int = 0) -> Any:
        if level == 0 and globals is not None and is_ours(globals):
            if SYSTEM == "win32" and name in NO_MODULES:
                raise ModuleNotFoundError(f"No module named {name!r}", name=name)
            if SYSTEM == "win32" and name == "msvcrt":
                return types.SimpleNamespace(locking=locking, LK_NBLCK=2)
            if name in NOT_ON_MACOS or name in INSTEAD:
                return view(name)
        return original(name, globals, locals, fromlist, level)

    original = builtins.__import__
    builtins.__import__ = import_
    sys.addaudithook(hide_files)
    os.stat, os.lstat, os.readlink = map(with_files_hidden, (os.stat, os.lstat, os.readlink))


if SYSTEM:
    install()

if __name__ == "__main__":
    import runpy

    sys.argv = sys.argv[1:]
    runpy.run_path(sys.argv[0], run_name="__main__")
