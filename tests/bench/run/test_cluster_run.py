"""A run on a real Dask cluster of processes on this machine, each acting as a host."""

from __future__ import annotations

import dataclasses
import itertools
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections import deque
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import psutil
import pytest

from lapmark.bench.results.record import Record
from lapmark.bench.results.record_check import fault
from lapmark.bench.results.store import Store
from lapmark.bench.run.cells import Cell, plan
from lapmark.bench.run.cluster.cluster_messages import (
    Answer,
    BadMessage,
    Place,
    read_answer,
    read_place,
    write_answer,
    write_place,
)
from lapmark.bench.run.measure import RunSettings, unmeasured
from lapmark.bench.run.schedule import Round
from lapmark.bench.system.machine import machine, source
from lapmark.bench.worker.resource_limits import Limits

pytest.importorskip("distributed", reason="distributed is not installed")
from lapmark.bench.run.cluster import cluster_run, dask_client, worker_side

#: Logs start and end of each call, and takes long enough to be killed during one.
PLUGIN = """
import os, time
from lapmark import Capabilities, Matching, register, solve

@register("slow", Capabilities(exact=True))
def slow(problem):
    start = time.time()
    answer = solve(problem, "jv")
    if problem.shape[0] > 16:
        time.sleep(0.4)
        with open(os.environ["CALLS"], "a") as file:
            file.write(f"{start} {time.time()}\\n")
    return answer

@register("stays", Capabilities(exact=True))
def stays(problem):
    if problem.shape[0] > 16:
        time.sleep(60)
    return solve(problem, "jv")
"""

#: One code version for all processes, even if something is committed meanwhile.
ENVIRONMENT = {**os.environ, "GIT_DIR": os.devnull, "DASK_DISTRIBUTED__SCHEDULER__ALLOWED_FAILURES": "0"}

#: Preloaded into hostile workers.
HOSTILE = str(Path(__file__).parents[2] / "helpers" / "hostile_worker.py")

#: Calls the functions with which a hostile worker replaces ours, as any Dask client would.
PLAIN_CLIENT = """
import contextlib, sys, time
import distributed
from lapmark.bench.run.cluster.worker_side import run_round


client = distributed.Client(sys.argv[1])
for worker, known in client.scheduler_info(n_workers=-1)["workers"].items():
    with contextlib.suppress(Exception):
        client.submit(run_round, pure=False, workers=[worker]).result(timeout=20)
time.sleep(1)
"""


class Dask:
    """A scheduler, and workers with a name each; those of one `host` share its lock."""

    def __init__(self, folder: Path, protocol: str = "tcp", certificates: Sequence[str] = ()) -> None:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.address = f"{protocol}://127.0.0.1:{free.getsockname()[1]}"
        self.folder = folder
        self.certificates = certificates
        self.processes: list[subprocess.Popen[bytes]] = []
        options = ("--host", self.address, "--no-dashboard", "--no-jupyter", *certificates)
        self.scheduler = self._start("distributed.cli.dask_scheduler", *options)

    def worker(self, host: str, *options: str, **environment: str) -> subprocess.Popen[bytes]:
        options = ("--nthreads", "1", "--no-dashboard", "--local-directory", str(self.folder / "dask"), *options)
        options = (*self.certificates, *options)
        lock = {"LAPMARK_LOCK": str(self.folder / f"{host}.lock"), "CALLS": str(self.folder / "calls")}
        return self._start(
            "distributed.cli.dask_worker", self.address, "--host", "127.0.0.1", *options, **lock, **environment
        )

    def hostile(self, *attacks: str) -> None:
        """Add a worker for each attack, and wait until all have joined."""
        import distributed

        for attack in attacks:
            loaded = str(self.folder / "loaded")
            self.worker(attack, "--no-nanny", "--preload", HOSTILE, ATTACK=attack, LOADED=loaded)
        with distributed.Client(self.address) as client:
            client.wait_for_workers(len(attacks), timeout=120)

    def loaded_by(self, process: int) -> set[str]:
        """The attacks whose pickles a process has loaded."""
        path = self.folder / "loaded"
        lines = path.read_text().splitlines() if path.exists() else []
        return {line.split(maxsplit=1)[1] for line in lines if line.split()[0] == str(process)}

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
        deadline = time.monotonic() + 20
        for process in self.processes:
            try:
                process.wait(max(0.0, deadline - time.monotonic()))
            except subprocess.TimeoutExpired:
                process.kill()


