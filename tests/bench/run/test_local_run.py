from __future__ import annotations

import math
import os
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from lapmark import solve
from lapmark.bench.problems import Case
from lapmark.bench.results.record import Record
from lapmark.bench.results.store import Store
from lapmark.bench.run.cells import Cell, plan, resolve
from lapmark.bench.run.local_run import LocalRun
from lapmark.bench.run.measure import RunSettings
from lapmark.bench.run.schedule import Finished, Round, Schedule
from lapmark.bench.system.machine import machine
from lapmark.bench.worker.problem_digest import digest_problem
from lapmark.bench.worker.resource_limits import Limits

TERMS = RunSettings(limits=Limits(timeout=30, memory=1 << 30), budget=0.02)


def sweep(folder: Path, cells: list[Cell], retry: Sequence[str] = (), **settings: object) -> list[Finished]:
    with Store.open(folder) as store:
        events = list(LocalRun(Schedule(store=store, settings=replace(TERMS, **settings), retry=retry)).run(cells))  # type: ignore[arg-type]
    return [event for event in events if isinstance(event, Finished)]


def records(folder: Path, cells: list[Cell]) -> dict[str, Record]:
    return {event.record.solver: event.record for event in sweep(folder, cells)}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("results")


@pytest.fixture(scope="module")
def uniform(folder: Path) -> dict[str, Record]:
    return records(folder, plan(["jv", "scipy", "sinkhorn:blur=0.1", "pot-bsp:plans=1"], ["uniform"], [32]))


def test_record_of_a_run_has_case_machine_versions_and_counters(uniform: dict[str, Record]) -> None:
    record = uniform["jv"]
    problem = Case("uniform", 32).build()
    assert record.status == "ok", record.message
    assert (record.case, record.problem, record.n, record.m) == ("uniform:n=32,seed=0", "uniform", 32, 32)
    assert record.cost == pytest.approx(solve(problem, "jv").cost)
    assert record.dual_bound == pytest.approx(record.cost)
    assert record.max_violation is not None
    assert 1 <= len(record.samples) <= 100
    assert all(0 < seconds < 30 for seconds in record.samples)
    assert record.counters == solve(problem, "jv").counters
    assert record.peak_memory is not None
    assert set(record.versions) == {"lapmark", "numpy"}
    assert record.machine == machine()
    assert record.threads == 1
    assert record.finished.endswith("+00:00")


def test_answer_without_duals_is_certified_by_another_solvers(uniform: dict[str, Record]) -> None:
    assert uniform["scipy"].status == "ok"
    assert uniform["scipy"].dual_bound == uniform["jv"].dual_bound
    assert uniform["scipy"].max_violation is None


def test_approximate_answer_is_ok_with_its_gap(uniform: dict[str, Record]) -> None:
    record = uniform["sinkhorn:blur=0.1"]
    optimum = uniform["jv"].cost
    assert record.status == "ok", record.message
    assert not record.exact
    assert record.gap is not None
    assert record.cost is not None
    assert optimum is not None
    assert record.gap == pytest.approx((record.cost - optimum) / record.cost)


def test_case_that_a_solver_refuses_is_skipped_with_the_reason(uniform: dict[str, Record]) -> None:
    record = uniform["pot-bsp:plans=1"]
    assert record.status == "skipped"
    assert record.message
    assert record.samples == ()


def test_run_without_a_bound_has_a_reference_solver_prove_one(tmp_path: Path) -> None:
    found = records(tmp_path, plan(["scipy"], ["uniform"], [16]))
    assert list(found) == ["scipy"]
    assert found["scipy"].gap == pytest.approx(0, abs=1e-9)
    with Store.open(tmp_path) as store:
        bound = store.bound(digest_problem(Case("uniform", 16).build()))
    assert bound == pytest.approx(found["scipy"].cost)


