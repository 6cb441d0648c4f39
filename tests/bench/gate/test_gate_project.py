"""The gate in a project that is not Lapmark: what it measures by itself, from settings, and when it refuses."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import picker_project
import pytest
from command import lapmark
from commits import commit, git

from lapmark.bench.gate import settings

#: A project with a solver that looks at every entry `LOOKS` times, and a script that prints a counter.
SOLVER = """
import numpy as np
from lapmark import Capabilities, Matching, register

LOOKS = 1


@register("picker", Capabilities(exact=False, dtypes={"float64"}, counters={"row_scans"}, family="greedy", source="-"))
def picker(problem):
    cost = problem.cost.dense().astype(float)
    columns = []
    for row in cost:
        for _ in range(LOOKS):
            column = int(np.argmin(row))
        columns.append(column)
        cost[:, column] = np.inf
    return Matching.of(problem, np.array(columns), counters={"row_scans": LOOKS * len(cost)})
"""

FILES = picker_project.files(SOLVER)

SETTINGS = """
[tool.lapmark.gate]
solvers = ["picker"]
problems = ["uniform:dtype=float64"]
sizes = [20]
rounds = 1
budget = "10ms"
"""

BENCHMARKS = """
import lapmark, numpy as np
import picker


@lapmark.benchmark(setup=lambda: list(range(1000)))
def count(items):
    return {"items": picker.LOOKS * len(items)}


@lapmark.benchmark
def answer():
    problem = lapmark.Assignment(lapmark.DenseCost(np.random.default_rng(0).random((20, 20))))
    return problem, lapmark.solve(problem, "picker")
"""

Gate = Callable[..., tuple[int, str]]


def more(text: str) -> str:
    """Return the source of the solver with twice the work."""
    assert "LOOKS = 1\n" in text
    return text.replace("LOOKS = 1\n", "LOOKS = 2\n")


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A repository of which each branch is a change of the commit `start`."""
    folder = tmp_path_factory.mktemp("project")
    commit(folder, FILES, tag="start")
    benchmarks = {"gate.py": BENCHMARKS}
    command = '[[tool.lapmark.gate.command]]\nname = "lines"\nrun = "python count.py"\n'
    settings = FILES["pyproject.toml"] + SETTINGS.replace('solvers = ["picker"]', 'plugins = ["gate.py"]') + command
    branches = {
        "more": [{"picker.py": more(SOLVER)}],
        "nothing": [{"pyproject.toml": FILES["pyproject.toml"].replace('picker = "picker"', "")}],
        "benchmarks": [
            {"pyproject.toml": settings, **benchmarks, "count.py": 'print("{\\"lines\\": 3}")\n'},
            {"picker.py": more(SOLVER), "count.py": 'print("{\\"lines\\": 4}")\n'},
        ],
        "broken": [
            {"picker.py": SOLVER.replace("cost = ", "raise RuntimeError('no luck')\n    cost = ")},
            {"picker.py": SOLVER.replace("cost = ", "raise RuntimeError('no more luck')\n    cost = ")},
        ],
    }
    for name, steps in branches.items():
        git(folder, "checkout", "--quiet", "-b", name, "start")
        for files in steps:
            commit(folder, files)
    return folder


@pytest.fixture
def gate(project: Path, tmp_path: Path, tmp_path_factory: pytest.TempPathFactory) -> Gate:
    """`lapmark gate` in a checkout of a branch, in which the project is not installed; its exit status and output."""
    cache = tmp_path_factory.getbasetemp() / "gate-project-cache"

    def run(branch: str, *arguments: object) -> tuple[int, str]:
        git(project, "checkout", "--quiet", branch)
        variables = {**os.environ, "LAPMARK_CACHE": str(cache), "COLUMNS": "200"}
        line = [sys.executable, "-m", "lapmark", "gate", *map(str, arguments), "--to", str(tmp_path / "results")]
        done = subprocess.run(line, cwd=project, env=variables, capture_output=True, text=True)
        return done.returncode, done.stdout + done.stderr

    return run


def test_gate_without_options_measures_the_projects_own_solver(gate: Gate, tmp_path: Path) -> None:
    code, output = gate("more", "start", "--rounds", 1, "--budget", "10ms")
    assert code == 1, output
    assert "picker on uniform:dtype=float64" in output
    assert "2× the work" in output
    assert "cascade" not in output
    (folder,) = (tmp_path / "results").iterdir()
    sizes = {json.loads(block.read_text())["new"][0]["n"] for block in folder.glob("blocks/*.json")}
    assert sizes <= {16, 64, 256, 1024}


