"""Process trees: a command and all its descendants, started together, listed, and ended without exception.

A supervisor process (`supervisor`) is the parent of the tree, and ends it when this process asks for that or dies. A
descendant may leave its process group and session, lose its parent and clear its environment, but it keeps its
ancestors: the supervisor adopts every orphan among its descendants, and if the supervisor is killed, this process does.
"""

import contextlib
import functools
import json
import os
import selectors
import shutil
import signal
import subprocess
import sys
import time
import warnings
import weakref
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from pathlib import Path
from typing import IO, Self

import psutil

from . import scratch_folders, supervisor
from .control_group import ControlGroup

#: Seconds to wait for processes that cannot be ended, such as those of another user.
PATIENCE = 2 * supervisor.PATIENCE

#: Bytes of shared memory (`/dev/shm`) for a tree without a memory limit.
SHARED_MEMORY = 1 << 30


class ProcessTree:
    """A started command and its descendants. Use it in a `with` statement, which ends all of them.

    `pid` is the supervisor, the root of the tree, and `folder` its folder for temporary files. `returncode` is the exit
    status of the command, once `wait` has returned it. `ended_for_memory` is whether the kernel killed a process at the
    memory limit, known once the tree has ended. An OSError is raised where the process cannot be started.

    Parameters
    ----------
    variables : mapping of str to str
        Added to this process's environment.
    descriptors : sequence of int
        Open files to pass on.
    cores : collection of int
        The cores to use; all, if empty.
    memory : int, optional
        Limit in bytes, enforced by a control group where the system allows one (`group`); it can be changed there.
    hidden : collection of path
        Folders that look empty to the tree, where it can be isolated.
    """

    def __init__(
        self,
        command: Sequence[str],
        variables: Mapping[str, str],
        descriptors: Sequence[int] = (),
        cores: Collection[int] = (),
        memory: int | None = None,
        hidden: Collection[Path] = (),
    ) -> None:
        supervisor.adopt_orphans()
        if shutil.which(command[0]) is None:
            raise FileNotFoundError(f"{command[0]} is not an executable program")
        self._before = _below(os.getpid())
        self.folder, lock = scratch_folders.make()
        self.group = None if memory is None else ControlGroup.make(self.folder.name)
        if self.group and memory is not None:
            self.group.limit(memory)
        job = supervisor.Job(
            command=list(command),
            isolated=can_isolate(),
            folder=str(self.folder),
            lock=lock,
            shared_memory=memory or SHARED_MEMORY,
            groups=self.group.paths if self.group else (),
            cores=tuple(cores),
            hidden=tuple(map(str, hidden)),
        )
        places = dict.fromkeys(("TMPDIR", "TEMP", "TMP"), str(self.folder))
        self._supervised = _Supervised(job, descriptors, {**os.environ, **variables, **places})
        self.pid = self._supervised.process.pid
        self.returncode: int | None = None
        self.ended_for_memory = False
        _alive.add(self)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.end()
        self.output.close()
        self._supervised.status.close()

    @property
    def output(self) -> IO[bytes]:
        """Return a file to read the tree's standard output and error from."""
        assert self._supervised.process.stdout is not None
        return self._supervised.process.stdout

    def wait(self, seconds: float | None = None) -> int | None:
        """Wait for the command to end; return its exit status as `subprocess` does, None while it runs."""
        if self.returncode is None and self._supervised.has_status(seconds):
            status = self._supervised.status.read(32)
            self.returncode = os.waitstatus_to_exitcode(int(status)) if status else self._supervised.process.wait()
        return self.returncode

    def interrupt(self) -> None:
        """Interrupt the command as Ctrl-C would, which does not reach its session."""
        self._supervised.process.send_signal(signal.SIGINT)

    def members(self) -> list[psutil.Process]:
        """Return the processes of the tree: the supervisor, its descendants, and ended ones that were not waited for.

        If the supervisor is dead, this process has adopted its descendants.
        """
        others = {process for tree in _alive if tree is not self for process in _below(tree.pid)}
        return [process for process in _below(os.getpid()) - self._before - others if not _shares_session(process)]

    def stop(self) -> None:
        """Ask the supervisor to end the tree, without waiting."""
        self._supervised.keep_alive.close()

    def end(self) -> None:
        """End the tree and wait for that; warn of processes that cannot be ended."""
        self.ended_for_memory = self.ended_for_memory or bool(self.group and self.group.kills())
        if not os.path.isdir("/proc"):  # without it the supervisor sees only its session, and adopts nobody
            self._kill(lambda: [each for each in (*self.members(), *self._strays()) if each.pid != self.pid])
        self.stop()
        try:
            if self._supervised.process.wait(PATIENCE) == 0:
                return
        except subprocess.TimeoutExpired:
            self._supervised.process.kill()
            self._supervised.process.wait()
        self._kill(self.members)
        supervisor.remove(self._supervised.job)

    def _strays(self) -> Iterator[psutil.Process]:
        """Yield the processes that have the tree's folder in their environment, whoever is their parent now."""
        for process in psutil.process_iter():
            with contextlib.suppress(psutil.Error):
                if process.environ().get("TMPDIR") == str(self.folder):
                    yield process

    def _kill(self, find: Callable[[], Sequence[psutil.Process]]) -> None:
        """Kill the processes that are found, from here, where the supervisor was killed or cannot see them."""
        deadline = time.monotonic() + PATIENCE
        # Repeatedly, since a process that was just forked is not in the list yet.
        while found := find():
            for process in found:
                with contextlib.suppress(psutil.Error):
                    process.kill()
            _, alive = psutil.wait_procs(found, timeout=1)
            if time.monotonic() > deadline:
                warnings.warn(f"these processes could not be ended: {alive}", stacklevel=3)
                return


