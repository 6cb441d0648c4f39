"""The action of GitHub and the templates: every script runs in real repositories, with what GitHub sets."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import sysconfig
import xml.etree.ElementTree as ET
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml
from command import lapmark
from commits import commit, git, skip_without

from lapmark.bench.gate import templates

ROOT = Path(__file__).parents[3]
ACTION = yaml.safe_load((ROOT / "action.yml").read_text())
STEPS = {step.get("id") or step.get("name") or step["uses"]: step for step in ACTION["runs"]["steps"]}
NO_COMMIT = "0" * 40

SOLVER = """
import numpy as np
from lapmark import Capabilities, Matching, register


@register("picker", Capabilities(exact=False, dtypes={"float64"}, counters={"row_scans"}))
def picker(problem):
    cost, scans = problem.cost.dense().copy(), 0
    row_to_col = np.empty(len(cost), dtype=np.intp)
    for row in range(len(cost)):
        for _ in range(LOOKS):
            row_to_col[row] = cost[row].argmin()
            scans += 1
        cost[:, row_to_col[row]] = np.inf
    return Matching.of(problem, row_to_col, counters={"row_scans": scans})
"""

PROJECT = {
    "pyproject.toml": """
[build-system]
requires = ["setuptools"]
build-backend = "setuptools.build_meta"

[project]
name = "picker"
version = "1"

[project.entry-points."lapmark.solvers"]
picker = "picker"

[tool.setuptools]
py-modules = ["picker"]

[tool.lapmark.gate]
problems = ["uniform:dtype=float64"]
sizes = [20]
rounds = 2
budget = "20ms"
""",
    "picker.py": SOLVER.replace("LOOKS", "1"),
}


class Runner:
    """Runs the scripts of the action as GitHub does; other actions in it are taken to have done nothing."""

    def __init__(self, workspace: Path, folder: Path, event: Mapping[str, Any], **environ: str) -> None:
        self.workspace, self.folder = workspace, folder
        self.contexts: dict[str, Any] = {
            "inputs": {name: each["default"] for name, each in ACTION["inputs"].items()},
            "github": {"event": event, "token": "the-token"},
            "runner": {"temp": str(folder), "os": "Linux", "arch": "X64"},
            "steps": {},
        }
        self.environ = {**os.environ, "GITHUB_ACTION_PATH": str(ROOT), "RUNNER_TEMP": str(folder), **environ}
        self.output = ""

    def value(self, expression: str) -> Any:
        """Return the value of an expression of a workflow."""
        literals: list[str] = []

        def keep(found: re.Match[str]) -> str:
            literals.append(found[1])
            return f"literals[{len(literals) - 1}]"

        code = re.sub(r"'([^']*)'", keep, expression)
        code = re.sub(r"\b(\w+(?:\.[\w-]+)+)", r"self.look_up('\1')", code)
        code = code.replace("&&", " and ").replace("||", " or ").replace("always()", "True")
        return eval(code, {"self": self, "literals": literals})

    def look_up(self, name: str) -> Any:
        found: Any = self.contexts
        for part in name.split("."):
            found = found.get(part, "") if isinstance(found, Mapping) else ""
        return found

    def text(self, template: str) -> str:
        return re.sub(r"\$\{\{(.*?)\}\}", lambda found: str(self.value(found[1].strip())), template)

    def step(self, name: str) -> int | None:
        """Run a step, and return its exit status, or None where its condition does not hold."""
        step = STEPS[name]
        if not self.value(step.get("if", "always()")):
            return None
        file = self.folder / "output.txt"
        file.write_text("")
        (self.folder / "script.sh").write_text(step["run"])
        done = subprocess.run(
            ["bash", "--noprofile", "--norc", "-eo", "pipefail", self.folder / "script.sh"],
            cwd=self.workspace / self.text(step.get("working-directory", ".")),
            env={
                **self.environ,
                "GITHUB_OUTPUT": str(file),
                **{key: self.text(text) for key, text in step.get("env", {}).items()},
            },
            capture_output=True,
            text=True,
        )
        self.output += done.stdout + done.stderr
        pairs = (line.partition("=") for line in file.read_text().splitlines())
        self.contexts["steps"][name] = {"outputs": {key: text for key, _, text in pairs}}
        return done.returncode

    def run(self, **inputs: str) -> int:
        """Run every script of the action, and return the first exit status that is not 0."""
        self.contexts["inputs"] |= {name.replace("_", "-"): text for name, text in inputs.items()}
        status = 0
        for name, step in STEPS.items():
            if "run" in step and not status:
                status = self.step(name) or 0
        return status


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A project on its branch `main`, and a branch `topic` with more work that starts one commit earlier."""
    folder = tmp_path / "project"
    commit(folder, PROJECT, tag="start")
    git(folder, "checkout", "--quiet", "-b", "topic")
    commit(folder, {"picker.py": SOLVER.replace("LOOKS", "1 + (row % 10 == 0)")}, tag="more")
    git(folder, "checkout", "--quiet", "main")
    commit(folder, {"README.md": "A project.\n"}, tag="later")
    return folder