def test_run_without_reference_solvers_leaves_a_claim_unproven(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("lapmark.bench.run.certify_answer.REFERENCES", ())
    record = records(tmp_path, plan(["scipy"], ["uniform"], [16]))["scipy"]
    assert record.status == "unproven"
    assert record.cost is not None
    assert record.dual_bound < record.cost  # what minima of rows and columns leave


def test_case_of_points_becomes_a_matrix_that_is_timed_by_itself(tmp_path: Path) -> None:
    found = records(tmp_path, plan(["jv", "sinkhorn:blur=0.1"], ["geometric:cost=points,seed=1"], [64]))
    assert {solver: record.given for solver, record in found.items()} == {
        "build-matrix": "points",
        "jv": "dense",
        "sinkhorn:blur=0.1": "points",
    }
    assert found["build-matrix"].status == "ok"
    assert found["build-matrix"].samples
    assert found["build-matrix"].cost is None
    assert found["jv"].status == "ok"


def test_case_that_cannot_be_built_is_skipped_with_the_reason(tmp_path: Path) -> None:
    record = records(tmp_path, plan(["jv"], ["tsne-grid:rows=nodes"], [10]))["jv"]
    assert record.status == "skipped"
    assert record.message.startswith("the case cannot be built: ")


def test_finished_cells_are_not_run_again_unless_retried(folder: Path, uniform: dict[str, Record]) -> None:
    cells = plan(["jv", "scipy"], ["uniform"], [32])
    for event in sweep(folder, cells):
        assert event.resumed
        assert event.record == uniform[event.cell.solver]
    assert [event.resumed for event in sweep(folder, cells[:1], retry=["timeout"])] == [True]
    assert [event.resumed for event in sweep(folder, cells[:1], retry=["ok"])] == [False]


def test_stopped_run_keeps_finished_cells(tmp_path: Path) -> None:
    cells = plan(["jv", "scipy"], ["uniform"], [8, 16])
    with Store.open(tmp_path) as store:
        run = LocalRun(Schedule(store=store, settings=replace(TERMS, budget=0))).run(cells)
        kinds = [type(next(run)) for _ in range(3)]
        run.close()  # the second cell has been announced, and not run
    assert kinds == [Round, Finished, Round]
    assert [event.resumed for event in sweep(tmp_path, cells)] == [True, False, False, False]


def test_solver_gets_one_core_and_one_thread(tmp_path: Path) -> None:
    plugin = tmp_path / "counts.py"
    plugin.write_text(
        "import os\n"
        "from lapmark import Capabilities, Matching, register, solve\n"
        "@register('counts', Capabilities(exact=True, threads=True))\n"
        "def counts(problem, threads=0):\n"
        "    from dataclasses import replace\n"
        "    cores = len(os.sched_getaffinity(0))\n"
        "    told = int(os.environ['OMP_NUM_THREADS'])\n"
        "    return replace(solve(problem, 'jv'), counters={'cores': cores, 'told': told, 'threads': threads})\n"
    )
    from lapmark.solvers import plugins, registry

    plugins.load(plugin)
    try:
        (event,) = sweep(tmp_path, plan(["counts"], ["uniform"], [8]), plugins=(str(plugin),))
        before = event.cell.versions
        plugin.write_text(plugin.read_text() + "# edited\n")
        assert resolve("counts", event.cell.case).versions != before  # an edited plugin is another solver
    finally:
        del registry._solvers["counts"]
    assert event.record.counters == {"cores": 1, "told": 1, "threads": 1}


def test_record_figures_are_finite_or_none(uniform: dict[str, Record]) -> None:
    for record in uniform.values():
        for value in (record.cost, record.dual_bound, record.gap, record.max_violation):
            assert value is None or math.isfinite(value)
            assert not isinstance(value, np.generic)


def test_plans_of_one_problem_share_one_bound(tmp_path: Path) -> None:
    """That of exact transport of the same masses, whatever their own potentials prove."""
    case = "masses:blur=0.1,layout=uniform"
    found = records(tmp_path, plan(["sinkhorn:stop=1e-2", "sinkhorn:stop=1e-6", "transport"], [case], [40]))
    rough, fine = found["sinkhorn:stop=0.01"], found["sinkhorn:stop=1e-06"]
    optimum = solve(Case("masses", 40, 0, {"layout": "uniform"}).build(), "transport").cost
    assert rough.dual_bound == fine.dual_bound == pytest.approx(optimum)
    for record, stop in ((rough, 1e-2), (fine, 1e-6)):
        assert record.status == "ok", record.message
        assert record.marginal_error == max(record.row_error, record.column_error) <= stop  # type: ignore[type-var]
        assert record.gap == pytest.approx(1 - optimum / record.feasible_cost)  # type: ignore[operator]
    assert rough.entropic_gap > 10 * fine.entropic_gap > 0  # type: ignore[operator]
    assert rough.gap > fine.gap > 0.01  # type: ignore[operator]
    assert found["transport"].status == "skipped"


def test_rounds_of_a_case_alternate_their_order(tmp_path: Path) -> None:
    cells = plan(["jv", "scipy"], ["uniform"], [16])
    with Store.open(tmp_path) as store:
        terms = replace(TERMS, budget=60, rounds=3)
        events = list(LocalRun(Schedule(store=store, settings=terms)).run(cells))
    turns = [(event.cell.solver, event.number) for event in events if isinstance(event, Round)]
    assert turns == [("jv", 0), ("scipy", 0), ("scipy", 1), ("jv", 1), ("jv", 2), ("scipy", 2)]
    for event in events:
        if isinstance(event, Finished):
            assert event.record.rounds == (100, 100, 100)  # the most that one process takes
            assert [len(samples) for samples in event.record.by_round] == [100, 100, 100]
            assert event.record.status == "ok"


def test_later_run_with_more_rounds_adds_the_missing_ones(tmp_path: Path) -> None:
    cells = plan(["jv"], ["uniform"], [16])
    (first,) = sweep(tmp_path, cells, budget=60)
    (second,) = sweep(tmp_path, cells, budget=60, rounds=2)
    assert not second.resumed
    assert second.record.by_round[0] == first.record.samples
    assert len(second.record.rounds) == 2
    (third,) = sweep(tmp_path, cells, budget=60, rounds=2)
    assert third.resumed
    assert third.record == second.record


def test_cell_that_used_up_its_budget_gets_no_further_round(tmp_path: Path) -> None:
    (event,) = sweep(tmp_path, plan(["jv"], ["uniform"], [16]), budget=0, rounds=5)
    assert event.record.rounds == (1,)


def test_two_runs_on_one_store_run_each_round_once(tmp_path: Path) -> None:
    command = ["run", "-s", "jv", "-s", "scipy", "-p", "uniform", "--rounds", "3", "--budget", "60s"]
    command += [argument for n in (8, 12) for argument in ("-n", str(n))]
    arguments = [sys.executable, "-m", "lapmark", *command, "--to", str(tmp_path)]
    # One identity for both, whatever is committed meanwhile.
    environment = {**os.environ, "GIT_DIR": os.devnull}
    runs = [subprocess.Popen(arguments, stdout=subprocess.PIPE, text=True, env=environment) for _ in range(2)]
    outputs = [run.communicate(timeout=240)[0] for run in runs]
    assert [run.returncode for run in runs] == [0, 0], outputs
    with Store.open(tmp_path) as store:
        found = store.records()
    assert len(found) == 4
    assert {record.status for record in found} == {"ok"}
    assert {len(record.rounds) for record in found} == {3}


def test_threads_are_cells_of_their_own_for_solvers_that_take_them(tmp_path: Path) -> None:
    cells = plan(["cascade", "jv"], ["uniform"], [40], threads=[2, 1])
    assert [(cell.solver, cell.threads) for cell in cells] == [("cascade", 1), ("cascade", 2), ("jv", 1)]
    found = sweep(tmp_path, cells, budget=0)
    assert [(event.record.threads, event.record.status) for event in found] == [(1, "ok"), (2, "ok"), (1, "ok")]


def test_record_of_other_data_is_measured_again(tmp_path: Path) -> None:
    cells = plan(["jv", "scipy"], ["uniform"], [16])
    for event in sweep(tmp_path, cells, budget=60, rounds=1):
        with Store.open(tmp_path) as store:
            # As if the file that the case is read from had been another one.
            store.add(replace(event.record, digest="0" * 32))
    assert all(event.resumed for event in sweep(tmp_path, cells, budget=60))  # nothing is due: nothing is built
    for event in sweep(tmp_path, cells, budget=60, rounds=2):
        assert not event.resumed
        assert len(event.record.rounds) == 2
        assert event.record.digest == digest_problem(Case("uniform", 16).build())
