"""Workload: many problems of a folder, for all of which together one solver is chosen.

The files of a recording stand for more calls than their own: those of their class of sizes that were not kept.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from lapmark.bench.data.recorded_sample import Sample
from lapmark.bench.data.recorder import INDEX
from lapmark.bench.problems import Case, file_problems

from . import candidates
from .advisor import NoAdvice, Requirements, UnmetRequirements, best
from .features import Target
from .performance_model import PerformanceModel


@dataclass(frozen=True)
class Item:
    """A problem of a workload, the names of the solvers that take it, and the number of calls that it stands for."""

    target: Target
    solvers: frozenset[str]
    calls: float


@dataclass(frozen=True)
class Ranked:
    """A solver, and its seconds for all calls on the problems on which it meets the requirements.

    `problems` is their number, and `first` that of the problems on which it is the fastest.
    """

    solver: str
    threads: int
    seconds: float
    problems: int
    first: int


def read(folder: Path, solvers: Iterable[str], progress: Callable[[int, int], None]) -> list[Item]:
    """Describe every file of a folder; `solvers` are the names to choose from, and `progress` gets done and all."""
    files = file_problems.check(folder, {})
    weights = _calls(folder)
    able = {}
    for name in solvers:
        try:
            able[name] = candidates.available(name)
        except ValueError:  # its plugin or environment was removed
            continue
    items = []
    for done, file in enumerate(files):
        progress(done, len(files))
        case = Case.of_file(file, {})
        problem = case.build()
        takes = frozenset(
            name
            for name, one in able.items()
            if not one.missing and candidates.refuses(name, problem, one.capabilities) is None
        )
        items.append(Item(Target.of(problem, case.label), takes, weights.get(file.name, 1.0)))
    return items


def rank(model: PerformanceModel, items: Sequence[Item], requirements: Requirements, threads: int) -> list[Ranked]:
    """Return the solvers: those that meet the requirements on most problems first, and among them the fastest.

    Raise a NoAdvice if a problem is too far from everything measured, or an UnmetRequirements if no solver is left.
    """
    totals: dict[tuple[str, int], float] = {}
    met, first = Counter[tuple[str, int]](), Counter[tuple[str, int]]()
    for item in items:
        target = replace(item.target, label=model.measured_label(item.target.label))
        predictions = model.predict(target, threads)
        if not predictions or all(each.failure for each in predictions):
            raise NoAdvice(f"nothing similar to {item.target.label} was measured")
        mine = replace(requirements, solvers=item.solvers)
        for each in filter(mine.are_met_by, predictions):
            key = each.solver, each.threads
            totals[key] = totals.get(key, 0.0) + item.calls * each.seconds
            met[key] += 1
        if (fastest := best(predictions, mine)) is not None:
            first[fastest.solver, fastest.threads] += 1
    ranked = [Ranked(*key, seconds, met[key], first[key]) for key, seconds in totals.items()]
    ranked.sort(key=lambda each: (-each.problems, each.seconds))
    if not ranked or ranked[0].problems < len(items):
        near = f": {ranked[0].solver} on {ranked[0].problems}" if ranked else ""
        raise UnmetRequirements(f"no measured solver meets the requirements on all {len(items)} problems{near}")
    return ranked


def _calls(folder: Path) -> dict[str, float]:
    """Return the number of calls that each file of a recording stands for; empty for any other folder."""
    try:
        sample = Sample.read((folder / INDEX).read_text(encoding="utf-8"))
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return {}
    kept = Counter(entry.size_class for entry in sample.entries.values())
    return {
        entry.file: sample.classes[entry.size_class].calls / kept[entry.size_class]
        for entry in sample.entries.values()
        if entry.size_class in sample.classes
    }
