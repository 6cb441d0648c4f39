"""Files that appear whole or not at all."""

import contextlib
import secrets
from collections.abc import Iterator
from pathlib import Path
from typing import IO


def write_atomically(path: Path, content: bytes) -> Path:
    """Write a file so that a reader never sees half of it, making its folder if needed; return its path.

    Any error or interrupt before the end leaves an earlier file of that name unchanged.
    """
    with open_atomically(path) as file:
        file.write(content)
    return path


@contextlib.contextmanager
def open_atomically(path: Path) -> Iterator[IO[bytes]]:
    """Open a file to write that has its name once it is complete, as in `write_atomically`.

    The content goes to a temporary file in the same folder, which an error or an interrupt removes.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    # Named before it is made: Ctrl-C between the two would leave an unknown file behind.
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    try:
        with temporary.open("wb") as file:
            yield file
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)
