"""A process and all that comes of it: started with its output in a pipe, found wherever it goes, ended to the last.

A keeper (`bench.keeper`) stands between this process and the tree, and ends the tree when this process wants that or
is gone. What a process starts may leave its group and its session, lose its parent and forget its environment. It
cannot leave its ancestors: the keeper adopts every orphan among its descendants, and so does this process, should the
keeper be killed. Nothing here is about what the process does.
"""

from __future__ import annotations

import contextlib
import ctypes
import functools
import json
import os
import select
import shutil
import signal
import subprocess
import sys
import time
import uuid
import warnings
import weakref
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import IO, Self

import psutil

from . import keeper, scratch
from .cgroup import Group

#: Names the tree in the environment of its processes, for those of one to be told from those of another.
MARK = "LAPMARK_TREE"

#: Seconds after which a process that cannot be ended, another user's say, is left alone.
PATIENCE = 2 * keeper.PATIENCE

#: Bytes of shared memory (`/dev/shm`) for a tree that has no limit.
SHARED_MEMORY = 1 << 30

_PR_SET_CHILD_SUBREAPER = 36


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
    group : bench.cgroup.Group or None
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
        _adopt_orphans()
        if shutil.which(command[0]) is None:
            raise FileNotFoundError(f"{command[0]} is no program that can be run")
        self._before = set(psutil.Process().children(recursive=True))
        self._mark = uuid.uuid4().hex
        self.folder, lock = scratch.make()
        self.group = None if memory is None else Group.make(self.folder.name)
        if self.group and memory is not None:
            self.group.limit(memory)
        job = keeper.Job(
            command=list(command),
            isolated=can_isolate(),
            folder=str(self.folder),
            lock=lock,
            shared_memory=memory or SHARED_MEMORY,
            group=str(self.group.path) if self.group else None,
            cores=tuple(cores),
            hidden=tuple(map(str, hidden)),
        )
        places = dict.fromkeys(("TMPDIR", "TEMP", "TMP"), str(self.folder))
        self._kept = _Kept(job, descriptors, {**os.environ, **variables, **places, MARK: self._mark})
        self.pid = self._kept.process.pid
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
        self._kept.news.close()

    @property
    def output(self) -> IO[bytes]:
        """Where the tree's standard output and error can be read."""
        assert self._kept.process.stdout is not None
        return self._kept.process.stdout

    def wait(self, seconds: float | None = None) -> int | None:
        """Wait for the command to end; return its exit status as `subprocess` does, None while it runs."""
        if self.returncode is None and select.select([self._kept.news], [], [], seconds)[0]:
            told = self._kept.news.read(32)
            self.returncode = os.waitstatus_to_exitcode(int(told)) if told else self._kept.process.wait()
        return self.returncode

    def interrupt(self) -> None:
        """Do to the command what Ctrl-C does, which does not reach its session."""
        self._kept.process.send_signal(signal.SIGINT)

    def members(self) -> list[psutil.Process]:
        """The processes of the tree, its keeper's among them, and those that have ended but were not waited for."""
        return [process for process in psutil.Process().children(recursive=True) if self._is_member(process)]

    def stop(self) -> None:
        """Have all of it ended, without waiting for that."""
        self._kept.lifeline.close()

    def end(self) -> None:
        """End all of it. Warns of what cannot be ended."""
        self.ended_for_memory = self.ended_for_memory or bool(self.group and self.group.kills())
        self.stop()
        try:
            if self._kept.process.wait(PATIENCE) == 0:
                return
        except subprocess.TimeoutExpired:
            self._kept.process.kill()
            self._kept.process.wait()
        self._end_without_keeper()
        keeper.remove(self._kept.job)

    def _end_without_keeper(self) -> None:
        """Kill what a keeper left that was killed itself, or that cannot see its descendants on this system."""
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

    def _is_member(self, process: psutil.Process) -> bool:
        """Whether a descendant of this process is of the tree: in another session, new, and not of another tree."""
        try:
            if process in self._before or os.getsid(process.pid) == os.getsid(0):
                return False
            return process.environ().get(MARK, self._mark) == self._mark
        except psutil.NoSuchProcess as gone:
            return isinstance(gone, psutil.ZombieProcess)
        except psutil.Error:
            return True  # its environment cannot be read: it is the keeper, or has changed its user
        except ProcessLookupError:
            return False


def stop_all() -> None:
    """Have every tree of this process ended."""
    for tree in list(_alive):
        tree.stop()


@functools.cache
def can_isolate() -> bool:
    """Whether the system lets a tree have namespaces of its own."""
    if sys.platform != "linux":
        return False
    folder, lock = scratch.make()
    nothing = [sys.executable, "-I", "-S", "-c", ""]
    job = keeper.Job(command=nothing, isolated=True, folder=str(folder), lock=lock, shared_memory=SHARED_MEMORY)
    kept = _Kept(job, (), os.environ)
    with kept.news, kept.process, contextlib.closing(kept.lifeline):
        told = kept.news.read(32)
        kept.lifeline.close()
        if kept.process.wait():
            keeper.remove(job)
    return told == b"0"


class _Kept:
    """A keeper that was started, and the ends of its pipes that stay here."""

    def __init__(self, job: keeper.Job, descriptors: Sequence[int], variables: Mapping[str, str]) -> None:
        (its_lifeline, lifeline), (news, its_news) = os.pipe(), os.pipe()
        self.lifeline, self.news = os.fdopen(lifeline, "wb", buffering=0), os.fdopen(news, "rb", buffering=0)
        self.job = job._replace(lifeline=its_lifeline, news=its_news)
        own = (its_lifeline, its_news, job.lock)
        try:
            self.process = subprocess.Popen(
                [sys.executable, "-I", "-S", keeper.__file__, json.dumps(self.job._asdict())],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                env=variables,
                pass_fds=(*descriptors, *own),
                start_new_session=True,
            )
        finally:
            for descriptor in own:
                os.close(descriptor)


@functools.cache
def _adopt_orphans() -> None:
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_CHILD_SUBREAPER, 1)


_alive: weakref.WeakSet[Tree] = weakref.WeakSet()
