"""Misbehaving solvers cost their own cells only, get the right status, and leave nothing behind."""

from __future__ import annotations

import os
import signal
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import psutil
import pytest

from lapmark import solve
from lapmark.bench.problems import Case
from lapmark.bench.results.record import Record
from lapmark.bench.results.store import Store
from lapmark.bench.run.cells import Cell, plan, resolve
from lapmark.bench.run.local_run import LocalRun
from lapmark.bench.run.measure import RunSettings
from lapmark.bench.run.schedule import Finished, Schedule
from lapmark.bench.system import control_group
from lapmark.bench.system.process_tree import ProcessTree, can_isolate
from lapmark.bench.worker.resource_limits import Limits
from lapmark.solvers import plugins, registry

HELPERS = Path(__file__).parents[2] / "helpers"

PLUGINS = sorted((HELPERS / "plugins").glob("*.py"))

#: Status and a part of the message, by solver.
EXPECTED = {
    "segfault": ("crash", "died of SIGSEGV during call"),
    "segfault-at-once": ("crash", "died of SIGSEGV during warm-up"),
    "abort": ("crash", "died of SIGABRT during call"),
    "hang-with-the-lock": ("timeout", "call did not end within 1 s"),
    "hang-ignoring-signals": ("timeout", "call did not end within 1 s"),
    "hang-later": ("timeout", "call did not end within 1 s"),
    "greedy": ("memory", "over the limit of 256 MiB"),
    "greedy-at-once": ("memory", "MemoryError"),
    "greedy-child": ("memory", "over the limit of 256 MiB"),
    "greedy-grandchild": ("memory", "over the limit of 256 MiB"),
    "shares": ("ok", ""),
    "bombs": ("ok", ""),
    "runs-away": ("error", "started more than 256 processes"),
    "corrupts-its-heap": ("crash", "died of SIG"),
    "stops-itself": ("timeout", "call did not end within 1 s"),
    "kills-its-group": ("crash", "died of SIGKILL during call"),
    "closes-its-descriptors": ("crash", "exited with status"),
    "scribbles": ("error", "where the worker reports to the harness"),
    "scribbles-without-end": ("error", "where the worker reports to the harness"),
    "forges": ("error", "where the worker reports to the harness"),
    "forges-the-end": ("error", "where the worker reports to the harness"),
    "spoils-its-answer": ("ok", ""),  # too late: the answer was read when it was written
    "crashes-at-import": ("crash", "died of SIGSEGV during start-up"),
    "exits-at-import": ("crash", "exited with status 7 during start-up, without an answer\nno licence"),
    "hangs-at-import": ("timeout", "start-up did not end within 10 s"),
    "raises-at-import": ("error", "raises_at_import.py, line 10: OSError: no licence"),
    "not-a-permutation": ("wrong", "not a permutation"),
    "lies-about-its-cost": ("wrong", "states a cost of"),
    "lies-about-the-optimum": ("wrong", "claims the optimum, but its answers cost from"),
    "errs-alike": ("wrong", "is proven possible"),
    "stops-the-clock": ("wrong", "states that a call took 0.000000 s; it used the processor for"),
    "turns-the-clock-back": ("error", "where the worker reports to the harness"),
    "makes-up-events": ("error", "where the worker reports to the harness"),
    "reports-for-itself": ("error", "left an answer that cannot be read"),
    "hangs-up": ("error", "Bad file descriptor"),
    "talks-without-end": ("error", "where the worker reports to the harness"),
    "remembers-the-problem": ("ok", ""),
    "remembers-the-shape": ("wrong", "claims the optimum, but its answers cost from"),
    "answers-once": ("wrong", "not a permutation"),
    "solves-while-it-reads": ("wrong", "to read the problem before that"),
    "solves-while-it-writes": ("wrong", "it used the processor for"),
    "takes-another-core": ("wrong", "core"),
    "writes-to-the-problem": ("ok", ""),
    "compresses-its-answer": ("error", "is compressed"),
    "answers-with-a-flood": ("wrong", "takes at most"),
    "waits-in-its-first-call": ("timeout", "warm-up did not end within"),
    "fickle": ("wrong", "claims the optimum, but its answers cost from"),
    "answers-nothing": ("wrong", "answered with a NoneType, not a Matching or a Plan"),
    "answers-text": ("wrong", "row_to_col holds <U1, not numbers"),
    "raises": ("error", "ArithmeticError: prices diverged (misbehaving.py:"),
    "refuses": ("skipped", "takes up to 16 rows"),
    "exits": ("error", "SystemExit: enough"),
    "leaves": ("crash", "exited with status 0 during call, without an answer"),
    "floods": ("ok", ""),
    "floods-for-long": ("ok", ""),
    "leaves-a-flood": ("crash", "died of SIGABRT during call"),
    "modifies-its-input": ("wrong", "modified its input"),
    "forks": ("ok", ""),
    "saves-at-exit": ("ok", ""),
    "lingers": ("ok", ""),
    "compiles": ("ok", ""),
    "answers-the-call-before": ("wrong", "claims the optimum, but its answers cost from"),
    "claims-less-than-nothing": ("wrong", "states a cost of -inf"),
    "answers-to-orders": ("ok", ""),
    "skips-a-step": ("error", "where the worker reports to the harness"),
    "says-everything-twice": ("error", "where the worker reports to the harness"),
    "raises-the-unspeakable": ("error", "Unspeakable"),
    "raises-at-length": ("error", "ArithmeticError: \ufffd[2J\ufffd]0;title\ufffd\ufffdprices diverged"),
    "answers-with-objects": ("wrong", "row_to_col holds"),
    "answers-with-a-broadcast": ("wrong", "takes at most"),
    "hangs-while-it-writes": ("timeout", "answer did not end within"),
    "counts-without-end": ("ok", ""),
    "counts-in-a-list": ("ok", ""),
    "greedy-in-a-memory-file": ("memory", "over the limit of 256 MiB"),
    "greedy-in-a-shared-mapping": ("memory", "over the limit of 256 MiB"),
    "greedy-in-a-burst": ("memory", "256 MiB"),
    "greedy-beyond-its-limit": ("memory", "over the limit of 256 MiB"),
    "greedy-for-threads": ("error", "can't start new thread"),
    "greedy-at-import": ("memory", "1.25 GiB"),
    "leaves-temporary-files": ("ok", ""),
    "removes-temporary-files": ("ok", ""),
    "leaves-a-daemon": ("ok", ""),
    "has-a-helper-elsewhere": ("wrong", "runs on cores"),
    "has-a-helper-at-home": ("wrong", "it used the processor for"),
    "becomes-another-program": ("crash", "exited with status 0 during call, without an answer\nnothing to say"),
    "sets-an-alarm": ("crash", "died of SIGALRM during call"),
    "asks-for-precedence": ("ok", ""),
    "repairs-what-it-remembers": ("wrong", "the first one used the processor for"),
    "works-in-a-child": ("wrong", "it used the processor for"),
    "works-while-it-is-warmed-up": ("wrong", "it used the processor for"),
    "leaves-a-deep-folder": ("ok", ""),
    "puts-a-pipe-in-place-of-its-folder": ("ok", ""),
    "well-behaved": ("ok", ""),
}

