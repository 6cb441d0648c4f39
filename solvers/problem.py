"""What is to be solved: costs, the assignment problem and the transport problem.

A cost gives the price of pairing row i with column j, in one of three kinds: a matrix (`DenseCost`), a formula
over points (`PointCost`) or a list of the pairs that are allowed (`SparseCost`). All three answer the same questions,
so a certificate or a harness does not care which one it holds.

Everything is validated when it is made, once. Solvers rely on that and check nothing again.
"""

from __future__ import annotations

import copy
import math
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from .costs.exact_sums import difference, product, unit_of
from .validation import (
    LARGEST_COST,
    MASKED_COSTS,
    MASKED_POINTS,
    SPARSE_COSTS,
    OutOfRange,
    as_numeric,
    check_entries,
    check_finite,
    check_masses,
    check_matrix,
    check_number,
    check_sums,
    first,
    listed,
    sums_differ,
)

if TYPE_CHECKING:
    import scipy.sparse

#: Rows are handed out in blocks of about this many entries where a whole matrix is not wanted: few enough to stay in
#: the cache, since a new array of megabytes for every block costs several times what is done with it.
BLOCK_ENTRIES = 1 << 17


class Unsupported(ValueError):
    """The solver cannot take this problem; its capabilities say so."""


class Infeasible(ValueError):
    """No complete matching, or no plan that moves all that has to be moved, has a finite cost.

    Attributes
    ----------
    rows, columns : (k,) and (k − 1,) intp or the other way round, or None
        A proof by Hall's theorem, ascending: the longer of the two cannot all be matched, because the shorter holds
        everything that they allow. Where n ≤ m there are more rows, where n > m more columns. None where the solver
        gives no proof. In transport not their number but their mass is larger, and either may be the one that is stuck.
    """

    def __init__(self, message: str, rows: np.ndarray | None = None, columns: np.ndarray | None = None) -> None:
        super().__init__(message)
        self.rows, self.columns = rows, columns

    @classmethod
    def hall(cls, rows: np.ndarray, columns: np.ndarray) -> Infeasible:
        """The error for rows and columns in any order, one of them more than the other, that prove it."""
        rows, columns = (np.sort(np.asarray(each, dtype=np.intp)) for each in (rows, columns))
        (stuck, many), (allowed, few) = ("row", rows), ("column", columns)
        if len(rows) < len(columns):
            (stuck, many), (allowed, few) = (allowed, few), (stuck, many)
        if not len(few):
            return cls(f"{listed(stuck, many)} cannot be matched: every pair is forbidden", rows, columns)
        fault = f"{listed(stuck, many)} cannot all be matched: they allow {listed(allowed, few)} only"
        return cls(fault, rows, columns)

    @classmethod
    def masses(
        cls, side: str, stuck: np.ndarray, allowed: np.ndarray, own: np.ndarray, other: np.ndarray
    ) -> Infeasible:
        """The error for a side's indices that allow some of the other side only, given both sides' masses."""
        opposite, verbs = ("column", ("holds", "takes")) if side == "row" else ("row", ("takes", "holds"))

        def clause(indices: np.ndarray, masses: np.ndarray, verb: str) -> str:
            return f"{verb if len(indices) == 1 else verb[:-1]} {masses[indices].sum():.9g}"

        fault = f"{listed(side, stuck)} {clause(stuck, own, verbs[0])}"
        if len(allowed):
            there = clause(allowed, other, verbs[1])
            fault += f", but allow{'s' * (len(stuck) == 1)} {listed(opposite, allowed)} only, which {there}"
        else:
            fault += ", but every pair is forbidden"
        return cls(fault, *((stuck, allowed) if side == "row" else (allowed, stuck)))


class TimeLimit(TimeoutError):
    """No answer within the time that was given.

    Attributes
    ----------
    seconds : float
        The limit.
    shape : (int, int)
        Numbers of rows and of columns of the problem.
    bound : float
        The best lower bound on the cost of any answer that is known, proven like that of a certificate; −inf where none
        is. For `maximize` it is an upper bound, and inf where none is known.
    """

    def __init__(self, seconds: float, shape: tuple[int, int], bound: float = -np.inf) -> None:
        known = f"proven bound on the optimum: {bound:.12g}" if np.isfinite(bound) else "no bound on the optimum yet"
        super().__init__(f"no answer to the {shape[0]}×{shape[1]} problem within {seconds:g} s; {known}")
        self.seconds, self.shape, self.bound = seconds, shape, bound

    def __reduce__(self) -> tuple[type[TimeLimit], tuple[float, tuple[int, int], float]]:
        return type(self), (self.seconds, self.shape, self.bound)


