"""Families of problems: what one is, and the table of all of them."""

import functools
import importlib
import pkgutil
import typing
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from lapmark.bench.util import spec
from lapmark.solvers import registry
from lapmark.solvers.problem import Problem

Build = Callable[..., Problem]
Settings = Mapping[str, spec.Value]
SizesOf = Callable[..., tuple[int, ...]]

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
    """

    name: str
    build: Build
    source: str
    sizes: tuple[int, ...]
    variants: tuple[Settings, ...] = ({},)
    sizes_of: SizesOf | None = None
    easier: str | None = None

    def sizes_with(self, settings: Settings) -> tuple[int, ...]:
        """Return the default values of n for these settings."""
        return self.sizes_of(**settings) if self.sizes_of else self.sizes

    @property
    def kind(self) -> type[Problem]:
        """Assignment or Transport, from the annotation of `build`."""
        return typing.get_type_hints(self.build)["return"]


_families: dict[str, Family] = {}


def family(name: str, **settings: Any) -> Callable[[Build], Build]:
    """Decorate a build function to register it as the family `name`; the settings are the attributes of `Family`."""

    def add(build: Build) -> Build:
        _families[name] = Family(name=name, build=build, **settings)
        return build

    return add


def families() -> dict[str, Family]:
    """Return all families by name."""
    _import_families()
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
def _import_families() -> None:
    package = importlib.import_module(__package__)
    for module in pkgutil.walk_packages(package.__path__, f"{__package__}."):
        importlib.import_module(module.name)