#: Solvers that would harm the user who runs the tests if the system did not isolate them.
INTRUDERS = {
    "kills-its-parent": ("ok", ""),
    "kills-whom-it-sees": ("ok", ""),
    "stops-whom-it-sees": ("ok", ""),
    "traces-whom-it-sees": ("ok", ""),
    "writes-into-whom-it-sees": ("ok", ""),
    "changes-the-system": ("ok", ""),
    "greedy-in-shared-memory": ("memory", ""),
    "leaves-shared-memory": ("ok", ""),
}
if can_isolate():
    EXPECTED |= INTRUDERS

GOOD = ("jv", "scipy", "well-behaved")

#: Solvers that hang in a call, for which a limit of one second is enough. On a busy machine the others need more.
HASTY = [name for name, (status, _) in EXPECTED.items() if status == "timeout" and name != "hangs-at-import"]

#: Solvers of which several calls are needed, on a busy machine too: most misbehave from the second call on.
LASTING = (
    "works-on-all-its-cores",
    "errs-alike",
    "answers-the-call-before",
    "remembers-the-problem",
    "remembers-the-shape",
    "answers-once",
    "repairs-what-it-remembers",
    "works-in-a-child",
    "works-while-it-is-warmed-up",
    "solves-while-it-reads",
)


def children() -> set[psutil.Process]:
    """Return all living descendants of this process, including those that lost their parent."""
    return {child for child in psutil.Process().children(recursive=True) if child.status() != psutil.STATUS_ZOMBIE}


