"""Progress of a run on the terminal: a bar with the current cell, a line per finished cell, and a table at the end.

The bar is only shown on a terminal; a log gets the lines alone.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from operator import itemgetter
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

from .schedule import Event, Round, Waiting

#: Most cases of a table; more are wider than most terminals.
MOST_COLUMNS = 8


class Board:
    """The display of a run. Use it in a `with` statement."""

    def __init__(self, console: Console, cells: int) -> None:
        self._console = console
        self._counts: Counter[str] = Counter()
        self._waits: set[str] = set()  # shown already
        self._at_work: dict[str, str] = {}  # by host, the cell that it started last
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

    def __exit__(self, *error: object) -> None:
        self._bar.stop()

    def show(self, event: Event) -> None:
        """Show an event of the run."""
        if isinstance(event, Waiting):
            text = f"waiting until {escape(event.until)}"
            self._bar.update(self._task, description=text)
            if text not in self._waits and not self._bar.console.is_terminal:  # runs that alternate wait at every round
                self._bar.console.print(text, soft_wrap=True, highlight=False)
            self._waits.add(text)
            return
        if isinstance(event, Round):
            suffix = f", round {event.number + 1}" if event.number else ""
            self._at_work[event.host] = f"{event.cell.solver} on {event.cell.case}{suffix}"
            doing = (f"{what} at {where}" if where else what for where, what in self._at_work.items())
            self._bar.update(self._task, description=escape("; ".join(doing)))
            return
        self._counts[event.record.status] += 1
        counts = ", ".join(f"{count} {status}" for status, count in self._counts.items())
        self._bar.update(self._task, advance=1, counts=counts)
        if not event.resumed:
            self._bar.console.print(line(event.record), soft_wrap=True, highlight=False)


def line(record: Record) -> str:
    """Return the line for a finished cell."""
    case = Case.read(record.case)
    start = f"{_styled(record.status, f'{record.status:8}')} {escape(f'{record.solver:20} {case.label} n={record.n}')}"
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
    """Return the final table: every solver if there are few cases, otherwise the fastest of each case."""
    records = list(records)
    cases = sorted(dict.fromkeys(record.case for record in records), key=lambda case: Case.read(case).n)
    return _every_solver(records, cases) if len(cases) <= MOST_COLUMNS else _fastest(records, cases)


def _every_solver(records: Sequence[Record], cases: Sequence[str]) -> Table:
    """Return a table of solvers against cases: median time and gap, or the status of a failure."""
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


def _fastest(records: Sequence[Record], cases: Sequence[str]) -> Table:
    """Return a table of cases: the fastest exact solver, the second, and the failures.

    A case without an exact answer shows the answer with the smallest gap.
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
        lead = _smallest_gap(of_case)
        if first:
            lead = [escape(first[1]), show_duration(first[0]), f"{second[0] / first[0]:.1f}×" if second else ""]
        failed = Counter(record.status for record in of_case if record.status in FAILURES)
        table.add_row(
            escape(Case.read(case).label),
            str(Case.read(case).n),
            *lead,
            second and escape(second[1]),
            ", ".join(_styled(status, f"{count} {status}") for status, count in failed.items()),
        )
    return table


def _smallest_gap(records: Sequence[Record]) -> list[str]:
    """Return solver, time and gap of the answer with the smallest gap."""
    near = [(record.gap, record) for record in records if record.status == "ok" and record.gap is not None]
    if not near:
        return ["", "", ""]
    gap, record = min(near, key=itemgetter(0))
    return [escape(record.solver), show_duration(record.seconds or 0.0), f"gap {show_error(gap)}"]


def headings(cases: Sequence[Case]) -> list[str]:
    """Return headings that distinguish the cases, in narrow lines: n always, the rest where it differs."""
    facts = [{"problem": case.problem, **case.params, "seed": case.seed} for case in cases]
    names = dict.fromkeys(name for known in facts for name in known)
    varying = [name for name in names if len({known.get(name) for known in facts}) > 1]
    return [
        "\n".join([*(str(known[name]) for name in varying if name in known), f"n={case.n}"])
        for case, known in zip(cases, facts, strict=True)
    ]


def _styled(status: str, text: str) -> str:
    style = STATUSES[status].style
    return f"[{style}]{escape(text)}[/]"


def show_errors(record: Record) -> list[str]:
    """Return the errors of an answer that are not negligible, in words."""
    found = ((metric.title, metric.of(record)) for metric in METRICS)
    return [f"{title} {show_error(value)}" for title, value in found if value is not None]


def _entry(record: Record | None) -> str:
    if record is None:
        return ""
    if record.status != "ok" or record.seconds is None:
        return _styled(record.status, record.status)
    gap = METRICS[0].of(record)
    return show_duration(record.seconds) + ("" if gap is None else f"\n[dim]{show_error(gap)}[/]")
