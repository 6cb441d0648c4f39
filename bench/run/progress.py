"""What a run shows while it goes: the cell at work and how far the run is, a line for each finished cell, and a table.

On a terminal the first is a bar that is redrawn; elsewhere, in a log, there are the lines alone.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from operator import itemgetter
from types import TracebackType
from typing import Self

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn
from rich.table import Column, Table

from lapmark.bench.problems import Case
from lapmark.bench.results.record import METRICS, Record
from lapmark.bench.results.statuses import FAILURES, STATUSES
from lapmark.bench.util.units import show_duration, show_error, show_size
from lapmark.bench.worker.protocol import BUILD_MATRIX

from .schedule import Event, Started, Waiting

#: A table of more cases than this is wider than most terminals.
MOST_COLUMNS = 8


class Board:
    """The display of a run. Use it in a `with` statement."""

    def __init__(self, console: Console, cells: int) -> None:
        self._console = console
        self._counts: Counter[str] = Counter()
        self._waits: set[str] = set()  # told already
        self._at_work: dict[str, str] = {}  # by host, the last that each has started
        self._bar = Progress(
            BarColumn(bar_width=24),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            TextColumn("· left"),
            TimeRemainingColumn(),
            TextColumn("· {task.fields[counts]} · {task.description}"),
            console=console,
            transient=True,
            disable=not console.is_terminal,
        )
        self._task = self._bar.add_task("", total=cells, counts="starting")

    def __enter__(self) -> Self:
        self._bar.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._bar.stop()

    def show(self, event: Event) -> None:
        if isinstance(event, Waiting):
            text = f"waiting until {escape(event.until)}"
            self._bar.update(self._task, description=text)
            if text not in self._waits and not self._bar.console.is_terminal:  # runs that alternate wait at every turn
                self._bar.console.print(text, soft_wrap=True, highlight=False)
            self._waits.add(text)
            return
        if isinstance(event, Started):
            turn = f", round {event.round + 1}" if event.round else ""
            self._at_work[event.where] = f"{event.cell.solver} on {event.cell.case}{turn}"
            doing = (f"{what} at {where}" if where else what for where, what in self._at_work.items())
            self._bar.update(self._task, description=escape("; ".join(doing)))
            return
        self._counts[event.record.status] += 1
        counts = ", ".join(f"{count} {status}" for status, count in self._counts.items())
        self._bar.update(self._task, advance=1, counts=counts)
        if not event.resumed:
            self._bar.console.print(line(event.record), soft_wrap=True, highlight=False)


def line(record: Record) -> str:
    """A finished cell in one line."""
    case = Case.read(record.case)
    start = f"{styled(record.status, f'{record.status:8}')} {escape(f'{record.solver:20} {case.label} n={record.n}')}"
    facts = []
    if record.seconds is not None:
        facts.append(f"{show_duration(record.seconds)} × {len(record.samples)}")
    facts += show_errors(record)
    if record.peak_memory:
        facts.append(show_size(record.peak_memory))
    if record.instructions:
        facts.append(f"{record.instructions:,} instructions")
    if record.message:
        facts.append(escape(record.message.splitlines()[0]))
    return f"{start}  [dim]{' · '.join(facts)}[/dim]"


def summary(records: Iterable[Record]) -> Table:
    """The outcome: everything where there are few cases, and otherwise who was the fastest at each."""
    records = list(records)
    cases = sorted(dict.fromkeys(record.case for record in records), key=lambda case: Case.read(case).n)
    return everything(records, cases) if len(cases) <= MOST_COLUMNS else winners(records, cases)


def everything(records: Sequence[Record], cases: Sequence[str]) -> Table:
    """Solvers against cases: median time and gap, or what happened instead."""
    rows: dict[str, dict[str, Record]] = {}
    for record in records:
        rows.setdefault(record.solver, {})[record.case] = record
    table = Table(
        title="median time, and the gap where it is not 0", box=SIMPLE_HEAD, collapse_padding=True, min_width=46
    )
    table.add_column("solver", no_wrap=True)
    for heading in headings([Case.read(case) for case in cases]):
        table.add_column(escape(heading), justify="right", no_wrap=True)
    for solver, row in rows.items():
        table.add_row(escape(solver), *(_entry(row.get(case)) for case in cases))
    return table


def winners(records: Sequence[Record], cases: Sequence[str]) -> Table:
    """For each case the fastest exact solver, the one that comes next, and what became of those without an answer.

    Where none is exact, the nearest answer and its gap stand in place of the first.
    """
    columns = (Column("case", overflow="fold"), Column("n", justify="right"))
    table = Table(
        *columns, "fastest", "", "next takes", "", "failed", title="the fastest exact solver", box=SIMPLE_HEAD
    )
    for case in cases:
        of_case = [record for record in records if record.case == case]
        ranked = sorted(
            (record.seconds, record.solver)
            for record in of_case
            if record.status == "ok" and record.exact and record.seconds is not None and record.solver != BUILD_MATRIX
        )
        first, second = [*ranked[:2], None, None][:2]
        lead = _nearest(of_case)
        if first:
            lead = [escape(first[1]), show_duration(first[0]), f"{second[0] / first[0]:.1f}×" if second else ""]
        failed = Counter(record.status for record in of_case if record.status in FAILURES)
        table.add_row(
            escape(Case.read(case).label),
            str(Case.read(case).n),
            *lead,
            second and escape(second[1]),
            ", ".join(styled(status, f"{count} {status}") for status, count in failed.items()),
        )
    return table


def _nearest(records: Sequence[Record]) -> list[str]:
    """The solver, the time and the gap of the answer with the smallest."""
    near = [(record.gap, record) for record in records if record.status == "ok" and record.gap is not None]
    if not near:
        return ["", "", ""]
    gap, record = min(near, key=itemgetter(0))
    return [escape(record.solver), show_duration(record.seconds or 0.0), f"gap {show_error(gap)}"]


def headings(cases: Sequence[Case]) -> list[str]:
    """What tells the cases apart, in narrow lines: n always, the rest where it is not the same for all."""
    facts = [{"problem": case.problem, **case.params, "seed": case.seed} for case in cases]
    names = dict.fromkeys(name for known in facts for name in known)
    telling = [name for name in names if len({known.get(name) for known in facts}) > 1]
    return [
        "\n".join([*(str(known[name]) for name in telling if name in known), f"n={case.n}"])
        for case, known in zip(cases, facts, strict=True)
    ]


def styled(status: str, text: str) -> str:
    style = STATUSES[status].style
    return f"[{style}]{escape(text)}[/]"


def show_errors(record: Record) -> list[str]:
    """By what an answer misses perfection, none of it where it is optimal."""
    found = ((metric.title, metric.of(record)) for metric in METRICS)
    return [f"{title} {show_error(value)}" for title, value in found if value is not None]


def _entry(record: Record | None) -> str:
    if record is None:
        return ""
    if record.status != "ok" or record.seconds is None:
        return styled(record.status, record.status)
    gap = METRICS[0].of(record)
    return show_duration(record.seconds) + ("" if gap is None else f"\n[dim]{show_error(gap)}[/]")
