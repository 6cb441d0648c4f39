"""Annotations and job summary of a gate on GitHub."""

from __future__ import annotations

import re
from pathlib import Path

from comparisons import compared_to, record, scaled

from lapmark.bench.compare.comparison import Comparison
from lapmark.bench.gate import github_report

STEADY = [[1.0, 1.001], [1.001, 1.0], [1.0, 1.002]]


def worse(cells: int) -> Comparison:
    return compared_to(
        [record(n=n, rounds=STEADY) for n in range(1, cells + 1)],
        [record(n=n, rounds=scaled(STEADY, 3)) for n in range(1, cells + 1)],
    )


def reported(comparison: Comparison, folder: Path, **environ: str) -> tuple[list[str], str]:
    """Return the workflow commands and the job summary."""
    lines: list[str] = []
    summary = folder / "summary.md"
    variables = {"GITHUB_ACTIONS": "true", "GITHUB_STEP_SUMMARY": str(summary), **environ}
    github_report.report_to_github(comparison, variables, lines.append)
    return lines, summary.read_text() if summary.exists() else ""


def test_report_annotates_what_is_worse_and_writes_the_summary(tmp_path: Path) -> None:
    lines, summary = reported(worse(2), tmp_path)
    assert lines == [
        f"::error title=Lapmark gate%3A jv on uniform n={n}::time 1 s → 3 s, worse: 3× slower" for n in (1, 2)
    ]
    assert "## Lapmark gate\n\n**Worse in 2 of 2 cells: 2 slower.**" in summary


def test_report_outside_of_github_does_nothing(tmp_path: Path) -> None:
    assert reported(worse(1), tmp_path, GITHUB_ACTIONS="") == ([], "")


def test_report_of_inconclusive_times_is_a_notice(tmp_path: Path) -> None:
    (line,), _ = reported(compared_to(record(rounds=[[1.0]]), record(rounds=[[1.0]])), tmp_path)
    assert line == "::notice title=Lapmark gate::Nothing is certainly worse in 1 cell. Inconclusive: 1 time."


def test_report_without_answers_is_an_error(tmp_path: Path) -> None:
    failed = record(status="error", rounds=[])
    (line,), _ = reported(compared_to(failed, failed), tmp_path)
    assert line.startswith("::error title=Lapmark gate::Nothing could be compared")


def test_annotations_of_many_cells_are_at_most_ten(tmp_path: Path) -> None:
    lines, _ = reported(worse(30), tmp_path)
    assert len(lines) == 10
    assert lines[-1] == "::error title=Lapmark gate::21 more cells are worse: see the job summary."


def test_texts_from_elsewhere_start_no_workflow_command(tmp_path: Path) -> None:
    message = "100 % bad\r\x1b[0m :: ::stop-commands::x"
    broken = record("a,b: c\n::set-env", status="error", message=message, rounds=[])
    (line,), summary = reported(compared_to(record("a,b: c\n::set-env"), broken), tmp_path)
    assert "\n" not in line
    assert "\r" not in line
    assert line.count("::error title=") == 1
    title, message = line.removeprefix("::error title=").split("::", 1)
    assert re.fullmatch(r"[^:,]*", title)
    assert "100 %25 bad" in message
    assert not any(found.startswith("::") for found in summary.splitlines())


def test_summary_stays_below_the_limit_and_says_what_is_left_out(tmp_path: Path) -> None:
    path = tmp_path / "summary.md"
    path.write_text("before\n")
    for _ in range(2):
        github_report.append_summary(path, "a line of text ü\n" * 100_000)
        assert path.stat().st_size <= 1 << 20
    text = path.read_text()
    assert text.startswith("before\n")
    assert "The rest is left out" in text
    assert "a line of text ü\n\nThe rest" in text.replace("\n\n\n", "\n\n")
