"""Rendering of a comparison: widths of a terminal, texts from elsewhere, and JSON for programs."""

from __future__ import annotations

import io
import json
import random
import re
from typing import Any

import pytest
from comparisons import Rounds, compared_to, record, scaled
from rich.console import Console

from lapmark.bench.compare import rendering
from lapmark.bench.compare.comparison import Comparison

STEADY = [[1.0, 1.001], [1.001, 1.0], [1.0, 1.002]]
LONG = "hungarian:scaling=4,order=random"
UNSAFE = "ValueError: `x` <img src=y> @team #12 | http://example.org [a](b)"


def noisy(spread: float, rounds: int = 9) -> list[list[float]]:
    return [[random.lognormvariate(0, spread) for _ in range(3)] for _ in range(rounds)]


@pytest.fixture
def comparison() -> Comparison:
    """Every kind of change."""
    random.seed(1)
    exact: dict[str, Any] = {"exact": False}
    old = [record(n=n, rounds=STEADY) for n in (1, 2, 3)]
    old += [record(n=4, rounds=STEADY[:2]), record(n=5, rounds=noisy(3)), record(n=6, rounds=STEADY[:1])]
    old += [record(n=7, rounds=STEADY, gap=0.02, **exact), record(n=8), record(n=9, status="error", rounds=[])]
    old += [record(LONG, n=10, rounds=STEADY)]
    new = [record(n=1, rounds=scaled(STEADY, 2.1)), record(n=2, rounds=STEADY, counters={"row_scans": 1020})]
    new += [record(n=3, rounds=STEADY), record(n=4, rounds=[[1.0], [3.0]]), record(n=5, rounds=noisy(3))]
    new += [record(n=6, rounds=STEADY[:1]), record(n=7, rounds=STEADY, gap=0.01, **exact)]
    new += [record(n=8, status="error", message=UNSAFE, rounds=[]), record(n=9, status="error", rounds=[])]
    new += [record(LONG, n=10, rounds=STEADY, peak_memory=99 << 20)]
    return compared_to(old, new)


def shown(comparison: Comparison, width: int, every: bool = False, terminal: bool = True) -> str:
    file = io.StringIO()
    console = Console(file=file, width=width, highlight=False, force_terminal=terminal, color_system=None)
    console.print(rendering.text(comparison, every), crop=False, soft_wrap=not terminal)  # as the command does
    return file.getvalue()


@pytest.mark.parametrize("width", [200, 120, 100, 80, 60, 45])
def test_text_at_any_width_cuts_no_number_and_no_word(comparison: Comparison, width: int) -> None:
    output = shown(comparison, width, every=True)
    assert max(map(len, output.splitlines())) <= width
    words = {word.strip(".,") for word in output.split()}
    for cell in comparison.cells:
        assert set(rendering.cell_name(cell.key).split()) <= words
        for change in cell.changes:
            for part in re.split(r"[ ,]+", rendering.verdict_words(change)):
                assert part in re.split(r"[\s,]+", output), part
    for number in ("1,000", "1,020", "2.1", "99", "2.1×"):
        assert number in words
    assert "…" not in output
    assert "e-" not in output
    assert "e+" not in output


def test_text_is_a_table_where_there_is_room_and_a_list_elsewhere(comparison: Comparison) -> None:
    change = "time 1 s → 2.1 s"
    assert re.search(rf"^jv on uniform n=1 +{change} +worse: 2.1× slower$", shown(comparison, 120), re.MULTILINE)
    assert f"\njv on uniform n=1\n  A → B: {change}\n  verdict: worse: 2.1× slower\n" in shown(comparison, 60)
    short = compared_to(record(rounds=STEADY), record(rounds=scaled(STEADY, 2.1)))
    assert re.search(rf"^jv on uniform n=100 +{change} +worse: 2.1× slower$", shown(short, 80), re.MULTILINE)


def test_text_in_a_pipe_has_a_line_for_each_change(comparison: Comparison) -> None:
    output = shown(comparison, 80, terminal=False)
    assert re.search(rf"^{LONG} on uniform n=10 +memory 32 MiB → 99 MiB +worse: 3.1× the memory$", output, re.MULTILINE)


