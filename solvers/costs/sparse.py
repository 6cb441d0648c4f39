"""Costs given by the allowed pairs, and the allowed pairs of any cost."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, NoReturn

import numpy as np

from lapmark.solvers.native import _matrix
from lapmark.solvers.validation import as_numeric, check_entries

from .cost import Cost, are_multiples

if TYPE_CHECKING:
    import numpy.typing as npt
    import scipy.sparse


#: Share of all pairs from which solvers are faster on a matrix than on a list.
DENSE_SHARE = 0.1


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
        object.__setattr__(self, "csr", _canonical(given))

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
        return self.filled(start, stop, self.dtype)

    def filled(self, start: int, stop: int, dtype: npt.DTypeLike) -> np.ndarray:
        """Return some rows as a matrix of floats, inf where no entry is stored."""
        ends = self.csr.indptr[start : stop + 1]
        stored = slice(ends[0], ends[-1])
        return filled(ends, self.csr.indices[stored], self.csr.data[stored], self.shape[1], dtype)

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

    def mirrored(self) -> SparseCost:
        return SparseCost(self.csr.T.tocsr())

    def negative(self) -> SparseCost:
        import scipy.sparse

        data = np.subtract(0.0, self.csr.data, dtype=self.dtype)
        return SparseCost(scipy.sparse.csr_array((data, self.csr.indices, self.csr.indptr), shape=self.csr.shape))

    def span(self) -> tuple[float, float]:
        data = self.csr.data
        return (float(data.min()), float(data.max())) if data.size else (0.0, 0.0)

    def entries(self, rows: np.ndarray, cols: np.ndarray) -> np.ndarray:
        places = _matrix.listed(self.csr.indptr, self.csr.indices, rows, cols)
        if not self.csr.nnz:
            return np.full(len(places), np.inf)
        return np.where(places < 0, np.inf, self.csr.data[places].astype(np.float64))


def _canonical(given: scipy.sparse.sparray) -> scipy.sparse.csr_array:
    """Return a copy as CSR with sorted indices, without infinite entries; raise an error for what is no cost."""
    import scipy.sparse

    # Conversions trust the indices, and what the object says of them, so a new one is made, which is checked.
    if given.format in ("csr", "csc"):
        kind = scipy.sparse.csr_array if given.format == "csr" else scipy.sparse.csc_array
        listed = kind((given.data, given.indices, given.indptr), shape=given.shape, copy=given.format == "csr")
        listed.check_format(full_check=True)
    else:
        coo = given.tocoo()
        listed = scipy.sparse.coo_array((coo.data, coo.coords), shape=coo.shape)
    csr = listed.tocsr()  # which adds up the duplicates of a list of coordinates
    if not csr.has_sorted_indices:
        csr.sort_indices()
    if csr.nnz < listed.nnz or not csr.has_canonical_format:
        _refuse_duplicates(*listed.tocoo().coords)
    csr.data = as_numeric(csr.data, "sparse cost")
    try:
        forbids = check_entries(csr.data, "sparse cost")
    except ValueError:
        check_entries(csr.data, "sparse cost", csr.tocoo().coords)  # raises the same, with the place
        raise
    if forbids:
        rows, cols = csr.tocoo().coords
        keep = np.isfinite(csr.data)
        csr = scipy.sparse.csr_array((csr.data[keep], (rows[keep], cols[keep])), shape=csr.shape)
    return csr


def _refuse_duplicates(rows: np.ndarray, cols: np.ndarray) -> NoReturn:
    order = np.lexsort((cols, rows))
    rows, cols = rows[order], cols[order]
    k = int(np.argmax((rows[1:] == rows[:-1]) & (cols[1:] == cols[:-1])))
    raise ValueError(f"entry ({rows[k]}, {cols[k]}) is stored twice; call sum_duplicates() or drop one")


def filled(
    ends: np.ndarray, columns: np.ndarray, costs: np.ndarray, m: int, dtype: npt.DTypeLike = np.float64
) -> np.ndarray:
    """Return rows of a list as a matrix of m columns, inf where nothing is listed; `ends` (rows + 1) are CSR's."""
    matrix = np.full((len(ends) - 1, m), np.inf, dtype=dtype)
    matrix[np.repeat(np.arange(len(matrix)), np.diff(ends)), columns] = costs
    return matrix


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
