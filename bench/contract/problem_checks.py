"""Checks for families of problems: what a run, a report and another machine rely on.

Each check builds instances in this process and raises a `Broken` that names the case, a `BrokenBuild` where it
cannot be built. A size or a seed that a family refuses with a ValueError is counted as refused; a check of which
every case was refused is skipped.
"""

import dataclasses
import itertools
import json
import os
import random
import subprocess
import sys
import typing
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from lapmark.bench.problems import Case, FamilyFault
from lapmark.bench.problems.family import Family, Settings, is_ascending
from lapmark.bench.util import spec
from lapmark.bench.worker.problem_digest import digest_problem
from lapmark.solvers import certify, solve
from lapmark.solvers.costs import DenseCost, GridCost, PointCost, SparseCost
from lapmark.solvers.errors import Infeasible
from lapmark.solvers.problem import Assignment, Problem, Transport

from .checks import Broken, Verdict, skip

#: Sizes that are built beside the default ones, and the seeds that are compared.
SMALL, SEEDS = (1, 2, 3, 5, 8, 16), (0, 1, 2)

#: Largest number of pairs of an instance that is solved.
MOST_PAIRS = 300 * 300

#: Seconds for another process to build the smallest instances.
PATIENCE = 60.0

_ANNOTATION = "“-> lapmark.Assignment” or “-> lapmark.Transport”"


@dataclass(frozen=True)
class Subject:
    """A family, and the sets of settings to check it with."""

    family: Family
    variants: tuple[Settings, ...]

    def cases(self, sizes: Sequence[int] = (), seeds: Sequence[int] = (0,)) -> Iterator[Case]:
        """Yield cases of every variant, by default of its smallest default size."""
        for settings in self.variants:
            for n in sizes or self.family.sizes_with(settings)[:1]:
                yield from (Case(self.family.name, n, seed, settings) for seed in seeds)


Run = Callable[[Subject], Verdict]

PROBLEM_CHECKS: dict[str, Run] = {}


def _named(name: str) -> Callable[[Run], Run]:
    def add(run: Run) -> Run:
        PROBLEM_CHECKS[name] = run
        return run

    return add


class BrokenBuild(Broken):
    """A case that has to be built is not; `reason` is the same where another check ends for the same reason."""

    def __init__(self, case: Case, message: str, reason: tuple[str, str]) -> None:
        super().__init__(f"{case}\n{message}")
        self.reason = reason


def _built(case: Case) -> Problem | ValueError | OSError:
    """Build a case, or return the error by which the family refuses it."""
    try:
        return case.build()
    except FamilyFault as fault:
        raise BrokenBuild(case, str(fault), (fault.kind, fault.place)) from fault
    except (ValueError, OSError) as refusal:
        return refusal
    except Exception as error:
        raise Broken(f"{case}\nraises {type(error).__name__}: {error}") from error


def _build(case: Case) -> Problem:
    """Build a case of a default size."""
    found = _built(case)
    if isinstance(found, Exception):
        raise BrokenBuild(case, f"raises {type(found).__name__}: {found}", ("refused", str(case))) from found
    return found


def _each_size(cases: Iterator[Case], judge: Callable[[Case, Problem], None]) -> Verdict:
    """Build cases and judge the problems; a ValueError refuses a case."""
    ran, refused = 0, Counter[str]()
    for case in cases:
        problem = _built(case)
        if isinstance(problem, Exception):
            refused[f"{case}: {problem}"] += 1
        else:
            judge(case, problem)
            ran += 1
    return Verdict(ran, refused if not ran else Counter())


def _judge_size(case: Case, problem: Problem) -> None:
    if case.n not in problem.shape:
        raise Broken(f"{case}\nis a problem of {problem.shape[0]}×{problem.shape[1]}: neither side is n = {case.n}")


@_named("kind")
def _kind(subject: Subject) -> Verdict:
    """Check that the function returns what its annotation says."""
    kind = subject.family.kind
    for case in subject.cases():
        found = _build(case)
        if type(found) is not kind:
            raise Broken(
                f"{case}\nis annotated as {kind.__name__}, but is of type {type(found).__name__}; annotate what it "
                f"returns, {_ANNOTATION}"
            )
    return Verdict(len(subject.variants))


