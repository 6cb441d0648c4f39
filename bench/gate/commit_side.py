"""One side of a gate: a commit's build, its files, and what is run in it."""

from __future__ import annotations

import functools
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from lapmark.bench.problems.case import NO_PROBLEM
from lapmark.bench.results.record import Record
from lapmark.bench.system import scratch_folders
from lapmark.bench.system.commit_build import Build, CommandError
from lapmark.bench.system.machine import machine
from lapmark.bench.util import spec

from . import journal
from .benchmark_worker import Job
from .benchmarks import Command
from .journal import Block
from .project_inventory import Inventory, Request
from .workload import BENCHMARK, Workload

#: Script for the interpreter of a build: writes the names of the solvers of this commit.
_NAMES = """
import json, sys
from {package} import names
try:
    from {package} import plugins
except ImportError:
    plugins = None
for plugin in sys.argv[2:]:
    plugins.load(plugin)
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
_MODULES = {"command": "lapmark", "package": "lapmark.solvers", "store": "lapmark.bench.results.store"}
_OLD_MODULES = {"command": "bench.cli", "package": "solvers", "store": "bench.store"}


@dataclass(frozen=True)
class Side:
    """A build, the folder with the files of its commit, and the plugin files to load, as absolute paths.

    `commands` are the command lines of the project. They run in `folder`, so that a script is that of the commit.
    """

    build: Build
    folder: Path
    plugins: tuple[str, ...] = ()
    commands: tuple[Command, ...] = ()

    def hiding(self, *folders: Path) -> Side:
        """Return this side with folders that its code does not see."""
        return replace(self, build=replace(self.build, hidden=folders))

    def inventory(self, request: Request) -> Inventory:
        """Return the inventory of the project at this commit; a ValueError says what is wrong with the request."""
        request = replace(request, folder=str(self.build.folder), plugins=self.plugins)
        found = Inventory.read(self._output(["-m", "lapmark.bench.gate.project_inventory"], request.dump()))
        if found.error:
            raise ValueError(found.error)
        return found

    def has(self, solver: str) -> bool:
        """Return whether this commit has a solver, given as a spec."""
        return spec.parse(solver)[0].partition("@")[0] in _names(self)

    def measure(self, block: Block, workload: Workload) -> list[Record]:
        """Measure one round of a block; solvers that this commit does not have are left out."""
        share = workload.budget / workload.rounds
        if block.case == BENCHMARK:
            return [self._measure_benchmark(name, share, workload, block.round == 0) for name in block.solvers]
        solvers = list(filter(self.has, block.solvers))
        return self.run(solvers, [block.case], share, workload.timeout, workload.memory) if solvers else []

    def run(
        self, solvers: Sequence[str], cases: Sequence[str], budget: float, timeout: float, memory: int
    ) -> list[Record]:
        """Measure solvers on cases by this commit's own `lapmark run`; see `Workload` for the limits."""
        limits = {"--budget": f"{budget:.6f}s", "--timeout": f"{timeout:.6f}s", "--memory": f"{memory}B"}
        named = {"-s": solvers, "-p": cases, "--plugin": self.plugins}
        options = [part for option in limits.items() for part in option]
        options += [part for option, values in named.items() for value in values for part in (option, value)]
        with scratch_folders.folder() as folder:
            failure = None
            try:
                self.build.python(["-m", _modules(self.build)["command"], "run", *options, "--to", str(folder)])
            except CommandError as error:  # also where every cell failed: then there are records of that
                failure = error
            stored = self._output(["-c", _RECORDS.format_map(_modules(self.build))], str(folder))
            if failure and not stored:
                raise failure
            return list(map(journal.record, stored))

    def _measure_benchmark(self, name: str, budget: float, workload: Workload, is_first: bool) -> Record:
        words = next((command.words for command in self.commands if command.name == name), ())
        job = Job(
            name=name,
            words=words,
            plugins=self.plugins,
            folder=str(self.folder),
            programs=str(self.build.folder / "bin"),
            budget=budget,
            timeout=workload.timeout,
            memory=workload.memory,
            warm_up=is_first,
        )
        found = self._output(["-m", "lapmark.bench.gate.benchmark_worker"], job.dump())
        return journal.record(
            {
                "key": f"{NO_PROBLEM}:{name}",
                "solver": name,
                "case": BENCHMARK,
                "problem": NO_PROBLEM,
                "n": 1,
                "exact": False,
                "machine": machine(),
                "finished": datetime.now(UTC).isoformat(timespec="seconds"),
                **found,
            }
        )

    def _output(self, program: Sequence[str], *arguments: str) -> Any:
        """Run a program by the interpreter of the build; return the JSON that it writes to its first argument."""
        with scratch_folders.folder() as folder:
            file = folder / "output.json"
            self.build.python([*program, str(file), *arguments])
            return json.loads(file.read_text())


@functools.cache
def _names(side: Side) -> frozenset[str]:
    """Return the names of the solvers that a commit has."""
    return frozenset(side._output(["-c", _NAMES.format_map(_modules(side.build))], *side.plugins))


def _modules(build: Build) -> Mapping[str, str]:
    # A project that only brings solvers has no Lapmark in its build, and uses the one that is installed.
    return _OLD_MODULES if (build.folder / "bench" / "store.py").exists() else _MODULES