def _below(pid: int) -> set[psutil.Process]:
    """Return a process and its descendants, without this process."""
    try:
        process = psutil.Process(pid)
        return {process, *process.children(recursive=True)} - {psutil.Process()}
    except psutil.Error:
        return set()


def _shares_session(process: psutil.Process) -> bool:
    """Return whether a process is in the session of this one; those of a tree never are."""
    try:
        return os.getsid(process.pid) == os.getsid(0)
    except OSError:
        return True


def stop_all() -> None:
    """Ask the supervisors of all trees of this process to end them."""
    for tree in list(_alive):
        tree.stop()


@functools.cache
def can_isolate() -> bool:
    """Return whether the system lets a tree have its own namespaces."""
    if sys.platform != "linux":
        return False
    folder, lock = scratch_folders.make()
    nothing = [sys.executable, "-I", "-S", "-c", ""]
    job = supervisor.Job(command=nothing, isolated=True, folder=str(folder), lock=lock, shared_memory=SHARED_MEMORY)
    supervised = _Supervised(job, (), os.environ)
    with supervised.status, supervised.process, contextlib.closing(supervised.keep_alive):
        status = supervised.status.read(32)
        supervised.keep_alive.close()
        if supervised.process.wait():
            supervisor.remove(job)
    return status == b"0"


class _Supervised:
    """A started supervisor, and this process's ends of its pipes."""

    def __init__(self, job: supervisor.Job, descriptors: Sequence[int], variables: Mapping[str, str]) -> None:
        (its_keep_alive, keep_alive), (status, its_status) = os.pipe(), os.pipe()
        self.keep_alive, self.status = os.fdopen(keep_alive, "wb", buffering=0), os.fdopen(status, "rb", buffering=0)
        self.job = job._replace(keep_alive=its_keep_alive, status=its_status)
        own = (its_keep_alive, its_status, job.lock)
        try:
            self.process = subprocess.Popen(
                [sys.executable, "-I", "-S", supervisor.__file__, json.dumps(self.job._asdict())],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                env=variables,
                pass_fds=(*descriptors, *own),
                start_new_session=True,
            )
        except OSError:
            supervisor.remove(job)
            raise
        finally:
            for descriptor in own:
                os.close(descriptor)

    def has_status(self, seconds: float | None) -> bool:
        """Wait up to `seconds` for the command to end; return whether it has."""
        with selectors.DefaultSelector() as selector:
            selector.register(self.status, selectors.EVENT_READ)
            return bool(selector.select(seconds))


_alive: weakref.WeakSet[ProcessTree] = weakref.WeakSet()
