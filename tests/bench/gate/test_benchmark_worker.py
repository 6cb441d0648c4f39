"""The worker for commands and marked functions of a project: what it measures, and how a failure is recorded."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest

import lapmark
from lapmark.bench.gate import benchmark_worker, benchmarks
from lapmark.bench.gate.benchmark_worker import Job

MARKED = """
import ctypes, sys, time
import lapmark
import numpy as np

@lapmark.benchmark(setup=lambda: [3, 1, 2])
def sorts(items):
    items.sort()
    return {"items": len(items), "share": 0.5, "flag": True}

@lapmark.benchmark(name="renamed")
def something():
    block = bytearray(64 << 20)
    return None

problem = lapmark.Assignment(lapmark.DenseCost(np.array([[1.0, 2.0], [2.0, 1.0]])))

@lapmark.benchmark
def right():
    return problem, lapmark.solve(problem)

@lapmark.benchmark
def wrong():
    return problem, lapmark.Matching(row_to_col=np.array([0, 0]), cost=2.0)

@lapmark.benchmark
def raises():
    raise ValueError("no such row")

@lapmark.benchmark
def exits():
    sys.exit(0)

@lapmark.benchmark
def crashes():
    ctypes.string_at(0)
"""


def job(tmp_path: Path, name: str, words: tuple[str, ...] = (), **limits: float) -> Job:
    (tmp_path / "marked.py").write_text(MARKED)
    chosen = {"budget": 0.01, "timeout": 20.0, "memory": 1 << 30, **limits}
    plugins = () if words else (str(tmp_path / "marked.py"),)
    return Job(name=name, words=words, plugins=plugins, folder=str(tmp_path), programs="", warm_up=False, **chosen)


def python(code: str) -> tuple[str, ...]:
    return sys.executable, "-c", code


def test_function_has_samples_and_the_counters_that_are_whole_numbers(tmp_path: Path) -> None:
    found = benchmark_worker.measure(job(tmp_path, "sorts"))
    assert found["status"] == "ok"
    assert found["counters"] == {"items": 3}
    assert found["samples"]
    assert all(0 < sample < 1 for sample in found["samples"])


def test_function_has_the_memory_of_its_call(tmp_path: Path) -> None:
    assert 60 << 20 < benchmark_worker.measure(job(tmp_path, "renamed"))["peak_memory"] < 200 << 20


def test_function_that_returns_an_answer_is_certified(tmp_path: Path) -> None:
    found = benchmark_worker.measure(job(tmp_path, "right"))
    assert (found["status"], found["cost"], found["gap"]) == ("ok", 2.0, 0.0)


@pytest.mark.parametrize(
    ("name", "status", "message"),
    [
        ("wrong", "wrong", ""),
        ("raises", "error", "ValueError: no such row"),
        ("exits", "error", "exits ended the process"),
        ("crashes", "crash", "SIGSEGV"),
        ("missing", "skipped", "this commit has no benchmark missing"),
    ],
)
def test_function_that_fails_is_recorded_with_its_status(tmp_path: Path, name: str, status: str, message: str) -> None:
    found = benchmark_worker.measure(job(tmp_path, name))
    assert found["status"] == status
    assert message in found["message"]
    assert not found["samples"]


def test_command_has_the_counters_of_its_last_line(tmp_path: Path) -> None:
    code = 'print("hello"); print(\'{"rows": 12, "ratio": 0.5}\')'
    found = benchmark_worker.measure(job(tmp_path, "rows", python(code)))
    assert found["status"] == "ok"
    assert found["counters"] == {"rows": 12}
    assert found["peak_memory"] > 1 << 20


def test_command_runs_in_the_folder_of_the_commit_and_imports_nothing_from_it(tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text("")
    code = "import pathlib, importlib.util as u; print(pathlib.Path('mine.py').exists(), u.find_spec('mine'))"
    ran = benchmark_worker._run(python(code), job(tmp_path, "place", ("-",)))
    assert ran.output.split() == ["True", "None"]


@pytest.mark.parametrize(("columns", "status"), [([0, 1], "ok"), ([0, 0], "wrong"), ([0], "wrong")])
def test_command_that_states_an_assignment_is_certified(tmp_path: Path, columns: list[int], status: str) -> None:
    np.save(tmp_path / "costs.npy", np.array([[1.0, 2.0], [2.0, 1.0]]))
    code = f'print(\'{{"counters": {{"rows": 2}}, "costs": "costs.npy", "row_to_col": {columns}}}\')'
    found = benchmark_worker.measure(job(tmp_path, "solve", python(code)))
    assert found["status"] == status, found
    if status == "ok":
        assert (found["cost"], found["counters"]) == (2.0, {"rows": 2})


@pytest.mark.parametrize(
    ("code", "limits", "status", "message"),
    [
        ("raise SystemExit('no input')", {}, "error", "exit status 1: no input"),
        ("import os; os.kill(os.getpid(), 9)", {}, "crash", "SIGKILL"),
        ("import time; time.sleep(60)", {"timeout": 0.3}, "timeout", "took more than 300 ms"),
        ("import time; x = bytearray(300 << 20); time.sleep(60)", {"memory": 100 << 20}, "memory", "over the limit"),
    ],
)
def test_command_that_fails_is_recorded_with_its_status(
    tmp_path: Path, code: str, limits: dict[str, float], status: str, message: str
) -> None:
    found = benchmark_worker.measure(job(tmp_path, "fails", python(code), **limits))
    assert found["status"] == status
    assert message in found["message"]


def test_command_that_does_not_exist_is_an_error(tmp_path: Path) -> None:
    found = benchmark_worker.measure(job(tmp_path, "fails", ("no-such-program",)))
    assert found["status"] == "error"
    assert "no-such-program cannot be started" in found["message"]


def test_benchmark_of_a_name_that_is_taken_in_another_file_is_refused() -> None:
    def mark(file: str) -> None:
        space = {"benchmark": lapmark.benchmark}
        exec(compile("@benchmark\ndef twice_marked(): pass", file, "exec"), space)

    mark("one.py")
    mark("one.py")  # a module that is loaded again
    with pytest.raises(ValueError, match=r"two benchmarks are called 'twice_marked', in one.py and two.py"):
        mark("two.py")
    assert "twice_marked" in benchmarks.marked()