@_named("settings")
def _settings(subject: Subject) -> Verdict:
    """Check that wrong settings are refused, and that each value which an annotation lists builds a problem."""
    build, ran, refused = subject.family.build, 0, Counter[str]()
    parameters = spec.parameters_of(build, 2)
    if not parameters:
        return skip("has no settings")
    hints = typing.get_type_hints(build)
    for parameter in parameters:
        name = parameter.name
        if parameter.kind in (parameter.VAR_KEYWORD, parameter.VAR_POSITIONAL):
            raise Broken(f"it takes {parameter}: name the settings one by one, so that a wrong one is an error")
        if name not in hints:
            raise Broken(f"the setting {name!r} has no annotation, such as `{name}: int`: a wrong value passes unseen")
        for text in spec.choices(build, name):
            case, value = next(subject.cases()), spec.parse(f"x:{name}={text}")[1][name]
            case = dataclasses.replace(case, params={**case.params, name: value})
            found = _built(case)
            if isinstance(found, Exception):  # it needs another setting, or data that is not here
                refused[f"{case}: {found}"] += 1
            else:
                ran += 1
    return Verdict(ran, refused)


@_named("sizes")
def _sizes(subject: Subject) -> Verdict:
    """Check that small sizes are built or refused, and that n is the number of rows or of columns."""
    return _each_size(subject.cases(SMALL), _judge_size)


@_named("default-sizes")
def _default_sizes(subject: Subject) -> Verdict:
    """Check that every default size is built, within the limits of time and memory, and that they ascend."""
    ran = 0
    for settings in subject.variants:
        sizes = tuple(subject.family.sizes_with(settings))
        if not is_ascending(sizes):
            raise Broken(f"{spec.show(subject.family.name, settings)}\nhas the sizes {sizes}: they must ascend")
        for n in sizes:
            case = Case(subject.family.name, n, 0, settings)
            _judge_size(case, _build(case))
            ran += 1
    return Verdict(ran)


@_named("seed")
def _seed(subject: Subject) -> Verdict:
    """Check that a seed decides the problem: the same one gives the same bytes, others give other problems."""
    alike, ran, refused = [], 0, Counter[str]()
    for settings in subject.variants:
        digests: dict[int, str] = {}
        for case in Subject(subject.family, (settings,)).cases(seeds=SEEDS):
            problem = _built(case)
            if isinstance(problem, Exception):  # a family with one instance of each size refuses other seeds
                refused[f"{case}: {problem}"] += 1
                continue
            ran += 1
            digests[case.seed] = digest_problem(problem)
            if digest_problem(_build(case)) != digests[case.seed]:
                raise Broken(f"{case}\nis another problem when it is built again; draw from default_rng(seed)")
        if len(digests) > 1 and len(set(digests.values())) == 1:
            alike.append(spec.show(subject.family.name, settings))
    if len(alike) == len(subject.variants):
        raise Broken(
            f"{alike[0]}\nis the same problem for the seeds {', '.join(map(str, SEEDS))}; use the seed, or refuse all "
            "but 0 with a ValueError"
        )
    return Verdict(ran, refused if not ran else Counter())


@_named("global-state")
def _global_state(subject: Subject) -> Verdict:
    """Check that global random numbers are neither used nor changed."""
    for case in subject.cases():
        digests = []
        for start in (1, 2):
            np.random.seed(start)  # noqa: NPY002 - the global state that a build must leave alone
            random.seed(start)
            before = _state()
            digests.append(digest_problem(_build(case)))
            if _state() != before:
                raise Broken(f"{case}\nchanges the global random state; draw from numpy.random.default_rng(seed)")
        if digests[0] != digests[1]:
            raise Broken(f"{case}\ndepends on the global random state; draw from numpy.random.default_rng(seed)")
    return Verdict(len(subject.variants))


def _state() -> str:
    name, keys, place, *_ = np.random.get_state()  # noqa: NPY002
    return repr((random.getstate(), name, list(keys), place))


@_named("own-arrays")
def _own_arrays(subject: Subject) -> Verdict:
    """Check that an instance shares no arrays with later ones: a solver may write to them."""
    for case in subject.cases():
        before = digest_problem(_build(case))
        for array in _arrays(_build(case)):
            if array.flags.writeable:
                array[...] = 0
        if digest_problem(_build(case)) != before:
            raise Broken(f"{case}\nreturns an array that it uses again; return a copy")
    return Verdict(len(subject.variants))