@pytest.fixture
def dask(tmp_path: Path) -> Iterator[Dask]:
    cluster = Dask(tmp_path)
    yield cluster
    cluster.stop()


@pytest.fixture
def certificates(tmp_path: Path) -> Path:
    """The folder in which the commands of the guide have been run that make certificates."""
    if shutil.which("openssl") is None:
        pytest.skip("openssl is not installed")
    guide = (Path(__file__).parents[3] / "docs" / "cluster.md").read_text(encoding="utf-8")
    block = re.search(r"```console norun\n(\$ openssl .*?)```", guide, re.DOTALL)
    assert block
    commands = re.sub(r"^\$ ", "", block[1], flags=re.MULTILINE)
    subprocess.run(["bash", "-euc", commands], cwd=tmp_path, check=True, capture_output=True)
    return tmp_path


@pytest.fixture
def plugin(tmp_path: Path) -> Path:
    path = tmp_path / "slow.py"
    path.write_text(PLUGIN)
    return path


def start(
    dask: Dask, *arguments: object, program: Sequence[str] = ("-m", "lapmark"), **environment: str
) -> subprocess.Popen[str]:
    command = [sys.executable, *program, "run", "--scheduler", dask.address, "--to", dask.folder / "results"]
    return subprocess.Popen(
        [*map(str, command), *map(str, arguments)],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env={**ENVIRONMENT, **environment},
    )


def run(dask: Dask, *arguments: object, **environment: str) -> tuple[int, str]:
    process = start(dask, *arguments, **environment)
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
            if "lapmark.bench.worker.worker" in process.cmdline() and process.status() != psutil.STATUS_ZOMBIE:
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


@pytest.fixture
def cell() -> Cell:
    return plan(["jv"], ["uniform:n=8"])[0]


@pytest.fixture
def place(cell: Cell) -> Place:
    return Place("host", "lock", machine(), source(), {"jv": cell.versions})


def answer_to(cell: Cell, message: str = "") -> Answer:
    known = {"digest": "ab" * 16, "samples": (0.25, 0.5), "rounds": (2,), "counters": {"scans": -3}, "cost": 1.5}
    return Answer(unmeasured(cell, "ok", message, machine(), m=8, gap=0.0, peak_memory=4096, **known), 1.5)


def test_messages_written_and_read_are_equal(cell: Cell, place: Place) -> None:
    assert read_place(write_place(place)) == place
    answer = answer_to(cell)
    assert read_answer(write_answer(answer), cell, place) == answer
    assert read_answer(write_answer(answer_to(cell, "red \x1b[31m")), cell, place).record.message == "red \ufffd[31m"


