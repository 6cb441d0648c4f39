"""Series over commits: what counts as a change, and where it is."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from lapmark.bench.history.measurement import Commit, Measurement, Snapshot
from lapmark.bench.history.series import Series, Timeline, timeline

MACHINE = {"cpu": "AMD EPYC Processor", "cores": 2, "architecture": "x86_64"}


def cell(time: float | None = 1.0, name: str = "a", **known: object) -> Measurement:
    return Measurement(**{"name": name, "median": time, "lower": time, "upper": time, **known})


def history(*cells: Measurement, source: str = "lapmark", **machine: object) -> list[Snapshot]:
    """Return a snapshot for each cell, of a commit each."""
    return [
        Snapshot(
            commit=Commit(hash=f"{place:02x}" * 20, time=f"2026-01-{place + 1:02}T12:00:00+00:00"),
            source=source,
            machine={**MACHINE, **machine},
            measurements=[each],
        )
        for place, each in enumerate(cells)
    ]


def only(found: Timeline) -> Series:
    (series,) = found.series
    return series


def changes(series: Series) -> list[tuple[str, int, int, object, object, str, str]]:
    return [(each.what, each.since, each.place, each.old, each.new, each.verdict, each.word) for each in series.changes]


def test_counters_change_at_the_commit_that_changed_them_by_one() -> None:
    cells = [cell(counters={"scans": count}) for count in (7, 7, 8, 6)]
    assert changes(only(timeline(history(*cells)))) == [
        ("scans", 1, 2, 7.0, 8.0, "worse", "more work"),
        ("scans", 2, 3, 8.0, 6.0, "better", "less work"),
    ]


def test_counters_of_another_tool_are_neither_better_nor_worse() -> None:
    cells = [cell(counters={"found": count}) for count in (7, 8)]
    found = changes(only(timeline(history(*cells, source="asv"))))
    assert found == [("found", 0, 1, 7.0, 8.0, "moved", "higher")]


def test_a_time_that_doubles_is_slower_at_its_commit() -> None:
    random = np.random.default_rng(0)
    cells = [cell(time) for time in np.exp(random.normal(0, 0.02, 12)) * np.where(np.arange(12) < 8, 1, 2)]
    series = only(timeline(history(*cells)))
    ((what, since, place, old, new, verdict, word),) = changes(series)
    assert (what, since, place, verdict, word) == ("time", 7, 8, "worse", "slower")
    assert [old, new] == pytest.approx([1, 2], rel=0.03)
    assert series.level_at(3) == old
    assert series.level_at(11) == new
    assert series.level_at(99) == new
    assert series.level_at(-1) is None


def test_a_broken_cell_is_worse_and_stays_in_its_series() -> None:
    cells = [cell(5.0, unit="B"), cell(None, status="wrong", message="no permutation"), cell(5.0, unit="B")]
    assert changes(only(timeline(history(*cells)))) == [
        ("status", 0, 1, "ok", "wrong", "worse", "broken"),
        ("status", 1, 2, "wrong", "ok", "better", "fixed"),
    ]


def test_a_cell_that_two_machines_measured_has_two_series() -> None:
    found = timeline([*history(*[cell(1.0)] * 4), *history(*[cell(9.0)] * 4, cores=64)])
    assert [each.changes for each in found.series] == [(), ()]
    assert len(found.commits) == 4
    assert sorted(found.machines.values()) == ["AMD EPYC, 2 cores", "AMD EPYC, 64 cores"]


def test_instructions_of_two_counters_are_not_compared() -> None:
    counts = [(1000, "perf"), (1005, "perf"), (1020, "perf"), (9000, "callgrind"), (1020, "perf")]
    cells = [cell(instructions=count, counted_by=by) for count, by in counts]
    assert changes(only(timeline(history(*cells)))) == [("instructions", 1, 2, 1000.0, 1020.0, "worse", "more work")]


def test_memory_changes_by_more_than_its_pages() -> None:
    mib = 1 << 20
    cells = [cell(peak_memory=size * mib) for size in (2, 5, 8, 100, 104)]
    assert changes(only(timeline(history(*cells)))) == [
        ("memory", 1, 2, 2.0 * mib, 8.0 * mib, "worse", "more"),
        ("memory", 2, 3, 8.0 * mib, 100.0 * mib, "worse", "more"),
    ]


def test_a_cell_that_some_commits_lack_changes_since_the_last_that_has_it() -> None:
    cells = [cell(counters={"scans": 1}), cell(name="b"), cell(counters={"scans": 2})]
    series = {each.name: each for each in timeline(history(*cells)).series}
    assert changes(series["a"]) == [("scans", 0, 2, 1.0, 2.0, "worse", "more work")]


def test_size_of_a_change_orders_the_worst_first() -> None:
    half, double, broken = (
        dataclasses.replace(
            only(timeline(history(cell(counters={"s": 2}), cell(counters={"s": 4})))).changes[0], **known
        )
        for known in ({"new": 1.0}, {}, {"old": "ok", "new": "wrong"})
    )
    assert half.size == pytest.approx(double.size)
    assert broken.size > double.size
    assert broken.ratio is None


def test_changed_versions_are_those_that_changed_along_with_a_cell() -> None:
    before, after = history(cell(counters={"scans": 1}), cell(counters={"scans": 2}))
    found = timeline(
        [
            dataclasses.replace(before, versions={"numpy": "2.3", "scipy": "1.16", "gone": "1"}),
            dataclasses.replace(after, versions={"numpy": "2.4", "scipy": "1.16"}),
        ]
    )
    (change,) = only(found).changes
    assert found.changed_versions(only(found), change) == "numpy 2.3 → 2.4"
