"""Cases: one instance of a family each."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from lapmark.bench.util import spec
from lapmark.solvers.problem import Problem

from .family import get


@dataclass(frozen=True)
class Case:
    """One instance of a family, or of a study of the gallery: its name, a size, a seed and settings."""

    problem: str
    n: int
    seed: int = 0
    params: Mapping[str, spec.Value] = field(default_factory=dict)

    def __str__(self) -> str:
        """Return the case as a spec, which `Case.read` reads."""
        return spec.show(self.problem, {**self.params, "n": self.n, "seed": self.seed})

    @classmethod
    def read(cls, text: str) -> Case:
        """Return the case of a spec."""
        name, params = spec.parse(text)
        n, seed = params.pop("n"), params.pop("seed", 0)
        assert isinstance(n, int)
        assert isinstance(seed, int)
        return cls(name, n, seed, params)

    @property
    def label(self) -> str:
        """The case without size and seed, as a spec: one curve over n."""
        return spec.show(self.problem, self.params)

    def build(self) -> Problem:
        """Build the problem; a ValueError names a size or a setting that the family does not take."""
        build = get(self.problem).build
        spec.check(self.label, build, 2, self.params)
        return build(self.n, self.seed, **self.params)

    @property
    def settings(self) -> dict[str, Any]:
        """All settings of the family: those of the case, and the defaults of the others."""
        defaults = list(inspect.signature(get(self.problem).build).parameters.values())[2:]
        return {**{each.name: each.default for each in defaults}, **self.params}
