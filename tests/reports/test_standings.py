"""Who is fastest over all problems, in a table, a sentence and a chart."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path

import pytest
from report_records import failed, make_record

from lapmark.bench.problems import Case
from lapmark.bench.results.record import Record
from lapmark.reports import standings, tables
from lapmark.reports.charts import leaders
from lapmark.reports.page import html
from lapmark.reports.page.sections import not_run, page_of


def cell(solver: str, problem: str, n: int, seconds: float, **known: object) -> Record:
    return make_record(solver, Case(problem, n), samples=(seconds,), **known)


RECORDS = [
    cell("a", "uniform", 10, 1.0),
    cell("b", "uniform", 10, 0.1),
    cell("a", "uniform", 20, 2.0),
    cell("b", "uniform", 20, 6.0),
    cell("a", "equal", 10, 1.0),
    cell("b", "equal", 10, 5.0),
    cell("a", "binary", 10, 4.0),
    cell("b", "binary", 10, 2.0),
]


def test_standings_rank_each_problem_at_its_largest_solved_size() -> None:
    found = standings.standings(tables.frame(RECORDS))
    ranked = {(row.label, row.n): [] for row in found.itertuples()}
    for row in found.itertuples():
        ranked[row.label, row.n].append((row.series, row.ratio))
    assert ranked == {
        ("binary", 10): [("b", 1.0), ("a", 2.0)],
        ("equal", 10): [("a", 1.0), ("b", 5.0)],
        ("uniform", 20): [("a", 1.0), ("b", 3.0)],
    }


def test_standings_leave_out_what_is_not_certified_or_claims_no_optimum() -> None:
    others = [cell("c", "equal", 10, 1e-6, exact=False, gap=0.1), cell("d", "equal", 10, 1e-6, status="wrong")]
    found = standings.standings(tables.frame([*RECORDS, *others]))
    assert set(found["series"]) == {"a", "b"}


def test_sentence_names_the_leader_its_lead_and_the_others() -> None:
    text = standings.sentence(tables.frame(RECORDS))
    assert text == (
        "a is the fastest exact solver on 2 of 3 problems, 4.0× as fast as the next in the median; b leads on binary."
    )


@pytest.mark.parametrize(
    ("records", "text"),
    [
        (RECORDS[:1], "a is the only exact solver with a certified answer."),
        (failed(), "No solver has a certified answer that can be ranked."),
        (RECORDS[:2], "b is the fastest exact solver, 10× as fast as the next."),
    ],
)
def test_sentence_of_few_answers_claims_no_more(records: list[Record], text: str) -> None:
    assert standings.sentence(tables.frame(records)) == text


def test_leaders_chart_has_a_row_per_problem_and_at_most_eight_solvers() -> None:
    many = [cell(f"s{k}", "uniform", 20, 3.0 + k) for k in range(9)]
    (panel,) = leaders.panels(tables.frame([*RECORDS, *many]))
    assert panel.rows == ("binary, n = 10", "equal, n = 10", "uniform, n = 20")
    assert [curve.name for curve in panel.curves][:2] == ["a", "b"]
    assert len(panel.curves) == leaders.SHOWN
    assert leaders.panels(tables.frame(RECORDS[:1])) == []


def test_not_run_counts_packages_limits_and_problems_that_are_not_taken() -> None:
    skipped = [
        cell("lap", "equal", 10, 1.0, status="skipped", message="package lap is not installed (pip install lap)"),
        cell("lapmod", "equal", 10, 1.0, status="skipped", message="package lap is not installed (pip install lap)"),
        cell("ortools", "equal", 20, 1.0, status="skipped", message="reached the time limit at n = 10 already"),
        cell("lapjv", "equal", 20, 1.0, status="skipped", message="takes square problems only, not 10×20"),
    ]
    assert not_run(tables.frame([*RECORDS, *skipped])) == [
        "Not run: 2 solvers of lap: not installed; 1 cell beyond a limit reached at a smaller size; "
        "1 cell that a solver does not take."
    ]
    assert not_run(tables.frame(RECORDS)) == []


def test_page_of_gives_each_name_a_file_of_its_own() -> None:
    names = ["jv", "jv/..", "jv<>", "jv@env", "jv:env", "../../x"]
    files = [page_of("solver", name) for name in names]
    assert files[0] == "solvers/jv.html"
    assert len(set(files)) == len(files)
    assert all(re.fullmatch(r"solvers/[A-Za-z0-9._-]+\.html", file) for file in files)


def test_chart_library_is_the_one_that_its_readme_names() -> None:
    code = html.CHART_JS.read_text(encoding="utf-8")
    readme = Path(html.CHART_JS.parent, "README.md").read_text(encoding="utf-8")
    (version,) = re.findall(r"Chart\.js v([\d.]+)", code)
    assert f"| {version} | MIT |" in readme
    assert hashlib.sha256(code.encode()).hexdigest() in readme, "the file was changed, or its hash in README was not"
    assert "sourceMappingURL" not in code
