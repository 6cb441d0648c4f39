"""Two commits measured in turns, so that what the machine does meanwhile comes to both alike, and then compared.

Each commit measures itself: its own code builds the problems, runs the solvers and judges the answers, by the command
`lapmark run` of that commit, in a process of its own for each case and round. A round goes one way and the next the
other, A B B A, so that a steady drift favours neither. What looks worse is measured once more, and only what is worse
again fails: bad luck of one gate in a thousand comes twice in one of a million.
"""

from __future__ import annotations

import functools
import json
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, fields, replace
from datetime import datetime
from pathlib import Path
from typing import Any

from lapmark.bench.results.record import Record
from lapmark.bench.results.store import Store
from lapmark.bench.run import configuration as configs
from lapmark.bench.run.cells import plan
from lapmark.bench.system import scratch_folders
from lapmark.bench.system.commit_build import Build
from lapmark.bench.system.machine import machine
from lapmark.bench.util import spec
from lapmark.bench.util.cache import key
from lapmark.bench.worker.protocol import BUILD_MATRIX

from .comparability import STARTED
from .comparison import Comparison, Key, Side, Terms, compare, current

#: Run by the interpreter of a build: writes the names of the solvers that this commit has.
_NAMES = """
import json, sys
from {package} import names
with open(sys.argv[1], "w") as file:
    json.dump(names(), file)
"""

#: Run by the interpreter of a build: writes the records of a store, whatever the version of its tables is there.
_RECORDS = """
import dataclasses, json, sys
from {store} import Store
with Store.open(sys.argv[2]) as store, open(sys.argv[1], "w") as file:
    records = [dataclasses.asdict(record) for record in store.records()]
    json.dump(records, file, default=lambda number: number.item())
"""

#: What the modules that a gate needs are called, and what they were called before Lapmark was one package.
_MODULES = {"command": "lapmark", "package": "lapmark", "store": "lapmark.bench.results.store"}
_OLD_MODULES = {"command": "bench.cli", "package": "solvers", "store": "bench.store"}

#: Where neither a command nor a configuration says.
USUAL = {"rounds": 10, "budget": 0.5, "timeout": 30.0, "memory": 4 << 30}

_FIELDS = {field.name for field in fields(Record)}


@dataclass(frozen=True, kw_only=True)
class Suite:
    """What is measured of each commit, and how often.

    Attributes
    ----------
    cases : mapping of str to tuple of str
        The specs of the cases, and of the solvers on each.
    rounds : int
    budget : float
        Seconds to sample a cell for, in all its rounds together.
    timeout : float
        Seconds that a call may take.
    memory : int
        Bytes that a call may take.
    """

    cases: Mapping[str, tuple[str, ...]]
    rounds: int
    budget: float
    timeout: float
    memory: int

    def only(self, keys: Iterable[Key]) -> Suite:
        """The part of it that these cells are."""
        cases: dict[str, tuple[str, ...]] = {}
        for solver, case, _ in sorted(keys):
            cases[case] = cases.get(case, ()) + ((solver,) if solver != BUILD_MATRIX else ())
        return replace(self, cases={case: solvers or self.cases[case][:1] for case, solvers in cases.items()})


def suite(
    config: str, solvers: Sequence[str], problems: Sequence[str], sizes: Sequence[int], limits: Mapping[str, Any]
) -> Suite:
    """The suite of a configuration, and what is given in place of its own.

    Parameters
    ----------
    config : str
        A name or a file, as `lapmark.bench.run.configuration.load` reads it.
    solvers, problems, sizes : sequence
        As `lapmark.bench.run.cells.plan` takes them; where they are empty, the configuration's.
    limits : mapping
        `rounds`, `budget`, `timeout` and `memory`, each None where the configuration is to say.

    Raises
    ------
    ValueError
        For a name or a setting that does not exist.
    """
    given = configs.load(config)
    cases: dict[str, tuple[str, ...]] = {}
    for cell in plan(solvers or given.solvers, given.sized(problems or given.problems), sizes):
        own = () if cell.solver == BUILD_MATRIX else (cell.solver,)  # a run on points does that work unasked
        cases[str(cell.case)] = (*cases.get(str(cell.case), ()), *own)
    chosen: dict[str, Any] = {name: limits.get(name) or getattr(given, name) or usual for name, usual in USUAL.items()}
    return Suite(cases=cases, **chosen)


