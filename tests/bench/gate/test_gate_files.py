"""The gate on a user's own files: each is a case, wherever the gate runs."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import picker_project
import pytest
from commits import commit

#: A project with a solver, which a second commit makes do twice the work.
SETTINGS = """
[tool.lapmark.gate]
problems = ["data"]
rounds = 1
budget = "5ms"
"""
SOLVER = """
import dataclasses
from lapmark import Capabilities, register, solve

LOOKS = 1


@register("picker", Capabilities(exact=True, dtypes={"float64"}, counters={"looks"}, family="greedy", source="-"))
def picker(problem):
    return dataclasses.replace(solve(problem, "jv"), counters={"looks": LOOKS})
"""


@pytest.mark.slow  # builds a project
def test_gate_measures_files_and_folders_of_the_user(tmp_path: Path) -> None:
    project = tmp_path / "project"
    project.mkdir()
    commit(project, picker_project.files(SOLVER, SETTINGS))
    commit(project, {"picker.py": SOLVER.replace("LOOKS = 1", "LOOKS = 2")})
    rng = np.random.default_rng(0)
    (project / "data").mkdir()
    np.save(project / "data" / "a b:c.npy", rng.random((20, 20)))
    np.save(tmp_path / "outside.npy", rng.random((12, 12)))
    variables = {**os.environ, "LAPMARK_CACHE": str(tmp_path / "cache"), "COLUMNS": "200"}

    def gate(folder: Path, *arguments: object) -> set[str]:
        line = [sys.executable, "-m", "lapmark", "gate", "HEAD~1", "--format", "json", *map(str, arguments)]
        done = subprocess.run(
            [*line, "--to", tmp_path / "results"], cwd=folder, env=variables, capture_output=True, text=True
        )
        assert done.returncode == 1, done.stdout + done.stderr
        return {cell["case"] for cell in json.loads(done.stdout)["cells"]}

    assert {case.rpartition("/")[2] for case in gate(project)} == {"a b%3Ac.npy:n=20,seed=0"}
    (found,) = gate(project / "data", "-p", "a b:c.npy")
    assert found.endswith("a b%3Ac.npy:n=20,seed=0")
    (found,) = gate(project / "data", "-p", "../../outside.npy", "--rounds", 1)
    assert found.endswith("outside.npy:n=12,seed=0")
