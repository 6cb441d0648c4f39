"""Commands that run to their end: an error has their output, and folders of others stay as they are."""

import contextlib
import re
import textwrap
from collections.abc import Collection, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from lapmark.bench.util.plain_text import plain

from .process_tree import ProcessTree

#: Lines to show of a failed command's output.
EXCERPT_LINES = 20

#: How the first line of an error starts, those of build systems before those of compilers, which they repeat.
_ERROR_STARTS = (
    r"FAILED:",
    r"CMake Error",
    r"Error compiling Cython file",
    r": (fatal )?error:",
    r"^\s*error(\[E\d+\])?: ",
)

#: The lines of pip about a failed step, which have no reason; and the end of the step's own output.
_PIP_CODE, _END_OF_STEP = r"^\s*error: [a-z]+(-[a-z]+)+$", "[end of output]"

#: The line of pip about an attempt to download, of which only the last is of interest.
_RETRYING = "WARNING: Retrying ("


class CommandError(RuntimeError):
    """A command ended with another status than 0; the text is its output."""


def run(command: Sequence[str], variables: Mapping[str, str] | None = None, hidden: Collection[Path] = ()) -> None:
    """Run a command and wait for it; raise a `CommandError` if it fails. None of its processes stays behind.

    Folders in `hidden` look empty to it, where the system supports that. A change in them is an error everywhere.
    """
    with (
        _check_unchanged(hidden),
        ThreadPoolExecutor(1) as pool,
        ProcessTree(command, variables or {}, hidden=hidden) as tree,
    ):
        output = pool.submit(tree.output.read)
        status = tree.wait()
        tree.end()  # otherwise a process left behind could keep the output open forever
        text = plain(output.result().decode(errors="replace")).strip()
    if status:
        raise CommandError(text or f"{command[0]} ended with exit status {status}")


def error_excerpt(error: CommandError) -> str:
    """Return the part of a command's output with the error: from the failed step or compiler error, else the end."""
    lines = [line for line in str(error).rstrip().splitlines() if not re.search(_PIP_CODE, line)]
    lines = lines[: max((k for k, line in enumerate(lines) if _END_OF_STEP in line), default=None)]
    retries = [line for line in lines if line.lstrip().startswith(_RETRYING)]
    lines = [line for line in lines if line not in retries[:-1]]
    starts = (k for mark in _ERROR_STARTS for k, line in enumerate(lines) if re.search(mark, line))
    start = next(starts, max(len(lines) - EXCERPT_LINES, 0))
    return textwrap.dedent("\n".join(lines[start:][:EXCERPT_LINES])).rstrip()


@contextlib.contextmanager
def _check_unchanged(folders: Collection[Path]) -> Iterator[None]:
    """Raise a `CommandError` if a file below these folders has changed at the end of the `with` statement."""
    before = {folder: _listed(folder) for folder in folders}
    yield
    for folder, known in before.items():
        if changed := known ^ _listed(folder):
            raise CommandError(f"it has changed a file of another build: {folder / min(changed)[0]}")


def _listed(folder: Path) -> set[tuple[str, int, int, int]]:
    """Return every file below a folder with its size and the times of the last change of content and status."""
    found = set()
    for path in folder.rglob("*"):
        status = path.lstat()
        found.add((str(path.relative_to(folder)), status.st_size, status.st_mtime_ns, status.st_ctime_ns))
    return found
