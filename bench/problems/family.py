"""Families of problems: what one is, and the table of all of them.

Ours are files in the folders beside this one. A plugin file adds its own, and so does another package through the entry
point group `lapmark.problems`: each entry is a module that calls `family` when it is imported.
"""

import functools
import importlib
import inspect
import itertools
import pkgutil
import typing
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, TypeVar

from lapmark.bench.util import spec
from lapmark.solvers import plugins, registry
from lapmark.solvers.problem import Assignment, Problem, Transport

from .family_fault import call, check_built

Build = Callable[..., Problem]
BuildType = TypeVar("BuildType", bound=Build)
Settings = Mapping[str, spec.Value]
SizesOf = Callable[..., tuple[int, ...]]
Optimum = Callable[..., float | None]

#: Entry point group of other packages' families.
ENTRY_POINTS = "lapmark.problems"

#: The sizes of a family that states none.
SIZES = (64, 256, 1024)

#: The setting `dtype` of families whose costs are not whole numbers.
FloatType = Literal["float32", "float64"]


@dataclass(frozen=True, kw_only=True)
class Family:
    """A family of problems: a function that builds an instance of any size, seed and settings.

    Attributes
    ----------
    build : callable
        `build(n, seed, **settings) -> Problem`. Raises ValueError for a size or a setting that it does not take.
    source : str
        The publication or the package that the family comes from.
    sizes : tuple of int
        Default values of n, in ascending order.
    variants : tuple of mappings
        Default sets of settings, each a case of its own.
    sizes_of : callable or None
        `sizes_of(**settings) -> tuple of int`, for families whose default sizes depend on the settings.
    easier : str or None
        Name of an easier family of the same sizes and settings, which reports compare this one with.
    optimum : callable or None
        `optimum(n, seed, **settings) -> float | None`, called with all settings: the known cost of an optimal answer,
        published or derived, None where there is none. Certified answers are compared with it.
    origin : plugins.Origin
        Where it is registered.
    versions : mapping
        {name: digest} of its code when it was loaded; empty for Lapmark's own, which has a version itself.
    """

    name: str
    build: Build
    source: str = ""
    sizes: tuple[int, ...] = SIZES
    variants: tuple[Settings, ...] = ({},)
    sizes_of: SizesOf | None = None
    easier: str | None = None
    optimum: Optimum | None = None
    origin: plugins.Origin = plugins.UNKNOWN
    versions: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        registry.check_name("problem", self.name)
        if not is_ascending(self.sizes):
            raise ValueError(f"problem {self.name!r}: sizes = {self.sizes!r}; give whole numbers above 0, in order")
        if not self.variants or not all(isinstance(each, Mapping) for each in self.variants):
            raise ValueError(
                f"problem {self.name!r}: variants = {self.variants!r}; give mappings of settings, such as "
                '({}, {"dtype": "float64"})'
            )
        parameters = list(inspect.signature(self.build).parameters.values())
        if len(parameters) < 2 or any(each.kind is not each.POSITIONAL_OR_KEYWORD for each in parameters[:2]):
            raise ValueError(
                f"problem {self.name!r}: its function must begin with (n, seed); what follows are settings"
            )
        named = [each for each in parameters[2:] if each.kind not in (each.VAR_POSITIONAL, each.VAR_KEYWORD)]
        if bare := [each.name for each in named if each.default is each.empty]:
            raise ValueError(
                f"problem {self.name!r}: its setting {bare[0]!r} has no default; write {bare[0]}=…, since a case "
                "without it must be complete"
            )
        if getattr(self.build, "__annotations__", {"return": Problem}).get("return") is None:
            raise ValueError(f"problem {self.name!r}: write what it builds, {_RETURNS}")

    def sizes_with(self, settings: Settings) -> tuple[int, ...]:
        """Return the default values of n for these settings."""
        if self.sizes_of is None:
            return self.sizes
        sizes = call(self.sizes_of, self.origin, **settings)
        if not isinstance(sizes, (tuple, list)) or not all(isinstance(n, int) for n in sizes):
            raise ValueError(f"problem {self.name!r}: sizes_of returns {sizes!r}; it must be a tuple of whole numbers")
        return tuple(sizes)

    def instance(self, n: int, seed: int, settings: Settings) -> Problem:
        """Build an instance; a ValueError refuses the case, a FamilyFault is a failure of a user's code."""
        found = call(self.build, self.origin, n, seed, **settings)
        if not self.origin.is_built_in:  # some of ours have sizes that are none of a side
            check_built(found, self.kind, n, self.origin)
        return found

    def known_optimum(self, n: int, seed: int, settings: Settings) -> float | None:
        """Return the known cost of an optimal answer to an instance, None where there is none."""
        if self.optimum is None:
            return None
        defaults = {each.name: each.default for each in list(inspect.signature(self.build).parameters.values())[2:]}
        found = call(self.optimum, self.origin, n, seed, **{**defaults, **settings})
        return None if found is None else float(found)

    @property
    def kind(self) -> type[Problem]:
        """Assignment or Transport, from the annotation of `build`; a ValueError where it has another or none."""
        try:
            found = typing.get_type_hints(self.build).get("return")
        except (NameError, TypeError, AttributeError) as error:
            raise ValueError(f"problem {self.name!r} at {self.origin.place}: its annotations: {error}") from None
        if found not in (Assignment, Transport):
            shown = getattr(found, "__name__", found)
            raise ValueError(f"problem {self.name!r} at {self.origin.place} builds {shown}; it must be {_RETURNS}")
        return found


