"""Instruction counts by the processor where allowed, and by Valgrind where installed."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest
from command import unwrapped
from typer.testing import CliRunner

from lapmark.bench.cli import app
from lapmark.bench.results.record import Record
from lapmark.bench.results.store import Store
from lapmark.bench.run.cells import plan
from lapmark.bench.run.local_run import LocalRun
from lapmark.bench.run.measure import RunSettings
from lapmark.bench.run.schedule import Finished, Schedule
from lapmark.bench.system import instruction_counts
from lapmark.bench.worker.resource_limits import Limits

needs_valgrind = pytest.mark.skipif(shutil.which("valgrind") is None, reason="Valgrind is not installed")


def refused() -> str | None:
    try:
        instruction_counts.choose_method("hardware")
    except ValueError as error:
        return str(error)
    return None


def counted(folder: Path, how: str, sizes: list[int]) -> dict[int, Record]:
    terms = RunSettings(limits=Limits(timeout=30, memory=1 << 30), budget=0.01, counting=how)
    with Store.open(folder) as store:
        events = list(LocalRun(Schedule(store=store, settings=terms)).run(plan(["jv"], ["uniform"], sizes)))
    return {event.record.n: event.record for event in events if isinstance(event, Finished)}


@pytest.mark.slow
@needs_valgrind
def test_callgrind_counts_only_the_call(tmp_path: Path) -> None:
    found = counted(tmp_path, "callgrind", [20, 80])
    for record in found.values():
        assert record.status == "ok", record.message
        assert re.fullmatch(r"callgrind \d+\.\d+.*", record.counted_by)
        assert record.samples
    small, large = (found[n].instructions for n in (20, 80))
    assert small is not None
    assert large is not None
    # The start of Python alone takes hundreds of millions.
    assert 1e3 < small < large < 1e7


@pytest.mark.slow
@needs_valgrind
def test_callgrind_counts_of_two_runs_agree(tmp_path: Path) -> None:
    one, other = (counted(tmp_path / name, "callgrind", [100])[100].instructions for name in ("one", "other"))
    assert one == pytest.approx(other, rel=1e-3)


@pytest.mark.skipif(refused() is not None, reason=refused() or "")
def test_hardware_counts_grow_with_the_size(tmp_path: Path) -> None:
    found = counted(tmp_path, "hardware", [20, 200])
    small, large = (found[n].instructions for n in (20, 200))
    assert small is not None
    assert large is not None
    assert 1e3 < small < large
    assert found[20].counted_by.startswith("hardware")


def test_run_with_an_unavailable_counter_fails_with_the_remedy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    arguments = ["run", "-s", "jv", "-p", "uniform", "-n", "8", "--to", str(tmp_path / "results"), "--instructions"]
    for how, message in (
        ("callgrind", "Valgrind is not installed (apt install valgrind)"),
        ("often", "is not a method: choose from auto"),
    ):
        result = CliRunner().invoke(app, [*arguments, how])
        assert result.exit_code == 2
        assert message in unwrapped(result.output)
        assert not (tmp_path / "results").exists()
    if reason := refused():
        assert "the processor's counter is refused (" in reason or "not supported on" in reason
