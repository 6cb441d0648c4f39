"""Lists of what can be run: readable at any width, a line per row in a pipe, JSON for programs, one in full by name."""

from __future__ import annotations

import io
import json
import re
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from command import lapmark, unwrapped
from rich.cells import cell_len
from rich.console import Console

from lapmark.bench.cli import catalogue, catalogue_tables
from lapmark.bench.environments import available_solvers
from lapmark.bench.problems import families
from lapmark.bench.run import configurations
from lapmark.solvers import plugins
from lapmark.solvers.plugins import loading, source_files


@cache
def everything() -> dict[str, list[dict[str, Any]]]:
    return {
        "solver": [catalogue.solver_facts(solver) for solver in available_solvers.solvers().values()],
        "problem": [catalogue.family_facts(family) for family in families().values()],
        "suite": [catalogue.suite_facts(name) for name in ("demo", "gate")],
    }


def printed(shown: object, width: int, terminal: bool = True) -> list[str]:
    console = Console(file=io.StringIO(), width=width, force_terminal=terminal, color_system=None)
    console.print(shown, crop=False, soft_wrap=not terminal)
    return console.file.getvalue().splitlines()  # type: ignore[attr-defined]


def tables() -> dict[str, Any]:
    return {kind: getattr(catalogue_tables, f"{kind}_table")(facts) for kind, facts in everything().items()}


@pytest.mark.parametrize("width", [40, 60, 80, 120, 200])
def test_lists_on_a_terminal_fit_and_cut_nothing(width: int) -> None:
    for kind, table in tables().items():
        lines = printed(table, width)
        words = {word for row in table.rows for cell in row for word in str(cell).split()}
        assert all(cell_len(line) <= width or line.split()[-1] in words for line in lines), kind
        headings = " ".join(column.heading for column in table.columns).split()
        own = words | {*table.note.split(), "Left", "out,", "for", "lack", "of", "width:"}
        own |= {word + end for word in headings for end in ("", ":", ",", ".")}
        assert {word for line in lines for word in line.replace("─", " ").split()} <= own, kind
        for facts in everything()[kind]:
            assert any(line.startswith(facts["name"]) for line in lines), facts["name"]
    for kind, facts in everything().items():
        page = getattr(catalogue_tables, f"{kind}_page")
        for one in facts:
            shown = printed(page(one), width)
            words = set(" ".join(page(one).facts.values()).split())
            assert all(cell_len(line) <= width or line.split()[-1] in words for line in shown), one["name"]
            assert set(" ".join(shown).split()) >= words, one["name"]


def test_lists_in_a_pipe_have_a_line_per_row_with_columns_two_blanks_apart() -> None:
    for kind, table in tables().items():
        head, *rows = printed(table, 20, terminal=False)
        assert len(rows) == len(everything()[kind])
        for facts, row in zip(everything()[kind], rows, strict=True):
            cells = re.split(" {2,}", row)
            assert cells[0] == facts["name"]
            assert len(cells) == len(table.columns) == len(re.split(" {2,}", head))


@pytest.mark.parametrize(
    ("verb", "name", "shown"),
    [
        ("solvers", "sinkhorn", ["NIPS 2013", "blur=None (a number)", "passes", "Marginal error", "-s sinkhorn"]),
        (
            "problems",
            "geometric",
            ["cost=dense (dense or points)", "Exponent of the Euclidean", "geometric:cost=points"],
        ),
        ("suites", "grid", ["The main job", "grid.toml", "lapmark run --config grid"]),
    ],
)
def test_list_with_a_name_shows_it_in_full(verb: str, name: str, shown: list[str]) -> None:
    code, output = lapmark(verb, name)
    assert code == 0, output
    for fact in shown:
        assert fact in unwrapped(output)


@pytest.mark.parametrize(
    ("verb", "name", "fields"),
    [
        ("solvers", "jv", {"missing": None, "costs": ["dense"], "exact": True, "rectangular": True}),
        ("problems", "uniform", {"problem": "assignment", "sizes": [256, 1024, 2048]}),
        ("suites", "gate", {"n": [], "solvers": []}),
    ],
)
def test_list_as_json_has_every_name_and_the_facts_of_one(verb: str, name: str, fields: dict[str, object]) -> None:
    code, output = lapmark(verb, name, "--format", "json")
    assert code == 0
    one = json.loads(output)
    known = {field: type(one[field])() if value == [] else one[field] for field, value in fields.items()}
    assert {"name": one["name"], **known} == {"name": name, **fields}
    code, output = lapmark(verb, "--format", "json")
    listed = json.loads(output)
    assert one in listed
    assert {tuple(each) for each in listed} == {tuple(one)}, "every one has the same fields"
    if verb == "suites":
        assert [each["name"] for each in listed] == list(configurations.names())


def test_environments_as_json_are_a_list(monkeypatch: pytest.MonkeyPatch, tmp_path: object) -> None:
    monkeypatch.setenv("LAPMARK_ENVIRONMENTS", str(tmp_path))
    assert lapmark("env", "list", "--format", "json") == (0, "[]\n")


@pytest.mark.parametrize(
    ("typed", "message"),
    [
        ("solvers jvv", "no solver is called 'jvv'; did you mean jv or jv-avx2 or lapjv?"),
        ("problems unifrm", "no problem is called 'unifrm'; did you mean uniform?"),
        ("suites grdi", "no suite is called 'grdi'; did you mean grid?"),
        ("env list nosuch", "nosuch"),
    ],
)
def test_list_with_an_unknown_name_suggests_the_nearest(typed: str, message: str) -> None:
    code, output = lapmark(*typed.split())
    assert code == 2
    assert message in unwrapped(output)


PLUGIN = '''
"""Shifted costs."""
import numpy as np
import lapmark

@lapmark.register("shifting", lapmark.Capabilities(exact=False))
def shifting(problem, shift: int = 1):
    """Match along a diagonal.

    The shift is an option.

    Parameters
    ----------
    shift : int
        Columns to
        the right.

    Notes
    -----
    None.
    """
    return lapmark.Matching.of(problem, np.roll(np.arange(problem.shape[0]), shift))

@lapmark.family("shifted", sizes=(8,))
def shifted(n: int, seed: int) -> lapmark.Assignment:
    """Build the problem."""
    return lapmark.Assignment(lapmark.DenseCost(np.ones((n, n))))
'''


def test_page_of_a_plugin_has_its_option_in_the_example_and_only_the_summary(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(loading, "_loaded", {})
    monkeypatch.setattr(source_files, "folders", [])
    Path("my plugin.py").write_text(PLUGIN)
    try:
        page = unwrapped(lapmark("solvers", "shifting", "--plugin", "my plugin.py")[1])
        assert "lapmark run --plugin 'my plugin.py' -s shifting -p uniform -n 200" in page
        assert "Match along a diagonal." in page
        assert "The shift is an option. example" in page
        assert "shift=1 (a whole number): Columns to the right." in page
        assert "Parameters" not in page
        page = unwrapped(lapmark("problems", "shifted", "--plugin", "my plugin.py")[1])
        assert "lapmark run --plugin 'my plugin.py' -p shifted -n 8" in page
        assert "Shifted costs." in page
        assert "Build the problem" not in page
    finally:
        plugins.forget()


def test_about_of_what_is_built_in_is_a_summary_and_names_no_absent_file() -> None:
    for facts in (*everything()["solver"], *everything()["problem"]):
        assert "---" not in str(facts), facts["name"]
        assert "METHODOLOGY" not in facts["source"], facts["name"]