def base_of(project: Path, tmp_path: Path, event: Mapping[str, Any], name: str, **inputs: str) -> tuple[str, str]:
    """Return the commit that the action compares with, and what it printed."""
    head = git(project, "rev-parse", "HEAD")
    runner = Runner(project, tmp_path, event, GITHUB_EVENT_NAME=name, GITHUB_SHA=head)
    runner.contexts["inputs"] |= inputs
    if runner.step("base"):
        return "", runner.output
    return runner.contexts["steps"]["base"]["outputs"]["base"], runner.output


def pull_request(project: Path) -> dict[str, Any]:
    return {"pull_request": {"base": {"sha": git(project, "rev-parse", "later")}}}


def assert_same(project: Path, found: str, revision: str) -> None:
    assert git(project, "rev-parse", found) == git(project, "rev-parse", revision)


def test_base_of_a_merged_pull_request_is_what_it_is_merged_into(project: Path, tmp_path: Path) -> None:
    git(project, "checkout", "--quiet", "--detach", "main")
    git(project, "merge", "--quiet", "--no-edit", "topic")
    found, _ = base_of(project, tmp_path, pull_request(project), "pull_request")
    assert_same(project, found, "later")


def test_base_of_a_pull_request_s_own_commit_is_where_it_started(project: Path, tmp_path: Path) -> None:
    git(project, "checkout", "--quiet", "topic")
    found, _ = base_of(project, tmp_path, pull_request(project), "pull_request")
    assert_same(project, found, "start")


def test_base_of_a_push_is_the_commit_before_it(project: Path, tmp_path: Path) -> None:
    start = git(project, "rev-parse", "start")
    commit(project, {"README.md": "Changed.\n"})
    for before, revision in ((start, "start"), (NO_COMMIT, "HEAD~1"), (git(project, "rev-parse", "more"), "HEAD~1")):
        found, _ = base_of(project, tmp_path, {"before": before}, "push")
        assert_same(project, found, revision)


def test_base_that_is_given_is_taken_and_must_exist(project: Path, tmp_path: Path) -> None:
    assert base_of(project, tmp_path, pull_request(project), "pull_request", base="start")[0] == "start"
    found, output = base_of(project, tmp_path, {}, "push", base="v9; touch hacked")
    assert (found, output) == ("", "::error title=Lapmark gate::There is no commit v9; touch hacked.\n")
    assert not (project / "hacked").exists()


def test_base_of_a_first_commit_is_none_and_nothing_runs(tmp_path: Path) -> None:
    commit(tmp_path / "new", PROJECT)
    runner = Runner(tmp_path / "new", tmp_path, {}, GITHUB_EVENT_NAME="push", GITHUB_SHA="")
    assert runner.run() == 0
    assert "no earlier commit" in runner.output
    assert runner.contexts["steps"].keys() == {"base"}


def test_base_in_a_shallow_clone_names_the_setting(project: Path, tmp_path: Path) -> None:
    git(tmp_path, "clone", "--quiet", "--depth", "1", project.as_uri(), str(tmp_path / "shallow"))
    found, output = base_of(tmp_path / "shallow", tmp_path, {"before": NO_COMMIT}, "push")
    assert found == ""
    assert "::error title=Lapmark gate::The clone is shallow" in output
    assert "fetch-depth: 0" in output


def test_base_outside_a_repository_or_with_rights_to_write_is_refused(project: Path, tmp_path: Path) -> None:
    runner = Runner(tmp_path, tmp_path, {}, GITHUB_EVENT_NAME="push", GITHUB_SHA="")
    assert runner.step("base") == 2
    assert "actions/checkout" in runner.output
    _, output = base_of(project, tmp_path, pull_request(project), "pull_request_target")
    assert "use pull_request" in output


@pytest.mark.parametrize(
    ("base", "status", "message"),
    [
        ("HEAD", 0, "HEAD and HEAD differ in nothing that affects measurements."),
        ("v9", 2, "::error title=Lapmark gate::The commits could not be compared"),
    ],
)
def test_gate_s_exit_status_is_that_of_the_step(
    project: Path, tmp_path: Path, base: str, status: int, message: str
) -> None:
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    runner = Runner(project, tmp_path, {}, PATH=path)
    runner.contexts["steps"]["base"] = {"outputs": {"base": base}}
    runner.contexts["inputs"] |= {"total": "1m"}
    assert runner.step("gate") == status, runner.output
    assert message in runner.output


