"""Calls in parallel threads, for functions that release Python's lock, such as NumPy's on large arrays."""

from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from threadpoolctl import threadpool_info, threadpool_limits


def allowed() -> int:
    """Return the threads that linear algebra may use: the limit set by a caller, or one per core."""
    return max((pool["num_threads"] for pool in threadpool_info() if pool["user_api"] == "blas"), default=1)


def in_threads(function: Callable[..., None], threads: int, *arguments: Iterable[Any]) -> None:
    """Call a function once for each tuple of arguments, with linear algebra on one thread each."""
    pool = ThreadPoolExecutor(threads)
    try:
        with threadpool_limits(1):
            list(pool.map(function, *arguments))
    finally:
        pool.shutdown(cancel_futures=True)  # Ctrl-C waits for running calls only
