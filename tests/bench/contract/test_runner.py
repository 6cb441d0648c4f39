"""`lapmark check`: the contract in a process that may die of it."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
from typer.testing import CliRunner

from lapmark.bench.cli import app
from lapmark.bench.contract import CHECKS, runner
from lapmark.bench.contract.runner import Finding
from lapmark.bench.environments import available_solvers
from lapmark.solvers import plugins, registry

#: Solvers that fail in ways that an exception cannot tell.
FAULTY = """
import ctypes, os, sys, time
from lapmark import Capabilities, register, solve

def solver(name, fault):
    @register(name, Capabilities(exact=True))
    def function(problem):
        if problem.shape[0] == 6:
            fault()
        return solve(problem, "jv")

def abort():
    print("assertion failed: prices are finite", file=sys.stderr, flush=True)
    os.abort()

solver("check-crashes", lambda: ctypes.string_at(0))
solver("check-aborts", abort)
solver("check-leaves", lambda: os._exit(3))
solver("check-exits", lambda: sys.exit("enough"))
solver("check-hangs", lambda: time.sleep(600))
"""


@pytest.fixture(scope="module", autouse=True)
def faulty(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    known = registry.solvers()
    file = tmp_path_factory.mktemp("plugins") / "faulty.py"
    file.write_text(FAULTY)
    plugins.load(file)
    yield file
    registry._solvers.clear()
    registry._solvers.update(known)


def examine(name: str, *checks: str, timeout: float = 60) -> dict[str, Finding]:
    shown: list[str | Finding] = []
    runner.examine(available_solvers.get(name), checks, timeout, shown.append)
    findings = {finding.check: finding for finding in shown if isinstance(finding, Finding)}
    assert [news for news in shown if isinstance(news, str)] == list(findings) == list(checks)
    return findings


@pytest.mark.parametrize(
    ("solver", "message"),
    [
        ("check-crashes", "died of SIGSEGV during the check"),
        ("check-aborts", "died of SIGABRT during the check\nassertion failed: prices are finite"),
        ("check-leaves", "exited with status 3 during the check"),
        ("check-exits", "raises SystemExit: enough"),
    ],
)
def test_check_that_harms_its_process_fails(solver: str, message: str) -> None:
    findings = examine(solver, "tiny-costs", "duals")
    assert [finding.status for finding in findings.values()] == ["fail", "skipped"]
    assert message in findings["tiny-costs"].message
    assert findings["duals"].message == "1 of 1 cases refused: claims no duals"


def test_check_that_crashes_shows_its_input_and_the_rest_runs() -> None:
    findings = examine("check-crashes", "tiny-costs", "equal-costs", "huge-costs")
    assert [finding.status for finding in findings.values()] == ["fail", "pass", "fail"]
    assert findings["tiny-costs"].message.startswith("Assignment of 6×6 dense costs, float64 [[")


def test_check_without_an_end_fails() -> None:
    findings = examine("check-hangs", "tiny-costs", "equal-costs", timeout=5)
    assert "the check did not end within 5 s" in findings["tiny-costs"].message
    assert findings["equal-costs"].status == "pass"


def test_select_gives_the_checks_of_the_solvers_kind() -> None:
    jv, transport = available_solvers.get("jv"), available_solvers.get("transport")
    assert not set(runner.select(jv)) & set(runner.select(transport))
    assert set(runner.select(available_solvers.get("sinkhorn"))) == set(CHECKS)
    assert runner.select(jv, ["brute"]) == ["brute-force", "brute-force-rectangular"]
    with pytest.raises(ValueError, match="no check is called 'brute-forse'; did you mean brute-force"):
        runner.select(jv, ["brute-forse"])


def lapmark(*arguments: object) -> tuple[int, str]:
    result = CliRunner().invoke(app, [str(argument) for argument in arguments])
    assert result.exception is None or isinstance(result.exception, SystemExit), result.output
    return result.exit_code, result.output


def test_check_command_shows_a_line_for_each_check_and_fails_with_one(faulty: Path) -> None:
    code, output = lapmark("check", "jv", "-k", "infeasible", "-k", "empty")
    assert code == 0
    assert output == "pass     infeasible\npass     infeasible-rectangular\npass     empty\njv: 3 pass\n"
    code, output = lapmark("check", "jv", "check-crashes", "-k", "tiny", "--plugin", faulty)
    assert code == 1
    assert "fail     tiny-costs\n         Assignment of 6×6" in output
    assert "jv: 1 pass" in output
    assert "check-crashes: 1 fail" in output


def test_check_command_on_a_missing_solver_is_a_usage_error(tmp_path: Path) -> None:
    file = tmp_path / "absent.py"
    file.write_text(
        "from lapmark import Capabilities, register\n"
        'register("check-absent", Capabilities(exact=True), requires=("no-such-distribution",))(lambda problem: None)\n'
    )
    code, output = lapmark("check", "check-absent", "--plugin", file)
    assert code == 2
    assert "package no-such-distribution is not installed" in " ".join(output.replace("│", "").split())
    assert lapmark("check", "jvv")[0] == 2


def test_plugin_that_crashes_the_check_process_is_reported_once(tmp_path: Path) -> None:
    file = tmp_path / "dying.py"
    file.write_text(
        "import os, sys\nfrom lapmark import Capabilities, register\n"
        'if "check_process" in getattr(sys.modules["__main__"].__spec__, "name", ""):\n    os.abort()\n'
        'register("check-dies", Capabilities(exact=True))(lambda problem: None)\n'
    )
    code, output = lapmark("check", "check-dies", "--plugin", file)
    assert code == 2
    assert "failed before a check: died of SIGABRT during start-up" in " ".join(output.replace("│", "").split())


def test_ctrl_c_during_a_check_leaves_no_process(faulty: Path) -> None:
    command = [sys.executable, "-m", "lapmark", "check", "check-hangs", "--plugin", str(faulty), "-k", "tiny"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    children: list[psutil.Process] = []
    while not any("lapmark.bench.contract.check_process" in child.cmdline() for child in children):
        assert process.poll() is None
        time.sleep(0.05)
        children = psutil.Process(process.pid).children(recursive=True)
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=60)
    assert process.returncode == 130
    assert not any(child.is_running() for child in children)
