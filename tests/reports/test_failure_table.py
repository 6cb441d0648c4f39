"""Who fails on what, as a table."""

from __future__ import annotations

from report_records import failed, make_record, measured

from lapmark.bench.problems import Case
from lapmark.reports import tables
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
