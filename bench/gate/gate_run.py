"""Gate: two commits measured alternately on this machine, and compared.

Each commit measures itself: its own code builds the problems, runs the solvers and certifies the answers, by its own
`lapmark run`, in a new process for each case and round. The order alternates, A B B A, so that a steady drift favours
neither. Cells that look worse are measured again, and only those that are worse again fail: a false alarm of one gate
in a thousand becomes one in a million.
"""

from __future__ import annotations

import math
import statistics
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from lapmark.bench.compare.comparison import Comparison, Criteria, compare, current
from lapmark.bench.compare.result_sets import ResultSet
from lapmark.bench.problems import Case
from lapmark.bench.results.record import Record
from lapmark.bench.results.store import Store
from lapmark.bench.run.built_case import digest_of_file
from lapmark.bench.system.machine import machine
from lapmark.bench.util.atomic_write import write_atomically
from lapmark.bench.util.cache import key
from lapmark.bench.util.units import show_count_of, show_duration

from .commit_side import Side
from .journal import Block, Journal
from .workload import BENCHMARK, ROUNDS, Workload

#: Part of the total time for the first measurement. What looks worse is measured again in as many rounds: with fewer,
#: a real change could get lost. That takes no longer, since it is a part of the cells.
FIRST_PART = 0.5

#: Relative half-width of a time's interval above which it is noisy, and measured in more rounds. That depends on the
#: spread alone, not on which side is faster, so that looking at it makes no verdict more likely.
NOISY = 0.1


@dataclass(frozen=True)
class Progress:
    """The next block: its case, its round, and the number of rounds that every cell gets.

    `left` is the expected time in seconds until the end of these rounds, infinity where it is not known yet.
    """

    case: str
    is_repeat: bool
    round: int
    rounds: int
    left: float

    def __str__(self) -> str:
        """Return a line on it: `round 3 of 10, about 20 s left: uniform n=100`."""
        again = "measured again, " if self.is_repeat else ""
        rounds = f"{self.round} of {self.rounds}" if self.round <= self.rounds else f"{self.round}, as times are noisy"
        left = "" if self.left == math.inf else f", about {show_duration(max(1, round(self.left)))} left"
        return f"{again}round {rounds}{left}: {self.case}"


def folder_of(parent: Path, sides: tuple[Side, Side], workload: Workload) -> Path:
    """Return the folder of a gate below `parent`, another for other builds, cells, contents of files or machine."""
    old, new = (side.build for side in sides)
    cells = {name: value for name, value in asdict(workload).items() if name != "total"}
    files = [digest_of_file(Case.read(case)) for case in workload.cases]
    commands = [asdict(side)["commands"] for side in sides]
    digest = key(old.folder.name, new.folder.name, cells, files, commands, machine())
    return parent / f"{old.commit[:10]}-{new.commit[:10]}-{digest[:6]}"


def finished_blocks(folder: Path) -> int:
    """Return the number of blocks that an earlier gate has measured."""
    return sum(1 for _ in (folder / "blocks").glob("*.json"))


def run(
    sides: tuple[Side, Side], names: tuple[str, str], workload: Workload, criteria: Criteria, folder: Path
) -> Iterator[Progress | Comparison]:
    """Measure two commits, the old one first, and compare them.

    The folder gets the blocks, which a later call continues, and a store of each commit, `old` and `new`. Yield what is
    about to be measured, block by block, and the comparison at the end. Closing the iterator ends the running processes
    and keeps the finished blocks. Raise a CommandError with its output where a commit's own command fails.
    """
    started = time.monotonic()
    write_atomically(folder / ".gitignore", b"*\n")
    journal = Journal(folder / "blocks")
    old, new = sides
    sides = old.hiding(new.build.folder, journal.folder), new.hiding(old.build.folder, journal.folder)
    measuring = _Measuring(sides, names, criteria, journal)
    end = started + FIRST_PART * workload.total
    yield from measuring.rounds(workload, end, is_repeat=False, most=workload.most_rounds)
    records = journal.records((old.build, new.build), is_repeat=False)
    comparison = measuring.comparison(records)
    is_short = measuring.is_out_of_time and measuring.least_rounds < ROUNDS // 2
    notes = [_short_of_time(measuring.least_rounds)] if is_short else []
    # Counters do not vary, so they are not measured again.
    doubtful = {cell.key for cell, change in comparison.changes("worse") if not change.counted}
    if doubtful:
        most = max(cell.rounds for cell in comparison.cells if cell.key in doubtful)
        end = math.inf
        if any(change.what == "status" for _, change in comparison.changes("worse")):
            # A cell that failed has only the rounds before that, too few for a verdict on its time.
            most, end = max(most, workload.rounds), time.monotonic() + FIRST_PART * workload.total
        yield from measuring.rounds(workload.only(doubtful), end, is_repeat=True, most=most)
        repeated = journal.records((old.build, new.build), is_repeat=True)
        for mine, second in zip(records, map(current, repeated), strict=True):
            mine[:] = [second.get(cell, first) if cell in doubtful else first for cell, first in current(mine).items()]
        comparison = measuring.comparison(records)
        cells = show_count_of(len(doubtful), "cell")
        notes.append(f"Measured again, since it looked worse: {cells}. Only the second measurement counts.")
    for name, mine in zip(("old", "new"), records, strict=True):
        with Store.open(folder / name) as store:
            for record in mine:
                store.add(record)
    yield replace(comparison, warnings=(*comparison.warnings, *notes))