def test_read_answer_of_a_damaged_message_refuses_it_or_finds_the_same_cell(cell: Cell, place: Place) -> None:
    text, random = write_answer(answer_to(cell)), np.random.default_rng(0)
    parts = ["", "{", "}", "[", "]", '"', ",", "1e999", "-1", "9" * 30, "null", "NaN", "true", "\x1b", "[" * 2000]
    refused = []
    for _ in range(3000):
        start, length = random.integers(len(text)), random.integers(12)
        damaged = text[:start] + str(random.choice(parts)) + text[start + length :]
        try:
            record = read_answer(damaged, cell, place).record
        except BadMessage as error:
            refused.append(str(error))
        else:
            assert record.key == cell.key(place.machine)
            assert (record.solver, record.case, record.machine) == (cell.solver, str(cell.case), place.machine)
            assert fault(vars(record)) is None
    assert 1000 < len(refused) < 3000
    assert "\x1b" not in "".join(refused)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"solver": "scipy"}, 'its solver is "scipy", not "jv"'),
        ({"key": "0" * 32}, "its key is"),
        ({"machine": {"cpu": "another"}}, "its machine is"),
        ({"status": "excellent"}, "status is 'excellent': it must be one of"),
        ({"samples": [0.1, -0.1]}, "samples is .*: it must be a list of seconds, each at least 0"),
        ({"samples": [0.1, 1e18]}, "samples is .*: it must be a list of seconds, each at least 0"),
        ({"samples": [0.1, "0.2"]}, "samples is .*: it must be a list, each item a finite number"),
        ({"samples": [0.1] * 1000, "rounds": [1000]}, "samples is .*: its length must be at most"),
        ({"rounds": [3]}, "rounds is .*: it must add up to the 2 samples"),
        ({"rounds": []}, "2 samples in rounds of"),
        ({"status": "timeout", "samples": [], "rounds": [0]}, "rounds is .*: it must be a list of counts"),
        ({"samples": [], "rounds": []}, "status ok without a sample"),
        ({"cost": True}, "cost is True: it must be a finite number or null"),
        ({"cost": 10**400}, "cost is .*: it must be a finite number or null"),
        ({"m": 1.5}, "m is 1.5: it must be a whole number of at most 64 bits or null"),
        ({"m": 0}, "m is 0: it must be at least 1"),
        ({"peak_memory": -1}, "peak_memory is -1: it must be at least 0"),
        ({"message": "x" * 20_000}, "message is .*: its length must be at most 10,000"),
        ({"counters": {"a\nb": 1}}, "counters is .*: each name must be a single line"),
        ({"counters": {"scans": 2**63}}, "counters is .*: it must be a mapping, each value a whole number"),
        ({"conditions": {"others": -0.5}}, "conditions is .*: it must be a mapping, each value at least 0"),
        ({"digest": "no digest"}, "digest is .*: it must be 8 to 64 hexadecimal digits"),
        ({"given": "matrix"}, "given is .*: it must be one of dense, grid, points, sparse"),
        ({"finished": "yesterday"}, "finished is 'yesterday': it must be a date and time with its zone"),
        ({"finished": "2026-01-01"}, "finished is '2026-01-01': it must be a date and time with its zone"),
        ({"finished": ""}, "finished is empty"),
        ({"more": 1}, "missing or unknown in the record: more"),
    ],
)
def test_read_answer_with_a_wrong_field_names_it(
    cell: Cell, place: Place, changes: dict[str, object], said: str
) -> None:
    values = json.loads(write_answer(answer_to(cell)))
    text = json.dumps({**values, "record": {**values["record"], **changes}})
    with pytest.raises(BadMessage, match=f"sent no record of jv on uniform:n=8,seed=0: .*{said}"):
        read_answer(text, cell, place)


