"""Costs given by the allowed pairs, and the allowed pairs of any cost."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from lapmark.solvers.validation import as_numeric, check_entries

from .cost import Cost, are_multiples

if TYPE_CHECKING:
    import scipy.sparse


@dataclass(frozen=True, eq=False)
class SparseCost(Cost):
    """A cost given by the allowed pairs; an absent entry is a forbidden pair.

    Parameters
    ----------
    csr : array or matrix of scipy.sparse, or array of PyData's sparse with fill value 0 or inf, shape (n, m)
        Stored entries are costs, explicit zeros included. Kept as CSR with sorted indices. Duplicate entries are an
        error, since they could be meant as a sum or as a choice. A stored `inf` is dropped, which forbids it too.
    """

    kind: ClassVar[str] = "sparse"
    csr: scipy.sparse.csr_array

    def __post_init__(self) -> None:
        import scipy.sparse

        given = self.csr
        if hasattr(given, "asformat") and getattr(given, "fill_value", None) in (0, np.inf):  # PyData's sparse
            listed = given.asformat("coo")
            given = scipy.sparse.coo_array((listed.data, listed.coords), shape=listed.shape)
        if not scipy.sparse.issparse(given):
            cure = "DenseCost(matrix.todense()) takes it" if hasattr(given, "todense") else "use DenseCost for a matrix"
            raise TypeError(f"SparseCost takes a scipy.sparse array, not {type(given).__name__}; {cure}")
        if given.ndim != 2:
            raise ValueError(f"expected a matrix (2-D array), got shape {given.shape}")
        coo = given.tocoo()
        data = as_numeric(coo.data, "sparse cost")
        rows, cols = coo.coords
        order = np.lexsort((cols, rows))
        rows, cols, data = rows[order], cols[order], data[order]
        check_entries(data, "sparse cost", (rows, cols))
        twice = (rows[1:] == rows[:-1]) & (cols[1:] == cols[:-1])
        if twice.any():
            k = int(np.argmax(twice))
            raise ValueError(f"entry ({rows[k]}, {cols[k]}) is stored twice; call sum_duplicates() or drop one")
        keep = np.isfinite(data)
        csr = scipy.sparse.csr_array((data[keep], (rows[keep], cols[keep])), shape=given.shape)
        object.__setattr__(self, "csr", csr)

    @property
    def shape(self) -> tuple[int, int]:
        n, m = self.csr.shape
        return n, m

    @property
    def dtype(self) -> np.dtype:
        kind = self.csr.dtype
        return kind if kind.kind == "f" else np.dtype(np.float64)

    @property
    def forbids(self) -> bool:
        n, m = self.csr.shape
        return self.csr.nnz < n * m

    def block(self, start: int, stop: int) -> np.ndarray:
        part = self.csr[start:stop].tocoo()
        dense = np.full(part.shape, np.inf, dtype=self.dtype)
        dense[part.coords] = part.data
        return dense

    def is_whole(self, unit: float) -> bool:
        return are_multiples(self.csr.data, unit)

    def up_to(self, most: float) -> SparseCost:
        import scipy.sparse

        coo = self.csr.tocoo()
        kept = coo.data <= most
        pairs = tuple(axis[kept] for axis in coo.coords)
        return SparseCost(scipy.sparse.csr_array((coo.data[kept], pairs), shape=self.csr.shape))

    def part(self, rows: np.ndarray, columns: np.ndarray) -> SparseCost:
        return SparseCost(self.csr[rows][:, columns])

    def negative(self) -> SparseCost:
        import scipy.sparse

        data = np.subtract(0.0, self.csr.data, dtype=self.dtype)
        return SparseCost(scipy.sparse.csr_array((data, self.csr.indices, self.csr.indptr), shape=self.csr.shape))

    def span(self) -> tuple[float, float]:
        data = self.csr.data
        return (float(data.min()), float(data.max())) if data.size else (0.0, 0.0)

    def entries(self, rows: np.ndarray, cols: np.ndarray) -> np.ndarray:
        stored, rows, cols = self.csr.indices, np.asarray(rows, np.intp), np.asarray(cols, np.intp)
        low, end = self.csr.indptr[rows], self.csr.indptr[rows + 1]
        high = end
        # Binary search in all rows at once.
        for _ in range(int((end - low).max(initial=0)).bit_length()):
            middle = (low + high) // 2
            before = low < high
            before[before] = stored[middle[before]] < cols[before]
            low, high = np.where(before, middle + 1, low), np.where(before, high, middle)
        found = low < end
        found[found] = stored[low[found]] == cols[found]
        result = np.full(len(rows), np.inf)
        result[found] = self.csr.data[low[found]]
        return result


def allowed_pairs(cost: Cost) -> scipy.sparse.csr_array:
    """Return the costs of all pairs that are not forbidden, zeros included, (n, m) with 32-bit indices in order."""
    import scipy.sparse

    if isinstance(cost, SparseCost):
        return cost.csr
    matrix = cost.dense()
    allowed = np.isfinite(matrix)
    _, cols = np.nonzero(allowed)
    ends = np.concatenate([[0], np.cumsum(allowed.sum(axis=1))])
    return scipy.sparse.csr_array((matrix[allowed], cols.astype(np.int32), ends.astype(np.int32)), shape=matrix.shape)
