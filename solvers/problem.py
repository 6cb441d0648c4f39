"""Problems: assignment and transport.

A problem is validated once, when it is made. Solvers rely on that and check nothing again.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from .costs import Cost, PointCost
from .costs.cost import check_cost
from .errors import Unsupported
from .validation import LARGEST_COST, check_finite, check_flag, check_masses, check_number, check_sums, sums_differ

#: The least penalty of unmatched mass, in units of cost.
LEAST_REACH = 1e-290


@dataclass(frozen=True, eq=False)
class Assignment:
    """Match rows to distinct columns at least total cost.

    Parameters
    ----------
    cost : DenseCost, PointCost or SparseCost
    limit : float, optional
        The largest cost worth paying for a pair. None: min(n, m) pairs are matched at any cost. A number, of either
        sign: Σ (c_ij − limit) is minimised over matchings of any size, so that rows and columns stay unmatched if
        their pairs would cost more. Beyond some value, which depends on the costs, a larger limit changes nothing: as
        many pairs as possible, at the least cost. It is lowered to that value, so that the costs keep their digits.
    maximize : bool
        Maximise the total instead: costs are gains, and `limit` is the least gain worth taking. `inf` still forbids a
        pair.

    Raises
    ------
    TypeError, ValueError
        If `limit` is not a finite number.
    """

    cost: Cost
    limit: float | None = None
    maximize: bool = False

    def __post_init__(self) -> None:
        check_cost(self.cost)
        check_flag(self.maximize, "maximize")
        if self.limit is not None:
            object.__setattr__(self, "limit", self._effective(check_finite(self.limit, "limit")))

    def _effective(self, limit: float) -> float:
        """Return the limit, or the one nearer to the costs that poses the same problem.

        An augmenting path exchanges less than min(n, m) pairs for one more: it costs less than `far` over the dearest.
        """
        low, high = self.cost.span()
        far = (min(self.shape) + 1) * (high - low)
        if far == 0:
            return limit  # equal costs have no digits to lose
        return max(limit, low - far) if self.maximize else min(limit, high + far)

    @property
    def minimizing(self) -> Assignment:
        """The same problem with negated costs if this one maximises, otherwise itself."""
        if not self.maximize:
            return self
        return Assignment(self.cost.negative(), None if self.limit is None else -self.limit)

    @property
    def shape(self) -> tuple[int, int]:
        """(n, m): number of rows and of columns."""
        return self.cost.shape


@dataclass(frozen=True, eq=False, init=False)
class Transport:
    """Move the masses a of the rows onto the masses b of the columns at least total cost.

    Parameters
    ----------
    cost : DenseCost, PointCost, GridCost or SparseCost, shape (n, m)
    a : array_like, shape (n,), optional
        Masses of the rows, finite and ≥ 0; uniform with sum 1 by default. Kept as float64.
    b : array_like, shape (m,), optional
        Masses of the columns.
    blur : float
        Entropic regularisation as a length, for points: ε = blur**p, with p the exponent of a `PointCost`. Of any other
        cost p is 1, so that blur is ε itself, even if its entries are squared distances. 0, the default, is the exact
        problem.
    epsilon : float
        The same regularisation in units of cost, which means the same for points and matrices: ε. Give one of the two;
        the other follows.
    reach : float, optional
        Largest distance worth moving, as a length: masses are matched up to a penalty reach**p · KL. None: exactly.
    partial : bool
        Allow the sums of a and b to differ: the smaller is moved in full, and the larger keeps the rest where that is
        cheapest. Without it, different sums are an error.

    Raises
    ------
    ValueError
        If a mass is negative, NaN or infinite; if all are zero; if the sums differ by more than rounding without
        `reach` or `partial`; if both `reach` and `partial` are given, or a `blur` and an `epsilon` that differ.
    TypeError
        If `partial` is neither True nor False.
    """

    cost: Cost
    a: np.ndarray
    b: np.ndarray
    blur: float
    reach: float | None
    partial: bool

    def __init__(
        self,
        cost: Cost,
        a: ArrayLike | None = None,
        b: ArrayLike | None = None,
        blur: float = 0.0,
        reach: float | None = None,
        partial: bool = False,
        *,
        epsilon: float = 0.0,
    ) -> None:
        check_cost(cost)
        n, m = cost.shape
        if n == 0 or m == 0:
            raise ValueError(f"nothing to transport: the cost has shape {(n, m)}")
        check_flag(partial, "partial")
        if partial and reach is not None:
            raise ValueError(
                "partial=True and reach exclude each other: the first moves the smaller sum in full, the second only "
                "what is near; give one of them"
            )
        known = {
            "cost": cost,
            "a": check_masses(a, "a", n),
            "b": check_masses(b, "b", m),
            "blur": check_number(blur, "blur"),
            "reach": None if reach is None else check_number(reach, "reach", positive=True),
            "partial": partial,
        }
        for name, value in known.items():
            object.__setattr__(self, name, value)
        object.__setattr__(self, "blur", self._blur_of(check_number(epsilon, "epsilon")))
        self._check_lengths()
        if reach is None and not partial:
            cure = "give a reach, or partial=True and blur=0" if self.blur else "give partial=True"
            check_sums(self.a.sum(), self.b.sum(), f"; rescale one, or {cure}")

    def _blur_of(self, epsilon: float) -> float:
        """Return the blur: the one that is given, or that of ε; raise a ValueError if both are and differ."""
        with np.errstate(over="ignore", under="ignore"):
            implied = float(np.float64(self.blur) ** self.p)
        if epsilon == 0 or math.isclose(epsilon, implied, rel_tol=1e-9):
            return self.blur
        if self.blur == 0:
            return float(epsilon ** (1 / self.p))
        raise ValueError(
            f"blur = {self.blur:g} means epsilon = blur**{self.p:g} = {implied:g}, not {epsilon:g}; give one of them"
        )

    def _check_lengths(self) -> None:
        """Raise a ValueError if the blur or the reach is no cost that float64 holds."""
        for name, least in (("blur", 0.0), ("reach", LEAST_REACH)):
            length = getattr(self, name)
            with np.errstate(over="ignore", under="ignore"):
                if length is not None and not least <= np.float64(length) ** self.p <= LARGEST_COST:
                    raise ValueError(f"{name} = {length:g}: {name}**{self.p:g} is beyond float64; rescale the points")

    @property
    def masses(self) -> tuple[np.ndarray, np.ndarray]:
        """a (n,) and b (m,)."""
        return self.a, self.b

    @property
    def shape(self) -> tuple[int, int]:
        """(n, m): number of rows and of columns."""
        return self.cost.shape

    @property
    def surplus(self) -> float:
        """Mass that a partial problem leaves behind: on the rows if above 0, on the columns if below."""
        a, b = (float(each.sum()) for each in self.masses)
        return a - b if self.partial and bool(sums_differ(a, b)) else 0.0

    def marginal_error(self, rows: np.ndarray, cols: np.ndarray) -> float:
        """Return the L1 distance of a plan's row sums (n,) and column sums (m,) from a and b, relative to the mass.

        The larger of both sides counts; on a side with a surplus only what exceeds its masses.
        """
        (a, b), surplus = self.masses, self.surplus
        over, signed = (rows - a, cols - b), (surplus > 0, surplus < 0)
        error = (np.maximum(each, 0) if sign else np.abs(each) for each, sign in zip(over, signed, strict=True))
        return max(float(each.sum()) for each in error) / min(float(a.sum()), float(b.sum()))

    def mirrored(self) -> Transport:
        """Return the same problem with rows and columns exchanged."""
        cost, (a, b) = self.cost.mirrored(), self.masses
        return Transport(cost, b, a, self.blur, self.reach, self.partial)

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
        """Penalty of unmatched mass in units of cost: reach**p, inf if balanced."""
        return np.inf if self.reach is None else float(self.reach**self.p)


Problem = Assignment | Transport


def require_exact(problem: Transport, solver: str) -> None:
    """Raise Unsupported if a problem has a blur or a reach, for a solver that takes neither."""
    if problem.blur > 0 or problem.reach is not None:
        raise Unsupported(f"solver {solver} is exact and takes neither a blur nor a reach; give blur=0 and no reach")


def require_blur(blur: float, solver: str) -> None:
    """Raise Unsupported if the blur of a problem, or its ε, is 0, for a solver that needs one."""
    if blur == 0:
        raise Unsupported(f"solver {solver} needs a blur above 0; give one, or take an exact solver")