def _short_of_time(rounds: int) -> str:
    return (
        f"The time was over after {show_count_of(rounds, 'round')}, too few to judge times: raise "
        "--total, or measure fewer cells."
    )


class _Measuring:
    """The rounds of a gate.

    `least_rounds` is the number that every cell got in the first measurement; `is_out_of_time` whether one was stopped.
    """

    def __init__(self, sides: tuple[Side, Side], names: tuple[str, str], criteria: Criteria, journal: Journal) -> None:
        self._sides, self._names, self._criteria, self._journal = sides, names, criteria, journal
        self.least_rounds, self.is_out_of_time = 0, False
        self._block_times: list[float] = []

    def comparison(self, records: tuple[list[Record], list[Record]]) -> Comparison:
        """Compare the records of the two commits."""
        old, new = (ResultSet(name, tuple(mine)) for name, mine in zip(self._names, records, strict=True))
        return compare(old, new, self._criteria)

    def rounds(self, workload: Workload, end: float, is_repeat: bool, most: int) -> Iterator[Progress]:
        """Measure up to `most` rounds, until every cell has enough or the monotonic clock passes `end`."""
        for number in range(most):
            blocks = workload.blocks
            if number:
                blocks = self._open(blocks, is_repeat, only_noisy=number >= workload.rounds)
            if not blocks:
                break
            for place, (case, solvers) in enumerate(blocks):
                # The first round is measured however long it takes: without it there is no comparison at all.
                if number and time.monotonic() > end:
                    self.is_out_of_time = True
                    return
                block = Block(is_repeat, number, case, solvers)
                if block not in self._journal.done:
                    what = case if case != BENCHMARK else solvers[0]
                    todo = len(blocks) * (min(most, workload.rounds) - number) - place
                    left = min(self._time_of(todo), end - time.monotonic()) if number and todo > 0 else math.inf
                    yield Progress(what, is_repeat, number + 1, workload.rounds, left)
                    self._measure(block, workload)
            if not is_repeat:
                self.least_rounds = number + 1

    def _time_of(self, blocks: int) -> float:
        """Return the expected time in seconds of so many blocks, infinity before the first."""
        return blocks * statistics.fmean(self._block_times) if self._block_times else math.inf

    def _measure(self, block: Block, workload: Workload) -> None:
        started = time.monotonic()
        order = (0, 1) if block.round % 2 == 0 else (1, 0)
        found = {k: self._sides[k].measure(block, workload) for k in order}
        self._block_times.append(time.monotonic() - started)
        self._journal.add(block, found[0], found[1])

    def _open(
        self, blocks: Sequence[tuple[str, tuple[str, ...]]], is_repeat: bool, only_noisy: bool
    ) -> list[tuple[str, tuple[str, ...]]]:
        """Return the blocks that need another round: a cell that failed needs none."""
        builds = self._sides[0].build, self._sides[1].build
        comparison = self.comparison(self._journal.records(builds, is_repeat))
        wanted = {
            cell.key[:2]
            for cell in comparison.cells
            for change in cell.changes
            if change.what == "time" and (not only_noisy or _is_noisy(change.ratio))
        }
        left = [(case, tuple(solver for solver in solvers if (solver, case) in wanted)) for case, solvers in blocks]
        return [(case, solvers) for case, solvers in left if solvers]


def _is_noisy(ratio: object) -> bool:
    low, high = getattr(ratio, "low", 0.0), getattr(ratio, "high", math.inf)
    return low <= 0 or math.log(high / low) / 2 > math.log1p(NOISY)
