"""What all kinds of cost share."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

#: Entries in a block of rows: few enough to stay in the cache, since allocating megabytes for every block costs several
#: times what the work on it does.
BLOCK_ENTRIES = 1 << 17


@dataclass(frozen=True, eq=False)
class Cost(ABC):
    """An (n, m) table of prices, `inf` for a forbidden pair.

    A cost is validated once, when it is made. Solvers rely on that and check nothing again.
    """

    kind: ClassVar[str]

    @property
    @abstractmethod
    def shape(self) -> tuple[int, int]:
        """(n, m): number of rows and of columns."""

    @property
    def dtype(self) -> np.dtype:
        """The type in which the entries are exact."""
        return np.dtype(np.float64)

    @property
    def forbids(self) -> bool:
        """Whether some pair is forbidden."""
        return False

    @abstractmethod
    def block(self, start: int, stop: int) -> np.ndarray:
        """Return rows `start` to `stop` as a (stop − start, m) array in `dtype`."""

    @abstractmethod
    def part(self, rows: np.ndarray, columns: np.ndarray) -> Cost:
        """Return the cost between some of the rows and some of the columns, both ascending."""

    @abstractmethod
    def mirrored(self) -> Cost:
        """Return the cost with rows and columns exchanged."""

    @abstractmethod
    def up_to(self, most: float) -> Cost:
        """Return the same cost, with every pair above `most` forbidden."""

    @abstractmethod
    def negative(self) -> Cost:
        """Return the cost −c_ij, as a matrix unless it is sparse; forbidden pairs stay so. Takes O(n m) memory."""

    def is_whole(self, unit: float) -> bool:
        """Return whether every finite cost is a multiple of `unit`, a power of two."""
        return all(are_multiples(block, unit) for _, block in self.blocks())

    def row(self, i: int) -> np.ndarray:
        """Return row i, shape (m,)."""
        return self.block(i, i + 1)[0]

    def entries(self, rows: np.ndarray, cols: np.ndarray) -> np.ndarray:
        """Return the entries (rows[k], cols[k]) in float64, shape (k,)."""
        return np.array([self.row(i)[j] for i, j in zip(rows, cols, strict=True)], dtype=np.float64)

    def exact_entries(self, rows: np.ndarray, cols: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return the entries (rows[k], cols[k]) as sums of two float64 numbers, (k,) each.

        Stored entries are exact. A distance or its square is the result of twice the precision, to a relative 2⁻⁹⁸;
        another power is the float64 number.
        """
        return self.entries(rows, cols), np.zeros(len(rows))

    def dense(self) -> np.ndarray:
        """Return the whole (n, m) matrix in `dtype`. Takes O(n m) memory."""
        return self.block(0, self.shape[0])

    def span(self) -> tuple[float, float]:
        """Return (low, high) such that no finite entry lies outside; (0, 0) if there is none."""
        low, high = np.inf, -np.inf
        for _, block in self.blocks():
            finite = block[np.isfinite(block)] if self.forbids else block
            if finite.size:
                low, high = min(low, float(finite.min())), max(high, float(finite.max()))
        return (low, high) if low <= high else (0.0, 0.0)

    def blocks(self) -> Iterator[tuple[int, np.ndarray]]:
        """Yield all rows in order, in blocks of bounded size: the index of the first row, and the block."""
        n, m = self.shape
        height = max(1, BLOCK_ENTRIES // max(m, 1))
        for start in range(0, n, height):
            yield start, self.block(start, min(start + height, n))


def are_multiples(values: np.ndarray, unit: float) -> bool:
    """Return whether all finite values are multiples of a power of two."""
    with np.errstate(over="ignore", under="ignore"):
        parts = values / np.float64(unit)
    whole = (parts == np.rint(parts)) & ((parts != 0) | (values == 0))  # a quotient may underflow to 0
    return bool((whole | ~np.isfinite(values)).all())


def check_cost(cost: Any) -> None:
    """Raise a TypeError unless `cost` is a `Cost`."""
    if not isinstance(cost, Cost):
        kind = type(cost).__name__
        wrap = "SparseCost" if hasattr(cost, "todense") else "DenseCost"
        raise TypeError(
            f"expected DenseCost, PointCost, GridCost or SparseCost, got {kind}; wrap a matrix: {wrap}(matrix)"
        )
