"""Supervisor of one process tree: sets up its namespaces, ends it, and removes its folder and control groups.

`process_tree` runs this file as a script without any packages (`python -I -S supervisor.py JOB`), so that it starts
within about 20 ms; it must not import anything of Lapmark. Where the system allows it, the tree gets its own
namespaces: it sees only its own processes, so that it cannot signal, stop or trace the harness, and its shared memory
ends with it. The harness holds the pipe `keep_alive` open while it lives and needs the tree. When the pipe closes, for
whatever reason, every process of the tree is killed, and its folder and control groups are removed.

The command's wait status is written to the pipe `status`; an error in starting it goes to standard error.
"""

import contextlib
import ctypes
import json
import os
import select
import signal
import sys
import time
from collections.abc import Iterator
from typing import NamedTuple, NoReturn

#: Seconds to wait for processes that do not die.
PATIENCE = 10.0

#: Flags of unshare(2) and mount(2).
_NEW_MOUNTS, _NEW_IPC, _NEW_USER, _NEW_PIDS = 0x00020000, 0x08000000, 0x10000000, 0x20000000
_READ_ONLY, _NO_SUID, _NO_DEVICES, _NO_PROGRAMS = 1, 2, 4, 8
_REMOUNT, _BIND, _RECURSIVE, _PRIVATE = 1 << 5, 1 << 12, 1 << 14, 1 << 18

#: Options of prctl(2).
_DEATH_SIGNAL, _DUMPABLE, _DROP_CAPABILITY, _SUBREAPER = 1, 4, 24, 36

#: Capabilities that root keeps: reading and writing files, changing the user, counting instructions. With the others
#: the tree could trace the first process of its namespaces, mount, and lift limits (capabilities(7)).
_KEPT = (0, 1, 2, 3, 4, 5, 6, 7, 10, 31, 38)

#: Folders with settings of the whole system, and the one through which a process could leave its control group.
_SETTINGS, _GROUPS = ("/proc/sys", "/sys"), "/sys/fs/cgroup"


class Job(NamedTuple):
    """The command to start, and the resources of its tree.

    `folder` is the tree's folder for temporary files, `lock` the descriptor that holds the lock on it, and `groups`
    are its control groups. `shared_memory` is the size of `/dev/shm` in bytes; `hidden` are folders that look empty to
    the tree. `keep_alive` and `status` are descriptors of pipes.
    """

    command: list[str]
    isolated: bool
    folder: str
    lock: int
    shared_memory: int
    groups: tuple[str, ...] = ()
    cores: tuple[int, ...] = ()
    hidden: tuple[str, ...] = ()
    keep_alive: int = -1
    status: int = -1


def main() -> None:
    job = Job(**json.loads(sys.argv[1]))
    for descriptor in (job.keep_alive, job.status, job.lock):
        os.set_inheritable(descriptor, False)
    if job.cores and hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, job.cores)
    wakeup = _wake_on_signals()
    from_first, to_parent = os.pipe()
    if job.isolated:
        _isolate()
    adopt_orphans()
    child = os.fork()
    if child == 0:
        _run_as_first(job, to_parent) if job.isolated else _exec(job)
    signal.signal(signal.SIGINT, lambda *_: _interrupt(child, job.isolated))
    os.close(to_parent)
    _close_all_but(job.keep_alive, job.status, job.lock, from_first, *wakeup)
    status, is_wanted = None, True
    while is_wanted and status is None:
        ready = _ready(job.keep_alive, wakeup[0])
        is_wanted = job.keep_alive not in ready
        if wakeup[0] in ready:
            os.read(wakeup[0], 1024)
        status = _reap(child)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    if status is not None:
        of_command = os.read(from_first, 32)  # the first process of a namespace cannot end by its own signal
        with contextlib.suppress(OSError):
            os.write(job.status, of_command or str(status).encode())
        os.close(job.status)
        _ready(job.keep_alive)
    is_dead = _kill_all(child, job.isolated)
    os._exit(0 if remove(job) and is_dead else 1)


