"""The matrix of floats that native code reads, from any cost."""

import numpy as np

from lapmark.solvers.deadline import Deadline

from .cost import BLOCK_ENTRIES, Cost
from .dense import DenseCost
from .sparse import SparseCost

#: Integers up to this size are exact in float32, which is half as much to read.
EXACT_IN_FLOAT32 = 2**24


def float_matrix(
    cost: Cost, deadline: Deadline, transposed: bool = False, dtype: type[np.floating] | None = None
) -> np.ndarray:
    """Return the costs as aligned floats in C order, without a copy if they already are.

    The matrix is built in blocks, so that Ctrl-C and the deadline (TimeLimit) take effect, and because transposing a
    large matrix as a whole takes ten times as long. By default it is float32 if that holds all costs exactly.
    """
    n, m = cost.shape
    if dtype is None:
        dtype = np.float32 if cost.dtype == np.float32 or _small_integers(cost) else np.float64
    if isinstance(cost, DenseCost):
        given = cost.matrix.T if transposed else cost.matrix
        if given.dtype == dtype and given.flags.c_contiguous and given.flags.aligned:
            return given
    if n * m <= BLOCK_ENTRIES:
        small = cost.filled(0, n, dtype) if isinstance(cost, SparseCost) else cost.dense()
        return np.require(small.T if transposed else small, dtype, ["C", "A"])
    matrix = np.empty((m, n) if transposed else (n, m), dtype=dtype)
    if transposed:
        # Each block below writes to every page; touching fresh pages here first lets the deadline take effect.
        height = max(1, BLOCK_ENTRIES // max(n, 1))
        for start in range(0, m, height):
            matrix[start : start + height] = 0
            deadline.check(cost.shape)
    as_given = matrix.T if transposed else matrix
    for start, block in cost.blocks():
        deadline.check(cost.shape)
        as_given[start : start + len(block)] = block
    return matrix


def _small_integers(cost: Cost) -> bool:
    if not isinstance(cost, DenseCost | SparseCost):
        return False
    values = cost.matrix if isinstance(cost, DenseCost) else cost.csr.data
    if values.dtype.kind not in "iu":
        return False
    if values.dtype.itemsize <= 2 or values.size == 0:
        return True
    return int(values.min()) >= -EXACT_IN_FLOAT32 and int(values.max()) <= EXACT_IN_FLOAT32
