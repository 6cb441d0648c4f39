"""POT's Sinkhorn algorithms: by plain scalings, in the log domain, and by stabilised scalings.

All solve in float64 and at one ε. `stop` is the marginal error at which to stop; the package measures one side by the
Euclidean norm, which is at least the L1 norm over √m. It has unbalanced forms of the first and the last, which stop if
a step changes the scalings by less than `stop`, relatively. The form used for the first is translation-invariant (T.
Séjourné et al., AISTATS 2022): the other one is slow if masses differ and the reach is far.

If scalings overflow or underflow, the package warns and returns its last values. Here that is a ValueError.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np

from lapmark.solvers.errors import Unsupported
from lapmark.solvers.problem import Assignment, Problem, Transport, require_blur
from lapmark.solvers.registry import Capabilities, register
from lapmark.solvers.result import Matching, Plan, Result
from lapmark.solvers.sinkhorn.matching_rounding import round_plan
from lapmark.solvers.validation import check_number

#: (a, b, cost, ε, **options of the package) -> the plan between masses of sum 1, and the logarithms of its scalings.
Balanced = Callable[..., tuple[np.ndarray, np.ndarray, np.ndarray]]

SOURCE = "https://github.com/PythonOT/POT"


def plain(*given: Any, **options: Any) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    from ot.bregman import sinkhorn_knopp

    with np.errstate(all="ignore"):
        plan, log = sinkhorn_knopp(*given, **options)
        return plan, np.log(log["u"]), np.log(log["v"])


def logarithmic(*given: Any, **options: Any) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    from ot.bregman import sinkhorn_log

    with np.errstate(divide="ignore", over="ignore"):
        plan, log = sinkhorn_log(*given, **options)
    return plan, log["log_u"], log["log_v"]


def stabilized(*given: Any, **options: Any) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    from ot.bregman import sinkhorn_stabilized

    # After absorption scalings restart at 1 / n, and the others at n. With the package's fixed bound of 1000 these are
    # absorbed again at every step if n > 1000, and the plan then hardly changes.
    with np.errstate(all="ignore"):
        plan, log = sinkhorn_stabilized(*given, tau=1e3 * max(map(len, given[:2])), **options)
    return plan, log["logu"], log["logv"]


def options_of(stop: float, size: int, max_iterations: int) -> dict[str, Any]:
    """Return the package's options for a marginal error `stop`, with `size` columns."""
    return {"numItermax": max_iterations, "stopThr": stop / np.sqrt(size), "log": True, "warn": False}


def capabilities(source: str, problem: str = "transport", **others: Any) -> Capabilities:
    """Return what all of the package's algorithms share, with the source of one and what sets it apart."""
    dtypes = {"float32", "float64"}
    source = f"{source}; {SOURCE}"
    return Capabilities(exact=False, problem=problem, dtypes=dtypes, family="entropic", source=source, **others)


@register(
    "pot-sinkhorn",
    capabilities("M. Cuturi, NIPS 2013", problem="both", curve={"blur": (0.1, 0.03)}),
    requires=("pot",),
)
def pot_sinkhorn(
    problem: Problem, blur: float | None = None, stop: float | None = None, max_iterations: int = 1000
) -> Result:
    """Solve by plain scalings, the package's fastest method while they stay within float64.

    If they do not, an `Assignment` is solved in the log domain, and a `Transport` is a ValueError: `pot-sinkhorn-log`
    is a separate solver. `blur` and `stop` mean the same as in `sinkhorn`: for an `Assignment`, ε = blur² · (largest −
    smallest cost), with a blur of 0.03 and a marginal error of 1e-2 by default; a `Transport` has its own blur, and
    1e-3. `max_iterations` is the package's default; the `marginal_error` of a plan shows whether it was enough.
    """
    if isinstance(problem, Assignment):
        return _assign(problem, 0.03 if blur is None else blur, stop or 1e-2, max_iterations)
    if blur is not None:
        raise ValueError("blur belongs to the problem: Transport(cost, a, b, blur=…)")
    if problem.reach is not None:
        return _unbalanced(problem, "pot-sinkhorn", "sinkhorn_translation_invariant", stop or 1e-3, max_iterations)
    return _balanced(problem, "pot-sinkhorn", plain, stop or 1e-3, max_iterations)


@register(
    "pot-sinkhorn-log",
    capabilities("J. Feydy, thesis (2020), section 3.3"),
    requires=("pot",),
)
def pot_sinkhorn_log(problem: Transport, stop: float = 1e-3, max_iterations: int = 1000) -> Plan:
    """Solve balanced problems in the log domain, without underflow."""
    if problem.reach is not None:
        raise Unsupported("pot-sinkhorn-log is for balanced problems: the package has no unbalanced form of it")
    return _balanced(problem, "pot-sinkhorn-log", logarithmic, stop, max_iterations)


