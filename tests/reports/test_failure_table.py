"""Who fails on what, and what advice is worth: a table and a chart."""

from __future__ import annotations

import pandas as pd
import pytest
from report_records import failed, make_record, measured

from lapmark.bench.advice import shipped_measurements
from lapmark.bench.problems import Case
from lapmark.reports import style, tables
from lapmark.reports.charts import regret
from lapmark.reports.export import failure_table


def test_failures_name_each_solver_once_per_status() -> None:
    case = Case("uniform", 64, 0, {"dtype": "float32"})
    twice = [make_record(f"sinkhorn:blur={blur}", case, status="error") for blur in (0.1, 0.03)]
    table = failure_table.failures(tables.frame([*measured(), *failed(), *twice])).set_index("label")
    assert table.loc["uniform:dtype=float64", "failed"] == ""
    assert table.loc["uniform:dtype=float32", "answered"] == 2
    found = table.loc["uniform:dtype=float32", "failed"]
    assert "error: fails-by-error, sinkhorn" in found
    assert "timeout: fails-by-timeout" in found
    assert "skipped" not in found
    text = failure_table.markdown(table.reset_index())
    assert text.count("\n") == 2 + len(table)


def test_regret_numbers_name_the_worst_choice() -> None:
    numbers = regret.numbers(shipped_measurements.load().assign(current=True))
    assert numbers.index.names == ["Case"]
    assert all(isinstance(label, str) for (label,) in numbers.index)  # as the page reads it
    assert (numbers["median"] != "").all()
    best = numbers["chosen there"] == ""
    assert 0 < best.sum() < len(numbers)
    assert numbers.loc[~best, "chosen there"].str.match(r"\S+ for \S+ at n = \d+$").all()


def test_regret_chart_needs_several_families() -> None:
    assert regret.draw(shipped_measurements.load().assign(current=True)) is not None
    assert regret.draw(tables.frame(measured())) is None  # of one family, nothing else is left


@pytest.mark.parametrize("status", ["ok", "wrong"])
def test_regret_chart_of_a_failed_choice_marks_it(status: str) -> None:
    cells = shipped_measurements.load().assign(current=True)
    cells = cells[cells["kind"].str.startswith("transport")]
    chosen = (cells["solver"] == "transport") & (cells["label"] == "masses:layout=uniform")
    worse = pd.DataFrame(cells).assign(status=cells["status"].where(~chosen, status))
    figure = regret.draw(worse)
    assert figure is not None
    assert ("failed" in [text.get_text() for text in figure.axes[0].texts]) is (status == "wrong")
    assert style.png(figure).startswith(b"\x89PNG")
