"""Published tables: measured, kept, written between the markers of pages, and found where pages differ."""

from __future__ import annotations

import json
from pathlib import Path

import pandas as pd
import pytest

from lapmark.reports.published import measurements, pages, published_tables

ROOT = Path(__file__).parents[3]

PAGE = "before\n<!-- table drop-in -->\nold\n<!-- end of table -->\nafter\n"

FACTS = {"machine": {"cpu": "A processor", "cores": 2}, "date": "2026-11-30", "others": 0.02}


def rows(**seconds: float) -> list[dict[str, object]]:
    return [
        {"dtype": "float64", "family": "|x − y|", "n": n, "package": name, "seconds": time * n}
        for n in (5, 5000)
        for name, time in seconds.items()
    ]


@pytest.fixture
def keep(tmp_path: Path) -> Path:
    (tmp_path / "drop-in.json").write_text(json.dumps({**FACTS, "rows": rows(lapmark=2e-6, scipy=5e-6, lap=3e-6)}))
    return tmp_path


def test_pages_of_the_project_show_the_kept_results() -> None:
    assert pages.stale_pages(ROOT, ROOT / "docs" / "measured") == []
    assert {path.name for path in pages.pages(ROOT)} >= {"README.md", "benchmarks.md"}


def test_page_gets_the_table_with_its_facts_and_command(keep: Path) -> None:
    text = pages.written(PAGE, keep)
    assert text.startswith("before\n<!-- table drop-in -->\n\n| matrix | 5 | 5 000 |")
    assert "| \\|x − y\\| | 1.5× | 1.5× |" in text
    assert "Measured on 2026-11-30 on one core of A processor (2 cores; other processes took 2 % of its time)." in text
    assert "python -m lapmark.bench.asv_benchmarks.drop_in drop-in.json" in text
    assert text.endswith("<!-- end of table -->\nafter\n")
    assert pages.written(text, keep) == text


def test_page_with_a_changed_figure_is_stale_until_it_is_written(keep: Path) -> None:
    (keep / "docs").mkdir()
    page = keep / "README.md"
    page.write_text(PAGE)
    assert pages.write_pages(keep, keep) == [page]
    assert pages.stale_pages(keep, keep) == []
    page.write_text(page.read_text().replace("1.5×", "2.5×"))
    assert pages.stale_pages(keep, keep) == [page]


def test_page_keeps_a_table_that_was_never_measured_and_refuses_an_unknown_one(tmp_path: Path) -> None:
    assert pages.written(PAGE, tmp_path) == PAGE
    with pytest.raises(ValueError, match="no table is called dropin; there are drop-in"):
        pages.written(PAGE.replace("drop-in", "dropin"), tmp_path)


def test_lost_cells_are_bold_and_counted() -> None:
    table = published_tables.drop_in(pd.DataFrame(rows(lapmark=4e-6, scipy=5e-6, lap=3e-6)))
    assert "| **0.75×** | **0.75×** |" in table
    assert "Lost: 2 of 2. The fastest other package is\n`lap` (2)." in table


def test_tables_of_batches_grids_and_lines_show_ratios_and_leave_gaps_empty() -> None:
    kept = pd.DataFrame(rows(lapmark=4e-6, lapcpp=5e-6, laprust=3e-6)).drop(columns="dtype")
    assert "| 20 µs (**0.75×**) | 20 ms (**0.75×**) |" in published_tables.batches(kept)
    grid = {"grid": "64^2, noise", "lapmark": 1e-3, "ortools": 2e-3, "highs": None, "pot": 5e-4, "pot-lazy": None}
    assert "| 64^2, noise | 1 ms | 2 ms (2.0×) |  | 500 µs (**0.5×**) |  |" in published_tables.grid_histograms(
        pd.DataFrame([grid])
    )
    on_line = [{"n": n, "function": name, "seconds": 1e-3} for n in (9, 90) for name in ("transport", "value by POT")]
    text = published_tables.line(pd.DataFrame(on_line))
    assert "| `transport` | 1 ms | 1 ms |\n| value by POT | 1 ms | 1 ms |" in text


def test_measuring_keeps_rows_and_does_not_measure_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("LAPMARK_DATA", raising=False)
    measurements.measure("histograms", tmp_path / "store", tmp_path / "kept")
    kept = measurements.read("histograms", tmp_path / "kept")
    assert (kept.rows["proven"] == kept.rows["pairs"]).all()
    assert "`emd`" in published_tables.histograms(kept.rows)
    before = (tmp_path / "store" / "histograms.json").stat().st_mtime_ns
    measurements.measure("histograms", tmp_path / "store", tmp_path / "kept")
    assert (tmp_path / "store" / "histograms.json").stat().st_mtime_ns == before


def test_suite_keeps_its_cells_of_the_store_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    config = tmp_path / "tiny.toml"
    config.write_text('problems = ["uniform"]\nsolvers = ["jv", "scipy"]\n')
    suite = measurements.Suite(str(config), ("-n", "8", "-n", "12", "--budget", "1ms"))
    monkeypatch.setitem(measurements.MEASUREMENTS, "tiny", suite)
    measurements.measure("tiny", tmp_path / "store", tmp_path / "kept")
    found = measurements.read("tiny", tmp_path / "kept").rows
    assert set(found["solver"]) == {"jv", "scipy"}
    assert set(found["n"]) == {8, 12}
    assert (found["status"] == "ok").all()


def test_short_table_counts_the_kinds_that_it_does_not_show() -> None:
    kept = pd.DataFrame(rows(lapmark=4e-6, scipy=6e-6))
    table = published_tables.drop_in(pd.concat([kept, kept.assign(family="second")]), most=1)
    assert "second" not in table
    assert "| median of all 2 kinds | 1.5× | 1.5× |" in table
    assert "Lost: 0 of 4." in table