@dataclass(frozen=True, order=True)
class Turn:
    """Some solvers on a case, in a round: measured on one side and then on the other.

    `again` marks the rounds in which what looked worse is measured once more.
    """

    again: bool
    round: int
    case: str
    solvers: tuple[str, ...]


class Journal:
    """The turns that are done, a file each, which appears whole or not at all: a gate that is killed loses only one."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        self.done = dict(map(_read_turn, sorted(folder.glob("*.json"))))

    def add(self, turn: Turn, old: list[Record], new: list[Record]) -> None:
        """Keep a turn and what each side measured in it."""
        told = {"turn": asdict(turn), "old": list(map(asdict, old)), "new": list(map(asdict, new))}
        path = self.folder / f"{key(turn)}.json"
        part = path.with_suffix(".part")
        part.write_text(json.dumps(told))
        os.replace(part, path)
        self.done[turn] = old, new

    def sides(self, again: bool) -> tuple[list[Record], list[Record]]:
        """What each side measured in all its rounds, a record for each cell and round."""
        turns = [sides for turn, sides in sorted(self.done.items()) if turn.again == again]
        old, new = ([record for sides in turns for record in sides[k]] for k in (0, 1))
        return old, new


def folder_of(place: Path, old: Build, new: Build, suite: Suite) -> Path:
    """The folder of a gate among those of others: other commits, another suite or another machine have another."""
    means = key(old.folder.name, new.folder.name, asdict(suite), machine())
    return place / f"{old.commit[:10]}-{new.commit[:10]}-{means[:6]}"


def run(
    builds: tuple[Build, Build], names: tuple[str, str], suite: Suite, terms: Terms, folder: Path
) -> Iterator[str | Comparison]:
    """Measure two builds and compare them.

    Parameters
    ----------
    builds : pair of Build
        The old one first.
    names : pair of str
        What the sides are called.
    suite : Suite
    terms : Terms
    folder : path
        For the turns, which a later call continues, and for a store of each side, `old` and `new`.

    Yields
    ------
    str or Comparison
        What is about to be measured, turn by turn, and the comparison at the end. Closing the iterator ends what runs
        and keeps the turns that are done.

    Raises
    ------
    lapmark.bench.system.commit_build.Failed
        Where a commit's own command cannot measure the suite; the text is what it said.
    """
    journal = Journal(folder / "turns")
    old, new = builds
    builds = (
        replace(old, hidden=(new.folder, journal.folder)),
        replace(new, hidden=(old.folder, journal.folder)),
    )
    yield from _measure(builds, suite, journal, again=False)
    sides = [_joined(records, build) for records, build in zip(journal.sides(False), builds, strict=True)]
    comparison = _compare(names, sides, terms)
    # Counters do not vary, and need no second look.
    doubtful = {cell.key for cell, change in comparison.changes("worse") if not change.counted}
    if doubtful:
        yield from _measure(builds, suite.only(doubtful), journal, again=True)
        anew = [_joined(records, build) for records, build in zip(journal.sides(True), builds, strict=True)]
        for side, second in zip(sides, map(current, anew), strict=True):
            side[:] = [second.get(cell, first) if cell in doubtful else first for cell, first in current(side).items()]
        comparison = _compare(names, sides, terms)
        note = f"{len(doubtful)} cells looked worse and were measured once more; the second time alone counts."
        comparison = replace(comparison, warnings=(*comparison.warnings, note))
    for name, side in zip(("old", "new"), sides, strict=True):
        with Store.open(folder / name) as store:
            for record in side:
                store.add(record)
    yield comparison


def _compare(names: tuple[str, str], sides: Sequence[Sequence[Record]], terms: Terms) -> Comparison:
    old, new = (Side(name, tuple(records)) for name, records in zip(names, sides, strict=True))
    return compare(old, new, terms)


def _measure(builds: tuple[Build, Build], suite: Suite, journal: Journal, again: bool) -> Iterator[str]:
    turns = [Turn(again, number, *case) for number in range(suite.rounds) for case in suite.cases.items()]
    for place, turn in enumerate(turns):
        if turn in journal.done:
            continue
        yield f"{'once more, ' if again else ''}turn {place + 1} of {len(turns)}: {turn.case}"
        found = {build: _round(build, turn, suite) for build in builds[:: 1 if turn.round % 2 == 0 else -1]}
        journal.add(turn, found[builds[0]], found[builds[1]])


def _round(build: Build, turn: Turn, suite: Suite) -> list[Record]:
    """What a commit measures in a turn; nothing of solvers that it does not have."""
    there = _names(build)
    solvers = [solver for solver in turn.solvers if spec.parse(solver)[0].partition("@")[0] in there]
    if not solvers:
        return []
    limits = {
        "--budget": f"{suite.budget / suite.rounds:.6f}s",
        "--timeout": f"{suite.timeout:.6f}s",
        "--memory": f"{suite.memory}B",
    }
    options = [part for option in limits.items() for part in option]
    chosen = [part for solver in solvers for part in ("-s", solver)]
    with scratch_folders.folder() as folder:
        build.python(["-m", _modules(build)["command"], "run", *chosen, "-p", turn.case, *options, "--to", str(folder)])
        return list(map(_record, _told(build, _RECORDS, str(folder))))


@functools.cache
def _names(build: Build) -> frozenset[str]:
    return frozenset(_told(build, _NAMES))


def _modules(build: Build) -> Mapping[str, str]:
    return _MODULES if (build.folder / "lapmark").is_dir() else _OLD_MODULES


def _told(build: Build, script: str, *arguments: str) -> Any:
    """What a script, run by the interpreter of a build, writes as JSON to the file that it is given."""
    with scratch_folders.folder() as folder:
        file = folder / "told.json"
        build.python(["-c", script.format_map(_modules(build)), str(file), *arguments])
        return json.loads(file.read_text())


def _joined(records: Iterable[Record], build: Build) -> list[Record]:
    """The rounds of each cell as one record. A cell that failed in any round has failed."""
    rounds: dict[tuple[str, str, int], list[Record]] = {}
    for record in records:
        rounds.setdefault((record.solver, record.case, record.threads), []).append(record)
    joined = []
    for parts in rounds.values():
        failed = [part for part in parts if part.status != "ok"]
        whole = failed[0] if failed else functools.reduce(Record.joined, parts)
        began = min(datetime.fromisoformat(part.finished).timestamp() for part in parts)
        # What is not the same in every round is no count of the work, and cannot be compared exactly.
        counters = dict(frozenset.intersection(*(frozenset(part.counters.items()) for part in parts)))
        conditions = {**whole.conditions, STARTED: began}
        joined.append(replace(whole, counters=counters, conditions=conditions, commit=build.commit))
    return joined


def _read_turn(path: Path) -> tuple[Turn, tuple[list[Record], list[Record]]]:
    told = json.loads(path.read_text())
    turn = Turn(**{**told["turn"], "solvers": tuple(told["turn"]["solvers"])})
    return turn, (list(map(_record, told["old"])), list(map(_record, told["new"])))


def _record(told: Mapping[str, Any]) -> Record:
    """A record as another version of the code has told it: what is not known here is left out."""
    known: dict[str, Any] = {name: value for name, value in told.items() if name in _FIELDS}
    known["samples"] = tuple(known["samples"])
    known["rounds"] = tuple(known.get("rounds", (len(known["samples"]),) if known["samples"] else ()))
    return Record(**known)
