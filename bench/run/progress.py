"""Progress of a run on the terminal: a bar with the current cell, and a line per finished cell.

The bar is only shown on a terminal; a log gets the lines alone.
"""

from collections import Counter
from datetime import timedelta
from typing import Self

from rich.cells import cell_len
from rich.console import Console
from rich.markup import escape
from rich.progress import Progress, ProgressColumn, Task
from rich.text import Text

from lapmark.bench.problems import Case
from lapmark.bench.results.record import METRICS, Record
from lapmark.bench.results.statuses import STATUSES
from lapmark.bench.util.units import show_duration, show_error, show_size

from .schedule import Event, Round, Waiting

#: Characters of the bar, and what separates the parts of its line.
BAR_WIDTH, BETWEEN = 24, " · "


class Board:
    """The display of a run. Use it in a `with` statement."""

    def __init__(self, console: Console, cells: int) -> None:
        self._console = console
        self._counts: Counter[str] = Counter()
        self._waits: set[str] = set()  # shown already
        self._at_work: dict[str, str] = {}  # by host, the cell that it started last
        self._bar = Progress(_Line(console), console=console, transient=True, disable=not console.is_terminal)
        self._task = self._bar.add_task("", total=cells, counts="starting", short="")

    def __enter__(self) -> Self:
        self._bar.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._bar.stop()

    def show(self, event: Event) -> None:
        """Show an event of the run."""
        if isinstance(event, Waiting):
            text = f"waiting until {escape(event.until)}"
            self._bar.update(self._task, description=f"waiting until {event.until}", short="waiting")
            if text not in self._waits and not self._bar.console.is_terminal:  # runs that alternate wait at every round
                self._bar.console.print(text, soft_wrap=True, highlight=False)
            self._waits.add(text)
            return
        if isinstance(event, Round):
            suffix = f", round {event.number + 1}" if event.number else ""
            self._at_work[event.host] = f"{event.cell.solver} on {event.cell.case}{suffix}"
            doing = (f"{what} at {where}" if where else what for where, what in self._at_work.items())
            hosts = f"{len(self._at_work)} hosts at work" if len(self._at_work) > 1 else event.cell.solver
            self._bar.update(self._task, description="; ".join(doing), short=hosts)
            return
        self._counts[event.record.status] += 1
        counts = ", ".join(f"{count} {status}" for status, count in self._counts.items())
        self._bar.update(self._task, advance=1, counts=counts)
        if not event.resumed:
            whole = not self._console.is_terminal  # in a log, a cell is a line
            self._bar.console.print(line(event.record), soft_wrap=whole, highlight=False)


class _Line(ProgressColumn):
    """The line of the bar. Where it does not fit, whole parts of it are left out, so that no number is cut."""

    max_refresh = 0.1

    def __init__(self, console: Console) -> None:
        self._console = console
        super().__init__()

    def render(self, task: Task) -> Text:
        """Return the parts that fit."""
        done, total = int(task.completed), int(task.total or 0)
        marks = BAR_WIDTH * done // max(total, 1)
        bar = Text.assemble(("━" * marks, "green"), ("━" * (BAR_WIDTH - marks), "dim"))
        left = f"left {_clock(task.time_remaining)}" if task.time_remaining is not None else ""
        cells, counts = f"{done:,}/{total:,}", task.fields["counts"]
        parts = (bar, cells, _clock(task.elapsed or 0), left, counts, task.description)
        room = self._console.width - 1
        shown: dict[int, str | Text] = {}
        for place in (1, 4, 5, 3, 2, 0):  # the most important first
            choices = (parts[place], task.fields["short"]) if place == 5 else (parts[place],)
            for part in filter(None, choices):
                if sum(cell_len(str(each)) + len(BETWEEN) for each in (*shown.values(), part)) <= room:
                    shown[place] = part
                    break
        return Text(BETWEEN).join(Text.assemble(shown[place]) for place in sorted(shown))


def _clock(seconds: float) -> str:
    return str(timedelta(seconds=int(seconds)))


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
