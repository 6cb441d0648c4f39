"""Results: a matching or a transport plan, in one canonical form.

A result is a claim of its solver; `lapmark.solvers.certify` checks it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from .brief import Brief
from .problem import Assignment, Transport

if TYPE_CHECKING:
    import scipy.sparse


@dataclass(frozen=True, eq=False, repr=False)
class Matching(Brief):
    """An answer to an assignment problem with n rows and m columns.

    Attributes
    ----------
    row_to_col : (n,) intp
        Column of each row, −1 for an unmatched row (only if n > m, or with a limit).
    cost : float
        Sum of the chosen entries in float64, stated by the solver.
    u, v : (n,), (m,) float64, or None
        Optimal duals: u_i + v_j ≤ c_ij, with equality on the matching. On the longer side of a rectangular problem they
        are ≤ 0, and 0 if unmatched. With a limit u_i + v_j ≤ c_ij − limit, and both sides have these signs. If the
        problem maximises, ≤ and ≥ are exchanged. None if the solver has no duals.
    counters : mapping of str to int
        Work done, the same in every run on the same input.
    columns : int, or None
        m. None in a matching made without `of`; then `v` tells it.
    """

    row_to_col: np.ndarray
    cost: float
    u: np.ndarray | None = None
    v: np.ndarray | None = None
    counters: Mapping[str, int] = field(default_factory=dict)
    columns: int | None = field(default=None, metadata={"shown": False})

    @classmethod
    def of(
        cls,
        problem: Assignment,
        row_to_col: np.ndarray,
        u: np.ndarray | None = None,
        v: np.ndarray | None = None,
        counters: Mapping[str, int] | None = None,
    ) -> Matching:
        """Return a matching whose cost is summed from the problem's entries; NaN if an index is out of range."""
        n, m = problem.shape
        row_to_col = np.asarray(row_to_col, dtype=np.intp)
        rows = (row_to_col >= 0).nonzero()[0]
        inside = row_to_col.shape == (n,) and row_to_col.max(initial=-1) < m
        cost = float(problem.cost.entries(rows, row_to_col[rows]).sum()) if inside else np.nan
        return cls(row_to_col, cost, u, v, counters or {}, m)

    @property
    def col_to_row(self) -> np.ndarray:
        """Row of each column, (m,) intp, −1 for an unmatched column.

        Raises
        ------
        ValueError
            If neither `columns` nor `v` tells the number of columns.
        """
        m = self.columns if self.columns is not None else None if self.v is None else len(self.v)
        if m is None:
            raise ValueError("the number of columns is unknown; make the matching by Matching.of(problem, row_to_col)")
        col_to_row = np.full(m, -1, dtype=np.intp)
        rows = (self.row_to_col >= 0).nonzero()[0]
        col_to_row[self.row_to_col[rows]] = rows
        return col_to_row

    @property
    def duals(self) -> tuple[np.ndarray, np.ndarray]:
        """u and v of a solver that returns them."""
        assert self.u is not None
        assert self.v is not None
        return self.u, self.v

    def negative(self) -> Matching:
        """Return the answer to the problem with negated costs, which maximises if this one minimises."""
        u, v = (None if dual is None else np.subtract(0.0, dual) for dual in (self.u, self.v))
        return Matching(self.row_to_col, 0.0 - self.cost, u, v, self.counters, self.columns)

    @classmethod
    def from_pairs(cls, problem: Assignment, rows: np.ndarray, cols: np.ndarray, **known: object) -> Matching:
        """Return a matching from the pairs (rows[k], cols[k]), SciPy's convention."""
        row_to_col = np.empty(problem.shape[0], dtype=np.intp)
        row_to_col.fill(-1)
        row_to_col[rows] = cols
        return cls.of(problem, row_to_col, **known)  # type: ignore[arg-type]