def test_headline_counts_cells_and_names_good_and_bad(comparison: Comparison) -> None:
    assert rendering.headline(comparison) == (
        "Worse in 4 of 10 cells: 1 slower, 1 with more work, 1 broken, 1 with more memory. Better: 1 with smaller gap. "
        "Changed: 1 cell. Inconclusive: 3 times. Same: 4 times."
    )
    same = record(rounds=STEADY)
    assert rendering.headline(compared_to(same, same)) == "Nothing is certainly worse in 1 cell. Same: 1 time."
    failed = record(status="error", rounds=[])
    assert rendering.headline(compared_to(failed, failed)) == (
        "Nothing could be compared: none of 1 cell has an answer on both sides."
    )


def test_notes_say_what_to_do_about_inconclusive_times(comparison: Comparison) -> None:
    notes = list(rendering.notes(comparison, every=False))
    assert "For the inconclusive times, measure more rounds (`--rounds 20`) or on a quieter machine." in notes
    assert "Without an answer on either side: jv on uniform n=9." in notes
    wild = [[1.0], [3.0]] * 15
    many = compared_to(record(rounds=wild), record(rounds=wild))
    assert any("`--rounds 60`" in note for note in rendering.notes(many, every=False))


def test_markdown_shows_texts_from_elsewhere_without_markup(comparison: Comparison) -> None:
    output = rendering.markdown(comparison)
    (line,) = [line for line in output.splitlines() if "broken" in line and line.startswith("|")]
    assert len(re.findall(r"(?<!\\)\|", line)) == 7
    assert "<img" not in output
    assert "@team" not in output
    assert "#12" not in output
    assert "http://" not in output
    assert "[a](b)" not in output


def test_json_has_raw_numbers_rounds_and_the_reason(comparison: Comparison) -> None:
    cells = {cell["case"]: cell["changes"] for cell in json.loads(rendering.as_json(comparison))["cells"]}
    few = cells["uniform:n=4,seed=0"][0]
    assert (few["rounds"], few["note"]) == (2, "too few rounds to tell: 2")
    assert few["low"] < 0.01
    (once,) = (change for change in cells["uniform:n=6,seed=0"] if change["what"] == "time")
    assert (once["rounds"], once["note"]) == (1, "one round: unknown")
    assert "low" not in once
    assert "note" not in cells["uniform:n=1,seed=0"][0]


def test_json_of_an_endless_interval_is_valid() -> None:
    old, new = ([record(n=n, rounds=[[1.0], [level]]) for n in range(1, 200)] for level in (1.0, 9.0))
    content = json.loads(rendering.as_json(compared_to(old, new)), parse_constant=pytest.fail)
    assert content["cells"][0]["changes"][0]["high"] is None


def test_cell_name_of_a_command_is_its_own_name() -> None:
    assert rendering.cell_name(("parse", "benchmark:n=1,seed=0", 1)) == "parse (benchmark)"
    assert rendering.cell_name(("jv", "uniform:n=7,seed=3", 2)) == "jv, 2 threads on uniform n=7 seed=3"
    command = record("parse", case="benchmark:n=1,seed=0")
    assert "| `benchmark` | `parse` | time |" in rendering.markdown(compared_to(command, command), every=True)


@pytest.mark.parametrize(
    ("new", "style"),
    [(scaled(STEADY, 2), "bold red"), (STEADY, "green"), (STEADY[:1], "yellow")],
    ids=["worse", "same", "inconclusive"],
)
def test_headline_is_green_only_where_something_is_known(new: Rounds, style: str) -> None:
    (first, *_) = rendering.text(compared_to(record(rounds=STEADY), record(rounds=new))).renderables  # type: ignore[union-attr]
    assert first.style == style


def test_verdict_on_another_failure_has_its_message() -> None:
    old, new = record(status="error", rounds=[]), record(status="skipped", message="not installed", rounds=[])
    ((change,),) = [cell.changes for cell in compared_to(old, new).cells]
    assert rendering.verdict_words(change) == "changed: another status, not installed"