class Scripted:
    """A cluster whose scheduler and workers are the attributes of this object, and whose clock it is."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, place: Place) -> None:
        self.place, self.alive, self.now, self.asked = place, {"a", "b"}, iter(range(1000)), list[str]()
        for name in ("connect", "workers", "ask"):
            monkeypatch.setattr(dask_client, name, getattr(self, f"_{name}"))
        clock = SimpleNamespace(monotonic=lambda: next(self.now), sleep=lambda _: None)
        monkeypatch.setattr(cluster_run, "time", clock)
        settings = RunSettings(limits=Limits(timeout=1.0, memory=1 << 30), budget=1.0)
        self.cluster = cluster_run.ClusterRun(SimpleNamespace(settings=settings), "tcp://scripted")

    def look_around(self, cell: Cell) -> dict[str, bool]:
        """Snapshot around; return the workers, and whether each can be used."""
        list(self.cluster._check_workers([cell], deque()))
        return {address: isinstance(place, Place) for address, place in self.cluster._places.items()}

    def _connect(self, address: str) -> object:
        return self

    def _workers(self, client: object) -> set[str]:
        return self.alive

    def _ask(self, client: object, address: str, *_: object) -> str:
        self.asked.append(address)
        return write_place(self.place)


def test_worker_that_joins_at_an_old_address_is_asked_anew(
    cell: Cell, place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    scripted = Scripted(monkeypatch, place)
    assert scripted.look_around(cell) == {"a": True, "b": True}
    scripted.cluster._exclude("b", "sent no record")
    assert scripted.look_around(cell) == {"a": True, "b": False}
    scripted.alive = set()
    scripted.look_around(cell)
    scripted.alive = {"a", "b"}
    assert scripted.look_around(cell) == {"a": True, "b": True}
    scripted.alive, scripted.place = {"b"}, dataclasses.replace(place, source="other")
    scripted.look_around(cell)
    scripted.alive = {"a", "b"}
    assert scripted.look_around(cell) == {"a": False, "b": True}
    assert scripted.asked == ["a", "b", "a", "b", "a"]


@pytest.mark.parametrize("deadline", [-0.5, 0.5])
def test_worker_past_its_deadline_is_excluded(
    cell: Cell, place: Place, deadline: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    scripted = Scripted(monkeypatch, place)
    rounds, future = SimpleNamespace(left=[cell]), SimpleNamespace(cancel=lambda: None)
    busy = cluster_run._BusyHost("a", place, rounds, Round(cell, 0), future, deadline)
    scripted.cluster._hosts["host", "lock"] = busy
    is_usable = scripted.look_around(cell)["a"]
    assert is_usable == (scripted.cluster._hosts != {})


def test_scheduler_that_does_not_answer_in_time_is_reported_with_the_limit() -> None:
    def sync(*_: object, **__: object) -> None:
        raise TimeoutError

    silent = SimpleNamespace(fault="", sync=sync, scheduler=SimpleNamespace(identity=None))
    with pytest.raises(ConnectionError, match=r"^no answer in 120 seconds$"):
        dask_client.workers(silent)


def test_run_on_two_hosts_is_certified_stored_here_and_resumed(dask: Dask) -> None:
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


def test_worker_without_the_file_of_a_case_skips_it_and_says_why(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "elsewhere").mkdir()
    np.save(tmp_path / "costs.npy", np.eye(3))
    monkeypatch.chdir(tmp_path)
    (cell,) = plan(["jv"], ["costs.npy"])
    place = Place("host", "lock", machine(), source(), {"jv": cell.versions})
    settings = RunSettings(limits=Limits(timeout=60, memory=1 << 30), budget=0)
    for folder, status in ((tmp_path / "elsewhere", "skipped"), (tmp_path, "ok")):
        monkeypatch.chdir(folder)
        worker_side._build.cache_clear()
        record = read_answer(worker_side.run_round("jv", str(cell.case), 1, settings, [], {}, True), cell, place).record
        assert record.status == status, record.message
        assert ("costs.npy: no such file on this machine" in record.message) == (status == "skipped")


@pytest.mark.slow
def test_two_runs_on_one_host_measure_one_cell_at_a_time(dask: Dask, plugin: Path) -> None:
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


def test_lost_worker_costs_its_round_only(dask: Dask, plugin: Path) -> None:
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
def test_cell_that_loses_two_workers_is_a_crash(dask: Dask, plugin: Path) -> None:
    nanny = dask.worker("first")  # which starts its worker anew each time
    process = start(dask, "--plugin", plugin, "-s", "stays", "-p", "uniform", "-n", 20)
    for _ in range(2):
        wait_for_a_solver()
        (worker,) = (child for child in psutil.Process(nanny.pid).children() if "spawn_main" in str(child.cmdline()))
        worker.kill()
        psutil.wait_procs(solvers_at_work(), timeout=20)
    output, _ = process.communicate(timeout=100)
    assert process.returncode == 0, output
    found = records(dask)
    assert found["stays 20"].status == "crash"
    assert "2 workers were lost while it ran" in found["stays 20"].message
    code, output = run(dask, "-s", "jv", "-p", "uniform", "-n", 20)
    assert code == 0, output
    found = records(dask)
    assert found["jv 20"].status == "ok"


@pytest.mark.slow
def test_ctrl_c_ends_the_rounds_and_keeps_finished_cells(dask: Dask, plugin: Path) -> None:
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


def test_worker_with_another_commit_is_not_used(dask: Dask) -> None:
    dask.worker("first", GIT_DIR=str(Path(__file__).parents[3] / ".git"))
    code, output = run(dask, "-s", "jv", "-p", "uniform", "-n", 8)
    assert code == 1, output
    used = r"no worker of tcp://127.0.0.1:\d+ can be used: .* runs the code of \w+(\+\w+)?, not of \w+"
    assert re.search(used, output), output


def test_run_without_a_scheduler_says_how_to_start_one(tmp_path: Path) -> None:
    command = ["run", "--scheduler", "tcp://127.0.0.1:1", "-s", "jv", "-p", "uniform", "--to", tmp_path]
    done = subprocess.run(
        [sys.executable, "-m", "lapmark", *map(str, command)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 2
    said = " ".join(done.stderr.replace("│", " ").split())
    assert "no Dask scheduler answers at tcp://127.0.0.1:1" in said
    assert "start one with `dask scheduler`, and `dask worker tcp://127.0.0.1:1` on each machine" in said


#: Message for the user, by attack.
PICKLES = {
    "result": "Data serialized with pickle but only able to deserialize data with",
    "dask": "Data serialized with dask but only able to deserialize data with",
    "exception": "failed: an exception with the text: builtins.exec: import os",
    "warning": "sent no record of jv on .*: the answer must be an object, not 17",
    "description": "cannot run Lapmark: failed: TypeError: Data serialized with pickle",
}


def test_hostile_workers_with_pickles_have_none_loaded(dask: Dask) -> None:
    dask.hostile(*PICKLES, "none")
    plain = subprocess.Popen(
        [sys.executable, "-c", PLAIN_CLIENT, dask.address], env=ENVIRONMENT, stderr=subprocess.DEVNULL
    )
    plain.wait(100)
    assert dask.loaded_by(plain.pid) == {"result", "dask", "exception", "traceback", "warning", "type"}, "no attack"
    process = start(dask, "-s", "jv", "-p", "uniform", *itertools.chain(*(("-n", n) for n in range(8, 16))))
    output, _ = process.communicate(timeout=200)
    assert process.returncode == 0, output
    assert not dask.loaded_by(process.pid), output
    for said in PICKLES.values():
        assert re.search(rf"worker at tcp://127.0.0.1:\d+ is not used: it .*{said}", output), output
    assert "printed by a worker" not in output
    assert "Traceback" not in output
    assert [record.status for record in records(dask).values()] == ["ok"] * 8


def test_report_with_a_pickle_ends_the_run(dask: Dask) -> None:
    dask.hostile("report")
    process = start(dask, "-s", "jv", "-p", "uniform", "-n", 8)
    output, _ = process.communicate(timeout=100)
    assert process.returncode == 1, output
    assert not dask.loaded_by(process.pid), output
    assert "or a worker, sent a report that cannot be read: RefusedPickle: a pickle, which is not loaded" in output
    assert "Traceback" not in output


#: Message for the user, by attack.
LIES = {
    "garbage": "sent no record of jv on uniform:n=\\d+,seed=0: not JSON",
    "number": "sent a result that cannot be read: .*|sent a result of type int, not a text",
    "large": "has a result of 1 GiB, over the limit of 1 MiB",
    "larger": "sent a text of 67,108,864 characters, over the limit",
    "cell": 'its solver is "scipy", not "jv"',
    "cost": "NaN is not a JSON number",
    "status": "status is 'excellent': it must be one of ok, unproven",
    "samples": "status ok without a sample",
    "machine": "its machine is {}, not {",
    "silent description": "cannot run Lapmark: did not answer within 10 seconds",
}


@pytest.mark.slow
def test_hostile_workers_with_false_records_are_not_used(dask: Dask) -> None:
    dask.hostile(*LIES, "none")
    impatient = (
        "import lapmark.bench.run.cluster.dask_client as c; c.ANSWER = 10; from lapmark.bench.cli import app; app()"
    )
    sizes = itertools.chain(*(("-n", n) for n in range(8, 24)))
    process = start(dask, "-s", "jv", "-p", "uniform", *sizes, program=("-c", impatient))
    output, _ = process.communicate(timeout=250)
    assert process.returncode == 0, output
    for said in LIES.values():
        assert re.search(rf"worker at tcp://127.0.0.1:\d+ is not used: it .*({said})", output), f"{said}\n{output}"
    assert [record.status for record in records(dask).values()] == ["ok"] * 16


def test_silent_worker_is_not_used_after_the_deadline(dask: Dask) -> None:
    dask.hostile("silence", "none")
    hasty = (
        "import lapmark.bench.run.cluster.cluster_run as c; c.AROUND_CALLS, c.PROCESSES = 4.0, 0;"
        "from lapmark.bench.cli import app; app()"
    )
    process = start(dask, "-s", "jv", "-p", "uniform", "-n", 8, "-n", 9, program=("-c", hasty))
    output, _ = process.communicate(timeout=100)
    assert process.returncode == 0, output
    assert re.search(r"worker at tcp://127.0.0.1:\d+ is not used: it did not answer within 4 s", output), output
    assert {record.status for record in records(dask).values()} == {"ok"}


def test_bound_of_a_worker_is_not_stored(dask: Dask) -> None:
    dask.hostile("bound")
    code, output = run(dask, "-s", "jv", "-p", "uniform", "-n", 8)
    assert code == 0, output
    digest = records(dask)["jv 8"].digest
    with Store.open(dask.folder / "results") as store:
        assert digest
        assert store.bound(digest) is None


def test_lost_scheduler_ends_the_run(dask: Dask, plugin: Path) -> None:
    dask.worker("first")
    process = start(dask, "--plugin", plugin, "-s", "jv", "-s", "slow", "-p", "uniform", "-n", 20, "--budget", "60s")
    wait_for_a_solver()
    dask.scheduler.kill()
    output, _ = process.communicate(timeout=150)
    assert process.returncode == 1, output
    assert f"the scheduler at {dask.address} is lost" in output


def test_cluster_with_certificates_runs_and_refuses_clients_without(certificates: Path) -> None:
    authority, certificate, key = (str(certificates / f"{name}.pem") for name in ("authority", "certificate", "key"))
    dask = Dask(certificates, "tls", ("--tls-ca-file", authority, "--tls-cert", certificate, "--tls-key", key))
    try:
        dask.worker("first")
        arguments = ("-s", "jv", "-p", "uniform", "-n", 8)
        variables = {
            "DASK_DISTRIBUTED__COMM__TLS__CA_FILE": authority,
            "DASK_DISTRIBUTED__COMM__TLS__CLIENT__CERT": certificate,
            "DASK_DISTRIBUTED__COMM__TLS__CLIENT__KEY": key,
        }
        code, output = run(dask, *arguments, **variables)
        assert code == 0, output
        assert records(dask)["jv 8"].status == "ok"
        variables["DASK_DISTRIBUTED__COMM__TLS__CA_FILE"] = str(certificates / "missing.pem")
        for known, said in (
            ({}, "set DASK_DISTRIBUTED__COMM__TLS__CA_FILE and DASK_DISTRIBUTED__COMM__TLS__CLIENT__CERT to"),
            (variables, "missing.pem does not exist, which DASK_DISTRIBUTED__COMM__TLS__CA_FILE names"),
        ):
            code, output = run(dask, *arguments, **known, COLUMNS="1000")
            assert code == 2, output
            assert said in output
        code, output = run(dask, *arguments, "--scheduler", dask.address.replace("tls:", "tcp:"), COLUMNS="1000")
        assert code == 2, output
        assert "one that has certificates is at tls://, not tcp://" in output
    finally:
        dask.stop()
