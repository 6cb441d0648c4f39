"""Standing of a history: what its latest commit has, and what is worse or better than at an earlier commit."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Literal

from lapmark.bench.results.statuses import FAILURES
from lapmark.bench.util.units import show_count_of

from .measurement import Commit
from .series import THRESHOLD, Change, Series, Timeline

State = Literal["failing", "worse", "better", "steady", "gone"]

#: The states, the worst first.
STATES: tuple[State, ...] = ("failing", "worse", "better", "steady", "gone")


@dataclass(frozen=True)
class CellStanding:
    """A series with its state since a commit, and the largest change since then: new over old, 1 for none."""

    series: Series
    state: State
    ratio: float
    is_slower: bool

    @property
    def rank(self) -> tuple[int, float, str]:
        """The place in a list that begins with the worst."""
        return STATES.index(self.state), -abs(math.log(self.ratio)), self.series.name


@dataclass(frozen=True)
class Standing:
    """The cells of a history, the worst first, and the commit that they are compared with."""

    timeline: Timeline
    cells: tuple[CellStanding, ...]
    since: Commit

    @cached_property
    def current(self) -> tuple[CellStanding, ...]:
        """The cells that the latest measured commit has."""
        return tuple(cell for cell in self.cells if cell.state != "gone")

    def count(self, state: State) -> int:
        """Return the number of cells in a state; a cell of two machines counts once."""
        return len({(cell.series.name, cell.series.source) for cell in self.cells if cell.state == state})

    @property
    def certified(self) -> int:
        """The number of cells whose latest answer is certified."""
        found = [cell.series for cell in self.current if cell.series.latest.certified]
        return len({(each.name, each.source) for each in found})

    @property
    def total(self) -> int:
        """The number of cells."""
        return len({(cell.series.name, cell.series.source) for cell in self.current})

    def changes(self) -> list[tuple[Series, Change]]:
        """Return every change, those for the worse first, and of these the largest."""
        order = ("worse", "better", "moved")
        found = [(cell.series, change) for cell in self.cells for change in cell.series.changes]
        return sorted(found, key=lambda each: (order.index(each[1].verdict), -each[1].size, -each[1].place))


def standing(timeline: Timeline, since: int = 0) -> Standing:
    """Return the standing since the commit at a place of the timeline."""
    last: dict[tuple[str, str], int] = {}
    for series in timeline.series:
        key = series.source, series.machine
        last[key] = max(last.get(key, 0), series.points[-1].place)
    cells = [_cell(series, since, last[series.source, series.machine]) for series in timeline.series]
    return Standing(timeline, tuple(sorted(cells, key=lambda cell: cell.rank)), timeline.commits[since])


def place_of(commits: Sequence[Commit], commit: Commit) -> int:
    """Return the place of a commit, or else of the last one before it; raise a ValueError where there is none."""
    for place, each in enumerate(commits):
        if each.hash == commit.hash:
            return place
    earlier = [
        k for k, each in enumerate(commits) if datetime.fromisoformat(each.time) <= datetime.fromisoformat(commit.time)
    ]
    if not earlier:
        raise ValueError(f"the history has neither {commit.hash[:10]} nor a commit before it")
    return earlier[-1]


def summary(standing: Standing) -> str:
    """Return the whole history in a sentence or two."""
    timeline = standing.timeline
    first, latest = timeline.commits[0], timeline.commits[-1]
    span = f"{first.time[:10]} to {latest.time[:10]}" if first.time[:10] != latest.time[:10] else latest.time[:10]
    machines = f", {len(timeline.machines)} machines" if len(timeline.machines) > 1 else ""
    counts = Counter({state: standing.count(state) for state in STATES})
    words = [f"{counts[state]} {state}" for state in ("failing", "worse", "better") if counts[state]]
    since = f" Since {first_words(standing.since)}: {', '.join(words) or 'no change'}." if first != latest else ""
    return (
        f"{show_count_of(standing.total, 'cell')} ({standing.certified} certified) on "
        f"{show_count_of(len(timeline.commits), 'commit')}, {span}{machines}.{since}"
    )


def first_words(commit: Commit) -> str:
    """Return a commit as a short text: the start of its hash and its date."""
    return f"{commit.hash[:10]} ({commit.time[:10]})"


def _cell(series: Series, since: int, last: int) -> CellStanding:
    ratios = {**_counter_ratios(series, since), "time": _time_ratio(series, since)}
    worst = max(ratios.values(), key=lambda ratio: (ratio > 1, abs(math.log(ratio))))
    state: State = "worse" if worst > 1 else "better" if worst < 1 else "steady"
    if series.points[-1].place < last:
        state = "gone"
    elif series.latest.status in FAILURES:
        state = "failing"
    return CellStanding(series, state, worst, ratios["time"] > 1)


def _time_ratio(series: Series, since: int) -> float:
    """Return the last level of a time or of memory over that at a commit, 1 where no change is significant."""
    before = series.level_at(since) if series.unit in ("s", "B") else None
    if not before or not series.levels[-1]:
        return 1.0
    ratio = series.levels[-1] / before
    return ratio if abs(math.log(ratio)) >= math.log1p(THRESHOLD) else 1.0


def _counter_ratios(series: Series, since: int) -> dict[str, float]:
    """Return the latest value of each quantity that has changed for the worse or the better, over that at a commit."""
    values: dict[str, tuple[float, float]] = {}
    for change in series.changes:
        is_judged = change.is_exact and change.verdict != "moved" and change.place > since
        if is_judged and not isinstance(change.old, str) and not isinstance(change.new, str):
            values[change.what] = values.get(change.what, (change.old, 0.0))[0], change.new
    return {what: (new + 1e-9) / (old + 1e-9) for what, (old, new) in values.items() if new != old}
