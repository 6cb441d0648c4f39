from __future__ import annotations

import json
import time
from pathlib import Path

import pytest

from lapmark.bench.asv_benchmarks import drop_in
from lapmark.bench.asv_benchmarks.side_by_side import Table, known_rows, shortest_times, write_rows


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


def test_interrupted_comparison_goes_on_where_it_stopped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(drop_in, "MATRICES", {"uniform": "uniform", "n × 2n uniform": "rectangular"})
    monkeypatch.setattr(drop_in, "BUDGET", 1e-3)
    path = tmp_path / "drop-in.json"
    measured = iter(drop_in.rows((5, 8)))

    def interrupted():
        for row in measured:
            if row["family"] != "uniform":
                raise KeyboardInterrupt
            yield row

    with pytest.raises(KeyboardInterrupt):
        write_rows(interrupted(), {}, path, one_core=False, continues=True)
    first = known_rows(path)
    assert {(row["family"], row["n"]) for row in first} == {("uniform", 5), ("uniform", 8)}
    write_rows(drop_in.rows((5, 8), known_rows(path)), {}, path, one_core=False, continues=True)
    found = json.loads(path.read_text())["rows"]
    assert found[: len(first)] == first
    assert {(row["dtype"], row["family"]) for row in found} == {
        (dtype, family) for dtype in ("float64", "float32") for family in drop_in.MATRICES
    }
    assert known_rows(path) == []


def test_package_that_was_slow_is_left_out_of_larger_matrices_unless_it_is_the_fastest(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(drop_in, "MATRICES", {"uniform": "uniform"})
    times = {"lapmark": 1.0, "scipy": 3.0, "lap": 5.0}
    known = [
        {"dtype": "float64", "family": "uniform", "n": 5, "package": name, "seconds": seconds}
        for name, seconds in times.items()
    ]
    asked = []
    monkeypatch.setattr(drop_in, "compare", lambda case, n, dtype, slow: asked.append(set(slow)) or {})
    assert list(drop_in.rows((5, 8), known)) == []
    assert asked[0] == {"lap"}
