"""Series of a history: each cell on each kind of machine over the commits, and the changes found in it."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

from lapmark.bench.results.statuses import FAILURES
from lapmark.bench.util.units import show_count, show_duration, show_size

from .change_points import change_points, levels, steps
from .measurement import Commit, Measurement, Snapshot

Verdict = Literal["worse", "better", "moved"]

#: Smallest relative change of a time that counts.
THRESHOLD = 0.05

#: Relative and absolute difference within which two numbers of instructions, or peaks of memory, are the same.
_INSTRUCTIONS, _MEMORY = (0.01, 0.0), (0.05, float(4 << 20))

#: The sources whose counters are of work, the less the better; those of other tools may be anything.
_COUNT_WORK = ("lapmark", "pytest")

#: What a statistic of a quantity is called, by its unit.
_TITLES = {"s": "time", "B": "memory"}


@dataclass(frozen=True, kw_only=True)
class Point:
    """A measurement of a series; `place` is that of its commit in `Timeline.commits`."""

    place: int
    measurement: Measurement


@dataclass(frozen=True, kw_only=True)
class Change:
    """A change of one quantity: at a commit, since the commit that was measured before it.

    `old` and `new` are the levels before and after, or two statuses; `ratio` is new over old, None where it is unknown.
    `is_exact` tells counters, whose change is a fact, from times, whose change is a significant one.
    """

    what: str
    place: int
    since: int
    old: float | str
    new: float | str
    verdict: Verdict
    word: str
    is_exact: bool
    unit: str = ""

    @property
    def ratio(self) -> float | None:
        if isinstance(self.old, str) or isinstance(self.new, str) or self.old <= 0 or self.new <= 0:
            return None
        return self.new / self.old

    @property
    def size(self) -> float:
        """How large it is, to sort by: the logarithm of the ratio, and infinite without one."""
        return math.inf if self.ratio is None else abs(math.log(self.ratio))

    @property
    def factor(self) -> str:
        """The ratio as text, of exact quantities with another digit; "" where it is unknown."""
        return "" if self.ratio is None else f"{self.ratio:.{4 if self.is_exact else 3}g}×"

    def show(self, value: float | str) -> str:
        """Return one of its values as text."""
        return value if isinstance(value, str) else show(value, self.unit)


@dataclass(frozen=True, kw_only=True)
class Series:
    """A cell on one kind of machine, over the commits that measured it, the oldest first."""

    name: str
    source: str
    machine: str
    unit: str
    points: tuple[Point, ...]

    @property
    def latest(self) -> Measurement:
        return self.points[-1].measurement

    @property
    def timed(self) -> list[Point]:
        """The points with a time, or with the value of another unit."""
        return [point for point in self.points if point.measurement.median is not None]

    @cached_property
    def divisions(self) -> list[int]:
        """The places in `timed` at which a new level starts."""
        return change_points([_median(point) for point in self.timed], THRESHOLD)

    @cached_property
    def levels(self) -> list[float]:
        """The median of each level of `timed`."""
        return [float(level) for level in levels([_median(point) for point in self.timed], self.divisions)]

    @cached_property
    def changes(self) -> tuple[Change, ...]:
        """All changes, the oldest first."""
        found = [*self._status_changes(), *self._level_changes(), *self._counter_changes(), *self._quantity_changes()]
        return tuple(sorted(found, key=lambda change: change.place))

    def level_at(self, place: int) -> float | None:
        """Return the level of the time at a commit, that of the last one before it, or None where there is none."""
        reached = [k for k, point in enumerate(self.timed) if point.place <= place]
        return self.levels[sum(start <= reached[-1] for start in self.divisions)] if reached else None

    def _status_changes(self) -> Iterator[Change]:
        for old, new in zip(self.points, self.points[1:], strict=False):
            before, after = (point.measurement.status for point in (old, new))
            if before != after:
                failing = [status in FAILURES for status in (before, after)]
                verdict: Verdict = "moved" if failing[0] == failing[1] else "worse" if failing[1] else "better"
                word = {"worse": "broken", "better": "fixed", "moved": "moved"}[verdict]
                yield _change("status", old, new, (before, after), verdict, word, is_exact=True)

    def _level_changes(self) -> Iterator[Change]:
        for k, start in enumerate(self.divisions):
            pair = self.levels[k], self.levels[k + 1]
            verdict, word = _judge(pair, self.unit)
            what = _TITLES.get(self.unit, "value")
            yield _change(what, self.timed[start - 1], self.timed[start], pair, verdict, word, False, self.unit)

    def _counter_changes(self) -> Iterator[Change]:
        measured = [point.measurement for point in self.points]
        unit = "count" if self.source in _COUNT_WORK else ""
        for name in sorted({name for each in measured for name in each.counters}):
            yield from self._steps(name, [each.counters.get(name) for each in measured], unit)

    def _quantity_changes(self) -> Iterator[Change]:
        measured = [point.measurement for point in self.points]
        yield from self._steps("memory", [each.peak_memory for each in measured], "B", _MEMORY)
        for counter in sorted({each.counted_by for each in measured}):  # counts of two counters cannot be compared
            counts = [each.instructions if each.counted_by == counter else None for each in measured]
            yield from self._steps("instructions", counts, "count", _INSTRUCTIONS)

    def _steps(
        self, what: str, values: Sequence[float | None], unit: str, tolerance: tuple[float, float] = (0.0, 0.0)
    ) -> Iterator[Change]:
        known = [(point, float(value)) for point, value in zip(self.points, values, strict=True) if value is not None]
        level = known[0][1] if known else 0.0
        for place in steps([value for _, value in known], *tolerance):
            (before, _), (after, value) = known[place - 1], known[place]
            verdict, word = _judge((level, value), unit)
            yield _change(what, before, after, (level, value), verdict, word, True, unit)
            level = value


@dataclass(frozen=True, kw_only=True)
class Timeline:
    """A history in order: its commits, the oldest first, the machines by their key, and the series.

    `versions` are those of packages, by the place of the commit, the source and the machine.
    """

    commits: tuple[Commit, ...]
    machines: Mapping[str, str]
    series: tuple[Series, ...]
    versions: Mapping[tuple[int, str, str], Mapping[str, str]]

    def changed_versions(self, series: Series, change: Change) -> str:
        """Return the packages that changed along with a series, which may be the cause: `numpy 2.3 → 2.4`."""
        old, new = (self.versions[place, series.source, series.machine] for place in (change.since, change.place))
        names = [name for name in sorted(old.keys() & new.keys()) if old[name] != new[name]]
        return ", ".join(f"{name} {old[name]} → {new[name]}" for name in names)


def timeline(snapshots: Sequence[Snapshot]) -> Timeline:
    """Return the series of snapshots that are in the order of their commits."""
    places: dict[str, int] = {}
    commits: list[Commit] = []
    for snapshot in snapshots:
        if snapshot.commit.hash not in places:
            places[snapshot.commit.hash] = len(commits)
            commits.append(snapshot.commit)
    points: dict[tuple[str, str, str, str], list[Point]] = {}
    units: dict[tuple[str, str, str], str] = {}
    for snapshot in snapshots:
        for each in snapshot.measurements:
            key = each.name, snapshot.source, snapshot.machine_key
            if each.median is not None:  # a failed one has no unit of its own
                units[key] = each.unit
            cell = points.setdefault((*key, units.get(key, each.unit)), [])
            cell.append(Point(place=places[snapshot.commit.hash], measurement=each))
    series = [
        Series(name=name, source=source, machine=machine, unit=unit, points=tuple(found))
        for (name, source, machine, unit), found in points.items()
    ]
    machines = {each.machine_key: each.machine_label for each in snapshots}
    versions = {(places[each.commit.hash], each.source, each.machine_key): each.versions for each in snapshots}
    return Timeline(commits=tuple(commits), machines=machines, series=tuple(series), versions=versions)


def show(value: float, unit: str) -> str:
    """Return a value with its unit."""
    if unit == "s":
        return show_duration(value)
    if unit == "B":
        return show_size(value)
    if unit in ("", "count") and value == round(value):
        return show_count(value)
    return f"{value:.4g}" + (f" {unit}" if unit not in ("", "count") else "")


def _change(
    what: str,
    old: Point,
    new: Point,
    values: tuple[float, float] | tuple[str, str],
    verdict: Verdict,
    word: str,
    is_exact: bool,
    unit: str = "",
) -> Change:
    before, after = values
    return Change(
        what=what,
        place=new.place,
        since=old.place,
        old=before,
        new=after,
        verdict=verdict,
        word=word,
        is_exact=is_exact,
        unit=unit,
    )


def _judge(pair: tuple[float, float], unit: str) -> tuple[Verdict, str]:
    """Return the verdict on a change and its word; of a unit that another tool named, less need not be better."""
    is_more = pair[1] > pair[0]
    words = {"s": ("slower", "faster"), "B": ("more", "less"), "count": ("more work", "less work")}.get(unit)
    if words is None:
        return "moved", "higher" if is_more else "lower"
    return ("worse", words[0]) if is_more else ("better", words[1])


def _median(point: Point) -> float:
    assert point.measurement.median is not None
    return point.measurement.median
