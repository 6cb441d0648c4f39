"""A run on a real Dask cluster, of processes on this machine that pass for hosts of their own."""

from __future__ import annotations

import itertools
import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from bench.record import Record
from bench.store import Store
from bench.tree import MARK

pytest.importorskip("distributed", reason="distributed is not installed")

#: Says when each of its calls starts and ends, and takes long enough to be killed in one.
PLUGIN = """
import os, time
from solvers import Capabilities, Matching, register, solve

@register("slow", Capabilities(exact=True))
def slow(problem):
    start = time.time()
    answer = solve(problem, "jv")
    if problem.shape[0] > 16:
        time.sleep(0.4)
        with open(os.environ["CALLS"], "a") as file:
            file.write(f"{start} {time.time()}\\n")
    return answer

@register("murders", Capabilities(exact=True))
def murders(problem):
    if problem.shape[0] > 16:
        os.kill(os.getppid(), 9)
        time.sleep(60)
    return solve(problem, "jv")
"""

#: One identity for all processes, whatever is committed meanwhile.
ENVIRONMENT = {**os.environ, "GIT_DIR": os.devnull, "DASK_DISTRIBUTED__SCHEDULER__ALLOWED_FAILURES": "0"}


class Dask:
    """A scheduler, and workers with a name each; those of one `host` share its lock."""

    def __init__(self, folder: Path) -> None:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.address = f"tcp://127.0.0.1:{free.getsockname()[1]}"
        self.folder = folder
        self.processes: list[subprocess.Popen[bytes]] = []
        self._start("distributed.cli.dask_scheduler", "--host", self.address, "--no-dashboard", "--no-jupyter")

    def worker(self, host: str, *options: str, **environment: str) -> subprocess.Popen[bytes]:
        options = ("--nthreads", "1", "--no-dashboard", "--local-directory", str(self.folder / "dask"), *options)
        lock = {"LAPMARK_LOCK": str(self.folder / f"{host}.lock"), "CALLS": str(self.folder / "calls")}
        return self._start(
            "distributed.cli.dask_worker", self.address, "--host", "127.0.0.1", *options, **lock, **environment
        )

    def _start(self, module: str, *arguments: str, **environment: str) -> subprocess.Popen[bytes]:
        log = (self.folder / "dask.log").open("ab")
        process = subprocess.Popen(
            [sys.executable, "-m", module, *arguments], stdout=log, stderr=log, env={**ENVIRONMENT, **environment}
        )
        self.processes.append(process)
        return process

    def stop(self) -> None:
        for process in reversed(self.processes):
            process.terminate()
        for process in self.processes:
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                process.kill()


@pytest.fixture
def dask(tmp_path: Path) -> Iterator[Dask]:
    cluster = Dask(tmp_path)
    yield cluster
    cluster.stop()


@pytest.fixture
def plugin(tmp_path: Path) -> Path:
    path = tmp_path / "slow.py"
    path.write_text(PLUGIN)
    return path


def start(dask: Dask, *arguments: object) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "bench.cli", "run", "--scheduler", dask.address, "--to", dask.folder / "results"]
    return subprocess.Popen(
        [*map(str, command), *map(str, arguments)],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env=ENVIRONMENT,
    )


def run(dask: Dask, *arguments: object) -> tuple[int, str]:
    process = start(dask, *arguments)
    output, _ = process.communicate(timeout=200)
    return process.returncode, output


def records(dask: Dask) -> dict[str, Record]:
    with Store.open(dask.folder / "results") as store:
        return {f"{record.solver} {record.n}": record for record in store.records()}


def solvers_at_work() -> list[psutil.Process]:
    """The processes of cells below the workers of this test."""
    found = []
    for process in psutil.Process().children(recursive=True):
        try:
            if MARK in process.environ() and process.status() != psutil.STATUS_ZOMBIE:
                found.append(process)
        except (psutil.Error, OSError):
            continue
    return found


def wait_for_a_solver() -> psutil.Process:
    for _ in range(3000):
        if found := solvers_at_work():
            return found[0]
        time.sleep(0.02)
    raise AssertionError("no solver has started")


def test_a_run_on_two_hosts_is_certified_written_here_and_gone_on_from(dask: Dask) -> None:
    for host in ("first", "second"):
        dask.worker(host)
    arguments = ["-s", "jv", "-s", "scipy", "-p", "uniform", "-n", 8, "-n", 12, "--budget", "60s", "--rounds", 2]
    code, output = run(dask, *arguments)
    assert code == 0, output
    found = records(dask)
    assert set(found) == {"jv 8", "jv 12", "scipy 8", "scipy 12"}
    for record in found.values():
        assert (record.status, len(record.rounds)) == ("ok", 2), record.message
        assert record.gap == pytest.approx(0, abs=1e-9)
    code, output = run(dask, *arguments)
    assert "4 from an earlier run" in output
    # The same machine without Dask: one and the same store, and nothing to do.
    code, output = run(dask, *arguments, "--scheduler", "")
    assert "4 from an earlier run" in output


