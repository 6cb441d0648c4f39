"""Many transport problems of one cost in one call: the earth mover's distance of histograms over common bins."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np

from .problem import Cost, Transport, check_cost
from .registry import solve
from .validation import check_histograms, check_threads


def emd(cost: Cost, a: Any, b: Any, *, threads: int | None = None) -> np.ndarray:
    """The least cost of moving each of many masses a onto masses b: the earth mover's distance.

    Leading dimensions broadcast as in NumPy: pairs of rows of two (k, n) arrays, one histogram against many, or with
    `a[:, None]` and `b` all pairs.

    Parameters
    ----------
    cost : DenseCost, PointCost or SparseCost, shape (n, m)
    a : array_like, shape (..., n)
        Masses of the rows, finite and ≥ 0.
    b : array_like, shape (..., m)
        Masses of the columns, of the same sum.
    threads : int, optional
        At most so many threads, ≥ 1; by default as many as cores may be used. Answers do not depend on it.

    Returns
    -------
    float64 array of the broadcast shape
        What each pair costs at least: for one pair an array of no dimensions.

    Raises
    ------
    ValueError
        Where a mass is negative, NaN or infinite, where a histogram has none, where the sums of a pair differ by more
        than rounding: the message names it.
    """
    check_cost(cost)
    workers = len(os.sched_getaffinity(0)) if threads is None else check_threads(threads)
    n, m = cost.shape
    a, b = check_histograms(a, "a", n), check_histograms(b, "b", m)
    shape = np.broadcast_shapes(a.shape[:-1], b.shape[:-1])
    pairs = np.broadcast_to(a, (*shape, n)).reshape(-1, n), np.broadcast_to(b, (*shape, m)).reshape(-1, m)
    with ThreadPoolExecutor(workers) as pool:
        costs = list(pool.map(lambda each: solve(Transport(cost, *each, blur=0)).cost, zip(*pairs, strict=True)))
    return np.array(costs, dtype=np.float64).reshape(shape)
