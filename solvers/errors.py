"""Errors that solving raises, and how their messages name rows, columns and entries."""

from __future__ import annotations

from typing import Any

import numpy as np


class Unsupported(ValueError):
    """The solver's capabilities do not include this problem."""


class OutOfRange(ValueError):
    """A finite cost is so large that sums would overflow; dividing all costs by a power of two keeps the optimum."""


class Infeasible(ValueError):
    """Every complete matching, or every plan that moves all the mass it must, uses a forbidden pair.

    Attributes
    ----------
    rows, columns : (k,) and (l,) intp, or None
        A proof by Hall's theorem, ascending; None if the solver gives none. For an assignment the longer of the two
        cannot all be matched, because the shorter holds every partner that they allow: there are more rows if n ≤ m and
        more columns if n > m. For transport the same holds for masses instead of numbers, with either side stuck.
    """

    def __init__(self, message: str, rows: np.ndarray | None = None, columns: np.ndarray | None = None) -> None:
        super().__init__(message)
        self.rows, self.columns = rows, columns

    @classmethod
    def hall(cls, rows: np.ndarray, columns: np.ndarray) -> Infeasible:
        """Return the error for rows and columns, in any order, of which the larger set allows only the smaller one."""
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
        """Return the error for indices of one side that allow only `allowed`, given the masses of both sides."""
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
    """The time limit passed before there was an answer.

    Attributes
    ----------
    seconds : float
        The limit.
    shape : (int, int)
        Numbers of rows and columns of the problem.
    bound : float
        The best proven lower bound on the cost of any answer, −inf if there is none; for `maximize` an upper bound, or
        inf.
    best : Matching or Plan, or None
        The best answer so far: a complete matching, without duals, or the latest potentials of a plan with a blur. None
        if there is none, as of exact transport, and of points and lists of pairs beyond some two thousand rows.
    """

    def __init__(self, seconds: float, shape: tuple[int, int], bound: float = -np.inf, best: Any = None) -> None:
        known = f"proven bound on the optimum: {bound:.12g}" if np.isfinite(bound) else "no bound on the optimum yet"
        if best is not None and np.isfinite(best.cost):
            known += f"; the best answer so far (best) costs {best.cost:.12g}"
        super().__init__(f"no answer to the {shape[0]}×{shape[1]} problem within {seconds:g} s; {known}")
        self.seconds, self.shape, self.bound, self.best = seconds, shape, bound, best

    def __reduce__(self) -> tuple[type[TimeLimit], tuple[float, tuple[int, int], float, Any]]:
        return type(self), (self.seconds, self.shape, self.bound, self.best)


def listed(noun: str, indices: np.ndarray, most: int = 8) -> str:
    """Return indices for a message: row 3; rows 0, 1 and 4; columns 0, 1, 2, 3, 4, 5, 6, 7 and 92 more."""
    shown = [str(int(k)) for k in indices[:most]]
    if len(indices) > most:
        shown.append(f"{len(indices) - most} more")
    return f"{noun}{'s' if len(indices) > 1 else ''} {' and '.join(filter(None, [', '.join(shown[:-1]), shown[-1]]))}"


def place(where: tuple[np.intp, ...]) -> str:
    """Return an index for a message: [0, 3]."""
    return "[" + ", ".join(str(int(k)) for k in where) + "]"