def _run_as_first(job: Job, to_parent: int) -> NoReturn:
    """Run as the first process of the namespaces: set them up, start the command, reap orphans, end with the command.

    The kernel then kills all other processes in the namespaces.
    """
    signal.set_wakeup_fd(-1)
    _prctl(_DEATH_SIGNAL, signal.SIGKILL)
    if os.geteuid() == 0:  # other users lose the capability to trace this process in `_exec`
        _prctl(_DUMPABLE, 0)
    try:
        _join(job.groups)
        _mount_privately(job.shared_memory, job.hidden)
    except OSError as error:
        _give_up(error)
    child = os.fork()
    if child == 0:
        _exec(job._replace(groups=()))
    signal.signal(signal.SIGINT, lambda *_: _interrupt(child, False))
    _close_all_but(to_parent)
    while (status := _reap(child, wait=True)) is None:
        pass
    os.write(to_parent, str(status).encode())
    os._exit(0)


def _exec(job: Job) -> NoReturn:
    """Become the command, in a new session; it dies with its parent."""
    signal.set_wakeup_fd(-1)
    for number in (signal.SIGCHLD, signal.SIGTERM, signal.SIGPIPE, signal.SIGXFSZ):
        signal.signal(number, signal.SIG_DFL)  # the command would inherit the signals that Python ignores
    try:
        parent = os.getppid()
        _prctl(_DEATH_SIGNAL, signal.SIGKILL)
        if os.getppid() != parent:
            os._exit(1)
        os.setsid()
        _join(job.groups)
        if job.isolated:
            for capability in set(range(64)) - set(_KEPT):
                _prctl(_DROP_CAPABILITY, capability)
        os.execvp(job.command[0], job.command)
    except OSError as error:
        _give_up(error)


def _give_up(error: OSError) -> NoReturn:
    os.write(2, f"cannot be started: {error}\n".encode(errors="replace"))
    os._exit(127)


def _interrupt(child: int, is_first: bool) -> None:
    """Send SIGINT to the first process of the namespaces, or to the session of the command."""
    with contextlib.suppress(ProcessLookupError):
        (os.kill if is_first else os.killpg)(child, signal.SIGINT)


def _isolate() -> None:
    """Put the children of this process into new namespaces for processes and System V shared memory."""
    try:
        _unshare(_NEW_PIDS | _NEW_IPC)
    except PermissionError:
        user, group = os.geteuid(), os.getegid()
        _unshare(_NEW_USER | _NEW_PIDS | _NEW_IPC)
        maps = {"setgroups": "deny", "uid_map": f"{user} {user} 1", "gid_map": f"{group} {group} 1"}
        for name, text in maps.items():
            with open(f"/proc/self/{name}", "w", encoding="ascii") as file:
                file.write(text)


def _mount_privately(shared_memory: int, hidden: tuple[str, ...]) -> None:
    """Set up private mounts: own processes and shared memory, hidden folders, and read-only system settings."""
    _unshare(_NEW_MOUNTS)
    _mount("none", "/", "", _RECURSIVE | _PRIVATE)
    _mount("proc", "/proc", "proc", _NO_SUID | _NO_DEVICES | _NO_PROGRAMS)
    if os.path.isdir("/dev/shm"):
        _mount("tmpfs", "/dev/shm", "tmpfs", _NO_SUID | _NO_DEVICES, f"mode=1777,size={shared_memory}")
    with contextlib.suppress(OSError):  # refused to users who cannot write there anyway
        for folder in filter(os.path.isdir, _SETTINGS):
            _mount(folder, folder, "", _BIND | _RECURSIVE)
            _mount(folder, folder, "", _BIND | _REMOUNT | _READ_ONLY)
    for folder in filter(os.path.isdir, (*hidden, _GROUPS)):
        _mount("tmpfs", folder, "tmpfs", _READ_ONLY, "size=4096")


def _join(groups: tuple[str, ...]) -> None:
    for group in groups:
        with open(os.path.join(group, "cgroup.procs"), "w", encoding="ascii") as file:
            file.write("0")


