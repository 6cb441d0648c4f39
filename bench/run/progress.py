"""Progress of a run on the terminal: a bar with the current cell, and a line per finished cell.

The bar is only shown on a terminal; a log gets the lines alone.
"""

from collections import Counter
from typing import Self

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from lapmark.bench.problems import Case
from lapmark.bench.results.record import METRICS, Record
from lapmark.bench.results.statuses import STATUSES
from lapmark.bench.util.units import show_duration, show_error, show_size

from .schedule import Event, Round, Waiting


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
    start = f"{_styled(record.status, f'{record.status:8}')} {escape(f'{record.solver:20} {named_size(record)}')}"
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


def named_size(record: Record) -> str:
    """Return the case and n of a record, or the shape of the problem in a file, which its name does not tell."""
    case = Case.read(record.case)
    is_rectangle = case.file is not None and record.m not in (None, record.n)
    return f"{case.label} {f'{record.n}×{record.m}' if is_rectangle else f'n={record.n}'}"


def _styled(status: str, text: str) -> str:
    style = STATUSES[status].style
    return f"[{style}]{escape(text)}[/]"


def show_errors(record: Record) -> list[str]:
    """Return the errors of an answer that are not negligible, in words."""
    found = ((metric.title, metric.of(record)) for metric in METRICS)
    return [f"{title} {show_error(value)}" for title, value in found if value is not None]
