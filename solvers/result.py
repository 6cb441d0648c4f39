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
    """

    row_to_col: np.ndarray
    cost: float
    u: np.ndarray | None = None
    v: np.ndarray | None = None
    counters: Mapping[str, int] = field(default_factory=dict)

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
        return cls(row_to_col, cost, u, v, counters or {})

    @property
    def duals(self) -> tuple[np.ndarray, np.ndarray]:
        """u and v of a solver that returns them."""
        assert self.u is not None
        assert self.v is not None
        return self.u, self.v

    def negative(self) -> Matching:
        """Return the answer to the problem with negated costs, which maximises if this one minimises."""
        u, v = (None if dual is None else np.subtract(0.0, dual) for dual in (self.u, self.v))
        return Matching(self.row_to_col, 0.0 - self.cost, u, v, self.counters)

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


def _sums(problem: Transport, rows: np.ndarray, cols: np.ndarray, moved: np.ndarray) -> tuple[float, float]:
    """Return cost and marginal error of a plan."""
    n, m = problem.shape
    cost = float(moved @ problem.cost.entries(rows, cols))
    return cost, problem.marginal_error(np.bincount(rows, moved, n), np.bincount(cols, moved, m))


Result = Matching | Plan