def traces() -> set[str]:
    """Return the traces that may outlive a process: temporary folders, shared memory, control groups."""
    folders = list(Path(tempfile.gettempdir()).glob("lapmark-scratch-*")) + list(Path("/dev/shm").glob("lapmark-left"))
    groups = list(control_group.groups_named(f"lapmark-scratch-{os.getpid()}-*"))
    blocks = Path("/proc/sysvipc/shm").read_text().splitlines() if Path("/proc/sysvipc/shm").exists() else []
    return {*map(str, folders + groups), *(key for key, *_ in map(str.split, blocks) if key == "86397")}


@pytest.fixture(scope="module", autouse=True)
def others(tmp_path_factory: pytest.TempPathFactory) -> Iterator[set[psutil.Process]]:
    """Load the plugins; yield the processes of other tests."""
    known = registry.solvers()
    for path in PLUGINS:
        plugins.load(path)
    with pytest.MonkeyPatch.context() as patch:
        # A folder for temporary files of this module only, and one for files that solvers save or should not touch.
        patch.setattr(tempfile, "tempdir", str(tmp_path_factory.mktemp("temporary")))
        outside = tmp_path_factory.mktemp("outside")
        (outside / "inner").mkdir(mode=0o755)
        patch.setenv("LAPMARK_TEST_FOLDER", str(outside))
        yield children()
    registry._solvers.clear()
    registry._solvers.update(known)


def run(folder: Path, cells: Sequence[Cell]) -> list[Record]:
    limits = Limits(timeout=30.0, memory=256 << 20, start_up=10.0)
    patient = RunSettings(limits=limits, budget=0.05, plugins=tuple(map(str, PLUGINS)))
    hasty = replace(patient, limits=replace(limits, timeout=1.0))
    events: list[object] = []
    with Store.open(folder) as store:
        lasting = replace(patient, budget=0.3)
        for terms, chosen in ((hasty, HASTY), (lasting, LASTING), (patient, EXPECTED.keys() - {*HASTY, *LASTING})):
            known = {*EXPECTED, *LASTING}
            part = [cell for cell in cells if cell.name in chosen or (terms is patient and cell.name not in known)]
            events += LocalRun(Schedule(store=store, settings=terms)).run(part)
    return [event.record for event in events if isinstance(event, Finished)]


@pytest.fixture(scope="module")
def records(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Record]:
    """Run every misbehaving solver, with good ones among them."""
    before = traces()
    done = run(tmp_path_factory.mktemp("results"), plan([*EXPECTED, *GOOD], ["uniform"], [24]))
    assert traces() <= before
    return {record.solver: record for record in done}


