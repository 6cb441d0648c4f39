"""A run killed at any moment keeps its finished cells, leaves nothing behind, and can continue."""

from __future__ import annotations

import itertools
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from lapmark.bench.results.record import Record
from lapmark.bench.results.store import NAME, Store
from lapmark.bench.system import control_group

HELPERS = Path(__file__).parents[2] / "helpers"

PLUGINS = HELPERS / "plugins"

#: Honest solvers, and some that leave processes, files and memory behind.
SOLVERS = ("jv", "scipy", "leaves-a-daemon", "leaves-temporary-files", "well-behaved")

#: Environment variable that marks a test's processes; some empty their environment.
MARK = "LAPMARK_TEST_RUN"


def start(results: Path, temporary: Path) -> subprocess.Popen[bytes]:
    options = [("-s", name) for name in SOLVERS] + [("-n", size) for size in (24, 32, 40)]
    options += [("--plugin", PLUGINS / name) for name in ("misbehaving.py", "intruders.py")]
    options += [("-p", "uniform"), ("--budget", "20ms"), ("--to", results)]
    return subprocess.Popen(
        [sys.executable, "-m", "lapmark", "run", *map(str, itertools.chain(*options))],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env={**os.environ, "GIT_DIR": os.devnull, "TMPDIR": str(temporary), MARK: str(temporary)},
    )


def folders(temporary: Path) -> list[Path]:
    return list(temporary.glob("lapmark-scratch-*"))


def left(temporary: Path) -> list[psutil.Process]:
    """Return the processes of runs with this folder for temporary files."""
    found = []
    for process in psutil.process_iter():
        try:
            ours = str(temporary) in (process.environ().get(MARK), *process.cmdline()[:1])
        except psutil.Error:
            continue
        if ours and process.status() != psutil.STATUS_ZOMBIE:
            found.append(process)
    return found


def kill_and_resume(folder: Path, kills: int) -> None:
    results, temporary = folder / "results", folder / "temporary"
    temporary.mkdir()
    moments = random.Random(kills)
    kept: list[Record] = []
    while kills:
        process = start(results, temporary)
        try:
            process.wait(moments.uniform(0.5, 6.0))
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            kills -= 1
        end = time.monotonic() + 10
        while (remains := left(temporary)) and time.monotonic() < end:
            time.sleep(0.02)
        assert not remains, f"with {kills} kills to go"
        last = folders(temporary)
        assert len(last) <= 1  # of a process that was just being started; the next start removes it
        assert not any(list(control_group.groups_named(path.name)) for path in last)
        records = []
        if (results / NAME).exists():
            with Store.open(results) as store:
                records = store.records()
        assert records[: len(kept)] == kept
        for record in records:
            assert record.status == "ok" or "the harness died 2 times while it ran" in record.message
        kept = records
        if process.returncode == 0:
            assert len(records) == 3 * len(SOLVERS)
            assert not folders(temporary)
            shutil.rmtree(results)
            kept = []


def test_killed_run_keeps_finished_cells_and_leaves_nothing(tmp_path: Path) -> None:
    kill_and_resume(tmp_path, 6)


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_killed_run_a_hundred_times_keeps_finished_cells(tmp_path: Path) -> None:
    kill_and_resume(tmp_path, 100)


def test_cell_that_killed_the_harness_twice_is_a_crash(tmp_path: Path) -> None:
    """The solver kills the harness where the system does not isolate it."""
    code = (
        "from lapmark.bench import cli; from lapmark.bench.system import process_tree;"
        "process_tree.can_isolate = lambda: False; cli.main()"
    )
    names = ("kills-the-harness", "jv")
    options = [*(("-s", name) for name in names), ("-p", "uniform"), ("-n", "24"), ("--budget", "20ms")]
    options += [("--plugin", str(PLUGINS / "intruders.py")), ("--to", str(tmp_path))]
    command = [sys.executable, "-c", code, "run", *itertools.chain(*options)]
    for _ in range(2):
        assert subprocess.run(command, capture_output=True).returncode == -signal.SIGKILL
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    with Store.open(tmp_path) as store:
        assert {record.solver: record.status for record in store.records()} == {
            "kills-the-harness": "crash",
            "jv": "ok",
        }
    assert "the harness died 2 times while it ran; --retry crash runs it again" in " ".join(done.stdout.split())
    assert subprocess.run([*command, "--retry", "crash"], capture_output=True).returncode == -signal.SIGKILL
