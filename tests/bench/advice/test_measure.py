"""Measuring for advice: statuses of candidates that fail, certified answers, and a folder that is continued."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from lapmark import Assignment, DenseCost
from lapmark.bench.advice import measured_cases
from lapmark.bench.advice.call_timing import Timing, time_calls
from lapmark.bench.advice.measure import Campaign, Settings, verdicts
from lapmark.bench.problems import Case
from lapmark.bench.results.store import Store
from lapmark.solvers import plugins

PROBLEMS = [Assignment(DenseCost(np.random.default_rng(seed).random((5, 5)))) for seed in range(3)]

PLUGIN = """
import os, time
import numpy as np
import lapmark
able = lapmark.Capabilities(exact=True)

@lapmark.register("sleeps", able)
def sleeps(problem):
    time.sleep(60)

@lapmark.register("dies-in-a-call", able)
def dies(problem):
    os.kill(os.getpid(), 9)

@lapmark.register("raises", able)
def raises(problem):
    raise KeyError("nothing")

@lapmark.register("hungry", able)
def hungry(problem):
    np.ones(1 << 30).sum()

@lapmark.register("diagonal", able)
def diagonal(problem):
    return lapmark.Matching.of(problem, np.arange(problem.shape[0]))
"""


@pytest.fixture(scope="module")
def failing(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    file = tmp_path_factory.mktemp("plugin") / "failing.py"
    file.write_text(PLUGIN)
    plugins.load(str(file))
    yield
    plugins.forget()


def timed(name: str, timeout: float = 30.0) -> Timing:
    return time_calls(name, PROBLEMS, 0.01, timeout, memory=1 << 28)


@pytest.mark.parametrize(
    ("name", "status"), [("sleeps", "timeout"), ("dies-in-a-call", "crash"), ("raises", "error"), ("hungry", "memory")]
)
def test_time_calls_of_a_failing_solver_names_the_failure(failing: None, name: str, status: str) -> None:
    assert timed(name, 0.3 if status == "timeout" else 30.0).status == status


def test_time_calls_returns_a_time_and_an_answer_for_each_problem() -> None:
    timing = timed("scipy")
    assert timing.status == ""
    assert len(timing.seconds) == len(timing.results) == len(PROBLEMS)
    assert all(0 < seconds < 30 for seconds in timing.seconds)


def test_time_calls_of_a_batch_shares_its_time_among_the_problems() -> None:
    timing = timed("solve_batch")
    assert len(set(timing.seconds)) == 1
    assert not any(
        timing.status for timing, _ in verdicts({"solve_batch": timing}, PROBLEMS, {"jv": timed("jv")}).values()
    )


def test_verdicts_of_an_answer_that_is_not_optimal_is_wrong(failing: None) -> None:
    timings = {name: timed(name) for name in ("jv", "scipy", "diagonal")}
    found = {name: timing.status for name, (timing, _) in verdicts(timings, PROBLEMS, timings).items()}
    assert found == {"jv": "", "scipy": "", "diagonal": "wrong"}


def test_campaign_continues_a_folder(tmp_path: Path) -> None:
    case, names = Case("uniform", 6), ("linear_sum_assignment", "auto", "scipy")
    with Store.open(tmp_path) as store:
        (alone,) = Campaign(store, Settings(budget=1e-3), ("lap",)).measure(case, {})
        assert alone.status == "ok"  # certified by our answer, which is not recorded
        first = Campaign(store, Settings(budget=1e-3), names).measure(case, {})
        again = Campaign(store, Settings(budget=1e-3), names).measure(case, {})
    assert {record.solver: record.status for record in first} == dict.fromkeys(names, "ok")
    assert all(record.seconds and record.seconds < 0.1 for record in first)
    assert {record.samples for record in again} == {record.samples for record in first}


def test_campaign_does_not_try_what_is_hopeless(tmp_path: Path) -> None:
    with Store.open(tmp_path) as store:
        campaign = Campaign(store, Settings(timeout=1e-9), ("scipy",))
        small = campaign.measure(Case("uniform", 6), {})
        (large,) = Campaign(store, Settings(timeout=1e-6), ("scipy",)).measure(Case("uniform", 60), {"scipy": small})
    assert (large.status, large.samples) == ("timeout", ())


@pytest.mark.parametrize(
    ("label", "n", "expected"), [("grid", 5000, 5041), ("uniform", 5000, 5000), ("words", 5000, None)]
)
def test_sized_returns_the_nearest_size_that_a_family_takes(label: str, n: int, expected: int | None) -> None:
    case = measured_cases.sized(label, n)
    assert (case and case.n) == expected


def test_labels_build_at_a_small_size() -> None:
    assert all(measured_cases.sized(label, 36) for label in measured_cases.LABELS)
