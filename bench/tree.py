"""A process and all that comes of it: started with its output in a pipe, found wherever it goes, ended to the last.

What a process starts may leave its group and its session, lose its parent and forget its environment. It cannot leave
its ancestors: this process adopts every orphan among its descendants, so that they are always below it in the system's
tree. Nothing here is about what the process does.
"""

from __future__ import annotations

import contextlib
import ctypes
import functools
import os
import subprocess
import sys
import time
import uuid
import warnings
from collections.abc import Mapping, Sequence
from types import TracebackType
from typing import IO, Self

import psutil

#: Names the tree in the environment of its processes, for those of one to be told from those of another.
MARK = "LAPMARK_TREE"

#: Seconds after which a process that cannot be ended, another user's say, is left alone.
PATIENCE = 10.0

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

    Raises
    ------
    OSError
        Where the process cannot be started.
    """

    def __init__(self, command: Sequence[str], variables: Mapping[str, str], descriptors: Sequence[int]) -> None:
        _adopt_orphans()
        self._before = set(psutil.Process().children(recursive=True))
        self._mark = uuid.uuid4().hex
        self.root = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            env={**os.environ, **variables, MARK: self._mark},
            pass_fds=descriptors,
            start_new_session=True,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.end()
        self.output.close()

    @property
    def output(self) -> IO[bytes]:
        """Where the tree's standard output and error can be read."""
        assert self.root.stdout is not None
        return self.root.stdout

    def members(self) -> list[psutil.Process]:
        """The processes of the tree, the root among them, and those that have ended but were not waited for."""
        return [process for process in psutil.Process().children(recursive=True) if self._is_member(process)]

    def end(self) -> None:
        """Kill all of it. Warns of what cannot be killed."""
        self.root.kill()
        self.root.wait()
        deadline = time.monotonic() + PATIENCE
        # Until none is left: one that was just forked is in no list.
        while members := self.members():
            for member in members:
                with contextlib.suppress(psutil.Error):
                    member.kill()
            _, alive = psutil.wait_procs(members, timeout=1)
            if time.monotonic() > deadline:
                warnings.warn(f"processes that cannot be ended are left: {alive}", stacklevel=2)
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
            return True  # its environment cannot be read: it has changed its user
        except ProcessLookupError:
            return False


@functools.cache
def _adopt_orphans() -> None:
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_CHILD_SUBREAPER, 1)