def test_gate_of_a_total_time_measures_fewer_rounds_and_says_so(gate: Gate) -> None:
    code, output = gate("more", "start", "--total", "1s", "-p", "uniform", "-n", 20, "--allow-counters")
    assert code == 0, output
    assert "for up to 1 s (--total)" in output
    assert "The time was over after" in output


@pytest.mark.parametrize(
    ("branch", "arguments", "message"),
    [
        ("nothing", (), "nothing of this project would be measured"),
        ("more", ("-s", "jv"), "not of this project: jv; its solvers: picker"),
        ("more", ("-s", "pickr"), "did you mean picker?"),
        ("more", ("-p", "unifrm"), "did you mean uniform?"),
    ],
)
def test_gate_that_would_measure_nothing_of_the_project_exits_2(
    gate: Gate, branch: str, arguments: tuple[str, ...], message: str
) -> None:
    code, output = gate(branch, "start", *arguments, "--rounds", 1)
    assert code == 2, output
    assert message in " ".join(output.replace("│", " ").split())
    assert "Traceback" not in output


def test_gate_without_an_answer_of_both_commits_exits_2(gate: Gate) -> None:
    code, output = gate("broken", "HEAD~1", "-p", "uniform", "-n", 20, "--rounds", 1)
    assert code == 2, output
    assert "Nothing could be compared" in output
    assert "no more luck" in output


@pytest.mark.slow
def test_gate_of_a_commit_that_breaks_the_solver_fails(gate: Gate) -> None:
    code, output = gate("broken", "start", "-p", "uniform", "-n", 20, "--rounds", 1)
    assert code == 1, output
    assert "no more luck" in output


def test_gate_measures_commands_and_marked_functions_of_each_commit(gate: Gate, tmp_path: Path) -> None:
    code, output = gate("benchmarks", "HEAD~1", "--format", "json")
    assert code == 1, output
    cells = json.loads(output[output.index("{") : output.rindex("}") + 1])["cells"]
    counted = {
        (cell["solver"], change["what"], change["old"], change["new"])
        for cell in cells
        for change in cell["changes"]
        if change["verdict"] == "worse"
    }
    assert {("count", "items", 1000, 2000), ("lines", "lines", 3, 4), ("answer", "row_scans", 20, 40)} <= counted
    assert {cell["solver"] for cell in cells} == {"answer", "count", "lines", "picker"}
    # The stores of the two commits are ordinary results.
    (folder,) = (tmp_path / "results").iterdir()
    code, output = lapmark("compare", folder / "old", folder / "new")
    assert code == 1, output
    assert "lines (benchmark)" in output
    # A solver that is named is measured alone.
    code, output = gate("benchmarks", "HEAD~1", "-s", "picker", "--format", "json")
    cells = json.loads(output[output.index("{") : output.rindex("}") + 1])["cells"]
    assert {cell["solver"] for cell in cells} == {"picker"}


def test_gate_with_a_command_that_fails_in_both_commits_exits_2(gate: Gate, project: Path) -> None:
    command = '[[tool.lapmark.gate.command]]\nname = "lost"\nrun = "python lost.py"\n'
    (project / "gate.toml").write_text(SETTINGS + command)
    code, output = gate("more", "start", "--config", "gate.toml", "--allow-counters")
    assert code == 2, output
    assert "lost has no answer of either commit: error, exit status 2: python: can't open file" in output


def test_init_writes_settings_that_the_gate_reads(gate: Gate, project: Path) -> None:
    code, output = gate("more", "--init")
    try:
        assert code == 0, output
        workflow = project / ".github" / "workflows" / "lapmark-gate.yml"
        assert workflow.is_file()
        assert "picker" in (project / "pyproject.toml").read_text().partition("[tool.lapmark.gate]")[2]
        code, output = gate("more", "--init")
        assert code == 2
        assert "has a table [tool.lapmark.gate] already" in output.replace("\n", " ")
        assert settings.load(None, project).total == 300
    finally:
        git(project, "checkout", "--quiet", "--", ".")
        git(project, "clean", "--quiet", "-fd")
