"""The support of a transport problem: its rows and columns with mass.

Iterations only see the support; the other rows and columns get potentials afterwards. If pairs are forbidden, problems
without a plan are detected here, too.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from lapmark.solvers.certificate.hall_proof import mass_shortage
from lapmark.solvers.costs.sparse import allowed_pairs
from lapmark.solvers.deadline import Deadline
from lapmark.solvers.native import _transport
from lapmark.solvers.problem import Transport
from lapmark.solvers.validation import ROUNDING

from .iteration import Entropic
from .kernel_sums import Ordered, in_place

#: Masses below this part of their sum count as 0: they change no digit of any sum.
LEAST_MASS = 2.0**-900


@dataclass(frozen=True)
class Support:
    """Rows (k,) and columns (l,) with mass, ascending, and the problem between them."""

    problem: Transport
    rows: np.ndarray
    cols: np.ndarray
    part: Transport

    @classmethod
    def of(cls, problem: Transport, deadline: Deadline) -> Support:
        """Return the support of a problem.

        Raises
        ------
        Infeasible
            If the problem is balanced and every plan uses a forbidden pair; with a proof.
        """
        a, b = problem.masses
        rows, cols = (np.flatnonzero(masses / masses.sum() >= LEAST_MASS) for masses in (a, b))
        part = problem
        if (len(rows), len(cols)) != problem.shape:
            cost = problem.cost.part(rows, cols)
            part = Transport(cost, a[rows], b[cols], problem.blur, problem.reach)
        support = cls(problem, rows, cols, part)
        if problem.reach is None and part.cost.forbids:
            support._check_feasible(deadline)
        return support

    def extended(self, f: np.ndarray, g: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return potentials (n,) and (m,) of the whole problem, extended from the support by one update.

        In a balanced problem f and g belong to masses of sum 1. Rows and columns without an allowed pair get 0.
        """
        if self.part is self.problem:
            return f, g
        (n, m), cost, (a, b) = self.problem.shape, self.problem.cost, self.part.masses
        if self.problem.reach is None:
            a, b = a / a.sum(), b / b.sum()
        idle_rows, idle_cols = np.setdiff1d(np.arange(n), self.rows), np.setdiff1d(np.arange(m), self.cols)
        whole_f, whole_g = np.empty(n), np.empty(m)
        whole_f[self.rows], whole_g[self.cols] = f, g
        if len(idle_rows):
            between = Transport(cost.part(idle_rows, self.cols), None, b, self.problem.blur, self.problem.reach)
            whole_f[idle_rows] = _left_by(g, Ordered.of(between, Deadline(None)), between)
        if len(idle_cols):
            between = Transport(cost.part(self.rows, idle_cols), a, None, self.problem.blur, self.problem.reach)
            whole_g[idle_cols] = _left_by(f, Ordered.of(between, Deadline(None)).mirrored(), between)
        return whole_f, whole_g

    def _check_feasible(self, deadline: Deadline) -> None:
        (a, b), cost = self.part.masses, self.part.cost
        if _few_are_forbidden(self.part):
            return
        pairs = allowed_pairs(cost)
        begin, columns, free = pairs.indptr.astype(np.int64), pairs.indices.astype(np.int32), np.zeros(pairs.nnz)
        try:  # any plan will do, so that all pairs are free
            _transport.sparse(begin, columns, free, a, b, ROUNDING, deadline.left)
        except _transport.Stuck as stuck:
            raise mass_shortage(self.problem, self.rows, self.cols, *stuck.args) from None


def _few_are_forbidden(problem: Transport) -> bool:
    """Return whether a plan exists because no row and no column together forbid more than the whole mass.

    If some rows hold more than all the columns that they allow, every other column forbids all these rows, which is
    more than each of these rows allows.
    """
    a, b = problem.masses
    by_rows, by_columns = 0.0, np.zeros(len(b))
    for start, block in problem.cost.blocks():
        forbidden = np.isinf(block).astype(np.float64)
        by_rows = max(by_rows, float((forbidden @ b).max()))
        by_columns += a[start : start + len(block)] @ forbidden
    return by_rows / float(b.sum()) + float(by_columns.max()) / float(a.sum()) <= 1


def _left_by(potential: np.ndarray, ordered: Ordered, problem: Transport) -> np.ndarray:
    """Return the update of the rows from potentials of the columns."""
    soft = ordered.pairs.soft_minima(np.arange(len(ordered.pairs.a)), potential[ordered.cols], problem.epsilon)
    update = Entropic(ordered.pairs, Deadline(None), problem.rho).damped(soft, problem.epsilon)
    return in_place(np.where(update < np.inf, update, 0.0), ordered.rows)