_families: dict[str, Family] = {}

_RETURNS = "“-> lapmark.Assignment” or “-> lapmark.Transport”"


def family(
    name: str,
    *,
    source: str = "",
    sizes: Sequence[int] = SIZES,
    variants: Sequence[Settings] = ({},),
    sizes_of: SizesOf | None = None,
    easier: str | None = None,
    optimum: Optimum | None = None,
) -> Callable[[BuildType], BuildType]:
    """Return a decorator that makes a function the family of problems `name`.

    The function is called as `build(n, seed, **settings)` and returns an `Assignment` or a `Transport`, as its return
    annotation says. It is pure: the same arguments give the same bytes in every process, so random numbers come from
    `numpy.random.default_rng(seed)`. Its further parameters are the settings; their annotations are checked. It raises
    a ValueError for a size or a setting that it does not take.

    Parameters
    ----------
    name : str
        Lower case, without blanks, colons, commas, slashes, '=' or '@', since it stands in commands and file names.
    source : str
        The publication, the data or the program that the problems come from.
    sizes : sequence of int
        Default values of n, in ascending order.
    variants : sequence of mappings
        Default sets of settings, each a case of its own.
    sizes_of : callable, optional
        `sizes_of(**settings) -> tuple of int`, where the default sizes depend on the settings.
    easier : str, optional
        Name of an easier family of the same sizes and settings, which reports compare this one with.
    optimum : callable, optional
        `optimum(n, seed, **settings) -> float | None`, the published or derived cost of an optimal answer, where there
        is one. It is called with all settings. Every certified answer is compared with it.

    Raises
    ------
    ValueError
        For an invalid argument, a function without an annotation, or a name that is registered already.

    Examples
    --------
    A file for `--plugin`, or a module for an entry point of the group `lapmark.problems`:

    >>> import numpy as np
    >>> import lapmark
    >>> @lapmark.family("steps", sizes=(100, 400))
    ... def steps(n: int, seed: int, height: int = 5) -> lapmark.Assignment:
    ...     rng = np.random.default_rng(seed)
    ...     return lapmark.Assignment(lapmark.DenseCost(rng.integers(0, height, (n, n))))
    """

    def add(build: BuildType) -> BuildType:
        origin = plugins.origin(build)
        if not origin.is_built_in:
            _load_own()  # or it could take the name of one that is loaded later
        made = Family(
            name=name,
            build=build,
            origin=origin,
            source=source,
            sizes=tuple(sizes),
            variants=tuple(variants),
            sizes_of=sizes_of,
            easier=easier,
            optimum=optimum,
            versions={} if origin.is_built_in else {f"problem {name}": _digest(build, origin)},
        )
        plugins.enter(_families, "problem", name, made)
        return build

    return add


def is_ascending(sizes: Sequence[int]) -> bool:
    """Return whether sizes are whole numbers above 0, each larger than the one before, and at least one."""
    whole = all(isinstance(n, int) and not isinstance(n, bool) for n in sizes)
    return whole and bool(sizes) and sizes[0] > 0 and all(a < b for a, b in itertools.pairwise(sizes))


def _digest(build: Build, origin: plugins.Origin) -> str:
    """Return the digest of the files that define a family."""
    return next(iter(plugins.version(origin.plugin).values()), plugins.source_digest(origin.module))


def families() -> dict[str, Family]:
    """Return all families by name."""
    _load()
    return dict(sorted(_families.items()))


def get(name: str) -> Family:
    """Return the family of a name; a ValueError suggests similar names if there is none."""
    known = families()
    if name in known:
        return known[name]
    raise registry.unknown("problem", name, known)


def check_only_instance(seed: int) -> None:
    """Raise a ValueError for a seed other than 0, in families with one instance of each size."""
    if seed != 0:
        raise ValueError(f"seed = {seed}: there is one instance of each size; leave the seed at 0")


@functools.cache
def _load() -> None:
    """Import our families and those of entry points, which register themselves."""
    _load_own()
    plugins.load_entry_points(ENTRY_POINTS)


@functools.cache
def _load_own() -> None:
    package = importlib.import_module(__package__)
    for module in pkgutil.walk_packages(package.__path__, f"{__package__}."):
        importlib.import_module(module.name)
