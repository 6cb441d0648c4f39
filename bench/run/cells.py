"""The cells of a run: each a solver with its options on a case, resolved once, small cases first."""

import dataclasses
import hashlib
import itertools
import json
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from lapmark.bench import problems
from lapmark.bench.environments import available_solvers, inventory
from lapmark.bench.problems import Case, file_problems
from lapmark.bench.system.machine import source
from lapmark.bench.util import spec
from lapmark.bench.worker.protocol import BUILD_MATRIX
from lapmark.solvers import plugins
from lapmark.solvers.problem import Assignment, Problem
from lapmark.solvers.registry import Capabilities

#: Solvers whose duals certify the answers of others, best first.
REFERENCES = ("cascade", "jv-avx2", "jv-neon", "jv", "transport")


@dataclass(frozen=True, kw_only=True)
class Cell:
    """A solver on a case, with all that is needed to measure it. `resolve` makes one.

    `solver` is a spec that may name an environment, `jv@NAME:key=value`; `worker_spec` is the same without that name,
    and `environment` the name, "" for the harness's own. `python` runs its worker, `plugin` is the file that registers
    the solver, `versions` are those of the packages that do the work, `missing` says why it cannot be measured on this
    machine, and `source` is the version of the harness's code. `capabilities` is None for the harness's conversion to
    a matrix. `starts_slowly` says whether the first call may load a package or compile, which a plugin must declare.

    Cells are equal where `solver`, `case` and `threads` are.
    """

    solver: str
    case: Case
    threads: int = 1
    worker_spec: str = field(compare=False)
    environment: str = field(compare=False)
    python: Path = field(compare=False)
    plugin: str | None = field(compare=False)
    versions: Mapping[str, str] = field(compare=False)
    capabilities: Capabilities | None = field(compare=False)
    missing: str | None = field(compare=False)
    starts_slowly: bool = field(compare=False)
    source: str = field(compare=False)

    @property
    def name(self) -> str:
        """The solver without its options."""
        return spec.parse(self.solver)[0]

    @property
    def compiles(self) -> bool:
        """Whether it compiles for every shape of its input."""
        return self.capabilities is not None and self.capabilities.compiles

    @property
    def exact(self) -> bool:
        """Whether it claims the optimum."""
        return self.capabilities is None or self.capabilities.exact

    def refuses(self, problem: Problem) -> str | None:
        """Return why the solver does not take this problem, or None."""
        if self.capabilities:
            return self.capabilities.refuses(problem)
        return None if problem.cost.kind != "dense" else "the case is given as a matrix"

    def key(self, machine: Mapping[str, object]) -> str:
        """Return the identity of a measurement on a machine: a digest of everything that decides the result."""
        versions = {**self.versions, **self.case.versions}
        facts = [self.solver, str(self.case), self.threads, versions, machine, self.source]
        return hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()[:32]


def resolve(solver: str, case: Case, threads: int = 1) -> Cell:
    """Return the cell of a solver on a case; raise a ValueError where no solver or environment has this name."""
    name, options = spec.parse(solver)
    found = None if solver == BUILD_MATRIX else available_solvers.get(name)
    versions = found.versions if found else inventory.own_versions()
    missing = found.missing if found else None
    if not missing and (unknown := [package for package, version in versions.items() if version == "missing"]):
        missing = f"the version of {' and '.join(unknown)} is unknown; a time without its version is useless"
    # A package under development keeps its version while its code changes.
    origin = found.solver.origin if found and found.environment is None else plugins.UNKNOWN
    code = plugins.source_digest(origin.module) if origin.is_package else ""
    return Cell(
        solver=solver,
        case=case,
        threads=threads,
        worker_spec=spec.show(name.partition("@")[0], options),
        environment=found.environment.name if found and found.environment else "",
        python=found.python if found else Path(sys.executable),
        plugin=found.plugin if found else None,
        versions=versions,
        capabilities=found.capabilities if found else None,
        missing=missing,
        starts_slowly=not (found and found.plugin) or bool(found.solver.requires) or found.capabilities.compiles,
        source=source() + code,
    )


