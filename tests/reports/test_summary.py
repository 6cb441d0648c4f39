"""The report as Markdown and as a PDF."""

from __future__ import annotations

from pathlib import Path

import pytest
from report_records import failed, make_record
from typer.testing import CliRunner

from lapmark.bench.cli import app
from lapmark.bench.problems import Case
from lapmark.bench.results.store import Store
from lapmark.reports import summary, tables

RECORDS = [
    make_record(solver, Case("uniform", n, seed), seed=seed, samples=(seconds * n,))
    for n in (16, 32)
    for seed in (0, 1)
    for solver, seconds in (("jv", 1e-6), ("scipy", 3e-6), ("a|b", 8e-6))
]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    with Store.open(tmp_path) as store:
        for record in RECORDS:
            store.add(record)
    return tmp_path


def test_markdown_has_the_verdict_a_line_per_problem_and_the_machine() -> None:
    lines = summary.markdown(tables.frame([*RECORDS, *failed()])).splitlines()
    assert lines[0] == "**jv is the fastest exact solver, 3.0× as fast as the next.**"
    assert "| `uniform` | 32 | `jv` | 32 µs | `scipy` | 3.0× |" in lines
    assert "Without a certified answer: 6 cells:" in "\n".join(lines)
    assert "Measured on cpu a processor; cores 2; memory 16 GiB; 2025-01-02." in lines
    table = [line for line in lines if line.startswith("|")]
    assert len({line.replace("\\|", "").count("|") for line in table}) == 1


@pytest.mark.parametrize(("count", "pages"), [(1, 1), (summary.ROWS, 1), (summary.ROWS + 1, 2)])
def test_pdf_has_a_page_for_so_many_problems(count: int, pages: int) -> None:
    cases = [Case("uniform", 8, 0, {"dtype": f"t{k}$"}) for k in range(count)]
    records = [make_record(solver, case, samples=(1e-3,)) for case in cases for solver in ("jv", "scipy")]
    content = summary.pdf(tables.frame(records))
    assert content.startswith(b"%PDF")
    assert content.count(b"/Type /Page ") == pages


def test_pdf_without_a_certified_answer_is_a_page_that_says_so() -> None:
    assert summary.pdf(tables.frame(failed())).startswith(b"%PDF")


def test_report_command_writes_each_format(folder: Path) -> None:
    runner = CliRunner()
    shown = runner.invoke(app, ["report", str(folder), "--format", "markdown"])
    assert shown.exit_code == 0
    assert shown.stdout.startswith("**jv is the fastest exact solver")
    assert not list(folder.glob("*.html"))
    shown = runner.invoke(app, ["report", str(folder), "--format", "pdf"])
    assert shown.exit_code == 0
    assert (folder / "report.pdf").read_bytes().startswith(b"%PDF")


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        (["--format", "pdf", "--against", "x"], "--against is for pages, not --format pdf"),
        (["--format", "markdown", "--open"], "--format markdown writes none"),
        (["--against", "nowhere"], "nowhere"),
        (["--format", "html2"], "html2"),
    ],
)
def test_report_command_refuses_options_that_do_not_fit(folder: Path, options: list[str], reason: str) -> None:
    shown = CliRunner().invoke(app, ["report", str(folder), *options])
    assert shown.exit_code == 2
    assert reason in " ".join(shown.output.split())


def test_report_against_an_earlier_run_has_the_comparison(
    folder: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    old = tmp_path_factory.mktemp("old")
    with Store.open(old) as store:
        for record in RECORDS:
            slower = record.solver == "jv"
            changed = {"counters": {"scans": 5}} if slower else {}
            case = Case.read(record.case)
            store.add(make_record(record.solver, case, seed=case.seed, samples=record.samples, **changed))
    shown = CliRunner().invoke(app, ["report", str(folder), "--against", str(old)])
    assert shown.exit_code == 0, shown.output
    text = (folder / "index.html").read_text(encoding="utf-8")
    assert f"Comparison with {old}" in text
    assert "jv on uniform n=16" in text
    assert "scans" in text
