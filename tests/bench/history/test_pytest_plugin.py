"""The fixture `lapmark_benchmark`: it times, certifies and records, in one process or several."""

from __future__ import annotations

import importlib.metadata
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import lapmark
from lapmark.bench.history import history_store
from lapmark.bench.history.benchmark_fixture import LapmarkBenchmark
from lapmark.bench.history.measurement import Measurement
from lapmark.bench.history.timed_calls import FEWEST, MOST, time_calls

pytest_plugins = ["pytester"]

#: The plugin, where the environment does not have it as an entry point.
NAMED = {each.value for each in importlib.metadata.entry_points(group="pytest11")}
PLUGIN = [] if "lapmark.bench.history.pytest_plugin" in NAMED else ["-p", "lapmark.bench.history.pytest_plugin"]

TESTS = """
import numpy as np
import pytest
from lapmark import Assignment, DenseCost, Matching, solve

PROBLEM = Assignment(DenseCost(np.random.default_rng(0).random((30, 30))))

def test_sum(lapmark_benchmark):
    assert lapmark_benchmark(sum, range(10)) == 45
    lapmark_benchmark.counters["additions"] = 10

@pytest.mark.parametrize("solver", ["jv", "auction"])
def test_solve(lapmark_benchmark, solver):
    lapmark_benchmark(solve, PROBLEM, solver)

def test_wrong(lapmark_benchmark):
    lapmark_benchmark(lambda: Matching.of(PROBLEM, np.arange(30)), problem=PROBLEM)

def test_fails(lapmark_benchmark):
    assert lapmark_benchmark(len, "abc") == 4

def test_other():
    pass
"""


@pytest.fixture
def problem() -> lapmark.Assignment:
    return lapmark.Assignment(lapmark.DenseCost(np.random.default_rng(0).random((20, 20))))


@pytest.fixture
def project(pytester: pytest.Pytester) -> pytest.Pytester:
    """Return a git repository with tests."""
    pytester.makepyfile(test_it=TESTS)
    for command in (["init", "-q", "-b", "main"], ["add", "-A"], ["commit", "-qm", "Tests"]):
        settings = ["-c", "user.name=A", "-c", "user.email=a@example.com"]
        subprocess.run(["git", *settings, *command], cwd=pytester.path, check=True)
    return pytester


def benchmark() -> LapmarkBenchmark:
    return LapmarkBenchmark("a test", budget=0.002)


def recorded(folder: Path) -> dict[str, Measurement]:
    (snapshot,) = history_store.read(folder).snapshots
    assert snapshot.source == "pytest"
    return {each.name.removeprefix("test_it.py::"): each for each in snapshot.measurements}


def test_time_calls_of_a_quick_function_takes_samples_of_many_calls() -> None:
    calls = 0

    def call() -> int:
        nonlocal calls
        calls += 1
        return calls

    timed = time_calls(call, 0.01)
    assert FEWEST <= len(timed.samples) <= MOST
    assert calls > 10 * len(timed.samples)
    assert timed.answers[-1] == calls
    assert all(0 < sample < 1e-3 for sample in timed.samples)


def test_time_calls_of_a_slow_function_takes_the_fewest_samples() -> None:
    answers = iter(range(100))

    def call() -> int:
        import time

        time.sleep(0.002)
        return next(answers)

    timed = time_calls(call, 0.0)
    assert len(timed.samples) == FEWEST
    assert min(timed.samples) >= 0.002


def test_benchmark_returns_the_answer_and_certifies_it_by_the_problem_among_the_arguments(
    problem: lapmark.Assignment,
) -> None:
    made = benchmark()
    matching = made(lapmark.solve, problem, solver="jv")
    assert matching.cost == pytest.approx(lapmark.solve(problem).cost)
    made.counters["mine"] = 3
    found = made.measurement(failure=None)
    assert found is not None
    assert (found.status, found.certified, found.counters) == ("ok", True, {**matching.counters, "mine": 3})


def test_benchmark_of_a_costly_matching_fails_unless_its_gap_is_allowed(problem: lapmark.Assignment) -> None:
    costly = lapmark.Matching.of(problem, np.arange(20))
    made = benchmark()
    with pytest.raises(pytest.fail.Exception, match=r"the answer is wrong: it costs .* a gap of 0\.\d+, more than"):
        made(lambda: costly, problem=problem)
    found = made.measurement(failure="Failed")
    assert found is not None
    assert (found.status, found.median) == ("wrong", None)
    made = benchmark()
    made.gap = 100
    assert made(lambda: costly, problem=problem) is costly


def test_benchmark_of_no_matching_fails_with_the_fault(problem: lapmark.Assignment) -> None:
    twice = lapmark.Matching.of(problem, np.zeros(20, dtype=int))
    with pytest.raises(pytest.fail.Exception, match="column 0"):
        benchmark()(lambda: twice, problem=problem)


def test_benchmark_of_a_blurred_plan_is_certified() -> None:
    points = np.random.default_rng(0).random((2, 15, 2))
    problem = lapmark.Transport(lapmark.PointCost(*points), blur=0.1)
    made = benchmark()
    made(lapmark.solve, problem)
    found = made.measurement(failure=None)
    assert found is not None
    assert found.certified


def test_benchmark_passes_a_problem_to_a_function_with_that_parameter(problem: lapmark.Assignment) -> None:
    def function(problem: lapmark.Assignment) -> lapmark.Matching:
        return lapmark.solve(problem)

    made = benchmark()
    assert made(function, problem=problem).cost > 0
    assert made.measurement(None).certified


