"""Gate: two commits measured alternately on this machine, and compared.

Each commit measures itself: its own code builds the problems, runs the solvers and certifies the answers, by its own
`lapmark run`, in a new process for each case and round. The order alternates, A B B A, so that a steady drift favours
neither. Cells that look worse are measured again, and only those that are worse again fail: a false alarm of one gate
in a thousand becomes one in a million.
"""

from __future__ import annotations

import functools
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, fields, replace
from datetime import datetime
from pathlib import Path
from typing import Any

from lapmark.bench.compare.comparability import STARTED
from lapmark.bench.compare.comparison import Comparison, Criteria, Key, compare, current
from lapmark.bench.compare.result_sets import ResultSet
from lapmark.bench.results.record import Record
from lapmark.bench.results.store import Store
from lapmark.bench.run import configuration as configs
from lapmark.bench.run.cells import plan
from lapmark.bench.system import scratch_folders
from lapmark.bench.system.commit_build import Build
from lapmark.bench.system.machine import machine
from lapmark.bench.util import spec
from lapmark.bench.util.atomic_write import write_atomically
from lapmark.bench.util.cache import key
from lapmark.bench.worker.protocol import BUILD_MATRIX

#: Script for the interpreter of a build: writes the names of the solvers of this commit.
_NAMES = """
import json, sys
from {package} import names
with open(sys.argv[1], "w") as file:
    json.dump(names(), file)
"""

#: Script for the interpreter of a build: writes the records of a store that this commit made.
_RECORDS = """
import dataclasses, json, sys
from {store} import Store
with Store.open(sys.argv[2]) as store, open(sys.argv[1], "w") as file:
    records = [dataclasses.asdict(record) for record in store.records()]
    json.dump(records, file, default=lambda number: number.item())
"""

#: The modules that a gate needs, and their names in commits from before Lapmark was one package.
_MODULES = {"command": "lapmark", "package": "lapmark", "store": "lapmark.bench.results.store"}
_OLD_MODULES = {"command": "bench.cli", "package": "solvers", "store": "bench.store"}

#: The defaults where neither the command nor the configuration sets a value.
DEFAULTS = {"rounds": 10, "budget": 0.5, "timeout": 30.0, "memory": 4 << 30}

_FIELDS = {field.name for field in fields(Record)}


@dataclass(frozen=True, kw_only=True)
class Workload:
    """Cells to measure of each commit, and how often.

    `cases` has the specs of the solvers for the spec of each case. `budget` is the time in seconds to sample a cell,
    in all rounds together; `timeout` and `memory` are the limits of a call, in seconds and bytes.
    """

    cases: Mapping[str, tuple[str, ...]]
    rounds: int
    budget: float
    timeout: float
    memory: int

    def only(self, keys: Iterable[Key]) -> Workload:
        """Return the part with these cells."""
        cases: dict[str, tuple[str, ...]] = {}
        for solver, case, _ in sorted(keys):
            cases[case] = cases.get(case, ()) + ((solver,) if solver != BUILD_MATRIX else ())
        return replace(self, cases={case: solvers or self.cases[case][:1] for case, solvers in cases.items()})


def workload(
    config: str, solvers: Sequence[str], problems: Sequence[str], sizes: Sequence[int], limits: Mapping[str, Any]
) -> Workload:
    """Return the workload of a configuration, with the given values in place of its own.

    `config` is a name or a file, as `lapmark.bench.run.configuration.load` reads it. Empty `solvers`, `problems` and
    `sizes`, and `rounds`, `budget`, `timeout` and `memory` in `limits` that are None, stand for those of the
    configuration. Raise a ValueError for a name or a setting that does not exist.
    """
    given = configs.load(config)
    cases: dict[str, tuple[str, ...]] = {}
    for cell in plan(solvers or given.solvers, given.sized(problems or given.problems), sizes):
        own = () if cell.solver == BUILD_MATRIX else (cell.solver,)  # a run on points always measures it too
        cases[str(cell.case)] = (*cases.get(str(cell.case), ()), *own)
    chosen: dict[str, Any] = {
        name: limits.get(name) or getattr(given, name) or default for name, default in DEFAULTS.items()
    }
    return Workload(cases=cases, **chosen)