@dataclass(frozen=True, eq=False)
class Cost:
    """What the three kinds of cost share: an (n, m) table of prices, `inf` where a pair is forbidden."""

    kind: ClassVar[str]

    @property
    def shape(self) -> tuple[int, int]:
        """(n, m): number of rows and of columns."""
        raise TypeError(f"{type(self).__name__} has no shape: subclass one of the three kinds of cost")

    @property
    def dtype(self) -> np.dtype:
        """The type in which the entries are exact."""
        return np.dtype(np.float64)

    @property
    def forbids(self) -> bool:
        """Whether some pair is forbidden."""
        return False

    def is_whole(self, unit: float) -> bool:
        """Whether every finite cost is a multiple of `unit`, a power of two."""
        return all(_multiples(block, unit) for _, block in self.blocks())

    def block(self, start: int, stop: int) -> np.ndarray:
        """Rows `start` to `stop` as a (stop − start, m) array in `dtype`."""
        raise TypeError(f"{type(self).__name__} has no entries: subclass one of the three kinds of cost")

    def row(self, i: int) -> np.ndarray:
        """Row i, shape (m,)."""
        return self.block(i, i + 1)[0]

    def entries(self, rows: np.ndarray, cols: np.ndarray) -> np.ndarray:
        """The entries (rows[k], cols[k]) in float64, shape (k,)."""
        return np.array([self.row(i)[j] for i, j in zip(rows, cols, strict=True)], dtype=np.float64)

    def exact_entries(self, rows: np.ndarray, cols: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """The entries (rows[k], cols[k]) as sums of two float64 numbers, (k,) each.

        Given entries are exact as they are. A distance or its square is the number that twice the precision yields, to
        2⁻⁹⁸ of itself; another power is the float64 number.
        """
        return self.entries(rows, cols), np.zeros(len(rows))

    def dense(self) -> np.ndarray:
        """The whole (n, m) matrix in `dtype`. Costs O(n m) memory."""
        return self.block(0, self.shape[0])

    def part(self, rows: np.ndarray, columns: np.ndarray) -> Cost:
        """The cost between some of the rows and some of the columns, in ascending order; itself for all of them."""
        if (len(rows), len(columns)) == self.shape:
            return self
        return DenseCost.trusted(self.dense()[np.ix_(rows, columns)], self.forbids)

    def up_to(self, most: float) -> Cost:
        """The same cost with pairs forbidden that cost more."""
        matrix = self.dense()
        return DenseCost(np.where(matrix > most, np.inf, matrix))

    def negative(self) -> Cost:
        """The cost −c_ij, as a matrix unless it is sparse; a forbidden pair stays one. Costs O(n m) memory."""
        kind = self.dtype if self.dtype.kind == "f" else np.dtype(np.float64)  # exact for every integer of a cost
        negative = np.empty(self.shape, dtype=kind)
        for start, block in self.blocks():
            part = negative[start : start + len(block)]
            np.subtract(0.0, block, out=part, dtype=kind)
            if self.forbids:
                np.abs(part, out=part, where=np.isinf(part))
        return DenseCost.trusted(negative, self.forbids)

    def span(self) -> tuple[float, float]:
        """(low, high): no finite entry is smaller or larger. (0, 0) where there is none."""
        low, high = np.inf, -np.inf
        for _, block in self.blocks():
            finite = block[np.isfinite(block)] if self.forbids else block
            if finite.size:
                low, high = min(low, float(finite.min())), max(high, float(finite.max()))
        return (low, high) if low <= high else (0.0, 0.0)

    def blocks(self) -> Iterator[tuple[int, np.ndarray]]:
        """All rows in order, in blocks of bounded size: pairs of the first row's index and the block."""
        n, m = self.shape
        height = max(1, BLOCK_ENTRIES // max(m, 1))
        for start in range(0, n, height):
            yield start, self.block(start, min(start + height, n))


def _multiples(values: np.ndarray, unit: float) -> bool:
    """Whether all finite values are multiples of a power of two."""
    with np.errstate(over="ignore", under="ignore"):
        parts = values / np.float64(unit)
    whole = (parts == np.rint(parts)) & ((parts != 0) | (values == 0))  # a quotient may underflow to 0
    return bool((whole | ~np.isfinite(values)).all())


@dataclass(frozen=True, eq=False)
class DenseCost(Cost):
    """A cost given as a matrix.

    Parameters
    ----------
    matrix : array_like, shape (n, m)
        float16, float32, float64, bool or any integer type, in any memory layout. Kept as it is, without a copy, when
        it is float32, float64 or an integer type; float16 and bool are widened. `inf` forbids a pair. What is written
        to it after that, even while it is solved, makes an answer wrong, which a certificate tells, or an error.

    Raises
    ------
    TypeError
        For complex, text, object, masked, sparse and extended-precision arrays: nothing is dropped or rounded silently.
    ValueError
        For anything but two dimensions, NaN, −inf, integers beyond 2**53 and, as `OutOfRange`, finite entries beyond
        1e300. The message names the first such entry.
    """

    kind: ClassVar[str] = "dense"
    matrix: np.ndarray
    _forbids: bool = field(init=False, repr=False, default=False)

    @classmethod
    def trusted(cls, matrix: np.ndarray, forbids: bool) -> DenseCost:
        """A cost whose entries are those of another one, and were validated there."""
        cost = object.__new__(cls)
        object.__setattr__(cost, "matrix", matrix)
        object.__setattr__(cost, "_forbids", forbids)
        return cost

    def __post_init__(self) -> None:
        matrix = as_numeric(self.matrix, "cost matrix", masked=MASKED_COSTS, sparse=SPARSE_COSTS)
        check_matrix(matrix)
        object.__setattr__(self, "matrix", matrix)
        object.__setattr__(self, "_forbids", check_entries(matrix, "cost matrix"))

    @property
    def shape(self) -> tuple[int, int]:
        n, m = self.matrix.shape
        return n, m

    @property
    def dtype(self) -> np.dtype:
        return self.matrix.dtype

    @property
    def forbids(self) -> bool:
        return self._forbids

    def block(self, start: int, stop: int) -> np.ndarray:
        return self.matrix[start:stop]

    def entries(self, rows: np.ndarray, cols: np.ndarray) -> np.ndarray:
        return self.matrix[rows, cols].astype(np.float64)

    def dense(self) -> np.ndarray:
        return self.matrix


#: The least penalty of unmatched mass, in units of cost.
LEAST_REACH = 1e-290

#: Squares of distances well below this have fewer digits than others.
TINIEST_DISTANCE = 1e-140


@dataclass(frozen=True, eq=False)
class PointCost(Cost):
    """The cost scale · |x_i − y_j|^p between points, computed when it is asked for: O(n + m) memory.

    Parameters
    ----------
    x : array_like, shape (n, d)
        Points of the rows, float32 or float64 (other real types are widened). Copied.
    y : array_like, shape (m, d)
        Points of the columns.
    p : float
        Exponent of the Euclidean distance, > 0.
    scale : float
        Factor, finite and > 0.
    """

    kind: ClassVar[str] = "points"
    x: np.ndarray
    y: np.ndarray
    p: float = 2
    scale: float = 1.0

    def __post_init__(self) -> None:
        for name in ("x", "y"):
            # A copy: trees of points cannot bear that their owner moves them.
            points = np.array(as_numeric(getattr(self, name), name, masked=MASKED_POINTS), order="C")
            if points.ndim != 2:
                cure = "; reshape(-1, 1) makes points on a line" if points.ndim == 1 else ""
                raise ValueError(f"{name}: expected points as an (n, d) array, got shape {points.shape}{cure}")
            if check_entries(points, name):
                row, col = first(np.isinf(points))
                raise ValueError(f"{name}[{row}, {col}] is inf; coordinates must be finite")
            if points.dtype.kind != "f":
                points = points.astype(np.float64)
            object.__setattr__(self, name, points)
        if self.x.shape[1] != self.y.shape[1]:
            raise ValueError(f"x has {self.x.shape[1]} coordinates a point, y has {self.y.shape[1]}")
        for name in ("p", "scale"):
            object.__setattr__(self, name, check_number(getattr(self, name), name, positive=True))
        extent = max(float(np.abs(points).max(initial=0.0)) for points in (self.x, self.y))
        with np.errstate(over="ignore"):
            squared = 4 * np.float64(extent) ** 2 * max(self.x.shape[1], 1)
            largest = max(squared, self.scale * squared ** (self.p / 2))
        if not largest <= LARGEST_COST:
            raise OutOfRange(f"coordinates up to {extent:g} give costs beyond {LARGEST_COST:g}; rescale the points")

    @property
    def shape(self) -> tuple[int, int]:
        return len(self.x), len(self.y)

    def block(self, start: int, stop: int) -> np.ndarray:
        from scipy.spatial.distance import cdist

        squared = cdist(self.x[start:stop], self.y, "sqeuclidean")
        return self._from_squared(squared)

    def part(self, rows: np.ndarray, columns: np.ndarray) -> PointCost:
        return PointCost(self.x[rows], self.y[columns], self.p, self.scale)

    def entries(self, rows: np.ndarray, cols: np.ndarray) -> np.ndarray:
        difference = np.subtract(self.x[rows], self.y[cols], dtype=np.float64)
        return self._from_squared((difference * difference).sum(axis=1))

    def exact_entries(self, rows: np.ndarray, cols: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        if self.p not in (1, 2):
            return super().exact_entries(rows, cols)
        square, rest = np.zeros(len(rows)), np.zeros(len(rows))
        for x, y in zip(self.x.T.astype(np.float64), self.y.T.astype(np.float64), strict=True):
            apart, apart_rest = difference(x[rows], y[cols])
            term, term_rest = product(apart, apart)
            square, sum_rest = difference(square, -term)
            rest += sum_rest + (term_rest + 2 * apart * apart_rest)
        if self.p == 1:
            # One step of Newton's method doubles the digits of a root.
            root = np.sqrt(square)
            high, low = product(root, root)
            missing = ((square - high) - low) + rest
            square, rest = root, np.divide(missing, 2 * root, out=np.zeros(len(rows)), where=root > 0)
        cost, cost_rest = product(square, np.asarray(self.scale))
        return cost, cost_rest + self.scale * rest

    @cached_property
    def rounding(self) -> tuple[float, float]:
        """(relative, absolute): how far an entry in float64 may be from the formula in exact arithmetic."""
        # Each difference, square, sum, power and product rounds once; a power may be off by a few units more.
        d, unit, tiny = self.x.shape[1], 2.0**-53, float(np.finfo(np.float64).tiny)
        relative = (self.p / 2 * (d + 2) + (3 if self.p in (1, 2) else 10)) * unit
        # That holds for normal numbers. No distance but 0 is below the unit of the coordinates.
        nearest = min(unit_of(self.x), unit_of(self.y))
        if min(nearest**2, self.scale * nearest**self.p) >= tiny:
            return relative, 0.0
        return relative, float(self.scale * (d * tiny) ** (self.p / 2) + d * tiny)

    def is_whole(self, unit: float) -> bool:
        if self.p != 2:
            return False
        mantissa, exponent = math.frexp(self.scale)
        odd = int(mantissa * 2**53)
        exponent += (odd & -odd).bit_length() - 1 - 53  # the scale is an odd number times 2**exponent
        step = math.ldexp(1.0, math.ceil((math.log2(unit) - exponent) / 2))
        return all(_multiples(points, step) for points in (self.x, self.y))

    def span(self) -> tuple[float, float]:
        if 0 in self.shape:
            return 0.0, 0.0
        return 0.0, float(self._from_squared(np.array([self.diameter**2]))[0])

    @cached_property
    def diameter(self) -> float:
        """Diagonal of the box around all points: no distance exceeds it."""
        # Axis by axis, which is much faster than along the rows.
        axes = zip(self.x.T, self.y.T, strict=True)
        sides = [float(max(x.max(), y.max())) - float(min(x.min(), y.min())) for x, y in axes]
        return float(np.linalg.norm(sides))

    def mirrored(self) -> PointCost:
        """The same with rows and columns in each other's place."""
        mirrored = copy.copy(self)  # not made anew: what was checked and cached holds for both
        object.__setattr__(mirrored, "x", self.y)
        object.__setattr__(mirrored, "y", self.x)
        return mirrored

    def is_in_space(self, *powers: int) -> bool:
        """Whether there is native code for such points at some of these values of p."""
        return self.p in powers and self.x.shape[1] in (1, 2, 3)

    def in_space(self, *powers: int) -> tuple[np.ndarray, np.ndarray] | None:
        """x and y with 2 or 3 coordinates, as native code takes them for some values of p; None for any other cost."""
        if not self.is_in_space(*powers):
            return None
        dimensions = self.x.shape[1]
        if self.p == 1 and max(np.abs(points).max(initial=0.0) for points in (self.x, self.y)) < TINIEST_DISTANCE:
            return None  # squares would underflow, each implementation's in its own way
        padding = ((0, 0), (0, max(2 - dimensions, 0)))
        x, y = (np.pad(points, padding) if dimensions == 1 else points for points in (self.x, self.y))
        return np.require(x, np.float64, ["C", "A"]), np.require(y, np.float64, ["C", "A"])

    def _from_squared(self, squared: np.ndarray) -> np.ndarray:
        if self.p != 2:
            squared **= self.p / 2
        if self.scale != 1:
            squared *= self.scale
        return squared


@dataclass(frozen=True, eq=False)
class SparseCost(Cost):
    """A cost given by the pairs that are allowed; an absent entry is a forbidden pair.

    Parameters
    ----------
    csr : array or matrix of scipy.sparse, or array of PyData's sparse with fill value 0 or inf, shape (n, m)
        Stored entries are costs, explicit zeros included. Kept as CSR with sorted indices; duplicate entries are an
        error, since a sum and a choice are both plausible readings. A stored `inf` is dropped: forbidden either way.
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
        return _multiples(self.csr.data, unit)

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


@dataclass(frozen=True, eq=False)
class Assignment:
    """Match rows to distinct columns at least total cost.

    Parameters
    ----------
    cost : DenseCost, PointCost or SparseCost
    limit : float, optional
        Most that a pair is worth. None: min(n, m) pairs are matched, whatever they cost. A number, of either sign: the
        sum of c_ij − limit is minimised over matchings of any size, so that a row or a column stays out where its pair
        would be dearer. Beyond some value, which depends on the costs, a larger limit asks for the same: as many pairs
        as can be, and then the least cost. It is lowered to that, lest it drown the costs' digits.
    maximize : bool
        Largest total instead: costs are gains, and a `limit` is the least that a pair must bring. `inf` forbids a pair
        even so.

    Raises
    ------
    TypeError, ValueError
        Where `limit` is no finite number.
    """

    cost: Cost
    limit: float | None = None
    maximize: bool = False

    def __post_init__(self) -> None:
        check_cost(self.cost)
        if not isinstance(self.maximize, bool | np.bool_):
            raise TypeError(f"maximize = {self.maximize!r}; it must be True or False")
        if self.limit is not None:
            object.__setattr__(self, "limit", self._effective(check_finite(self.limit, "limit")))

    def _effective(self, limit: float) -> float:
        """The limit, or the one nearer to the costs that asks for the same.

        An augmenting path exchanges less than min(n, m) pairs for one more: it costs less than `far` over the dearest.
        """
        low, high = self.cost.span()
        far = (min(self.shape) + 1) * (high - low)
        if far == 0:
            return limit  # of equal costs there are no digits to lose
        return max(limit, low - far) if self.maximize else min(limit, high + far)

    @property
    def minimizing(self) -> Assignment:
        """The same problem with the negative costs where this one maximises, itself otherwise."""
        if not self.maximize:
            return self
        return Assignment(self.cost.negative(), None if self.limit is None else -self.limit)

    @property
    def shape(self) -> tuple[int, int]:
        """(n, m): number of rows and of columns."""
        return self.cost.shape


@dataclass(frozen=True, eq=False)
class Transport:
    """Move the masses a of the rows onto the masses b of the columns at least total cost.

    Parameters
    ----------
    cost : DenseCost, PointCost or SparseCost, shape (n, m)
    a : array_like, shape (n,), optional
        Masses of the rows, finite and ≥ 0; uniform with sum 1 by default. Kept as float64.
    b : array_like, shape (m,), optional
        Masses of the columns.
    blur : float
        Entropic regularisation as a length: ε = blur**p, with p the exponent of a `PointCost` and p = 1 for a matrix,
        whose blur is then in units of cost. 0 asks for the unregularised problem.
    partial : bool
        Let the sums of a and b differ: the smaller is moved in full, and the larger keeps what is left over, wherever
        that is cheapest. Without it, sums that differ are an error, since they mostly are one.
    reach : float, optional
        Largest distance worth moving, as a length: masses are matched up to a penalty reach**p · KL. None: exactly.

    Raises
    ------
    ValueError
        Where a mass is negative, NaN or infinite, where all are zero, or where the two sums differ by more than
        rounding, `reach` is None and `partial` is not set; where both are.
    TypeError
        Where `partial` is neither True nor False.
    """

    cost: Cost
    a: np.ndarray | None = None
    b: np.ndarray | None = None
    blur: float = 0.05
    reach: float | None = None
    partial: bool = False

    def __post_init__(self) -> None:
        check_cost(self.cost)
        n, m = self.cost.shape
        if n == 0 or m == 0:
            raise ValueError(f"nothing to transport: the cost has shape {(n, m)}")
        for name, size in (("a", n), ("b", m)):
            object.__setattr__(self, name, check_masses(getattr(self, name), name, size))
        assert self.a is not None
        assert self.b is not None
        object.__setattr__(self, "blur", check_number(self.blur, "blur"))
        if self.reach is not None:
            object.__setattr__(self, "reach", check_number(self.reach, "reach", positive=True))
        if not isinstance(self.partial, bool | np.bool_):
            raise TypeError(f"partial = {self.partial!r}; it must be True or False")
        for name, least in (("blur", 0.0), ("reach", LEAST_REACH)):
            length = getattr(self, name)
            with np.errstate(over="ignore", under="ignore"):
                if length is not None and not least <= np.float64(length) ** self.p <= LARGEST_COST:
                    raise ValueError(f"{name} = {length:g}: {name}**{self.p:g} is beyond float64; rescale the points")
        if self.partial and self.reach is not None:
            raise ValueError("partial=True moves the smaller sum in full, a reach only what is near; give one of them")
        if self.reach is None and not self.partial:
            cure = "give a reach, or partial=True and blur=0" if self.blur else "give partial=True"
            check_sums(self.a.sum(), self.b.sum(), f"; rescale one, or {cure}")

    @property
    def shape(self) -> tuple[int, int]:
        """(n, m): number of rows and of columns."""
        return self.cost.shape

    @property
    def surplus(self) -> float:
        """Mass that a partial problem leaves behind: of the rows where above 0, of the columns where below."""
        assert self.a is not None
        assert self.b is not None
        a, b = float(self.a.sum()), float(self.b.sum())
        return a - b if self.partial and bool(sums_differ(a, b)) else 0.0

    def marginal_error(self, rows: np.ndarray, cols: np.ndarray) -> float:
        """L1 distance of a plan's sums of rows (n,) and columns (m,) from a and b: the larger, relative to the mass.

        Of the side that has a surplus only what is above counts.
        """
        assert self.a is not None
        assert self.b is not None
        over, surplus = (rows - self.a, cols - self.b), self.surplus
        signed = surplus > 0, surplus < 0
        error = (np.maximum(each, 0) if sign else np.abs(each) for each, sign in zip(over, signed, strict=True))
        return max(float(each.sum()) for each in error) / min(float(self.a.sum()), float(self.b.sum()))

    @property
    def p(self) -> float:
        """The exponent that turns `blur` and `reach` into units of cost."""
        return self.cost.p if isinstance(self.cost, PointCost) else 1

    @property
    def epsilon(self) -> float:
        """Regularisation in units of cost: blur**p."""
        return float(self.blur**self.p)

    @property
    def rho(self) -> float:
        """Penalty of unmatched mass in units of cost: reach**p, inf where balanced."""
        return np.inf if self.reach is None else float(self.reach**self.p)


Problem = Assignment | Transport


def check_cost(cost: Any) -> None:
    """A TypeError where it is none of the three kinds."""
    if not isinstance(cost, Cost):
        kind = type(cost).__name__
        wrap = "SparseCost" if hasattr(cost, "todense") else "DenseCost"
        raise TypeError(f"expected DenseCost, PointCost or SparseCost, got {kind}; wrap a matrix: {wrap}(matrix)")
