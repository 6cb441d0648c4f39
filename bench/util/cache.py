"""Cache of computed arrays in the user's cache folder.

Only for data that can be computed again: a file that is damaged or cannot be written costs only time.
"""

import hashlib
import io
import os
import warnings
from collections.abc import Callable
from pathlib import Path

import numpy as np
import platformdirs

from .atomic_write import write_atomically

#: Environment variable with the folder to use in place of the user's cache folder.
VARIABLE = "LAPMARK_CACHE"


def folder() -> Path:
    """Return the cache folder, which may not exist yet."""
    return Path(os.environ.get(VARIABLE) or platformdirs.user_cache_path("lapmark", appauthor=False))


def key(*parts: object) -> str:
    """Return a key for a result computed from these parts; of arrays, type, shape and every byte count."""
    digest = hashlib.sha256()
    for part in parts:
        if isinstance(part, np.ndarray):
            digest.update(f"{part.dtype.str}{part.shape}".encode())
            digest.update(np.ascontiguousarray(part).data)
        else:
            digest.update(repr(part).encode())
        digest.update(b"\0")
    return digest.hexdigest()[:32]


def has(name: str) -> bool:
    """Return whether an array is stored as `name`."""
    return (folder() / f"{name}.npy").exists()


def array(name: str, compute: Callable[[], np.ndarray]) -> np.ndarray:
    """Return the array stored as `name`, or compute and store it.

    The file is a `.npy` followed by its SHA-256. It is written atomically, so that processes may share the folder. A
    damaged file causes a warning, and the array is computed again.
    """
    path = folder() / f"{name}.npy"
    if has(name):
        try:
            return _read(path)
        except (OSError, ValueError) as error:
            warnings.warn(f"{path} cannot be used ({error}); computing it again", stacklevel=2)
    values = compute()
    try:
        _write(path, values)
    except OSError as error:
        warnings.warn(f"cannot write {path} ({error}); set {VARIABLE} to a writable folder", stacklevel=2)
    return values


def _read(path: Path) -> np.ndarray:
    content = path.read_bytes()
    size = hashlib.sha256().digest_size
    payload, digest = content[:-size], content[-size:]
    if hashlib.sha256(payload).digest() != digest:
        raise ValueError("its checksum does not match")
    return np.load(io.BytesIO(payload), allow_pickle=False)


def _write(path: Path, values: np.ndarray) -> None:
    buffer = io.BytesIO()
    np.save(buffer, values, allow_pickle=False)
    payload = buffer.getvalue()
    write_atomically(path, payload + hashlib.sha256(payload).digest())
