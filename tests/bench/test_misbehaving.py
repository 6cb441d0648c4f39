"""Whatever a solver does costs its own cell, is recorded as what it is, and leaves nothing behind."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import psutil
import pytest

from bench import plugins
from bench.cell import MARK, Limits
from bench.measure import Terms
from bench.plan import plan
from bench.record import Record
from bench.store import Store
from bench.sweep import Sweep
from bench.turns import Finished, Turns
from solvers import registry

PLUGIN = Path(__file__).parent / "plugins" / "misbehaving.py"

#: The status and a part of the message.
EXPECTED = {
    "segfault": ("crash", "died of SIGSEGV during call"),
    "segfault-at-once": ("crash", "died of SIGSEGV during warm-up"),
    "abort": ("crash", "died of SIGABRT during call"),
    "hang-with-the-lock": ("timeout", "call did not end within 1 s"),
    "hang-ignoring-signals": ("timeout", "call did not end within 1 s"),
    "hang-later": ("timeout", "call did not end within 1 s"),
    "greedy": ("memory", "over 256 MiB"),
    "greedy-at-once": ("memory", "MemoryError"),
    "greedy-child": ("memory", "over 256 MiB"),
    "not-a-permutation": ("wrong", "not a permutation"),
    "lies-about-its-cost": ("wrong", "states a cost of"),
    "lies-about-the-optimum": ("wrong", "is proven possible"),
    "fickle": ("wrong", "claims the optimum, but states costs from"),
    "answers-nothing": ("wrong", "answered with a NoneType, not a Matching or a Plan"),
    "answers-text": ("wrong", "row_to_col holds <U1, not numbers"),
    "raises": ("error", "ArithmeticError: prices diverged (misbehaving.py:"),
    "refuses": ("skipped", "takes up to 16 rows"),
    "exits": ("error", "SystemExit: enough"),
    "leaves": ("crash", "left with exit status 0 during call, without an answer"),
    "floods": ("ok", ""),
    "modifies-its-input": ("wrong", "modified its input"),
    "forks": ("ok", ""),
    "saves-at-exit": ("ok", ""),
    "lingers": ("ok", ""),
    "compiles": ("ok", ""),
    "well-behaved": ("ok", ""),
}


@pytest.fixture(scope="module")
def records(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Record]]:
    """One run of every misbehaving solver, with a good one at the end."""
    known = dict(registry._solvers)
    plugins.load(PLUGIN)
    with Store.open(tmp_path_factory.mktemp("results")) as store:
        limits = Limits(timeout=1.0, memory=256 << 20)
        quick = Sweep(Turns(store=store, terms=Terms(limits=limits, budget=0.05, plugins=(str(PLUGIN),))))
        # The greedy grow slowly enough to be seen, which on a busy machine takes longer than a hang is given.
        patient = Sweep(Turns(store=store, terms=replace(quick.turns.terms, limits=replace(limits, timeout=30.0))))
        hasty = [name for name in EXPECTED if name.startswith("hang")]
        run = [*quick.run(plan(hasty, ["uniform"], [24]))]
        run += [*patient.run(plan([name for name in EXPECTED if name not in hasty], ["uniform"], [24]))]
    yield {event.cell.solver: event.record for event in run if isinstance(event, Finished)}
    registry._solvers.clear()
    registry._solvers.update(known)


@pytest.mark.parametrize("solver", EXPECTED)
def test_it_is_recorded_as_what_it_is(records: dict[str, Record], solver: str) -> None:
    status, message = EXPECTED[solver]
    assert records[solver].status == status, records[solver].message
    assert message in records[solver].message


def test_a_crash_comes_with_the_last_words_of_the_process(records: dict[str, Record]) -> None:
    assert "assertion failed: prices are finite" in records["abort"].message
    assert "misbehaving.py" in records["segfault"].message  # the stack that faulthandler printed


def test_a_timeout_keeps_the_samples_before_it(records: dict[str, Record]) -> None:
    assert len(records["hang-later"].samples) == 2  # of three good calls, the first was the warm-up
    assert records["hang-with-the-lock"].samples == ()


def test_a_solver_that_passed_a_limit_is_not_tried_on_a_larger_case(tmp_path: Path, records: dict[str, Record]) -> None:
    with Store.open(tmp_path) as store:
        terms = Terms(limits=Limits(timeout=0.5, memory=1 << 30), budget=0, plugins=(str(PLUGIN),))
        sweep = Sweep(Turns(store=store, terms=terms))
        run = list(sweep.run(plan(["hang-with-the-lock"], ["uniform"], [8, 24, 32])))
    messages = [(event.record.status, event.record.message) for event in run if isinstance(event, Finished)]
    assert messages == [
        ("ok", ""),
        ("timeout", "call did not end within 500 ms"),
        ("skipped", "passed the time limit at n = 24 already"),
    ]


def test_only_proven_answers_have_a_gap(records: dict[str, Record]) -> None:
    assert records["well-behaved"].gap == pytest.approx(0, abs=1e-9)
    assert records["not-a-permutation"].gap is None


def test_the_peak_of_a_greedy_solver_is_what_it_took(records: dict[str, Record]) -> None:
    peak = records["greedy"].peak_memory
    assert peak is not None
    assert 256 << 20 < peak < 1 << 30


def test_what_is_saved_at_exit_is_whole(records: dict[str, Record]) -> None:
    assert records["saves-at-exit"].status == "ok"
    file = sys.modules["lapmark_plugin_misbehaving"].kept(os.getpid())
    assert file.read_text() == "whole"
    file.unlink()


def test_no_process_is_left(records: dict[str, Record]) -> None:
    left = []
    for process in psutil.process_iter():
        try:
            marked = MARK in process.environ() and process.status() != psutil.STATUS_ZOMBIE
        except (psutil.Error, OSError):
            continue
        if marked:
            left.append(process.cmdline())
    assert not [command for command in left if "86397" in command or "misbehaving" in str(command)]
