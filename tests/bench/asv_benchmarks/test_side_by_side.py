from __future__ import annotations

import time

import pytest

from lapmark.bench.asv_benchmarks.side_by_side import Table, shortest_times


def test_shortest_times_alternates_calls_and_keeps_the_shortest() -> None:
    order: list[str] = []
    pauses = iter([0.05, 0.0])

    def slow_once() -> None:
        order.append("a")
        time.sleep(next(pauses))

    seconds = shortest_times({"a": slow_once, "b": lambda: order.append("b")}, rounds=2)
    assert order == ["a", "b", "a", "b"]
    assert seconds["a"] < 0.05


def test_table_aligns_titles_with_values(capsys: pytest.CaptureFixture[str]) -> None:
    table = Table({"name": "<8", "n": "7,", "lead": "8.1f"})
    table.print_heading()
    table.print_row("jv", 1000, 2.04)
    assert capsys.readouterr().out.splitlines() == ["name          n    lead", "jv        1,000     2.0"]
