"""The report as files. `test_report_browser.py` opens its page."""

from __future__ import annotations

import re
import urllib.parse
from html.parser import HTMLParser
from pathlib import Path

import pandas as pd
import pytest
from report_records import blurred, failed, make_record

from lapmark.bench.problems import Case
from lapmark.bench.results.record import Record
from lapmark.bench.results.store import Store
from lapmark.reports.report import write_report, write_report_of

HOSTILE = "<script>alert(1)</script>\"'&"


@pytest.fixture(scope="session")
def report(records: list[Record], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The report of a store, hostile names and a pair of builds included."""
    folder = tmp_path_factory.mktemp("report")
    case = Case("uniform", 64, 0, {"dtype": "float32"})
    with Store.open(folder) as store:
        for record in records:
            store.add(record)
        store.add(make_record("jv-avx2", case, samples=(1e-4, 2e-4), gap=0.0))
        store.add(make_record(f"bad{HOSTILE}", case, status="error", message=HOSTILE, commit=HOSTILE))
        store.add(make_record("odd", Case(HOSTILE, 8, 0, {"x": HOSTILE}), samples=(1.0,), gap=0.0))
    assert write_report(folder) == folder / "index.html"
    return folder


def test_write_report_writes_page_tables_and_figures(report: Path, records: list[Record]) -> None:
    assert (
        len(pd.read_csv(report / "results.csv")) == len(pd.read_parquet(report / "results.parquet")) == len(records) + 3
    )
    names = {path.name for path in (report / "figures").iterdir()}
    charts = [
        "leaders",
        "profile",
        "time-to-gap",
        "time",
        "time-of-one-size",
        "scaling",
        "speedup",
        "gap",
        "memory",
        "status",
    ]
    assert names == {f"{name}.{form}" for name in charts for form in ("png", "svg")}
    assert not list(report.rglob(".*")), "temporary files are gone"


def test_page_leaves_out_empty_columns(report: Path, tmp_path: Path) -> None:
    def headings(folder: Path) -> list[str]:
        return re.findall(
            r'<button type="button">([^<]+)</button>', (folder / "index.html").read_text(encoding="utf-8")
        )

    assert "Gap" in headings(report)
    assert "Marginal error" not in headings(report)
    with Store.open(tmp_path) as store:
        for record in blurred():
            store.add(record)
    write_report(tmp_path)
    assert {"Gap", "Marginal error", "Entropic gap"} <= set(headings(tmp_path))
    assert (tmp_path / "figures" / "marginal-error.png").exists()
    cells = pd.read_csv(tmp_path / "results.csv").set_index("solver")
    assert cells["marginal_error"].to_dict() == pytest.approx({each.solver: each.marginal_error for each in blurred()})


def test_page_escapes_names_from_data(report: Path) -> None:
    text = (report / "index.html").read_text(encoding="utf-8")
    assert "<script>alert" not in text
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in text


def test_pages_refer_to_files_of_the_report_only(report: Path) -> None:
    pages = list(report.rglob("*.html"))
    assert len(pages) > 10
    for page in pages:
        found = _References()
        found.feed(page.read_text(encoding="utf-8"))
        assert found.references
        outside = [value for value in found.references if not value.startswith(("data:", "#"))]
        assert all((page.parent / urllib.parse.unquote(value)).is_file() for value in outside), outside
        assert found.images_without_alt == 0


def test_page_shows_reasons_of_failures(report: Path) -> None:
    text = (report / "index.html").read_text(encoding="utf-8")
    for record in failed():
        shown = text.count(record.message)
        assert shown == (0 if record.status == "skipped" else 2), "once among the failures, once among all results"
    assert "1 solver of lapjv: not installed" in text


def test_write_report_of_an_empty_store_raises_value_error(tmp_path: Path) -> None:
    with Store.open(tmp_path):
        pass
    with pytest.raises(ValueError, match="holds no results yet; fill it with: lapmark run --to"):
        write_report(tmp_path)
    with pytest.raises(FileNotFoundError, match="lapmark run"):
        write_report(tmp_path / "nothing")


@pytest.mark.parametrize("status", ["ok", "timeout"])
def test_write_report_of_a_single_record_succeeds(status: str, tmp_path: Path) -> None:
    one = make_record("jv", Case("uniform", 8), status=status, samples=(1.0,) * (status == "ok"), m=None)
    assert "1 problem, 1 solver, 1 cell" in write_report_of([one], tmp_path).read_text(encoding="utf-8")


def test_page_of_failed_records_says_so(tmp_path: Path) -> None:
    text = write_report_of(failed(), tmp_path).read_text(encoding="utf-8")
    assert "No exact solver has a certified answer." in text
    assert "6 cells: 0 with a certified answer. Not run: 1 solver of lapjv: not installed." in text


class _References(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.references: list[str] = []
        self.images_without_alt = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        self.references += [given[name] or "" for name in ("src", "href", "srcset", "action", "data") if name in given]
        self.images_without_alt += tag == "img" and not given.get("alt")
