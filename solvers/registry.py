"""The table of solvers: names, what each can do, and why one is missing.

A solver is a function `(problem, **options) -> Result` with a `Capabilities` record. Ours are files in
`lapmark.solvers.assignment` and `lapmark.solvers.transport`. Another package adds its own through the entry point group
`lapmark.solvers`: each entry is a module that calls `register` when it is imported. A single file adds its own by
`--plugin` (`lapmark.solvers.plugins`).
"""

import difflib
import functools
import importlib
import pkgutil
import threading
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field, fields
from typing import Any

from . import plugins
from .deadline import Deadline
from .errors import TimeLimit
from .problem import Assignment, Problem
from .result import Matching, Result

#: Folders of our own solvers, and the entry point group of others.
FOLDERS, ENTRY_POINTS = ("lapmark.solvers.assignment", "lapmark.solvers.transport"), "lapmark.solvers"

KINDS = frozenset({"dense", "points", "grid", "sparse"})

#: Types of cost; those of whole numbers and truth values are exact in one of the two floats.
DTYPES = frozenset(
    {"float32", "float64", "bool"} | {f"{sign}int{bits}" for sign in ("", "u") for bits in (8, 16, 32, 64)}
)

Function = Callable[..., Result]


@dataclass(frozen=True, kw_only=True)
class Capabilities:
    """What a solver can do. The defaults promise the least.

    Parameters
    ----------
    exact : bool
        Whether it claims the optimum. A claim that a certificate refutes is recorded as `wrong`.
    problem : {"assignment", "transport", "both"}
    costs : set of {"dense", "points", "grid", "sparse"}
        Kinds of cost it takes. A solver of "dense" costs gets the other kinds too: `cost.dense()` builds their matrix.
    rectangular, forbidden, limit, partial, duals, threads, time_limit : bool
        Whether it takes n ≠ m, forbidden pairs (`inf`), a limit on the cost of a pair, and transport of different sums;
        whether it returns duals; whether it has the options `threads` and `time_limit`.
    dtypes : set of str
        Types of cost that it solves without rounding.
    compiles : bool
        Whether it compiles itself for each new shape of the arrays, which the harness does not time.
    device : str
    family : str
        The name of the method in the literature.
    source : str
        Paper or project that it comes from.
    counters : set of str
        Names of the counters of work that it reports; one that is absent from a result is 0.
    curve : mapping of str to tuple
        An accuracy option, and the values at which the harness runs it to draw speed against accuracy.
    variant_of : str
        The solver of which this one is another build with the same answers: reports compare the two and draw them
        alike. Empty for a solver of its own.
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
    variant_of: str = ""

    def __post_init__(self) -> None:
        for each in fields(self):
            _check_field(each.name, getattr(self, each.name))
        for name in ("costs", "counters", "dtypes"):
            given = getattr(self, name)
            object.__setattr__(self, name, frozenset({given} if isinstance(given, str) else given))
        if not self.costs or not set(self.costs) <= KINDS:
            raise ValueError(f"costs = {sorted(self.costs)}; choose from {sorted(KINDS)}")
        if not self.dtypes or not set(self.dtypes) <= DTYPES:
            raise ValueError(f"dtypes = {sorted(self.dtypes)}; choose from {sorted(DTYPES)}")
        if self.problem not in {"assignment", "transport", "both"}:
            raise ValueError(f'problem = {self.problem!r}; choose from "assignment", "transport", "both"')

    def solves(self, kind: type[Problem]) -> bool:
        """Return whether it solves problems of this kind, `Assignment` or `Transport`."""
        return self.problem in (kind.__name__.lower(), "both")

    def refuses(self, problem: Problem) -> str | None:
        """Return why the solver cannot take this problem, or None."""
        if not self.solves(type(problem)):
            return f"does not solve {type(problem).__name__.lower()} problems"
        if problem.cost.kind not in self.costs and "dense" not in self.costs:
            return f"takes {' or '.join(sorted(self.costs))} costs, not {problem.cost.kind}"
        if isinstance(problem, Assignment):
            if problem.maximize and problem.cost.kind == "points" and "dense" not in self.costs:
                return "cannot maximize: it takes only points, and negative costs are a matrix"
            if problem.limit is not None and not self.limit:
                return "takes no limit on the cost of a pair"
            n, m = problem.shape
            if n != m and not self.rectangular:
                return f"takes square problems only, not {n}×{m}"
        elif not self.partial and problem.surplus:
            return "moves all mass, but the sums differ: partial=True is for exact transport, at blur=0"
        if problem.cost.forbids and not self.forbidden:
            return "takes no forbidden pairs"
        return None


@dataclass(frozen=True)
class Solver:
    """A registered solver; the fields are the parameters of `register`, the function, and where it is registered."""

    name: str
    capabilities: Capabilities
    function: Function
    requires: tuple[str, ...] = ()
    condition: Callable[[], str | None] | None = None
    origin: plugins.Origin = plugins.UNKNOWN

    @property
    def missing(self) -> str | None:
        """Why it cannot run here, or None."""
        # The condition comes first: if it fails, installing the packages is of no use.
        if self.condition and (reason := self.condition()):
            return reason
        return next(filter(None, map(missing_package, self.requires)), None)

    @property
    def versions(self) -> dict[str, str]:
        """Versions of the code that does the work: Lapmark, or the wrapped packages."""
        return {name: version(name) or "missing" for name in self.requires or ("lapmark",)}

    @property
    def is_built_in(self) -> bool:
        """Whether it is registered by Lapmark itself, not by a plugin."""
        return self.origin.is_built_in

    def run(self, problem: Problem, /, **options: Any) -> Result:
        """Solve a problem that the capabilities allow. Solvers only minimise: to maximise, costs are negated here."""
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
            best = late.best.negative() if isinstance(late.best, Matching) else None
            raise TimeLimit(deadline.seconds, problem.shape, -late.bound, best) from None
        return answer.negative() if isinstance(answer, Matching) else answer


_solvers: dict[str, Solver] = {}


def register(
    name: str,
    capabilities: Capabilities,
    requires: Iterable[str] = (),
    condition: Callable[[], str | None] | None = None,
) -> Callable[[Function], Function]:
    """Return a decorator that makes a function the solver `name`.

    The function takes a problem that its capabilities allow, already validated, and its options as keyword arguments;
    their defaults are its settings. It returns a `Matching` or a `Plan`, or raises `Infeasible`.

    Parameters
    ----------
    name : str
        Lower case, without blanks, colons, commas, slashes, '=' or '@', since it stands in commands and file names.
    capabilities : Capabilities
    requires : iterable of str
        Distributions, by their names on PyPI, without which the solver shows as missing. Import them in the function,
        so that the file loads without them.
    condition : callable, optional
        Returns the reason why this machine cannot run the solver, or None.

    Raises
    ------
    ValueError
        For an invalid name, or one that is registered already (`plugins.enter`).

    Examples
    --------
    A file for `--plugin`, or a module for an entry point of the group `lapmark.solvers`:

    >>> import numpy as np
    >>> from lapmark import Capabilities, Matching, register
    >>> @register("diagonal", Capabilities(exact=False))
    ... def diagonal(problem):
    ...     return Matching.of(problem, np.arange(problem.shape[0]))
    """
    check_name("solver", name)
    if not isinstance(capabilities, Capabilities):
        raise ValueError(f"solver {name!r}: {capabilities!r} is no Capabilities(exact=True or False, …)")

    def add(function: Function) -> Function:
        origin = plugins.origin(function)
        needs = tuple(requires)
        if not origin.is_built_in:
            _load_own()  # or a solver could take the name of one that is loaded later
            needs = tuple(dict.fromkeys(filter(None, (origin.distribution, *needs))))
        plugins.enter(_solvers, "solver", name, Solver(name, capabilities, function, needs, condition, origin))
        return function

    return add


def _check_field(name: str, value: object) -> None:
    """Raise a ValueError for a value of another type than a field of `Capabilities` has."""
    if name in ("costs", "counters", "dtypes"):
        is_right = isinstance(value, str) or (
            isinstance(value, Collection) and not isinstance(value, Mapping) and all(isinstance(x, str) for x in value)
        )
        cure = 'a set of words, such as {"a", "b"}'
    elif name == "curve":
        is_right = isinstance(value, Mapping) and all(
            isinstance(option, str) and isinstance(values, (tuple, list)) and all(map(_is_number, values))
            for option, values in value.items()
        )
        cure = 'a mapping of options to numbers, such as {"blur": (0.1, 0.01)}'
    elif name in ("problem", "device", "family", "source", "variant_of"):
        is_right, cure = isinstance(value, str), "a text"
    else:
        is_right, cure = isinstance(value, bool), "True or False"
    if not is_right:
        raise ValueError(f"{name} = {value!r}; it must be {cure}")


def _is_number(value: object) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def check_name(kind: str, name: str) -> None:
    """Raise a ValueError for a name that cannot stand in commands and file names."""
    if not isinstance(name, str) or not name or name != name.lower() or set(name) & set(" :,=@\t\n/"):
        raise ValueError(f"{kind} name {name!r}: use lower case without blanks, colons, commas, slashes, '=' or '@'")


def solvers() -> dict[str, Solver]:
    """Return every registered solver by name, missing ones included."""
    _load()
    return dict(sorted(_solvers.copy().items()))  # another thread may be registering one


def names(problem: Problem | None = None) -> list[str]:
    """Return the names of the solvers that can run here and take the problem, if one is given."""
    return [
        name
        for name, solver in solvers().items()
        if solver.missing is None and (problem is None or solver.capabilities.refuses(problem) is None)
    ]


def get(name: str) -> Solver:
    """Return the solver of that name; a ValueError suggests the nearest names if there is none."""
    _load()
    if name in _solvers:
        return _solvers[name]
    raise unknown("solver", name, solvers())


def unknown(kind: str, name: str, known: Iterable[str]) -> ValueError:
    """Return the error for a name that does not exist, with the nearest that do."""
    hint = nearest(name, known := list(known)) or f"known: {', '.join(known)}"
    return ValueError(f"no {kind} is called {name!r}; {hint}")


def nearest(name: str, known: Iterable[str]) -> str:
    """Return the question whether one of the nearest names was meant; empty if none is near."""
    near = difflib.get_close_matches(name, list(known), n=3, cutoff=0.5)
    return f"did you mean {' or '.join(near)}?" if near else ""


def missing_package(distribution: str) -> str | None:
    """Return that a distribution is not installed, and the cure; None if it is."""
    return None if version(distribution) else f"package {distribution} is not installed (pip install {distribution})"


@functools.cache
def version(distribution: str) -> str | None:
    """Return the installed version of a distribution, or None."""
    import importlib.metadata  # on use, since it takes a third of the time of importing this package

    try:
        return importlib.metadata.version(distribution)
    except importlib.metadata.PackageNotFoundError:
        return None


def _once(load: Callable[[], None]) -> Callable[[], None]:
    """Return the function, which now runs once: threads that call it meanwhile wait until it is done."""
    cached, lock = functools.cache(load), threading.RLock()

    @functools.cache  # once it is done, no call needs the lock
    def loaded() -> None:
        with lock:
            cached()

    return loaded


@_once
def _load() -> None:
    """Import our solvers and those of entry points, which register themselves."""
    _load_own()
    plugins.load_entry_points(ENTRY_POINTS)


# A lock of its own: while one thread imports plugins, another may import one of them, which asks for ours first.
@_once
def _load_own() -> None:
    for package in map(importlib.import_module, FOLDERS):
        for module in pkgutil.walk_packages(package.__path__, package.__name__ + "."):
            importlib.import_module(module.name)
