"""What the documents show is what happens."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from typer.testing import CliRunner

from bench import plugins, problems, suites
from bench.cli import app
from bench.contract import CHECKS, Broken, check

ROOT = Path(__file__).parent.parent
DOCUMENTS = [ROOT / name for name in ("README.md", "METHODOLOGY.md", "BIAS.md", "CONTRIBUTING.md")]


def broken(solver: str) -> set[str]:
    """The checks of the contract that the solver fails."""
    failed = set()
    for name in CHECKS:
        try:
            check(solver, name)
        except Broken:
            failed.add(name)
    return failed


def test_the_solver_of_the_contributing_guide(tmp_path):
    text = (ROOT / "CONTRIBUTING.md").read_text()
    code = re.search(r"```python\n(.*?)```", text, re.DOTALL)[1].replace('"greedy"', '"guide"', 1)
    assert len(code.splitlines()) <= 30
    for claim, fails in ((code, True), (code.replace("exact=True", "exact=False"), False)):
        file = tmp_path / f"guide_{fails}.py"
        file.write_text(claim if fails else claim.replace('"guide"', '"guide-honest"', 1))
        plugins.load(file)
    assert {"brute-force", "brute-force-rectangular"} <= broken("guide")
    assert broken("guide-honest") == set()


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_commands_and_files_that_documents_name_exist(document):
    text = document.read_text()
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    code = "\n".join(re.findall(r"```[a-z]*\n(.*?)```", text, re.DOTALL) + re.findall(r"`([^`\n]+)`", text))
    assert set(re.findall(r"(?:^|\$ )make ([a-z-]+)", code, re.MULTILINE)) <= targets
    for command in set(re.findall(r"(?:^|\$ )lapmark ([a-z]+)", code, re.MULTILINE)):
        assert CliRunner().invoke(app, [command, "--help"]).exit_code == 0, command
    for path in re.findall(r"`((?:solvers|bench|reports|tests|docs)/[\w./-]+)`", text):
        assert (ROOT / path).exists(), path
    for link in re.findall(r"\]\((?!https?:|#)([^)#]+)\)", text):
        assert (ROOT / link).exists(), link


def test_the_readme_names_every_family_and_every_configuration():
    named = set(re.findall(r"`([a-z-]+)`", (ROOT / "README.md").read_text()))
    assert set(problems.families()) <= named
    assert set(suites.names()) <= named


def test_the_library_examples_of_the_readme():
    first, *others = re.findall(r"```python\n(.*?)```", (ROOT / "README.md").read_text(), re.DOTALL)
    names: dict = {}
    exec(first, names)
    assert names["certify"](names["problem"], names["m"]).optimal
    assert names["cost"][names["rows"], names["cols"]].sum() == pytest.approx(names["m"].cost)
    for code in others:
        exec(code, names)
