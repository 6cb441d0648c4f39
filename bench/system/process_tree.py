"""A process and all that comes of it: started with its output in a pipe, found wherever it goes, ended to the last.

A supervisor (`bench.system.supervisor`) stands between this process and the tree, and ends the tree when this process wants
that or is gone. What a process starts may leave its group and its session, lose its parent and forget its environment.
It cannot leave its ancestors: the supervisor adopts every orphan among its descendants, and so does this process,
should the supervisor be killed. Nothing here is about what the process does.
"""

from __future__ import annotations

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
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import IO, Self

import psutil

from . import scratch_folders, supervisor
from .control_group import Group

#: Seconds after which a process that cannot be ended, another user's say, is left alone.
PATIENCE = 2 * supervisor.PATIENCE

#: Bytes of shared memory (`/dev/shm`) for a tree that has no limit.
SHARED_MEMORY = 1 << 30


class Tree:
    """The tree below a process that is started here. Use it in a `with` statement, which leaves none of it.

    Parameters
    ----------
    command : sequence of str
    variables : mapping of str to str
        Added to this process's environment.
    descriptors : sequence of int
        Open files to hand on.
    cores : collection of int
        Those that it may use; all, if empty.
    memory : int, optional
        Bytes that it may take; more is stopped where the system has a control group for it (`group`), until the limit
        is changed there.
    hidden : collection of path
        Folders that look empty to it, where it can be isolated.

    Attributes
    ----------
    pid : int
        Of the process above all of the tree.
    folder : Path
        What it has for temporary files.
    group : lapmark.bench.system.control_group.Group or None
    returncode : int or None
        Of the command, once `wait` has seen it end.
    ended_for_memory : bool
        Whether the system has killed a process at the limit of memory; known once all has ended.

    Raises
    ------
    OSError
        Where the process cannot be started.
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
            raise FileNotFoundError(f"{command[0]} is no program that can be run")
        self._before = _below(os.getpid())
        self.folder, lock = scratch_folders.make()
        self.group = None if memory is None else Group.make(self.folder.name)
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

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.end()
        self.output.close()
        self._supervised.status.close()

    @property
    def output(self) -> IO[bytes]:
        """Where the tree's standard output and error can be read."""
        assert self._supervised.process.stdout is not None
        return self._supervised.process.stdout

    def wait(self, seconds: float | None = None) -> int | None:
        """Wait for the command to end; return its exit status as `subprocess` does, None while it runs."""
        if self.returncode is None and self._supervised.has_status(seconds):
            status = self._supervised.status.read(32)
            self.returncode = os.waitstatus_to_exitcode(int(status)) if status else self._supervised.process.wait()
        return self.returncode

    def interrupt(self) -> None:
        """Do to the command what Ctrl-C does, which does not reach its session."""
        self._supervised.process.send_signal(signal.SIGINT)

    def members(self) -> list[psutil.Process]:
        """The processes of the tree, its supervisor's among them, and those that have ended but were not waited for.

        They are below the supervisor or, should that be dead, have been adopted by this process.
        """
        others = {process for tree in _alive if tree is not self for process in _below(tree.pid)}
        return [process for process in _below(os.getpid()) - self._before - others if not _shares_session(process)]

    def stop(self) -> None:
        """Have all of it ended, without waiting for that."""
        self._supervised.lifeline.close()

    def end(self) -> None:
        """End all of it. Warns of what cannot be ended."""
        self.ended_for_memory = self.ended_for_memory or bool(self.group and self.group.kills())
        if not os.path.isdir("/proc"):  # without which the supervisor sees no more than the session
            self._kill_members()
        self.stop()
        try:
            if self._supervised.process.wait(PATIENCE) == 0:
                return
        except subprocess.TimeoutExpired:
            self._supervised.process.kill()
            self._supervised.process.wait()
        self._kill_members()
        supervisor.remove(self._supervised.job)

    def _kill_members(self) -> None:
        """Kill the processes of a tree whose supervisor cannot: it was killed itself, or does not see them."""
        deadline = time.monotonic() + PATIENCE
        # Until none is left: one that was just forked is in no list.
        while members := self.members():
            for member in members:
                with contextlib.suppress(psutil.Error):
                    member.kill()
            _, alive = psutil.wait_procs(members, timeout=1)
            if time.monotonic() > deadline:
                warnings.warn(f"processes that cannot be ended are left: {alive}", stacklevel=3)
                return


def _below(pid: int) -> set[psutil.Process]:
    """A process and those below it, but for this process."""
    try:
        process = psutil.Process(pid)
        return {process, *process.children(recursive=True)} - {psutil.Process()}
    except psutil.Error:
        return set()


def _shares_session(process: psutil.Process) -> bool:
    """Whether a process is in the session of this one, which those of a tree never are."""
    try:
        return os.getsid(process.pid) == os.getsid(0)
    except OSError:
        return True


def stop_all() -> None:
    """Have every tree of this process ended."""
    for tree in list(_alive):
        tree.stop()


@functools.cache
def can_isolate() -> bool:
    """Whether the system lets a tree have namespaces of its own."""
    if sys.platform != "linux":
        return False
    folder, lock = scratch_folders.make()
    nothing = [sys.executable, "-I", "-S", "-c", ""]
    job = supervisor.Job(command=nothing, isolated=True, folder=str(folder), lock=lock, shared_memory=SHARED_MEMORY)
    supervised = _Supervised(job, (), os.environ)
    with supervised.status, supervised.process, contextlib.closing(supervised.lifeline):
        status = supervised.status.read(32)
        supervised.lifeline.close()
        if supervised.process.wait():
            supervisor.remove(job)
    return status == b"0"


class _Supervised:
    """A supervisor that was started, and the ends of its pipes that stay here."""

    def __init__(self, job: supervisor.Job, descriptors: Sequence[int], variables: Mapping[str, str]) -> None:
        (its_lifeline, lifeline), (status, its_status) = os.pipe(), os.pipe()
        self.lifeline, self.status = os.fdopen(lifeline, "wb", buffering=0), os.fdopen(status, "rb", buffering=0)
        self.job = job._replace(lifeline=its_lifeline, status=its_status)
        own = (its_lifeline, its_status, job.lock)
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
        """Whether the command has ended, within so many seconds."""
        with selectors.DefaultSelector() as selector:
            selector.register(self.status, selectors.EVENT_READ)
            return bool(selector.select(seconds))


_alive: weakref.WeakSet[Tree] = weakref.WeakSet()
