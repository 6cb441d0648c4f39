"""Compilation of loops by Numba; import this only where needed, since Numba takes half a second to load."""

from collections.abc import Callable
from typing import Any

try:
    import numba
except ModuleNotFoundError as error:
    from .missing_package import explained

    raise explained(error, "compiled Python") from None


def compiled(function: Callable[..., Any]) -> Callable[..., Any]:
    """Return the function as native code without Python's lock, cached for the next process where possible.

    Numba detects changes of the function's own file, but not of functions that it calls from other files: after an
    edit of those, remove the `__pycache__` of the callers.
    """
    try:
        return numba.njit(cache=True, nogil=True)(function)
    except RuntimeError:  # no writable place for the cache
        return numba.njit(nogil=True)(function)