@dataclass(frozen=True, eq=False, repr=False)
class Plan(Brief):
    """An answer to a transport problem with n rows and m columns.

    Attributes
    ----------
    cost : float
        Transport cost ⟨π, C⟩ of the plan, without entropy or penalty. NaN, like `marginal_error`, if the solver gives
        only potentials: a certificate sums both.
    marginal_error : float
        L1 distance of the plan's marginals from a and b, the larger of the two, relative to the mass. In an unbalanced
        problem, from the marginals that its potentials imply.
    f, g : (n,), (m,) float64, or None
        Potentials: π_ij = a_i b_j exp((f_i + g_j − c_ij) / ε) if ε > 0, the duals if ε = 0.
    mass : scipy.sparse.csr_array, or None
        The plan itself, (n, m), if it is sparse; an entropic plan has no zeros and is given by its potentials.
    counters : mapping of str to int
    """

    cost: float
    marginal_error: float
    f: np.ndarray | None = None
    g: np.ndarray | None = None
    mass: scipy.sparse.csr_array | None = None
    counters: Mapping[str, int] = field(default_factory=dict)

    @property
    def duals(self) -> tuple[np.ndarray, np.ndarray]:
        """f and g of a solver that returns them."""
        assert self.f is not None
        assert self.g is not None
        return self.f, self.g

    def matrix(self, problem: Transport) -> np.ndarray:
        """Return the plan as a matrix, (n, m) float64: what moves from each row to each column.

        Parameters
        ----------
        problem : Transport
            The one that the plan answers.

        Raises
        ------
        ValueError
            If the plan is of another shape, or has neither mass nor potentials.
        MemoryError
            If the matrix does not fit; `mass`, or `carry`, does without it.
        """
        n, m = problem.shape
        try:
            if self.mass is not None:
                _check_shape(self.mass.shape, (n, m))
                return np.asarray(self.mass.toarray(), dtype=np.float64)
            if self.f is None or self.g is None or problem.epsilon == 0:
                raise ValueError("the plan has no mass, and without a blur potentials do not tell it")
            _check_shape((len(self.f), len(self.g)), (n, m))
            (a, b), matrix = problem.masses, np.empty((n, m))
        except MemoryError:
            size = 8 * n * m / 2**30
            raise MemoryError(f"the {n}×{m} matrix of the plan takes {size:.3g} GiB; use plan.mass or carry") from None
        # Rows and columns without mass take no part, however large their potentials.
        f, g = np.where(a > 0, self.f, -np.inf), np.where(b > 0, self.g, -np.inf)
        with np.errstate(over="ignore", invalid="ignore", under="ignore"):
            for start, block in problem.cost.blocks():
                part = slice(start, start + len(block))
                share = np.subtract(g, block, out=matrix[part], dtype=np.float64)
                share += f[part, None]
                share /= problem.epsilon
                np.exp(share, out=share)
                share *= a[part, None]
                share *= b
        return matrix

    def mirrored(self) -> Plan:
        """Return the plan with rows and columns exchanged: that of the same problem posed the other way round."""
        mass = None if self.mass is None else self.mass.T.tocsr()
        return Plan(self.cost, self.marginal_error, self.g, self.f, mass, self.counters)

    @classmethod
    def of(
        cls,
        problem: Transport,
        mass: scipy.sparse.csr_array,
        f: np.ndarray | None = None,
        g: np.ndarray | None = None,
        counters: Mapping[str, int] | None = None,
    ) -> Plan:
        """Return a sparse plan whose cost and marginal error are summed from the problem's costs and masses."""
        moved = mass.tocoo()
        rows, cols = moved.coords
        return cls(*_sums(problem, rows, cols, moved.data), f, g, mass, counters or {})

    @classmethod
    def from_pairs(
        cls,
        problem: Transport,
        rows: np.ndarray,
        cols: np.ndarray,
        moved: np.ndarray,
        f: np.ndarray | None = None,
        g: np.ndarray | None = None,
        counters: Mapping[str, int] | None = None,
    ) -> Plan:
        """Return the plan that moves the masses moved[k] ≥ 0 between distinct pairs (rows[k], cols[k])."""
        from scipy.sparse import csr_array

        n, m = problem.shape
        order = np.argsort(rows.astype(np.int64) * m + cols)
        begin = np.zeros(n + 1, dtype=np.int32)
        np.cumsum(np.bincount(rows, minlength=n), out=begin[1:])
        mass = csr_array((moved[order], cols[order], begin), shape=(n, m))
        return cls(*_sums(problem, rows, cols, moved), f, g, mass, counters or {})


def _check_shape(shape: tuple[int, ...], expected: tuple[int, int]) -> None:
    """Raise a ValueError if a plan is not of the shape of its problem."""
    if tuple(shape) != expected:
        raise ValueError(f"the plan is {shape[0]}×{shape[1]}, the problem {expected[0]}×{expected[1]}")


def _sums(problem: Transport, rows: np.ndarray, cols: np.ndarray, moved: np.ndarray) -> tuple[float, float]:
    """Return cost and marginal error of a plan."""
    n, m = problem.shape
    cost = float(moved @ problem.cost.entries(rows, cols))
    return cost, problem.marginal_error(np.bincount(rows, moved, n), np.bincount(cols, moved, m))


Result = Matching | Plan
