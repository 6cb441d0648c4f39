"""Loops as native code, by Numba; to be imported where they are needed only, as Numba takes half a second to load."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numba


def compiled(function: Callable[..., Any]) -> Callable[..., Any]:
    """The function as native code, which is kept for the next process where there is a place to keep it.

    It runs without Python's lock. Numba notices when the file of a function changes, but not those of others that it
    calls: who edits one of these removes the `__pycache__` beside those that call it.
    """
    try:
        return numba.njit(cache=True, nogil=True)(function)
    except RuntimeError:  # neither beside the file nor in the user's cache
        return numba.njit(nogil=True)(function)