@pytest.fixture
def python(tmp_path: Path) -> Path:
    """The folder of the programs of an environment that sees Lapmark and the packages of the one that tests."""
    subprocess.run(
        [sys.executable, "-m", "virtualenv", "--quiet", "--no-periodic-update", tmp_path / "venv"], check=True
    )
    (packages,) = (tmp_path / "venv").glob("lib/*/site-packages")
    (packages / "tested.pth").write_text(f"import site; site.addsitedir({sysconfig.get_path('purelib')!r})\n")
    return tmp_path / "venv" / "bin"


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_action_on_a_pull_request_with_more_work_fails_and_reports(
    project: Path, tmp_path: Path, python: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    skip_without("setuptools")
    git(project, "checkout", "--quiet", "--detach", "main")
    git(project, "merge", "--quiet", "--no-edit", "topic")
    summary = tmp_path / "summary.md"
    for name in ("PYTHONPATH", "LAPMARK_CACHE"):
        monkeypatch.delenv(name, raising=False)
    runner = Runner(
        project,
        tmp_path,
        pull_request(project),
        GITHUB_EVENT_NAME="pull_request",
        GITHUB_SHA=git(project, "rev-parse", "HEAD"),
        GITHUB_ACTIONS="true",
        GITHUB_STEP_SUMMARY=str(summary),
        LAPMARK_CACHE=str(tmp_path / "cache"),
        PATH=f"{python}{os.pathsep}{os.environ['PATH']}",
    )
    # Lapmark is there already; building it takes minutes.
    assert runner.run(lapmark=".", total="1m") == 1, runner.output
    assert "::error title=Lapmark gate%3A picker on uniform" in runner.output
    assert "row_scans 20 → 22, worse: 10 %25 more work" in runner.output
    assert "**worse: 10 % more work**" in summary.read_text()
    reports = Path(runner.contexts["steps"]["gate"]["outputs"]["reports"])
    assert str(reports) == runner.text(STEPS["actions/upload-artifact@v4"]["with"]["path"])
    assert sorted(path.name for path in reports.iterdir()) == [
        "gate.json",
        "gate.junit.xml",
        "gate.md",
        "gate.metrics.txt",
    ]
    (suite,) = ET.parse(reports / "gate.junit.xml").getroot()
    assert suite.get("failures") == "1"


def test_comment_only_comments(tmp_path: Path) -> None:
    event = tmp_path / "event.json"
    event.write_text('{"pull_request": {}}')
    runner = Runner(tmp_path, tmp_path, {}, GITHUB_EVENT_PATH=str(event))
    assert runner.run(comment="true") == 1
    assert "commenting needs a workflow that is triggered by workflow_run" in runner.output
    assert list(runner.contexts["steps"]) == ["Comment on the pull request"]


def test_scripts_of_the_action_contain_no_expressions_and_are_valid() -> None:
    for step in STEPS.values():
        script = step.get("run", "")
        assert "${{" not in script  # a value could bring commands of its own
        subprocess.run(["bash", "-n"], input=script, text=True, check=True)
        assert "uses" in step or step["shell"] == "bash"


def test_key_of_the_wheel_follows_the_sources_of_lapmark(tmp_path: Path) -> None:
    runner = Runner(tmp_path, tmp_path, {})
    runner.contexts["steps"]["base"] = {"outputs": {"base": "main"}}
    assert runner.step("version") == 0
    key = runner.contexts["steps"]["version"]["outputs"]["key"]
    assert re.fullmatch(r"lapmark-wheel-cpython-\S+-[0-9a-f]{64}", key)


def test_options_that_the_action_and_templates_use_exist() -> None:
    scripts = "\n".join(step.get("run", "") for step in STEPS.values()) + templates.GITLAB.read_text()
    (known,) = [output for _, output in [lapmark("gate", "--help")]]
    used = set(re.findall(r"(?<!pip)(--(?:output|to|config|total))\b", scripts))
    assert used == {"--output", "--to", "--config", "--total"}
    assert {option for option in used if option not in known} == set()


def test_workflow_of_the_gate_is_ten_lines_and_cannot_write() -> None:
    text = templates.WORKFLOW.read_text()
    workflow = yaml.safe_load(text)
    assert len(text.splitlines()) == 10
    assert workflow[True] == "pull_request"  # YAML reads `on` as true
    assert workflow["permissions"] == {"contents": "read"}
    checkout, gate = workflow["jobs"]["gate"]["steps"]
    assert checkout["with"]["fetch-depth"] == 0
    assert gate == {"uses": "lapmark/lapmark@v1"}


def test_workflow_of_the_comment_follows_the_gate_and_checks_nothing_out() -> None:
    workflow, gate = (yaml.safe_load(path.read_text()) for path in (templates.COMMENT, templates.WORKFLOW))
    assert workflow[True] == {"workflow_run": {"workflows": [gate["name"]], "types": ["completed"]}}
    assert workflow["permissions"] == {"actions": "read", "pull-requests": "write"}
    (step,) = workflow["jobs"]["comment"]["steps"]
    assert step["with"].keys() <= ACTION["inputs"].keys()


def test_job_of_gitlab_publishes_the_reports() -> None:
    (job,) = yaml.safe_load(templates.GITLAB.read_text()).values()
    assert job["variables"]["GIT_DEPTH"] == 0
    reports = {Path(path).name for path in job["artifacts"]["reports"].values()}
    assert reports == {"gate.junit.xml", "gate.metrics.txt"}


@pytest.mark.parametrize(
    "template", [templates.WORKFLOW, templates.COMMENT, templates.GITLAB], ids=lambda path: path.name
)
def test_documents_show_the_templates(template: Path) -> None:
    assert template.read_text().strip() in (ROOT / "docs" / "ci.md").read_text()
