"""Cases: one instance of a family each, or the problem in a file."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from lapmark.bench.util import spec
from lapmark.solvers.problem import Problem

from . import file_problems
from .family import get

#: The problem of a command or a function that a gate measures beside solvers: it is none.
NO_PROBLEM = "benchmark"

#: Relative difference from a known optimum that rounding explains.
SAME_COST = 1e-9


@dataclass(frozen=True)
class Case:
    """One instance of a family, of a study of the gallery, or of a file: its name, a size, a seed and settings.

    `problem` is the name of the family, or that of a file (`file_problems`), whose size is its number of rows.
    """

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

    @classmethod
    def of_file(cls, path: Path, settings: Mapping[str, spec.Value]) -> Case:
        """Read a file and return its case; raise a ValueError for a file that is damaged or no problem."""
        return cls(file_problems.name_of(path), file_problems.facts(path, settings).shape[0], params=dict(settings))

    @property
    def file(self) -> Path | None:
        """The file of the problem, None for an instance of a family."""
        return file_problems.path_of(self.problem) if file_problems.is_file_name(self.problem) else None

    @property
    def label(self) -> str:
        """The case without size and seed, as a spec: one curve over n."""
        return spec.show(self.problem, self.params)

    @property
    def kind(self) -> type[Problem]:
        """Assignment or Transport."""
        return get(self.problem).kind if self.file is None else file_problems.facts(self.file, self.params).kind

    @property
    def known_optimum(self) -> float | None:
        """The published or derived cost of an optimal answer; None where there is none, and for files."""
        return get(self.problem).known_optimum(self.n, self.seed, self.params) if self.file is None else None

    def fault_of_optimum(self, cost: float) -> str:
        """Return what is wrong where a cost that is proven optimal is not the known optimum; "" where it is."""
        known = self.known_optimum
        if known is None or abs(cost - known) <= SAME_COST * max(abs(known), 1):
            return ""
        return (
            f"the known optimum of this instance is {known:.12g}, but {cost:.12g} is proven optimal: it is another "
            "instance; check its data file, or the family"
        )

    @property
    def versions(self) -> Mapping[str, str]:
        """{name: digest} of the code of a family that is not Lapmark's own."""
        return get(self.problem).versions if self.file is None else {}

    def build(self) -> Problem:
        """Build the problem; a ValueError names a size or a setting that the family does not take, or a bad file.

        A FamilyFault, which is one, names the line of a user's family that fails.
        """
        if self.file is not None:
            return self._read(self.file)
        family = get(self.problem)
        spec.check(self.label, family.build, 2, self.params)
        return family.instance(self.n, self.seed, self.params)

    def _read(self, file: Path) -> Problem:
        problem = file_problems.read(file, self.params)
        if problem.shape[0] != self.n:
            raise ValueError(f"{file} has {problem.shape[0]:,} rows, not {self.n:,}: a file has its own size")
        return problem

    @property
    def settings(self) -> dict[str, Any]:
        """All settings of the family, those of the case and the defaults of the others; of a file its kind of cost."""
        if self.file is not None:
            return {"cost": file_problems.facts(self.file, self.params).cost, **self.params}
        defaults = list(inspect.signature(get(self.problem).build).parameters.values())[2:]
        return {**{each.name: each.default for each in defaults}, **self.params}