@pytest.mark.parametrize("solver", EXPECTED)
def test_misbehaving_solver_is_recorded_with_its_status(records: dict[str, Record], solver: str) -> None:
    status, message = EXPECTED[solver]
    if solver == "corrupts-its-heap" and records[solver].status == "memory":
        return  # the next allocation may notice before the C library does
    assert records[solver].status == status, records[solver].message
    assert message in records[solver].message


#: Verdicts on solvers that claim that no matching exists, or should: if none exists, and if one exists.
WITHOUT_A_MATCHING = {
    "gives-up-with-proof": ("ok", "proven infeasible: row 9 cannot be matched"),
    "gives-up-without-proof": ("ok", "infeasible, as gives-up-with-proof proves"),
    "gives-up-with-a-wrong-proof": ("wrong", "also allow columns"),
    "matches-forbidden-pairs": ("wrong", "a forbidden pair"),
    "leaves-rows-out": ("wrong", "0 rows are matched, not 12"),
    "raises": ("skipped", "takes no forbidden pairs"),
}
WITH_ONE = {
    "gives-up-with-proof": ("ok", ""),
    "gives-up-without-proof": ("wrong", "claims that no answer exists, but one of cost"),
    "gives-up-with-a-wrong-proof": ("wrong", "claims that no answer exists, but its proof is wrong"),
}


@pytest.mark.parametrize(
    ("case", "expected"),
    [
        ("adversarial:input=forbidden-row", WITHOUT_A_MATCHING),
        ("adversarial:input=hall-violation", {"gives-up-without-proof": ("ok", "infeasible, as cascade proves")}),
        ("uniform:n=12", WITH_ONE),
    ],
    ids=["without a matching", "proven by a reference", "with one"],
)
def test_infeasible_claim_is_certified(tmp_path: Path, case: str, expected: dict[str, tuple[str, str]]) -> None:
    found = {record.solver: record for record in run(tmp_path, plan([*expected], [case]))}
    for solver, (status, message) in expected.items():
        record = found[solver]
        assert (record.status, message in record.message) == (status, True), (solver, record.status, record.message)
        if "infeasible" in record.message:
            assert record.samples  # it took its time, like any answer
            assert record.cost is record.gap is None


def test_crash_message_has_the_end_of_the_output(records: dict[str, Record]) -> None:
    assert "assertion failed: prices are finite" in records["abort"].message
    assert "misbehaving.py" in records["segfault"].message  # the stack that faulthandler printed


def test_timeout_keeps_earlier_samples(records: dict[str, Record]) -> None:
    assert len(records["hang-later"].samples) == 2  # of three good calls, the first was the warm-up
    assert records["hang-with-the-lock"].samples == ()


def test_solver_that_reached_a_limit_is_not_tried_on_a_larger_case(tmp_path: Path, records: dict[str, Record]) -> None:
    with Store.open(tmp_path) as store:
        terms = RunSettings(limits=Limits(timeout=0.5, memory=1 << 30), budget=0, plugins=tuple(map(str, PLUGINS)))
        sweep = LocalRun(Schedule(store=store, settings=terms))
        run = list(sweep.run(plan(["hang-with-the-lock"], ["uniform"], [8, 24, 32])))
    messages = [(event.record.status, event.record.message) for event in run if isinstance(event, Finished)]
    assert messages == [
        ("ok", ""),
        ("timeout", "call did not end within 500 ms"),
        ("skipped", "reached the time limit at n = 24 already"),
    ]


@pytest.mark.skipif((os.cpu_count() or 1) < 2, reason="needs two cores")
def test_solver_on_all_its_cores_is_ok(tmp_path: Path) -> None:
    """The calls are so short that each is repeated before the next."""
    done = run(tmp_path, plan(["works-on-all-its-cores"], ["uniform"], [24], threads=(1, 2)))
    assert [(record.threads, record.status, record.message) for record in done] == [(1, "ok", ""), (2, "ok", "")]
    assert all(len(record.samples) > 1 for record in done)