@register(
    "pot-sinkhorn-stabilized",
    capabilities("B. Schmitzer, SIAM J. Sci. Comput. 41 (2019)"),
    requires=("pot",),
)
def pot_sinkhorn_stabilized(problem: Transport, stop: float = 1e-3, max_iterations: int = 1000) -> Plan:
    """Solve by scalings that are absorbed into the kernel when they grow large."""
    if problem.reach is not None:
        return _unbalanced(problem, "pot-sinkhorn-stabilized", "sinkhorn_stabilized", stop, max_iterations)
    return _balanced(problem, "pot-sinkhorn-stabilized", stabilized, stop, max_iterations)


def _assign(problem: Assignment, blur: float, stop: float, max_iterations: int) -> Matching:
    cost = problem.cost.dense().astype(np.float64)
    epsilon = check_number(blur, "blur", positive=True) ** 2 * float(np.ptp(cost) or 1.0)
    uniform, options = np.full(len(cost), 1 / len(cost)), options_of(stop, len(cost), max_iterations)
    shifted = cost - cost.min()  # a constant does not change the plan, but exp(−cost / ε) may underflow
    plan, _, _ = plain(uniform, uniform, shifted, epsilon, **options)
    if not np.abs(plan.sum(axis=1) - uniform).sum() <= 0.5:  # NaN, or hardly any mass moved
        plan, _, _ = logarithmic(uniform, uniform, cost, epsilon, **options)
    return Matching.of(problem, round_plan(plan, cost))


def _balanced(problem: Transport, solver: str, method: Balanced, stop: float, max_iterations: int) -> Plan:
    given = Given.of(problem)
    a, b, epsilon = given.a, given.b, problem.epsilon
    total = a.sum()
    with _within_float64(problem, solver):
        plan, log_u, log_v = method(
            a / total, b / b.sum(), given.cost, epsilon, **options_of(stop, len(b), max_iterations)
        )
        # The package's scalings include the masses, our potentials do not.
        return given.plan(total * plan, (a, b), epsilon * (log_u - np.log(a / total)), epsilon * (log_v - np.log(b)))


def _unbalanced(problem: Transport, solver: str, method: str, stop: float, max_iterations: int) -> Plan:
    from ot.unbalanced import sinkhorn_unbalanced

    given = Given.of(problem)
    a, b, epsilon, rho = given.a, given.b, problem.epsilon, problem.rho
    with _within_float64(problem, solver), np.errstate(all="ignore"):
        # "kl" takes the entropy relative to a ⊗ b, as we do.
        plan, log = sinkhorn_unbalanced(
            a, b, given.cost, epsilon, rho, method, "kl", numItermax=max_iterations, stopThr=stop, log=True
        )
        f, g = epsilon * log["logu"], epsilon * log["logv"]
        return given.plan(plan, (a * np.exp(-f / rho), b * np.exp(-g / rho)), f, g)


@dataclass(frozen=True)
class Given:
    """The package's input: costs in float64, for the rows and columns with mass, since it divides by the masses.

    `rows` and `cols` flag these.
    """

    rows: np.ndarray
    cols: np.ndarray
    a: np.ndarray
    b: np.ndarray
    cost: np.ndarray

    @classmethod
    def of(cls, problem: Transport) -> Given:
        require_blur(problem.epsilon, "pot-sinkhorn")
        (a, b), cost = problem.masses, problem.cost.dense()
        rows, cols = a > 0, b > 0
        if not (rows.all() and cols.all()):
            cost = cost[np.ix_(rows, cols)]
        return cls(rows, cols, a[rows], b[cols], cost.astype(np.float64, copy=False))

    def plan(self, moved: np.ndarray, asked: tuple[np.ndarray, np.ndarray], f: np.ndarray, g: np.ndarray) -> Plan:
        """Return the plan, from the moved masses and the right sums of its rows and columns."""
        if not (np.isfinite(f).all() and np.isfinite(g).all()):
            raise FloatingPointError
        sums = zip((moved.sum(axis=1), moved.sum(axis=0)), asked, (self.a, self.b), strict=True)
        missed = max(float(np.abs(some - due).sum() / masses.sum()) for some, due, masses in sums)
        # Potentials of rows and columns without mass are arbitrary.
        full = np.zeros(len(self.rows)), np.zeros(len(self.cols))
        full[0][self.rows], full[1][self.cols] = f, g
        return Plan(float((moved * self.cost).sum()), missed, *full)


@contextmanager
def _within_float64(problem: Transport, solver: str) -> Iterator[None]:
    """Turn the package's warning that scalings left float64, or a NaN among them, into a ValueError."""
    with warnings.catch_warnings():
        warnings.filterwarnings("error", r".*[Nn]umerical errors", UserWarning)
        try:
            yield
        except (UserWarning, FloatingPointError):
            largest = f"costs up to {problem.cost.span()[1]:g}"
            reach = "" if problem.reach is None else f" and a reach of {problem.reach:g}"
            raise ValueError(
                f"blur = {problem.blur:g} is too small for {solver} with {largest}{reach}: its scalings leave float64; "
                "raise the blur, or take a solver that works in the log domain, like sinkhorn"
            ) from None
