"""The families of problems, one file each: how to build an instance from (n, seed), and how to draw its answer.

A file registers its family by calling `family`. What a family builds is a pure function of its arguments, so that a
worker, or another machine, rebuilds the very same problem.
"""

from __future__ import annotations

import functools
import inspect
import typing
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import ClassVar, Literal

from lapmark.bench.util import spec
from lapmark.solvers import registry
from lapmark.solvers.problem import Problem
from lapmark.solvers.result import Result

from .application import Application, Settings, import_modules

Build = Callable[..., Problem]
Draw = Callable[..., list[Path]]
SizesOf = Callable[..., tuple[int, ...]]

#: The setting `dtype` of the families whose costs are not whole. `Case.build` holds every setting against its type.
FloatType = Literal["float32", "float64"]


@dataclass(frozen=True, kw_only=True)
class Family(Application):
    """A family of problems; an application where it can draw its answers.

    Attributes
    ----------
    build : callable
        `build(n, seed, **params) -> Problem`. Raises ValueError where n or a parameter is not one it takes.
    draw : callable or None
        `draw(problem, result, folder, n, seed, **params) -> list of paths`: pictures of an answer, as PNG, SVG and GIF.
    sizes_of : callable or None
        `sizes_of(**params) -> tuple of int`, where not every parameter set comes at all of `sizes`.
    easier : str or None
        A family of the same size and settings that this one is to be measured against: a report says who slows down.
    """

    build: Build
    draw: Draw | None = None
    sizes_of: SizesOf | None = None
    easier: str | None = None
    positional: ClassVar[int] = 2

    @property
    def function(self) -> Build:
        return self.build

    def sizes_with(self, params: Mapping[str, spec.Value]) -> tuple[int, ...]:
        """Values of n that a run takes with these parameters."""
        return self.sizes_of(**params) if self.sizes_of else self.sizes

    @property
    def kind(self) -> type[Problem]:
        """Assignment or Transport, as the annotation of `build` says."""
        return typing.get_type_hints(self.build)["return"]


@dataclass(frozen=True)
class Case:
    """One instance: a family, or a study of the gallery, a size, a seed and parameters."""

    problem: str
    n: int
    seed: int = 0
    params: Mapping[str, spec.Value] = field(default_factory=dict)

    def __str__(self) -> str:
        """The case as a spec, which `Case.read` reads back."""
        return spec.show(self.problem, {**self.params, "n": self.n, "seed": self.seed})

    @classmethod
    def read(cls, text: str) -> Case:
        name, params = spec.parse(text)
        n, seed = params.pop("n"), params.pop("seed", 0)
        assert isinstance(n, int)
        assert isinstance(seed, int)
        return cls(name, n, seed, params)

    @property
    def label(self) -> str:
        """The case without its size: what a curve over n is drawn for."""
        return spec.show(self.problem, self.params)

    def build(self) -> Problem:
        """The instance; a ValueError where the family takes no such size or setting."""
        build = get(self.problem).build
        spec.check(self.label, build, 2, self.params)
        return build(self.n, self.seed, **self.params)

    def setting(self, name: str) -> object:
        """The value of a setting, the family's default where the case does not give one; None where there is none."""
        known = inspect.signature(get(self.problem).build).parameters
        return self.params.get(name, known[name].default if name in known else None)

    def draw(self, problem: Problem, result: Result, folder: Path) -> list[Path]:
        """Pictures of an answer, written to `folder`; none where the family has no picture."""
        draw = get(self.problem).draw
        return draw(problem, result, folder, self.n, self.seed, **self.params) if draw else []


_families: dict[str, Family] = {}


def family(
    name: str,
    *,
    source: str,
    sizes: tuple[int, ...],
    variants: tuple[Settings, ...] = ({},),
    draw: Draw | None = None,
    captions: Mapping[str, str] | None = None,
    sizes_of: SizesOf | None = None,
    easier: str | None = None,
    exhibits: Mapping[str, tuple[Settings, ...]] | None = None,
) -> Callable[[Build], Build]:
    """Decorate a build function to make it the family `name`; the settings are those of `Family`."""

    def add(build: Build) -> Build:
        _families[name] = Family(
            name=name,
            build=build,
            source=source,
            sizes=sizes,
            variants=variants,
            draw=draw,
            captions=captions or {},
            sizes_of=sizes_of,
            easier=easier,
            exhibits=exhibits or {},
        )
        return build

    return add


def families() -> dict[str, Family]:
    """Every family by name."""
    _load()
    return dict(sorted(_families.items()))


def get(name: str) -> Family:
    """The family of that name; a ValueError with the nearest names where there is none."""
    known = families()
    if name in known:
        return known[name]
    raise registry.unknown("problem", name, known)


def check_only_instance(seed: int) -> None:
    """Refuse a seed where a size has one instance only: another seed would pass the same problem off as a new one."""
    if seed != 0:
        raise ValueError(f"seed = {seed}: there is one instance of each size; leave the seed at 0")


@functools.cache
def _load() -> None:
    import_modules(__name__, __path__)
