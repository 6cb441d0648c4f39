"""The table of solvers: names, what each can do, and why one is missing.

A solver is a function `(problem, **options) -> Result` with a `Capabilities` record. Ours live one per file in
`lapmark.solvers.assignment` and `lapmark.solvers.transport`; another package adds its own through the entry point group
`lapmark.solvers`, whose entries are modules that call `register` when imported; its solvers have its version.
"""

from __future__ import annotations

import dataclasses
import difflib
import functools
import importlib
import importlib.metadata
import pkgutil
import warnings
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, overload

import numpy as np

from .deadline import Deadline
from .problem import Assignment, PointCost, Problem, TimeLimit, Transport, Unsupported
from .result import Matching, Plan, Result
from .validation import check_number, check_threads

ENTRY_POINTS = "lapmark.solvers"

KINDS = frozenset({"dense", "points", "sparse"})

Function = Callable[..., Result]


@dataclass(frozen=True, kw_only=True)
class Capabilities:
    """What a solver can do. The defaults promise least.

    Parameters
    ----------
    exact : bool
        Whether it claims the optimum. A claim that a certificate refutes is recorded as `wrong`.
    problem : {"assignment", "transport", "both"}
    costs : set of {"dense", "points", "sparse"}
        Kinds of cost it takes. Where "dense" is among them, `solve` builds the matrix of any other kind.
    rectangular, forbidden, limit, partial, duals, threads, time_limit : bool
        Whether it takes n ≠ m, takes `inf`, takes a limit on the cost of a pair, takes transport of sums that differ,
        returns u and v, and honours the options `threads` and `time_limit`.
    dtypes : set of str
        Types that it solves without rounding a cost.
    compiles : bool
        Whether it compiles itself anew for each shape of the arrays, which a harness does not time.
    device : str
    family : str
        The idea behind it, in the words of the field.
    source : str
        Paper or project that it comes from.
    counters : set of str
        Names of the counters of work that it reports; one that is absent from a result is 0.
    curve : mapping of str to tuple
        An accuracy option and the values at which a harness runs it, so that speed against accuracy is a curve.
    """

    exact: bool
    problem: str = "assignment"
    costs: Iterable[str] = frozenset({"dense"})
    rectangular: bool = False
    forbidden: bool = False
    limit: bool = False
    partial: bool = False
    dtypes: Iterable[str] = frozenset({"float64"})
    duals: bool = False
    threads: bool = False
    time_limit: bool = False
    compiles: bool = False
    device: str = "cpu"
    family: str = ""
    source: str = ""
    counters: Iterable[str] = frozenset()
    curve: Mapping[str, tuple[float, ...]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for name in ("costs", "counters", "dtypes"):
            given = getattr(self, name)
            object.__setattr__(self, name, frozenset({given} if isinstance(given, str) else given))
        if not self.costs or not set(self.costs) <= KINDS:
            raise ValueError(f"costs = {sorted(self.costs)}; choose from {sorted(KINDS)}")
        for dtype in self.dtypes:
            np.dtype(dtype)  # raises where NumPy knows no such type
        if self.problem not in {"assignment", "transport", "both"}:
            raise ValueError(f'problem = {self.problem!r}; choose from "assignment", "transport", "both"')

    def solves(self, kind: type[Problem]) -> bool:
        """Whether it solves problems of this kind, `Assignment` or `Transport`, at all."""
        return self.problem in (kind.__name__.lower(), "both")

    def refuses(self, problem: Problem) -> str | None:
        """Why the solver cannot take this problem, or None."""
        if not self.solves(type(problem)):
            return f"does not solve {type(problem).__name__.lower()} problems"
        if problem.cost.kind not in self.costs and "dense" not in self.costs:
            return f"takes {' or '.join(sorted(self.costs))} costs, not {problem.cost.kind}"
        if isinstance(problem, Assignment):
            if problem.maximize and problem.cost.kind == "points" and "dense" not in self.costs:
                return "cannot maximize: it takes points, and negative costs are a matrix"
            if problem.limit is not None and not self.limit:
                return "takes no limit on the cost of a pair"
            n, m = problem.shape
            if n != m and not self.rectangular:
                return f"takes square problems only, not {n}×{m}"
        elif not self.partial and problem.surplus:
            return "moves all mass, and the sums differ: partial=True is for exact transport, at blur=0"
        if problem.cost.forbids and not self.forbidden:
            return "takes no forbidden pairs"
        return None


@dataclass(frozen=True)
class Solver:
    """A registered solver: its name, capabilities, function, the distributions it needs and a further condition."""

    name: str
    capabilities: Capabilities
    function: Function
    requires: tuple[str, ...] = ()
    condition: Callable[[], str | None] | None = None

    @property
    def missing(self) -> str | None:
        """Why it cannot run here, or None."""
        # First what makes it useless to install the packages.
        if self.condition and (reason := self.condition()):
            return reason
        for distribution in self.requires:
            if version(distribution) is None:
                return f"package {distribution} is not installed (pip install {distribution})"
        return None

    @property
    def versions(self) -> dict[str, str]:
        """Versions of what does the work: Lapmark's own, or the wrapped packages'."""
        return {name: version(name) or "missing" for name in self.requires or ("lapmark",)}

    def run(self, problem: Problem, /, **options: Any) -> Result:
        """The answer to a problem that the capabilities allow; solvers minimise, and maximising is the mirror image."""
        if not (isinstance(problem, Assignment) and problem.maximize):
            return self.function(problem, **options)
        deadline = Deadline(options.get("time_limit"))
        negative = problem.minimizing
        try:
            if "time_limit" in options:
                deadline.check(problem.shape)
                options["time_limit"] = deadline.left
            answer = self.function(negative, **options)
        except TimeLimit as late:
            raise TimeLimit(deadline.seconds, problem.shape, -late.bound) from None
        return answer.negative() if isinstance(answer, Matching) else answer


_solvers: dict[str, Solver] = {}


def register(
    name: str,
    capabilities: Capabilities,
    requires: Iterable[str] = (),
    condition: Callable[[], str | None] | None = None,
) -> Callable[[Function], Function]:
    """Decorate a function to make it the solver `name`.

    Parameters
    ----------
    name : str
        Lower case, without blanks, colons or commas: it stands in commands and file names. What follows an @ in a
        command is the environment to run it in, and no part of the name.
    capabilities : Capabilities
    requires : iterable of str
        Distributions (as pip knows them) without which the solver shows as missing.
    condition : callable, optional
        Returns a reason where this machine cannot run it, None where it can.
    """
    if not name or name != name.lower() or set(name) & set(" :,=@\t\n/"):
        raise ValueError(f"solver name {name!r}: use lower case without blanks, colons, commas, slashes, '=' or '@'")

    def add(function: Function) -> Function:
        other = _solvers.get(name)
        if other is not None and other.function.__module__ != function.__module__:
            raise ValueError(f"solver {name!r} is already registered by {other.function.__module__}")
        _solvers[name] = Solver(name, capabilities, function, tuple(requires), condition)
        return function

    return add


def solvers() -> dict[str, Solver]:
    """Every registered solver by name, missing ones included."""
    _load()
    return dict(sorted(_solvers.items()))


def names(problem: Problem | None = None) -> list[str]:
    """Names of the solvers that can run here and, where a problem is given, take it."""
    return [
        name
        for name, solver in solvers().items()
        if solver.missing is None and (problem is None or solver.capabilities.refuses(problem) is None)
    ]


def get(name: str) -> Solver:
    """The solver of that name; a ValueError with the nearest names where there is none."""
    _load()
    if name in _solvers:
        return _solvers[name]
    raise unknown("solver", name, solvers())


def unknown(kind: str, name: str, known: Iterable[str]) -> ValueError:
    """The error for a name that does not exist, with the nearest that do."""
    hint = nearest(name, known := list(known)) or f"known: {', '.join(known)}"
    return ValueError(f"no {kind} is called {name!r}; {hint}")


def nearest(name: str, known: Iterable[str]) -> str:
    """The question whether one of the nearest names was meant; empty where none is near."""
    near = difflib.get_close_matches(name, list(known), n=3, cutoff=0.5)
    return f"did you mean {' or '.join(near)}?" if near else ""


@overload
def solve(
    problem: Assignment, solver: str = "auto", *, time_limit: float | None = None, **options: Any
) -> Matching: ...
@overload
def solve(problem: Transport, solver: str = "auto", *, time_limit: float | None = None, **options: Any) -> Plan: ...
@overload
def solve(problem: Problem, solver: str = "auto", *, time_limit: float | None = None, **options: Any) -> Result: ...
def solve(problem: Problem, solver: str = "auto", *, time_limit: float | None = None, **options: Any) -> Result:
    """Solve a problem.

    Parameters
    ----------
    problem : Assignment or Transport
    solver : str
        A name of `names(problem)`; "auto" picks one of ours for this problem.
    time_limit : float, optional
        Seconds after which to give up, finite and above 0.
    **options
        Passed on to the solver; its documentation names them. `threads`, −1 for all cores, is for those that can use
        more than one.

    Returns
    -------
    Matching or Plan

    Raises
    ------
    ValueError
        For an unknown name; as `Unsupported` where the solver cannot take the problem or cannot be stopped, as
        `Infeasible` where no complete matching of finite cost exists.
    TimeLimit
        Where the time was over before there was an answer; it says what is known of the optimum.
    ImportError
        Where the solver's package is not installed.
    """
    if not isinstance(problem, Problem):
        raise TypeError(f"solve takes an Assignment or a Transport, not {type(problem).__name__}")
    chosen = get(automatic(problem) if solver == "auto" else solver)
    if reason := chosen.missing:
        raise ImportError(f"solver {chosen.name} cannot run here: {reason}")
    if reason := chosen.capabilities.refuses(problem):
        raise Unsupported(f"solver {chosen.name} {reason}")
    if time_limit is not None:
        options["time_limit"] = check_number(time_limit, "time_limit", positive=True)
        if not chosen.capabilities.time_limit:
            able = ", ".join(name for name in names(problem) if get(name).capabilities.time_limit)
            raise Unsupported(f"solver {chosen.name} cannot be stopped once it runs; give a time_limit to {able}")
    if "threads" in options:
        options["threads"] = check_threads(options["threads"])
        if solver == "auto" and not chosen.capabilities.threads:
            del options["threads"]  # an offer: which solver is chosen is not the caller's doing
    if isinstance(problem, Assignment) and 0 in problem.shape:
        # It has one answer, and native code is spared the case that so many packages crash on.
        n, m = problem.shape
        return Matching(np.full(n, -1, dtype=np.intp), 0.0, np.zeros(n), np.zeros(m))
    return chosen.run(problem, **options)


#: Matrices of up to so many entries on the shorter side are solved as fast without any preparation, and points of up to
#: so many squared pairs.
SMALL = 32


#: Points from which on a few nodes in their place spare more than they cost.
MANY = 1000


def automatic(problem: Problem) -> str:
    """The solver that "auto" stands for."""
    if not isinstance(problem, Assignment):
        if problem.blur == 0 and problem.reach is None:
            return "transport"
        few_nodes = isinstance(problem.cost, PointCost) and problem.cost.is_in_space(1, 2)
        return "sinkhorn-multilevel" if few_nodes and min(problem.shape) >= MANY else "sinkhorn"
    n, m = problem.shape
    small = {"dense": min(n, m) <= SMALL, "points": n * m <= SMALL**2}
    if not small.get(problem.cost.kind, False):
        return "cascade"
    return "jv" if get("jv-avx2").missing else "jv-avx2"


@functools.cache
def version(distribution: str) -> str | None:
    """Installed version of a distribution, or None."""
    try:
        return importlib.metadata.version(distribution)
    except importlib.metadata.PackageNotFoundError:
        return None


@functools.cache
def _load() -> None:
    from . import assignment, transport

    for package in (assignment, transport):
        for module in pkgutil.walk_packages(package.__path__, package.__name__ + "."):
            importlib.import_module(module.name)
    for entry in importlib.metadata.entry_points(group=ENTRY_POINTS):
        known = set(_solvers)
        try:
            entry.load()
        except Exception as error:  # somebody else's package must not take ours down
            warnings.warn(f"plugin {entry.name} ({entry.value}) cannot be loaded: {error!r}", stacklevel=2)
        if entry.dist is not None:
            for name in _solvers.keys() - known:
                needs = dict.fromkeys((entry.dist.name, *_solvers[name].requires))
                _solvers[name] = dataclasses.replace(_solvers[name], requires=tuple(needs))
