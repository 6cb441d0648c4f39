"""An application: what the gallery draws, be it a family of problems that can draw its answers or a study."""

from __future__ import annotations

import importlib
import inspect
import pkgutil
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar

from lapmark.bench.data import datasets
from lapmark.bench.util import spec

Settings = Mapping[str, spec.Value]


@dataclass(frozen=True, kw_only=True)
class Application(ABC):
    """What families and studies have in common.

    Attributes
    ----------
    name : str
    source : str
        Where it comes from.
    sizes : tuple of int
        Values of n that are taken unless told otherwise, the smallest first.
    variants : tuple of mappings
        Sets of settings that are taken unless told otherwise, each a case of its own.
    captions : mapping of str to str
        What a picture shows, in one sentence without its full stop, by the name of its file without the suffix.
    exhibits : mapping of str to tuple of mappings
        What the gallery draws unless told otherwise, by the data set it takes, the best first: sets of settings, which
        are laid over the first variant, n among them. Without any, the first variant at the smallest size.
    positional : int
        How many parameters of `function` are no settings; they come first.
    """

    name: str
    source: str
    sizes: tuple[int, ...]
    variants: tuple[Settings, ...] = ({},)
    captions: Mapping[str, str] = field(default_factory=dict)
    exhibits: Mapping[str, tuple[Settings, ...]] = field(default_factory=dict)
    positional: ClassVar[int]

    @property
    @abstractmethod
    def function(self) -> Callable[..., Any]:
        """What its settings are the parameters of."""

    @property
    def about(self) -> str:
        """What it is for: the first paragraph of its module."""
        return (inspect.getdoc(inspect.getmodule(self.function)) or "").split("\n\n")[0]

    @property
    def shown(self) -> tuple[Settings, ...]:
        """The exhibits of the first data set that is on this machine."""
        return next((cases for data, cases in self.exhibits.items() if datasets.has(data)), ({},))


def import_modules(package: str, path: Iterable[str]) -> None:
    """Import the modules of a package that register something; those that begin with an underscore do not."""
    for module in pkgutil.walk_packages(path, f"{package}."):
        if not module.name.rpartition(".")[2].startswith("_"):
            importlib.import_module(module.name)
