"""Work shared out among threads, for functions that run without Python's lock, as NumPy's large ones do."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from threadpoolctl import threadpool_info, threadpool_limits


def allowed() -> int:
    """How many threads the linear algebra may use here: what a caller has limited it to, or one for each core."""
    return max((pool["num_threads"] for pool in threadpool_info() if pool["user_api"] == "blas"), default=1)


def in_threads(function: Callable[..., None], threads: int, *arguments: Iterable[Any]) -> None:
    """Call a function once for each tuple of arguments, with linear algebra on one thread each."""
    pool = ThreadPoolExecutor(threads)
    try:
        with threadpool_limits(1):
            list(pool.map(function, *arguments))
    finally:
        pool.shutdown(cancel_futures=True)  # Ctrl-C waits for what is under way only
