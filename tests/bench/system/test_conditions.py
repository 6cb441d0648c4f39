"""Conditions: real load on a real core, and warnings before a run."""

from __future__ import annotations

import dataclasses
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from lapmark.bench.results.record import Record
from lapmark.bench.run.schedule import Schedule
from lapmark.bench.system import conditions
from lapmark.bench.system.conditions import LOADED, SHORTEST, Snapshot

pinned = pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="no process can be pinned here")

#: Spins on one core for a second and prints the share of others there.
SPIN = """
import os, time
os.sched_setaffinity(0, {int(os.environ["CORE"])})
from lapmark.bench.system.conditions import ConditionsMonitor
monitor, end = ConditionsMonitor(), time.perf_counter() + 1
while time.perf_counter() < end: pass
print(monitor.conditions().get("others", "absent"))
"""


@pinned
def test_conditions_with_another_process_on_the_core_show_it() -> None:
    core = str(max(os.sched_getaffinity(0)))
    environment = {**os.environ, "CORE": core}
    other = subprocess.Popen(
        [sys.executable, "-c", f"import os\nos.sched_setaffinity(0, {{{core}}})\nwhile True: pass"]
    )
    try:
        spun = subprocess.run([sys.executable, "-c", SPIN], env=environment, capture_output=True, text=True, check=True)
    finally:
        other.kill()
        other.wait()
    if spun.stdout.strip() == "absent":
        pytest.skip("the system does not count the time of its cores")
    assert float(spun.stdout) > LOADED


def test_others_excludes_this_process() -> None:
    start = Snapshot(cores=1, at=0.0, total=100.0, idle=50.0, own=1.0, hot=None)
    alone = dataclasses.replace(start, at=2.0, total=102.0, idle=50.5, own=2.5)
    assert conditions.others(start, alone) == 0.0
    half = dataclasses.replace(alone, own=1.5)
    assert conditions.others(start, half) == pytest.approx(0.5)
    assert conditions.others(start, dataclasses.replace(half, at=SHORTEST / 2)) is None
    assert conditions.others(start, dataclasses.replace(half, total=100.0)) is None  # nothing is counted here


def test_conditions_of_a_short_time_lack_others() -> None:
    monitor = conditions.ConditionsMonitor()
    time.sleep(0)
    assert "others" not in monitor.conditions()


def test_worst_keeps_the_more_disturbing_round() -> None:
    one = {"others": 0.2, "frequency": 0.9}
    other = {"others": 0.1, "frequency": 0.7, "throttled": 1.0}
    assert conditions.worst(one, other) == {"others": 0.2, "frequency": 0.7, "throttled": 1.0}


def test_retry_loaded_runs_a_cell_under_load_again() -> None:
    def record(others: float) -> Record:
        return Record(key="a", solver="jv", case="c", problem="p", n=1, status="ok", conditions={"others": others})

    schedule = Schedule(store=None, settings=None, retry=["loaded"])  # type: ignore[arg-type]
    assert schedule.runs_again(record(0.5))
    assert not schedule.runs_again(record(0.01))


def test_warnings_name_causes_of_noise_and_remedies(tmp_path: Path) -> None:
    for name, value in (("cpu0/cpufreq/scaling_governor", "powersave\n"), ("cpufreq/boost", "1\n")):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(value)
    lines = conditions.warnings(tmp_path)
    assert "the frequency governor is powersave: sudo cpupower frequency-set --governor performance" in lines
    assert any("turbo is on" in line and "sudo tee" in line for line in lines)
    (tmp_path / "cpu0/cpufreq/scaling_governor").write_text("performance\n")
    (tmp_path / "cpufreq/boost").write_text("0\n")
    assert not any("governor" in line or "turbo" in line for line in conditions.warnings(tmp_path))