def test_gap_is_none_for_an_invalid_answer(records: dict[str, Record]) -> None:
    assert records["well-behaved"].gap == pytest.approx(0, abs=1e-9)
    assert records["not-a-permutation"].gap is None


def test_peak_memory_of_a_greedy_solver_is_what_it_took(records: dict[str, Record]) -> None:
    peak = records["greedy"].peak_memory
    assert peak is not None
    assert 256 << 20 < peak < 1 << 30


def test_solver_that_saves_at_exit_can_finish(records: dict[str, Record]) -> None:
    assert records["saves-at-exit"].status == "ok"
    assert Path(os.environ["LAPMARK_TEST_FOLDER"], "saved").read_text() == "whole"


def test_good_solvers_beside_misbehaving_ones_are_ok(records: dict[str, Record]) -> None:
    assert {records[name].status for name in GOOD} == {"ok"}
    assert {records[name].cost for name in GOOD} == {records["jv"].cost}


def test_files_outside_the_scratch_folder_are_unchanged(records: dict[str, Record]) -> None:
    outside = Path(os.environ["LAPMARK_TEST_FOLDER"])
    assert {path.name for path in outside.iterdir()} == {"inner", "saved"}
    assert (outside / "inner").stat().st_mode & 0o777 == 0o755


def test_processes_of_all_solvers_are_ended(records: dict[str, Record], others: set[psutil.Process]) -> None:
    assert children() <= others


#: Solvers whose processes, memory and files are handled without the system's help, too.
WITHOUT_HELP = (
    "greedy-grandchild",
    "greedy-in-a-memory-file",
    "greedy-in-a-shared-mapping",
    "kills-its-group",
    "leaves-a-daemon",
    "leaves-temporary-files",
    "has-a-helper-elsewhere",
    "shares",
    "runs-away",
)


def test_misbehaving_solver_without_namespaces_and_groups_has_the_same_status(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, others: set[psutil.Process]
) -> None:
    monkeypatch.setattr("lapmark.bench.system.process_tree.can_isolate", lambda: False)
    monkeypatch.setattr("lapmark.bench.system.process_tree.ControlGroup.make", lambda name: None)
    before = traces()
    for record in run(tmp_path, plan([*WITHOUT_HELP, "jv"], ["uniform"], [24])):
        status, message = EXPECTED.get(record.solver, ("ok", ""))
        assert record.status == status, (record.solver, record.message)
        assert message in record.message
    assert traces() <= before
    assert children() <= others


def test_processes_of_a_killed_supervisor_are_ended(others: set[psutil.Process]) -> None:
    code = "import os, time; os.fork() or os.setsid(); print('here', flush=True); time.sleep(600)"
    with ProcessTree([sys.executable, "-c", code], {}) as tree:
        assert tree.output.readline() == b"here\n"
        os.kill(tree.pid, signal.SIGKILL)
        assert tree.wait(10) == -signal.SIGKILL
    assert children() <= others
    assert not list(Path(tempfile.gettempdir()).glob("lapmark-scratch-*"))


@pytest.mark.slow
@pytest.mark.timeout(1200)
def test_two_hundred_mixed_cells_have_their_statuses(tmp_path: Path, others: set[psutil.Process]) -> None:
    names = [name for name in EXPECTED for _ in range(4)]
    good = [GOOD[k % len(GOOD)] for k in range(200 - len(names))]
    drawn = np.random.default_rng(0).permutation([*names, *good])
    cells = [resolve(str(name), Case("uniform", 24, seed)) for seed, name in enumerate(drawn)]
    done = run(tmp_path, cells)
    assert len(done) == 200
    for record in done:
        status, message = EXPECTED.get(record.solver, ("ok", ""))
        assert record.status == status, (record.solver, record.message)
        assert message in record.message
        if record.solver in GOOD:
            assert record.cost == pytest.approx(solve(Case.read(record.case).build(), "jv").cost, rel=1e-12)
    assert children() <= others
