"""Files that appear whole or not at all."""

import secrets
from pathlib import Path


def write_atomically(path: Path, content: bytes) -> Path:
    """Write a file so that a reader never sees half of it, making its folder if needed; return its path.

    The content goes to a temporary file in the same folder, which then takes the name. Any error or interrupt before
    that removes it and leaves an earlier file of that name unchanged.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    # Named before it is made: Ctrl-C between the two would leave an unknown file behind.
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    try:
        temporary.write_bytes(content)
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)
    return path
