"""Choice of a workload for a project: its own solvers, on problems that they take, in sizes that take milliseconds."""

from __future__ import annotations

import dataclasses
import json
import statistics
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from lapmark.bench.results.record import Record
from lapmark.bench.system.machine import machine
from lapmark.bench.util import cache, spec
from lapmark.bench.util.atomic_write import write_atomically

from . import journal
from .commit_side import Side
from .project_inventory import Inventory, Request
from .settings import Settings
from .workload import LIMITS, Workload, of_settings

#: Seconds of a call: of the size that is chosen at most, and of a size that is tried. Of short calls, more are
#: undisturbed.
LONGEST_CALL, LONGEST_TRIAL = 0.01, 1.0


@dataclass(frozen=True)
class Chosen:
    """A workload, and notes on what was left out and why."""

    workload: Workload
    notes: tuple[str, ...]


def choose(sides: tuple[Side, Side], settings: Settings, say: Callable[[str], None]) -> Chosen:
    """Return what to measure of a project's two commits.

    Sizes that nobody names are chosen by a trial, whose result is kept in the cache folder. `say` is called with the
    steps.

    Raises
    ------
    ValueError
        The project has nothing to measure, or a solver, problem or benchmark does not exist. The message says what
        to do.
    """
    say("listing the project's solvers")
    request = Request(folder="", solvers=settings.solvers, problems=settings.problems, sizes=settings.sizes)
    where = f" ({settings.where})" if settings.where else ""
    try:
        new = sides[1].inventory(request)
    except ValueError as error:
        # Plugin files are in a scratch folder, which means nothing to the user.
        raise ValueError(f"{error}{where}".replace(f"{sides[1].folder}/", "")) from None
    names = {spec.parse(text)[0] for text in settings.solvers} or set(new.solvers)
    benchmarks = [command.name for command in sides[1].commands]
    benchmarks += [] if settings.only_solvers else new.benchmarks
    _check_own(names, new, benchmarks, settings)
    cells, notes = _sized(new.cells, sides, settings, say)
    cases: dict[str, list[str]] = {}
    for solver, case in cells:
        cases.setdefault(case, []).append(solver)
    return Chosen(of_settings(cases, benchmarks, settings), (*new.faults, *notes))


def _check_own(names: set[str], found: Inventory, benchmarks: Sequence[str], settings: Settings) -> None:
    """Raise a ValueError if nothing of the project would be measured: both commits would run the same code."""
    if names & set(found.solvers) or benchmarks:
        return
    faults = "".join(f"\n{fault}" for fault in found.faults)
    if not found.solvers:
        raise ValueError(
            "nothing of this project would be measured: at HEAD it registers no solver and has no benchmark. Add an "
            "entry point of the group “lapmark.solvers”, a file under plugins = […], or a command to "
            f"[tool.lapmark.gate] of its pyproject.toml; “lapmark gate --init” writes a start{faults}"
        )
    chosen, own = ", ".join(sorted(names)), ", ".join(found.solvers)
    raise ValueError(f"both commits would run the same code: not of this project: {chosen}; its solvers: {own}")


def _sized(
    cells: Sequence[tuple[str, str, str]],
    sides: tuple[Side, Side],
    settings: Settings,
    say: Callable[[str], None],
) -> tuple[list[tuple[str, str]], list[str]]:
    """Return the cells to measure, with one size for each problem that was given without; and notes."""
    fixed = [(solver, case) for solver, case, group in cells if not group]
    groups: dict[tuple[str, str], list[str]] = {}
    for solver, case, group in cells:
        if group:
            groups.setdefault((solver, group), []).append(case)
    if not groups:
        return fixed, []
    records = _trial(groups, sides, settings, say)
    chosen, notes = [], []
    for (solver, group), cases in groups.items():
        tried = [records[solver, case] for case in cases if (solver, case) in records]
        able = [record for record in tried if record.status != "skipped"]
        if not able:
            if settings.problems:  # a default problem that a solver does not take needs no word
                reason = tried[0].message if tried else "it was not tried"
                notes.append(f"{solver} is not measured on {group}: {reason}")
            continue
        quick = [record for record in able if record.samples and statistics.median(record.samples) <= LONGEST_CALL]
        chosen.append((solver, max(quick, key=lambda record: record.n).case if quick else able[0].case))
    return [*fixed, *chosen], notes


def _trial(
    groups: dict[tuple[str, str], list[str]],
    sides: tuple[Side, Side],
    settings: Settings,
    say: Callable[[str], None],
) -> dict[tuple[str, str], Record]:
    """Run every solver once on each size, smaller ones first, until one takes too long; on the old commit if it can."""
    old, new = sides
    memory = int(settings.memory or LIMITS["memory"])
    facts = old.build.folder.name, new.build.folder.name, sorted(groups.items()), memory, machine()
    kept = cache.folder() / "trials" / f"{cache.key(*facts)}.json"
    if kept.exists():
        tried = list(map(journal.record, json.loads(kept.read_text())))
        return {(record.solver, record.case): record for record in tried}
    say("choosing the sizes of problems by a trial")
    found: dict[tuple[str, str], Record] = {}
    for solver in dict.fromkeys(solver for solver, _ in groups):
        cases = [case for (one, _), its in groups.items() if one == solver for case in its]
        side = old if old.has(solver) else new
        for record in side.run([solver], cases, 1e-6, LONGEST_TRIAL, memory):
            found[record.solver, record.case] = record
    write_atomically(kept, json.dumps([dataclasses.asdict(record) for record in found.values()]).encode())
    return found
