"""Recorder of a folder: keeps the problems of intercepted calls, and counts the calls in an index."""

from __future__ import annotations

import atexit
import contextlib
import functools
import json
import os
import sys
import threading
import time
import warnings
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from lapmark.bench.util.atomic_write import open_atomically, write_atomically
from lapmark.bench.util.descriptor_lock import lock

from . import interception
from .recorded_calls import NotRecorded, Problem, Target, arrays_of, digest_of, shape_of, suffix, write
from .recorded_sample import Call, Entry, Sample, size_class_of

#: The file that counts the calls, beside those of the problems.
INDEX = "index.json"

#: The log of calls of forked processes.
_LOG = ".calls"

#: Most problems that a recording keeps, and most bytes of their files.
MOST, MOST_BYTES = 200, 1 << 30

#: Bytes of the log from which a forked process merges it itself.
LONGEST_LOG = 1 << 20

#: Seconds between two writings of the index while the program runs.
PERIOD = 1.0


class RecordingWarning(RuntimeWarning):
    """A recording has ended early, or cannot begin."""


class Recorder:
    """The recording of a folder in this process; several may be under way in it at once, and count as one.

    `sample` is what the folder holds, as of the last writing of the index and with the calls since, which are in
    `_news` as well: another process may have written to the index meanwhile. A forked process may be ended without
    notice, so it appends each of its calls to a log, which the next process that writes the index merges.
    """

    def __init__(self, folder: Path, name: str, seed: int) -> None:
        self.folder, self.name, self._seed = folder, name, seed
        self.most, self.most_bytes = MOST, MOST_BYTES
        self.is_ended = False
        self.sample, self._news = Sample(seed), Sample(seed)
        self._lock = threading.RLock()
        self._depth = 0
        self._is_forked = False
        self._index_time = -1  # of the index when it was last read or written
        self._since = self._written = time.monotonic()
        self._cost = 0.0  # seconds that the last writing of the index took

    @contextlib.contextmanager
    def running(self) -> Iterator[None]:
        """Record within a `with` statement that may be run thousands of times a second."""
        self.start()
        try:
            yield
        finally:
            self.stop(at_once=False)

    def start(self) -> None:
        with self._lock:
            self._depth += 1
            if self._depth == 1 and not self.is_ended:
                self._since = time.monotonic()
                self._guarded(self._begin)
                if not self.is_ended:
                    interception.add(self._hear)

    def stop(self, at_once: bool) -> None:
        """Stop; the index is written now, or soon if that would take much of the program's time."""
        with self._lock:
            if self._depth == 1 and not self.is_ended and (at_once or self._is_due()):
                self._guarded(self._write)
            self._add_time()
            self._depth -= 1
            if not self._depth:
                with contextlib.suppress(ValueError):  # it has never begun
                    interception.remove(self._hear, thoroughly=at_once)

    def write_rest(self) -> None:
        """Write what the index lacks, at the end of the process."""
        with self._lock:
            if not self.is_ended and (self._news.calls or (self.folder / _LOG).exists()):
                self._guarded(self._write)

    def after_fork(self) -> None:
        """Leave to the parent what it will write itself."""
        self._lock = threading.RLock()
        self._news = Sample(self._seed)
        self._is_forked = True

    def _begin(self) -> None:
        """Read what an earlier run has recorded, unless this process knows."""
        index = self.folder / INDEX
        time_of_index = index.stat().st_mtime_ns if index.exists() else -1
        if self._news.calls or (time_of_index >= 0 and time_of_index == self._index_time):
            return
        if time_of_index < 0 and any(not path.name.startswith(".") for path in self.folder.glob("*")):
            raise _Unusable(f"{self.folder} has other files; name another folder with to=")
        self.folder.mkdir(parents=True, exist_ok=True)
        self.sample = self._read()

    def _hear(
        self, target: Target, args: tuple[Any, ...], given: Mapping[str, Any], seconds: float, returned: bool
    ) -> None:
        with self._lock:
            if not self.is_ended:
                self._guarded(functools.partial(self._note, target, args, given, seconds, returned))

    def _note(
        self, target: Target, args: tuple[Any, ...], given: Mapping[str, Any], seconds: float, returned: bool
    ) -> None:
        call = Call(str(target), seconds)
        try:
            if not returned:
                raise NotRecorded("the call raised an error")
            try:
                problem = target.read(args, given)
            except (NotRecorded, MemoryError):
                raise
            except Exception:  # the arguments are objects of other packages
                raise NotRecorded("no matrix of real numbers") from None
            if 0 in shape_of(problem):
                raise NotRecorded("an empty matrix")
            self._keep(problem, call)
        except NotRecorded as reason:
            call.fault = str(reason)
        is_new = call.entry is not None and call.entry.digest not in self.sample.entries
        self.sample.add(call)
        if is_new:
            self._discard(self.sample.trim(self.most, self.most_bytes))
        if self._is_forked:
            self._log(call)
        else:
            self._news.add(call)
            if self._is_due():
                self._write()

    def _log(self, call: Call) -> None:
        """Append a call to the log of forked processes."""
        alone = Sample(self._seed)
        alone.add(call)
        with self._locked(), (self.folder / _LOG).open("a", encoding="utf-8") as log:
            log.write(json.dumps(alone.dump(self.name)) + "\n")
            is_long = log.tell() > LONGEST_LOG
        if is_long:
            self._write()

    def _keep(self, problem: Problem, call: Call) -> None:
        """Note the class of sizes of a problem, and save it if it is among those to keep."""
        shape = shape_of(problem)
        call.size_class = size_class_of(shape)
        digest = digest_of(problem)
        known = self.sample.entries.get(digest)
        if known is None:
            arrays = arrays_of(problem)
            if sum(array.nbytes for array in arrays.values()) > self.most_bytes:
                raise NotRecorded(f"larger than most_bytes={self.most_bytes}")
            if not self.sample.keeps(digest, call.size_class):
                return
            path = self.folder / f"{shape[0]}x{shape[1]}-{digest[:12]}{suffix(problem)}"
            if not path.exists():
                with open_atomically(path) as file:
                    write(problem, file)
            dtype = str(arrays[min(arrays)].dtype)
            known = Entry(path.name, digest, shape, dtype, path.stat().st_size, 0, 0.0)
        call.entry = Entry(known.file, digest, shape, known.dtype, known.bytes, 1, call.seconds)

    def _write(self) -> None:
        """Add the news to the index, to which other processes may write as well."""
        start = time.monotonic()
        self._add_time()
        with self._locked():
            whole = self._read()
            for size, mine in self.sample.classes.items():
                whole.count(size, 0, 0.0)
                whole.classes[size].below = min(whole.classes[size].below, mine.below)
            whole.merge(self._news)
            log = self.folder / _LOG
            if log.exists():
                for line in log.read_text(encoding="utf-8").splitlines():
                    whole.merge(Sample.read(json.loads(line)))
                log.unlink()
            for digest in [digest for digest, entry in whole.entries.items() if not self._has(entry)]:
                del whole.entries[digest]
            self._discard(whole.trim(self.most, self.most_bytes))
            index = write_atomically(self.folder / INDEX, whole.dump(self.name).encode())
            self._index_time = index.stat().st_mtime_ns
        self.sample, self._news = whole, Sample(self._seed)
        self._written = time.monotonic()
        self._cost = self._written - start

    def _is_due(self) -> bool:
        return time.monotonic() - self._written > max(PERIOD, 20 * self._cost)

    def _add_time(self) -> None:
        now = time.monotonic()
        if self._depth and not self._is_forked:  # the time of processes side by side is that of the first
            self._news.seconds += now - self._since
            self.sample.seconds += now - self._since
        self._since = now

    @contextlib.contextmanager
    def _locked(self) -> Iterator[None]:
        """Keep other processes from the index."""
        with (self.folder / ".lock").open("wb") as file:
            lock(file.fileno())
            yield

    def _read(self) -> Sample:
        try:
            found = Sample.read((self.folder / INDEX).read_text(encoding="utf-8"))
        except FileNotFoundError:
            return Sample(self._seed)
        except (ValueError, KeyError, TypeError, AttributeError):
            raise _Unusable(f"{self.folder / INDEX} is not the index of a recording; remove it") from None
        if found.seed != self._seed:
            raise _Unusable(f"{self.folder} was recorded with seed={found.seed}; use the same, or another folder")
        return found

    def _has(self, entry: Entry) -> bool:
        return (self.folder / entry.file).exists()

    def _discard(self, entries: list[Entry]) -> None:
        for entry in entries:
            (self.folder / entry.file).unlink(missing_ok=True)

    def _guarded(self, step: Callable[[], None]) -> None:
        """Do something; if that fails, warn once and end the recording."""
        try:
            step()
        except Exception as error:
            self.is_ended = True
            reason = str(error) if isinstance(error, _Unusable) else f"{type(error).__name__}: {error}"
            message = f"recording {self.name!r} ends here: {reason}. The program goes on without it"
            with contextlib.suppress(Exception):  # a warning may be made an error
                warnings.warn(message, RecordingWarning, stacklevel=2)


class _Unusable(Exception):
    """The folder cannot be recorded to; the message says why."""


#: The recorders of this process, by folder and seed.
_recorders: dict[tuple[Path, int], Recorder] = {}


def recorder_of(folder: Path, name: str, most: int, most_bytes: int, seed: int) -> Recorder:
    """Return the recorder of a folder, with the name and the limits that were given last."""
    found = _recorders.get((folder, seed))
    if found is None or found.is_ended:
        found = _recorders[folder, seed] = Recorder(folder, name, seed)
    found.name, found.most, found.most_bytes = name, most, most_bytes
    return found


def _after_fork() -> None:
    interception.after_fork()
    for recorder in _recorders.values():
        recorder.after_fork()


@atexit.register
def _at_exit() -> None:
    for recorder in _recorders.values():
        recorder.write_rest()


if sys.platform != "win32":  # which has no fork
    os.register_at_fork(after_in_child=_after_fork)
