"""`lapmark record`: a program under a recording, as Python itself would run it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from command import lapmark, unwrapped

PROGRAM = """
import os, sys
import numpy as np
import helper
from scipy.optimize import linear_sum_assignment

print(__name__, sys.argv[1:], sys.path[0] == os.path.dirname(os.path.realpath(__file__)))
for n in (3, 4, 4):
    linear_sum_assignment(np.eye(n))
match sys.argv[1:]:
    case ["exit"]:
        sys.exit(7)
    case ["fail"]:
        helper.fail()
    case ["wait"]:
        print("waits", flush=True)
        helper.wait()
"""

HELPER = """
import time

def fail():
    return 1 / 0

def wait():
    time.sleep(60)
"""


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    Path("sub").mkdir()
    Path("sub/program.py").write_text(PROGRAM)
    Path("sub/helper.py").write_text(HELPER)
    return tmp_path


def start(*arguments: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "lapmark", "record", *arguments]
    variables = {**os.environ, "PATH": os.path.dirname(sys.executable) + os.pathsep + os.environ["PATH"]}
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=variables)


def run(*arguments: str, status: int = 0) -> tuple[str, str]:
    process = start(*arguments)
    output, errors = process.communicate(timeout=120)
    assert process.returncode == status, errors
    return output, errors


def test_record_runs_a_script_and_says_what_it_has_kept() -> None:
    output, errors = run("tracker", "--", "python", "sub/program.py", "-x", "--y=1")
    assert output == "__main__ ['-x', '--y=1'] True\n"
    first, second, third = errors.splitlines()
    assert first.startswith("Recorded tracker: 3 calls, ")
    assert second.startswith("Kept 2 of 2 distinct problems, 3×3 to 4×4, ")
    assert second.endswith(" in recordings/tracker")
    assert third == "Compare solvers on them: lapmark run recordings/tracker"
    assert json.loads(Path("recordings/tracker/index.json").read_text())["calls"] == 3


def test_record_passes_the_exit_status_and_the_traceback_on() -> None:
    assert "Recorded" in run("t", "--", "sub/program.py", "exit", status=7)[1]
    _, errors = run("t", "--", "python", "-X", "utf8", "-u", "sub/program.py", "fail", status=1)
    trace, _, summary = errors.partition("ZeroDivisionError: division by zero\n")
    assert trace.startswith('Traceback (most recent call last):\n  File "sub/program.py", line 14, in <module>')
    assert "runpy" not in trace
    assert summary.startswith("Recorded t: 6 calls")


def test_record_of_a_module_or_of_code_is_like_python_s() -> None:
    code = "import sys, scipy.optimize as o; o.linear_sum_assignment([[1, 2], [3, 4]]); print(sys.argv)"
    output, errors = run("code", "--to", "here", "--", "python", "-c", code, "a")
    assert output == "['-c', 'a']\n"
    assert "Kept 1 of 1 distinct problems, 2×2," in errors
    assert Path("here/index.json").exists()
    output, errors = run("module", "--", "python", "-m", "sub.helper")
    assert "Recorded module: no call of a function that solves assignments" in errors


def test_record_passes_ctrl_c_on() -> None:
    process = start("tracker", "--", "python", "sub/program.py", "wait")
    assert process.stdout is not None
    while "waits" not in process.stdout.readline():
        time.sleep(0.01)
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=60)
    assert process.returncode == -signal.SIGINT
    assert "KeyboardInterrupt\nRecorded tracker: 3 calls" in errors


@pytest.mark.parametrize(
    ("command", "message"),
    [
        (["no-such-program"], "no-such-program: no such program; write for example: lapmark record NAME -- python"),
        (["ls"], "is no Python program; only those can be recorded"),
        (["python3", "absent.py"], "absent.py: no such file"),
        (["python3"], "name a script, or a module after -m"),
        (["python3", "-m"], "name a script, or a module after -m"),
    ],
)
def test_record_of_what_is_no_program_says_so(command: list[str], message: str) -> None:
    code, output = lapmark("record", "tracker", "--", *command)
    assert code == 2
    assert message in unwrapped(output)


def test_record_of_a_bad_name_is_a_usage_error() -> None:
    code, output = lapmark("record", "a/b", "--", "sub/program.py")
    assert code == 2
    assert "use a name without slashes" in unwrapped(output)
