"""Schedule of rounds: their order, what the store spares, and what a limit skips."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from lapmark.bench.results.record import Record
from lapmark.bench.results.store import Store
from lapmark.bench.run.cells import Cell, plan
from lapmark.bench.run.measure import RunSettings, unmeasured
from lapmark.bench.run.schedule import CaseSchedule, Finished, Round, Schedule
from lapmark.bench.worker.resource_limits import Limits

MACHINE = {"cpu": "one"}


@pytest.fixture
def schedule(tmp_path: Path) -> Iterator[Schedule]:
    settings = RunSettings(limits=Limits(timeout=1.0, memory=1), budget=60.0, rounds=2)
    with Store.open(tmp_path) as store:
        yield Schedule(store=store, settings=settings)


def record(cell: Cell, status: str = "ok") -> Record:
    return unmeasured(cell, status, "", MACHINE, digest="ab" * 16, samples=(0.5,), rounds=(1,))


def follow(rounds: CaseSchedule, status: str = "ok") -> list[tuple[str, int] | Finished]:
    events: list[tuple[str, int] | Finished] = []
    while (event := rounds.next()) is not None:
        if isinstance(event, Round):
            events.append((event.cell.solver, event.number))
            rounds.record(event, record(event.cell, status))
        else:
            events.append(event)
    return events


def test_next_over_two_rounds_reverses_the_order(schedule: Schedule) -> None:
    cells = plan(["jv", "scipy"], ["uniform"], [8])
    events = follow(CaseSchedule(schedule, cells, MACHINE))
    assert [event for event in events if isinstance(event, tuple)] == [("jv", 0), ("scipy", 0), ("scipy", 1), ("jv", 1)]
    again = follow(CaseSchedule(schedule, cells, MACHINE))
    assert [event.resumed for event in again if isinstance(event, Finished)] == [True, True]
    assert all(event.record.samples == (0.5, 0.5) for event in again if isinstance(event, Finished))


def test_next_after_a_limit_skips_the_larger_case(schedule: Schedule) -> None:
    small, large = plan(["jv"], ["uniform"], [8, 9])
    follow(CaseSchedule(schedule, [small], MACHINE), "timeout")
    (skipped,) = follow(CaseSchedule(schedule, [large], MACHINE))
    assert isinstance(skipped, Finished)
    assert (skipped.record.status, skipped.record.message) == ("skipped", "reached the time limit at n = 8 already")


def test_next_without_a_record_offers_the_round_again_unless_another_run_finished_it(schedule: Schedule) -> None:
    (cell,) = plan(["jv"], ["uniform"], [8])
    rounds = CaseSchedule(schedule, [cell], MACHINE)
    assert rounds.next() == rounds.next() == Round(cell, 0)
    other = record(cell, "error")
    schedule.store.add(other)
    assert rounds.next() == Finished(cell, other, resumed=False)
    assert rounds.next() is None