def plan(
    solvers: Sequence[str], cases: Sequence[str], sizes: Sequence[int] = (), threads: Sequence[int] = (1,)
) -> list[Cell]:
    """Return the cells of a run, those of a case together; raise a ValueError for an unknown name or setting.

    `solvers` and `cases` are specs. A solver's name alone stands for every point of its accuracy curve, and no solvers
    for all that solve the case's kind of problem; `expand_case` says what a case stands for. `sizes` take the place of
    each family's own; a file has its own, and `sizes` are an error if there are only files. Each number of threads is a
    cell of its own for a solver that takes them; others run with the fewest.
    """
    files = [text for text in cases if file_problems.find(text)]
    sized = sizes if len(files) == len(cases) else ()
    found = {str(case): case for text in cases for case in expand_case(text, sized if text in files else sizes)}
    resolved: dict[str, Cell] = {}
    planned = []
    for case in sorted(found.values(), key=lambda case: case.n):
        kind = case.kind
        texts = solvers or [name for name, one in available_solvers.solvers().items() if one.capabilities.solves(kind)]
        specs = [variant for text in texts for variant in expand_solver(text, kind)]
        if case.settings.get("cost") not in (None, "dense"):
            specs.insert(0, BUILD_MATRIX)
        for solver in specs:
            if solver not in resolved:
                resolved[solver] = resolve(solver, case)
        for cell in sorted((resolved[solver] for solver in dict.fromkeys(specs)), key=_rank):
            has_threads = cell.capabilities is not None and cell.capabilities.threads
            counts = sorted(set(threads)) if has_threads else [min(threads)]
            planned += [dataclasses.replace(cell, case=case, threads=count) for count in counts]
    return planned


def expand_solver(text: str, kind: type[Problem] = Assignment) -> list[str]:
    """Return the specs that a solver on the command line stands for, on problems of one kind.

    A setting that a transport problem holds itself, above all its blur, is no option of the solver there.
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
    """Return the cases that a spec on the command line stands for; it may contain `n` and `seed`.

    A family's name stands for all its variants, and other settings are added to each. A spec that sets what
    distinguishes the variants stands for itself alone. The path of a file is one case, that of a folder one for each
    cost file in it; all are read, so that a ValueError names a wrong one before anything is measured.
    """
    if found := file_problems.find(text):
        return _file_cases(*found, sizes)
    name, given = spec.parse(text)
    try:
        family = problems.get(name)
    except ValueError as error:
        raise ValueError(f"{error} (there is no such file or folder either)") from None
    n, seed = given.pop("n", None), given.pop("seed", 0)
    if not isinstance(seed, int) or not isinstance(n, int | None):
        raise ValueError(f"{text}: n and seed must be whole numbers")
    spec.check(text, family.build, 2, given)
    own = sizes or ([n] if n is not None else [])
    varied = {setting for variant in family.variants for setting in variant}
    variants = [given] if varied & given.keys() else [{**variant, **given} for variant in family.variants]
    return [Case(name, size, seed, settings) for settings in variants for size in own or family.sizes_with(settings)]


def _file_cases(path: Path, settings: dict[str, spec.Value], sizes: Sequence[int]) -> list[Case]:
    """Return the cases of a file or a folder."""
    n, seed = settings.pop("n", None), settings.pop("seed", 0)
    if sizes:
        raise ValueError(f"-n {sizes[0]}: {path} has its own size; leave it out")
    if seed != 0:
        raise ValueError(f"{path}:seed={seed}: a file has no seed; leave it out")
    cases = [Case.of_file(file, settings) for file in file_problems.check(path, settings)]
    if n is not None and any(case.n != n for case in cases):
        raise ValueError(f"{path} has {cases[0].n:,} rows, not {n}: a file has its own size; leave n out")
    return cases


def _rank(cell: Cell) -> int:
    """Return the place of a solver on a case: those that prove a bound run before those that prove none."""
    if cell.capabilities is None:
        return -1
    if cell.name in REFERENCES:
        return REFERENCES.index(cell.name)
    return len(REFERENCES) + (not cell.capabilities.duals)