@dataclass(frozen=True, order=True)
class Block:
    """Some solvers on a case in a round, measured on one commit and then on the other.

    `is_repeat` marks the rounds that measure again what looked worse.
    """

    is_repeat: bool
    round: int
    case: str
    solvers: tuple[str, ...]


class Journal:
    """The finished blocks, one file each: a gate that is killed loses at most the block it was measuring."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        self.done = dict(map(_read_block, sorted(folder.glob("*.json"))))

    def add(self, block: Block, old: list[Record], new: list[Record]) -> None:
        """Store a block and the records that each commit measured in it."""
        content = {"block": asdict(block), "old": list(map(asdict, old)), "new": list(map(asdict, new))}
        write_atomically(self.folder / f"{key(block)}.json", json.dumps(content).encode())
        self.done[block] = old, new

    def records(self, is_repeat: bool) -> tuple[list[Record], list[Record]]:
        """Return the records of the old and the new commit, one for each cell and round."""
        pairs = [pair for block, pair in sorted(self.done.items()) if block.is_repeat == is_repeat]
        old, new = ([record for pair in pairs for record in pair[k]] for k in (0, 1))
        return old, new


def folder_of(parent: Path, old: Build, new: Build, workload: Workload) -> Path:
    """Return the folder of a gate below `parent`, another for other builds, another workload or another machine."""
    digest = key(old.folder.name, new.folder.name, asdict(workload), machine())
    return parent / f"{old.commit[:10]}-{new.commit[:10]}-{digest[:6]}"


def run(
    builds: tuple[Build, Build], names: tuple[str, str], workload: Workload, criteria: Criteria, folder: Path
) -> Iterator[str | Comparison]:
    """Measure two builds, the old one first, and compare them.

    The folder gets the blocks, which a later call continues, and a store of each commit, `old` and `new`. Yield what is
    about to be measured, block by block, and the comparison at the end. Closing the iterator ends the running processes
    and keeps the finished blocks. Raise a CommandError with its output where a commit's own command fails.
    """
    journal = Journal(folder / "blocks")
    old, new = builds
    builds = (replace(old, hidden=(new.folder, journal.folder)), replace(new, hidden=(old.folder, journal.folder)))
    yield from _measure(builds, workload, journal, is_repeat=False)
    records = _joined_pair(journal, builds, is_repeat=False)
    comparison = _compare(names, records, criteria)
    # Counters do not vary, so they are not measured again.
    doubtful = {cell.key for cell, change in comparison.changes("worse") if not change.counted}
    if doubtful:
        yield from _measure(builds, workload.only(doubtful), journal, is_repeat=True)
        repeated = _joined_pair(journal, builds, is_repeat=True)
        for mine, second in zip(records, map(current, repeated), strict=True):
            mine[:] = [second.get(cell, first) if cell in doubtful else first for cell, first in current(mine).items()]
        comparison = _compare(names, records, criteria)
        note = f"{len(doubtful)} cells looked worse and were measured again; only the second measurement counts."
        comparison = replace(comparison, warnings=(*comparison.warnings, note))
    for name, mine in zip(("old", "new"), records, strict=True):
        with Store.open(folder / name) as store:
            for record in mine:
                store.add(record)
    yield comparison


def _compare(names: tuple[str, str], records: Sequence[Sequence[Record]], criteria: Criteria) -> Comparison:
    old, new = (ResultSet(name, tuple(mine)) for name, mine in zip(names, records, strict=True))
    return compare(old, new, criteria)


def _measure(builds: tuple[Build, Build], workload: Workload, journal: Journal, is_repeat: bool) -> Iterator[str]:
    blocks = [Block(is_repeat, number, *case) for number in range(workload.rounds) for case in workload.cases.items()]
    for number, block in enumerate(blocks, start=1):
        if block in journal.done:
            continue
        yield f"{'again, ' if is_repeat else ''}measurement {number} of {len(blocks)}: {block.case}"
        found = {build: _round(build, block, workload) for build in builds[:: 1 if block.round % 2 == 0 else -1]}
        journal.add(block, found[builds[0]], found[builds[1]])


def _round(build: Build, block: Block, workload: Workload) -> list[Record]:
    """Measure a block on one commit, without the solvers that it does not have."""
    known = _names(build)
    solvers = [solver for solver in block.solvers if spec.parse(solver)[0].partition("@")[0] in known]
    if not solvers:
        return []
    limits = {
        "--budget": f"{workload.budget / workload.rounds:.6f}s",
        "--timeout": f"{workload.timeout:.6f}s",
        "--memory": f"{workload.memory}B",
    }
    options = [part for option in limits.items() for part in option]
    chosen = [part for solver in solvers for part in ("-s", solver)]
    with scratch_folders.folder() as folder:
        build.python(
            ["-m", _modules(build)["command"], "run", *chosen, "-p", block.case, *options, "--to", str(folder)]
        )
        return list(map(_record, _output(build, _RECORDS, str(folder))))


@functools.cache
def _names(build: Build) -> frozenset[str]:
    return frozenset(_output(build, _NAMES))


def _modules(build: Build) -> Mapping[str, str]:
    # A project that only brings solvers has no Lapmark in its build, and uses the one that is installed.
    return _OLD_MODULES if (build.folder / "bench" / "store.py").exists() else _MODULES


def _output(build: Build, script: str, *arguments: str) -> Any:
    """Run a script by the interpreter of a build; return the JSON that it writes to the file it is given."""
    with scratch_folders.folder() as folder:
        file = folder / "output.json"
        build.python(["-c", script.format_map(_modules(build)), str(file), *arguments])
        return json.loads(file.read_text())


def _joined_pair(journal: Journal, builds: tuple[Build, Build], is_repeat: bool) -> list[list[Record]]:
    return [_joined(records, build) for records, build in zip(journal.records(is_repeat), builds, strict=True)]


def _joined(records: Iterable[Record], build: Build) -> list[Record]:
    """Return one record for each cell, of all its rounds. A cell that failed in any round has failed."""
    rounds: dict[Key, list[Record]] = {}
    for record in records:
        rounds.setdefault((record.solver, record.case, record.threads), []).append(record)
    joined = []
    for parts in rounds.values():
        failed = [part for part in parts if part.status != "ok"]
        whole = failed[0] if failed else functools.reduce(Record.joined, parts)
        began = min(datetime.fromisoformat(part.finished).timestamp() for part in parts)
        # A counter that differs between rounds cannot be compared exactly.
        counters = dict(frozenset.intersection(*(frozenset(part.counters.items()) for part in parts)))
        conditions = {**whole.conditions, STARTED: began}
        joined.append(replace(whole, counters=counters, conditions=conditions, commit=build.commit))
    return joined


def _read_block(path: Path) -> tuple[Block, tuple[list[Record], list[Record]]]:
    content = json.loads(path.read_text())
    block = Block(**{**content["block"], "solvers": tuple(content["block"]["solvers"])})
    return block, (list(map(_record, content["old"])), list(map(_record, content["new"])))


def _record(values: Mapping[str, Any]) -> Record:
    """Return a record from the fields that another version of the code wrote, without those unknown here."""
    known: dict[str, Any] = {name: value for name, value in values.items() if name in _FIELDS}
    known["samples"] = tuple(known["samples"])
    known["rounds"] = tuple(known.get("rounds", (len(known["samples"]),) if known["samples"] else ()))
    return Record(**known)