@pytest.mark.slow
def test_one_cell_at_a_time_is_measured_on_a_host_whoever_asks(dask: Dask, plugin: Path) -> None:
    for _ in range(2):
        dask.worker("one")
    arguments = ["--plugin", plugin, "-s", "slow", "-p", "uniform", "-n", 20, "-n", 24, "--budget", "1s"]
    runs = [start(dask, *arguments, "--to", dask.folder / name) for name in ("results", "others")]
    outputs = [process.communicate(timeout=200)[0] for process in runs]
    assert [process.returncode for process in runs] == [0, 0], outputs
    assert {record.status for record in records(dask).values()} == {"ok"}
    calls = sorted(tuple(map(float, line.split())) for line in (dask.folder / "calls").read_text().splitlines())
    assert len(calls) >= 8
    for (_, end), (later, _) in itertools.pairwise(calls):
        assert end <= later


def test_a_lost_worker_costs_nothing_but_its_turn(dask: Dask, plugin: Path) -> None:
    doomed = dask.worker("first", "--no-nanny")
    process = start(
        dask, "--plugin", plugin, "-s", "slow", "-s", "jv", "-p", "uniform", "-n", 20, "-n", 24, "--budget", "1s"
    )
    solver = wait_for_a_solver()
    doomed.send_signal(signal.SIGKILL)
    dask.worker("second")
    output, _ = process.communicate(timeout=200)
    assert process.returncode == 0, output
    found = records(dask)
    assert set(found) == {"jv 20", "slow 20", "jv 24", "slow 24"}
    assert {record.status for record in found.values()} == {"ok"}
    assert not solver.is_running() or solver.status() == psutil.STATUS_ZOMBIE
    assert not solvers_at_work()


@pytest.mark.slow
def test_a_cell_that_takes_its_workers_with_it_ends_as_a_crash(dask: Dask, plugin: Path) -> None:
    dask.worker("first")  # with a nanny, which starts it anew each time
    code, output = run(dask, "--plugin", plugin, "-s", "murders", "-s", "jv", "-p", "uniform", "-n", 20)
    assert code == 0, output
    found = records(dask)
    assert found["murders 20"].status == "crash"
    assert "2 workers were lost while it ran" in found["murders 20"].message
    assert found["jv 20"].status == "ok"


@pytest.mark.slow
def test_ctrl_c_ends_the_turns_and_keeps_what_is_done(dask: Dask, plugin: Path) -> None:
    dask.worker("first")
    process = start(dask, "--plugin", plugin, "-s", "jv", "-s", "slow", "-p", "uniform", "-n", 20, "--budget", "60s")
    while not process.stdout.readline().startswith("ok"):  # type: ignore[union-attr]
        assert process.poll() is None
    wait_for_a_solver()
    process.send_signal(signal.SIGINT)
    output, _ = process.communicate(timeout=60)
    assert process.returncode == 130, output
    assert "Stopped after 1 of 2 cells, which are kept" in output
    assert set(records(dask)) == {"jv 20"}
    for _ in range(200):
        if not solvers_at_work():
            break
        time.sleep(0.05)
    assert not solvers_at_work()


def test_a_worker_with_another_commit_is_not_used(dask: Dask) -> None:
    dask.worker("first", GIT_DIR=str(Path(__file__).parents[2] / ".git"))
    code, output = run(dask, "-s", "jv", "-p", "uniform", "-n", 8)
    assert code == 1, output
    used = r"no worker of tcp://127.0.0.1:\d+ can be used: .* runs the code of \w+(\+\w+)?, not of \w+"
    assert re.search(used, output), output


def test_without_a_scheduler_the_error_says_how_to_start_one(tmp_path: Path) -> None:
    command = ["run", "--scheduler", "tcp://127.0.0.1:1", "-s", "jv", "-p", "uniform", "--to", tmp_path]
    done = subprocess.run(
        [sys.executable, "-m", "bench.cli", *map(str, command)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 2
    said = " ".join(done.stderr.replace("│", " ").split())
    assert "no Dask scheduler answers at tcp://127.0.0.1:1" in said
    assert "start one with `dask scheduler`, and `dask worker tcp://127.0.0.1:1` on each machine" in said
