"""From what a command names to the cells of a run: a solver with its options on a case, each once, small first."""

from __future__ import annotations

import dataclasses
import hashlib
import itertools
import json
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from lapmark.bench import problems
from lapmark.bench.environments import available_solvers, inventory
from lapmark.bench.environments.available_solvers import Entrant
from lapmark.bench.problems import Case
from lapmark.bench.system.machine import machine, source
from lapmark.bench.util import spec
from lapmark.bench.worker.protocol import BUILD_MATRIX
from lapmark.solvers.problem import Assignment, Problem

#: Solvers whose duals judge the answers of others, best first.
REFERENCES = ("cascade", "jv-avx2", "jv", "transport")


@dataclass(frozen=True)
class Cell:
    """A solver, as a spec, on a case, with so many threads; the spec may name an environment, `jv@NAME:key=value`."""

    solver: str
    case: Case
    threads: int = 1

    @property
    def name(self) -> str:
        """The solver without its options."""
        return spec.parse(self.solver)[0]

    @property
    def entrant(self) -> Entrant | None:
        """The solver and where it runs; None for what the harness does itself."""
        return None if self.solver == BUILD_MATRIX else available_solvers.get(self.name)

    @property
    def environment(self) -> str:
        """Name of the environment that it runs in, "" for the harness's own."""
        return self.entrant.environment.name if self.entrant and self.entrant.environment else ""

    @property
    def python(self) -> Path:
        """The interpreter of its worker."""
        return self.entrant.python if self.entrant else Path(sys.executable)

    @property
    def plugin(self) -> str | None:
        """The file that its solver comes from, where that is a plugin."""
        return self.entrant.plugin if self.entrant else None

    @property
    def called(self) -> str:
        """The solver as its worker knows it, which is in the environment already."""
        name, options = spec.parse(self.solver)
        return spec.show(name.partition("@")[0], options)

    @property
    def versions(self) -> dict[str, str]:
        """Versions of what does the work in this cell."""
        return dict(self.entrant.versions) if self.entrant else inventory.own_versions()

    @property
    def compiles(self) -> bool:
        """Whether it compiles for every shape of its input."""
        return self.entrant is not None and self.entrant.capabilities.compiles

    @property
    def starts_slowly(self) -> bool:
        """Whether its first call may load a package or compile: not that of a file that does not say so."""
        one = self.entrant
        return one is None or one.plugin is None or bool(one.solver.requires) or self.compiles

    @property
    def exact(self) -> bool:
        """Whether it claims the optimum."""
        return self.entrant is None or self.entrant.capabilities.exact

    @property
    def missing(self) -> str | None:
        """Why it cannot be measured on this machine, or None."""
        if self.entrant and self.entrant.missing:
            return self.entrant.missing
        if unknown := [name for name, version in self.versions.items() if version == "missing"]:
            return f"the version of {' and '.join(unknown)} is unknown, and a time says nothing without it"
        return None

    def refuses(self, problem: Problem) -> str | None:
        """Why it cannot take this problem, or None."""
        if self.entrant:
            return self.entrant.capabilities.refuses(problem)
        return None if problem.cost.kind != "dense" else "the case is given as a matrix"

    @property
    def key(self) -> str:
        """`key_on` this machine."""
        return self.key_on(machine())

    def key_on(self, where: Mapping[str, object]) -> str:
        """What identifies a measurement: equal keys were measured with equal means, and resuming mixes no others."""
        means = [self.solver, str(self.case), self.threads, self.versions, where, source()]
        return hashlib.sha256(json.dumps(means, sort_keys=True).encode()).hexdigest()[:32]


def plan(
    solvers: Sequence[str], cases: Sequence[str], sizes: Sequence[int] = (), threads: Sequence[int] = (1,)
) -> list[Cell]:
    """The cells of a run, those of a case together.

    Parameters
    ----------
    solvers : sequence of str
        Specs. A name alone stands for every point of the solver's accuracy curve. None for every solver, each on the
        cases of its kind: who asks for no solver by name is not told of each that it does not solve transport problems.
    cases : sequence of str
        Specs, as `expand_case` reads them.
    sizes : sequence of int
        In place of each family's own.
    threads : sequence of int
        Each a cell of its own for a solver that takes them; others run with the fewest.

    Raises
    ------
    ValueError
        For a name or a setting that does not exist.
    """
    found = {str(case): case for text in cases for case in expand_case(text, sizes)}
    cells = []
    for case in sorted(found.values(), key=lambda case: case.n):
        kind = problems.get(case.problem).kind
        texts = solvers or [name for name, one in available_solvers.entrants().items() if one.capabilities.solves(kind)]
        chosen = dict.fromkeys(variant for text in texts for variant in expand_solver(text, kind))
        conversion = [BUILD_MATRIX] if case.settings.get("cost", "dense") != "dense" else []
        for solver in (*conversion, *sorted(chosen, key=_rank)):
            cells += [Cell(solver, case, count) for count in _counts(solver, threads)]
    return cells


def expand_solver(text: str, kind: type[Problem] = Assignment) -> list[str]:
    """The specs that one on the command line stands for, on problems of a kind.

    What a transport problem says itself, its blur above all, is no option of the solver there.
    """
    name, options = spec.parse(text)
    solver = available_solvers.get(name).solver
    spec.check(text, solver.function, 1, options)
    own = {field.name for field in dataclasses.fields(kind)}
    curve = {option: values for option, values in solver.capabilities.curve.items() if option not in own}
    if options or not curve:
        return [spec.show(name, options)]
    points = itertools.product(*curve.values())
    return [spec.show(name, dict(zip(curve, point, strict=True))) for point in points]


def expand_case(text: str, sizes: Sequence[int] = ()) -> list[Case]:
    """The cases that a spec on the command line stands for; `n` and `seed` may stand in it too.

    A family's name stands for all its variants, and other settings are laid over each. A spec that sets what the
    variants differ in stands for itself alone.
    """
    name, given = spec.parse(text)
    family = problems.get(name)
    n, seed = given.pop("n", None), given.pop("seed", 0)
    if not isinstance(seed, int) or not isinstance(n, int | None):
        raise ValueError(f"{text}: n and seed are whole numbers")
    spec.check(text, family.build, 2, given)
    own = sizes or ([n] if n is not None else [])
    told_apart = {setting for variant in family.variants for setting in variant}
    variants = [given] if told_apart & given.keys() else [{**variant, **given} for variant in family.variants]
    return [Case(name, size, seed, settings) for settings in variants for size in own or family.sizes_with(settings)]


def _counts(solver: str, threads: Sequence[int]) -> list[int]:
    able = solver != BUILD_MATRIX and available_solvers.get(spec.parse(solver)[0]).capabilities.threads
    return sorted(set(threads)) if able else [min(threads)]


def _rank(solver: str) -> int:
    """Solvers that prove a bound come first, so that it is there for those that prove none."""
    name = spec.parse(solver)[0]
    if name in REFERENCES:
        return REFERENCES.index(name)
    return len(REFERENCES) + (not available_solvers.get(name).capabilities.duals)