def _reap(child: int, wait: bool = False) -> int | None:
    """Reap ended processes; return the wait status of the child if it is one of them."""
    with contextlib.suppress(ChildProcessError):
        while (ended := os.waitpid(-1, 0 if wait else os.WNOHANG))[0]:
            if ended[0] == child:
                return ended[1]
    return None


def _kill_all(child: int, isolated: bool) -> bool:
    """Kill every process of the tree; return whether none is left."""
    if not os.path.isdir("/proc"):  # the harness ends those that have left the session
        with contextlib.suppress(ProcessLookupError, PermissionError):  # macOS refuses if all have ended
            os.killpg(child, signal.SIGKILL)
        return False
    end = time.monotonic() + PATIENCE
    while processes := list(_descendants()):
        for process in [child] if isolated and child in processes else processes:
            with contextlib.suppress(ProcessLookupError):
                os.kill(process, signal.SIGKILL)
        time.sleep(0.001)
        _reap(child)
        if time.monotonic() > end:
            return False
    return True


def _descendants() -> Iterator[int]:
    """Yield the descendants of this process, including adopted orphans."""
    parents = {}
    for name in filter(str.isdecimal, os.listdir("/proc")):
        with contextlib.suppress(OSError), open(f"/proc/{name}/stat", "rb") as file:
            parents[int(name)] = int(file.read().rpartition(b")")[2].split()[1])
    for process in parents:
        above = process
        while above := parents.get(above, 0):
            if above == os.getpid():
                yield process
                break


def remove(job: Job) -> bool:
    """Remove the folder and control groups of the tree; return whether they are gone."""
    for group in job.groups:
        remove_group(group)
    remove_folder(job.folder)
    return not any(map(os.path.lexists, (job.folder, *job.groups)))


def remove_group(group: str) -> None:
    """Remove a control group; retry while the kernel still takes its last processes off it."""
    for _ in range(100):
        with contextlib.suppress(OSError):
            os.rmdir(group)
        if not os.path.exists(group):
            break
        time.sleep(0.01)


def remove_folder(folder: str) -> None:
    """Remove a folder, also with unreadable folders in it, or whatever has replaced it."""
    with contextlib.suppress(OSError):
        (os.unlink if os.path.islink(folder) else os.rmdir)(folder)
    if not os.path.lexists(folder):  # it was empty, as most are
        return
    import subprocess

    # Python's own functions fail where folders are nested too deeply.
    for command in (("chmod", "-R", "u+rwX"), ("rm", "-rf")):
        subprocess.run([*command, "--", folder], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def _wake_on_signals() -> tuple[int, int]:
    """Return a pipe that becomes readable when a child ends. SIGTERM is ignored: only the harness ends this process."""
    read, write = os.pipe()
    os.set_blocking(write, False)
    signal.set_wakeup_fd(write)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    return read, write


def _ready(*descriptors: int) -> set[int]:
    """Wait until some descriptors are readable or closed, and return these. select(2) takes no numbers above 1023."""
    poll = select.poll()
    for descriptor in descriptors:
        poll.register(descriptor, select.POLLIN)
    return {descriptor for descriptor, _ in poll.poll()}


def _close_all_but(*descriptors: int) -> None:
    """Close all other files: while one is open here, no reader sees that the tree has closed it."""
    for number in map(int, os.listdir("/dev/fd")):
        if number not in descriptors:
            with contextlib.suppress(OSError):
                os.close(number)


def adopt_orphans() -> None:
    """Make this process adopt descendants that lose their parent, where the system supports it."""
    _prctl(_SUBREAPER, 1)


def _prctl(option: int, value: int) -> None:
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(option, value, 0, 0, 0)


def _unshare(flags: int) -> None:
    _check(ctypes.CDLL(None, use_errno=True).unshare(flags), "namespaces")


def _mount(source: str, target: str, kind: str, flags: int, options: str = "") -> None:
    mount = ctypes.CDLL(None, use_errno=True).mount
    texts = (os.fsencode(text) for text in (source, target, kind))
    _check(mount(*texts, ctypes.c_ulong(flags), options.encode()), target)


def _check(result: int, what: str) -> None:
    if result:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number), what)


if __name__ == "__main__":
    main()