def _arrays(problem: Problem) -> list[np.ndarray]:
    cost = problem.cost
    masses = list(problem.masses) if isinstance(problem, Transport) else []
    match cost:
        case DenseCost():
            return [cost.matrix, *masses]
        case PointCost():
            return [cost.x, cost.y, *masses]
        case GridCost():
            return [*cost.cells, *masses]
        case SparseCost():
            return [cost.csr.data, *masses]
    return masses


@_named("processes")
def _processes(subject: Subject) -> Verdict:
    """Check that another process builds the same bytes, with other hashes of strings and in another folder."""
    cases = list(subject.cases())
    here = [digest_problem(_build(case)) for case in cases]
    seed = "1" if os.environ.get("PYTHONHASHSEED") != "1" else "2"
    job = {"plugins": _plugins_of(subject), "digests": list(map(str, cases))}
    done = subprocess.run(
        [sys.executable, "-P", "-m", "lapmark.bench.contract.problem_process", json.dumps(job)],
        env={**os.environ, "PYTHONHASHSEED": seed},
        cwd="/",
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        errors="replace",
        timeout=PATIENCE,
        check=False,
    )
    lines = done.stdout.splitlines()
    if done.returncode or not lines:
        words = done.stderr.strip().splitlines()[-1:] or [f"exit status {done.returncode}"]
        raise Broken(f"{cases[0]}\ncannot be built in another process: {words[0]}")
    for case, digest, other in zip(cases, here, json.loads(lines[-1]), strict=True):
        if digest != other:
            raise Broken(f"{case}\nis another problem in another process; sort sets, and do not use hash() or id()")
    return Verdict(len(cases))


def _plugins_of(subject: Subject) -> list[str]:
    plugin = subject.family.origin.plugin
    return [plugin] if plugin else []


@_named("consistent")
def _consistent(subject: Subject) -> Verdict:
    """Check that a family's instances have one kind of cost and one type, so that they make one curve."""
    ran, refused = 0, Counter[str]()
    for settings in subject.variants:
        sizes = subject.family.sizes_with(settings)[:2]
        facts: dict[tuple[str, str], Case] = {}
        for case, seed in itertools.product(Subject(subject.family, (settings,)).cases(sizes), SEEDS):
            one = dataclasses.replace(case, seed=seed)
            problem = _built(one)
            if isinstance(problem, Exception):
                refused[f"{one}: {problem}"] += 1
            else:
                facts.setdefault((problem.cost.kind, str(problem.cost.dtype)), one)
                ran += 1
        if len(facts) > 1:
            listed = "\n".join(f"{case} has {kind} costs of {dtype}" for (kind, dtype), case in facts.items())
            raise Broken(f"{listed}\nmake the difference a setting")
    return Verdict(ran, refused if not ran else Counter())


@_named("optimum")
def _optimum(subject: Subject) -> Verdict:
    """Check that a small instance has an answer that can be certified, and costs what the family states."""
    ran, refused = 0, Counter[str]()
    for settings in subject.variants:
        case = _solvable(subject.family, settings)
        if isinstance(case, str):
            refused[case] += 1
            continue
        problem = _build(case)
        try:
            certificate = certify(problem, solve(problem))
        except Infeasible as error:
            raise Broken(f"{case}\nhas no answer: {error}") from None
        except Exception as error:
            raise Broken(f"{case}\ncannot be solved: {type(error).__name__}: {error}") from error
        is_exact = isinstance(problem, Assignment) or (problem.blur == 0 and problem.reach is None)
        if not certificate.valid or (is_exact and not certificate.optimal):
            raise Broken(f"{case}\nis not answered: {certificate.fault or f'the gap is {certificate.gap:.3g}'}")
        if is_exact and (fault := case.fault_of_optimum(certificate.cost)):
            raise Broken(f"{case}\n{fault}")
        ran += 1
    return Verdict(ran, refused)


def _solvable(family: Family, settings: Settings) -> Case | str:
    """Return the case of the largest small size, or else of the smallest default one, that is small enough to solve.

    Return the reason if there is none.
    """
    reasons = []
    for n in (*reversed(SMALL), *family.sizes_with(settings)[:1]):
        case = Case(family.name, n, 0, settings)
        problem = _built(case)
        if isinstance(problem, Exception):
            reasons.append(f"{case}: {problem}")
            continue
        rows, columns = problem.shape
        if rows * columns <= MOST_PAIRS:
            return case
        reasons.append(f"{case} has {rows * columns:,} pairs; at most {MOST_PAIRS:,} are solved here")
    return reasons[-1]
