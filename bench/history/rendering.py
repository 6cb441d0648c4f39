"""A history on a terminal: its standing, and the commits that changed something, the worst first."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from rich.console import Console, ConsoleOptions, RenderableType, RenderResult
from rich.padding import Padding
from rich.text import Text

from .series import Change, Series, Verdict
from .standing import Standing, summary

#: Styles of the verdicts.
STYLES: dict[Verdict, str] = {"worse": "bold red", "better": "green", "moved": "yellow"}

#: Most changes and failing cells that are shown.
MOST_SHOWN = 20


def text(standing: Standing, faults: Sequence[str]) -> Iterator[RenderableType]:
    """Yield the parts of the summary, to print one below another; `faults` are those of the store."""
    for fault in faults:
        yield Text.assemble(("damaged", "yellow"), f" {fault}")
    yield Text(summary(standing))
    branches = sorted({commit.branch for commit in standing.timeline.commits if commit.branch})
    if len(branches) > 1:
        yield Text(f"Commits of {len(branches)} branches ({', '.join(branches[:4])}): --branch shows one.")
    failing = [cell.series for cell in standing.cells if cell.state == "failing"]
    for series in failing[:MOST_SHOWN]:
        latest = series.latest
        reason = f": {latest.message}" if latest.message else ""
        yield _Indented(Text.assemble((latest.status, "bold red"), f"  {_name(standing, series)}{reason}"))
    changes = standing.changes()
    for place, found in _by_commit(changes[:MOST_SHOWN]).items():
        commit = standing.timeline.commits[place]
        yield Text()
        yield Text.assemble((commit.hash[:10], "bold"), f" {commit.time[:10]} {commit.subject}")
        for series, change in found:
            yield _Indented(
                Text.assemble((change.word, STYLES[change.verdict]), f"  {words(standing, series, change)}")
            )
    if len(changes) > MOST_SHOWN:
        yield Text()
        yield Text(f"{len(changes) - MOST_SHOWN} more changes are on the page (-o page.html).")


def words(standing: Standing, series: Series, change: Change) -> str:
    """Return a change in words: `jv on uniform n=500: time 1.2 ms → 2.4 ms (2×)`."""
    ratio = f" ({change.factor})" if change.factor else ""
    commits = standing.timeline.commits
    # The commits between were not measured on this machine.
    since = f", since {commits[change.since].hash[:10]}" if change.place - change.since > 1 else ""
    versions = standing.timeline.changed_versions(series, change)
    values = f"{change.show(change.old)} → {change.show(change.new)}"
    return f"{_name(standing, series)}: {change.what} {values}{ratio}{since}{', with ' * bool(versions)}{versions}"


def _by_commit(changes: list[tuple[Series, Change]]) -> dict[int, list[tuple[Series, Change]]]:
    """Return the changes by the place of their commit, in the order of the first of each."""
    found: dict[int, list[tuple[Series, Change]]] = {}
    for series, change in changes:
        found.setdefault(change.place, []).append((series, change))
    return found


def _name(standing: Standing, series: Series) -> str:
    machines = standing.timeline.machines
    return f"{series.name} ({machines[series.machine]})" if len(machines) > 1 else series.name


@dataclass(frozen=True)
class _Indented:
    """An indented text; only on a terminal are lines broken, and then all of them are indented."""

    text: Text

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        yield Padding(self.text, (0, 0, 0, 2)) if console.is_terminal else Text("  ") + self.text