def test_benchmark_of_a_problem_without_an_answer_says_what_it_certifies(problem: lapmark.Assignment) -> None:
    with pytest.raises(TypeError, match="certifies a Matching or a Plan, and got list"):
        benchmark()(lambda: [1, 2], problem=problem)


def test_benchmark_used_twice_in_a_test_is_an_error() -> None:
    made = benchmark()
    made(sum, [1])
    with pytest.raises(TypeError, match="one function per test"):
        made(sum, [1])


def test_counters_that_differ_between_calls_are_left_out(problem: lapmark.Assignment) -> None:
    calls = iter(range(10**9))

    def function() -> lapmark.Matching:
        matching = lapmark.solve(problem)
        return lapmark.Matching(matching.row_to_col, matching.cost, counters={"same": 1, "other": next(calls)})

    made = benchmark()
    made(function)
    assert made.counters == {"same": 1}


@pytest.mark.parametrize("value", ["7", None, True, float("nan")])
def test_counter_that_is_no_number_is_an_error(value: object) -> None:
    with pytest.raises(TypeError, match=r"lapmark_benchmark\.counters\['scans'\] is .*: it must be a finite number"):
        benchmark().counters["scans"] = value


def test_counter_of_numpy_is_a_number_of_json() -> None:
    made = benchmark()
    made.counters.update(scans=np.int64(7), share=np.float32(0.5))
    assert list(map(type, made.counters.values())) == [int, float]


def test_session_shows_its_measurements_and_records_nothing_by_default(project: pytest.Pytester) -> None:
    result = project.runpytest_inprocess(*PLUGIN, "-q")
    result.assert_outcomes(passed=4, failed=2)
    result.stdout.re_match_lines(
        [
            r"=+ lapmark =+",
            r"test_it\.py::test_fails  error: AssertionError: .*",
            r"test_it\.py::test_solve\[auction\] .* samples\), .*, certified",
            r"test_it\.py::test_sum  .*s \(.* – .*, \d+ samples\), additions 10",
            r"test_it\.py::test_wrong  wrong: it costs .*",
        ]
    )
    assert sorted(path.name for path in project.path.glob("*.json")) == []


def test_session_with_a_history_records_the_commit(project: pytest.Pytester) -> None:
    result = project.runpytest_inprocess(*PLUGIN, "-q", "--lapmark-history", "history")
    result.stdout.re_match_lines([r"commit [0-9a-f]{10} is in .*history.*-pytest\.json"])
    found = recorded(project.path / "history")
    assert {name: each.status for name, each in found.items()} == {
        "test_fails": "error",
        "test_solve[auction]": "ok",
        "test_solve[jv]": "ok",
        "test_sum": "ok",
        "test_wrong": "wrong",
    }
    assert found["test_sum"].counters == {"additions": 10}
    assert found["test_solve[jv]"].certified


@pytest.mark.slow
def test_session_of_several_processes_records_all_tests_once(project: pytest.Pytester) -> None:
    project.runpytest_subprocess(*PLUGIN, "-q", "-n", "2", "--lapmark-history", "history")
    assert len(recorded(project.path / "history")) == 5


def test_session_that_is_interrupted_records_nothing(project: pytest.Pytester) -> None:
    project.makepyfile(test_later="def test_interrupt():\n    raise KeyboardInterrupt\n")
    chosen = ["-k", "sum or interrupt", "--lapmark-history", "history"]
    result = project.runpytest_inprocess(*PLUGIN, "-q", *chosen, no_reraise_ctrlc=True)
    result.stdout.fnmatch_lines(["*did not end as usual: nothing is added to the history"])
    assert not (project.path / "history").exists()


def test_session_on_changed_files_is_refused_before_it_begins(project: pytest.Pytester) -> None:
    project.makepyfile(test_it=TESTS + "\n# changed\n")
    result = project.runpytest_inprocess(*PLUGIN, "-q", "--lapmark-history", "history")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["*--lapmark-history: the working tree differs from commit * (test_it.py)*"])


def test_session_without_a_benchmark_says_so(project: pytest.Pytester) -> None:
    result = project.runpytest_inprocess(*PLUGIN, "-q", "-k", "other", "--lapmark-history", "history")
    assert result.ret == pytest.ExitCode.OK
    result.stdout.fnmatch_lines(["no test used lapmark_benchmark: nothing is added to the history"])


def test_examples_of_the_page_on_history_pass(pytester: pytest.Pytester) -> None:
    page = Path(__file__).parents[3] / "docs" / "history.md"
    (code,) = re.findall(r"```python\n(.*?)```", page.read_text(encoding="utf-8"), re.DOTALL)
    pytester.makepyfile(test_example=code)
    result = pytester.runpytest_inprocess(*PLUGIN, "-q")
    result.assert_outcomes(passed=2)
    result.stdout.re_match_lines(
        [r"test_example\.py::test_parser .*, words 3,000", r"test_example\.py::test_solver .*"]
    )


def test_plugin_loads_neither_numpy_nor_the_harness() -> None:
    script = "import sys, lapmark.bench.history.pytest_plugin; print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout.split()
    assert {"numpy", "pandas", "rich", "typer", "psutil", "lapmark.solvers"}.isdisjoint(loaded)
