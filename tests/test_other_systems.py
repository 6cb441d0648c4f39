"""Lapmark on macOS and on Windows, as far as that shows on another system.

A `sitecustomize` hides from Lapmark's own code the calls, modules and files that the other system lacks
(`helpers/other_systems`), and the type checker knows which names the standard library has there. Neither proves that a
call which exists does the same.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from lapmark.bench.results.store import Store

TESTS = Path(__file__).parent
HIDING = TESTS / "helpers" / "other_systems"

LIBRARY = """
import numpy as np
from lapmark import *
rng = np.random.default_rng(0)
costs, x, y = rng.random((60, 60)), rng.random((60, 2)), rng.random((60, 2))
for problem in Assignment(DenseCost(costs)), Assignment(PointCost(x, y)), Transport(PointCost(x, y)):
    assert certify(problem, solve(problem)).optimal
assert certify(Transport(DenseCost(costs), blur=0.1), solve(Transport(DenseCost(costs), blur=0.1))).valid
assert solve_batch(rng.random((4, 5, 5)), threads=-1).row_to_col.shape == (4, 5)
assert len(grid_layout(x)) == 60
"""

IMPORTS = """
import importlib, pkgutil
for package in "solvers", "bench", "reports":
    top = importlib.import_module(f"lapmark.{package}")
    for module in pkgutil.walk_packages(top.__path__, f"{top.__name__}."):
        if not module.name.endswith("__main__"):
            importlib.import_module(module.name)
"""

#: Code that Python takes for a module of Lapmark.
OURS = """
def run(code):
    try:
        exec(code, dict(__name__="lapmark.bench.some_module"))
    except BaseException as error:
        return type(error).__name__

for code in {codes!r}:
    print(run(code))
"""

#: Solvers that fail in a call, though not in the warm-up; one leaves a process behind which has left its session.
FAILING = """
import os, time
import numpy as np
from lapmark import Assignment, Capabilities, register, solve

def solver(fail):
    @register(fail.__name__, Capabilities(exact=True))
    def function(problem: Assignment):
        if problem.shape == (40, 40):
            fail()
        return solve(problem, "jv")

@solver
def sleeper():
    time.sleep(60)

@solver
def glutton():
    kept = [np.ones(1 << 22) for _ in range(200) if time.sleep(0.02) is None]

@solver
def crasher():
    os.abort()

@solver
def leaver():
    if not os.fork():
        os.setsid()
        if not os.fork():
            time.sleep(600)
        os._exit(0)
"""

HANDOVER = """
import os
import numpy as np
from lapmark import Assignment, DenseCost
from lapmark.bench.worker.problem_handover import Handover
with Handover(Assignment(DenseCost(np.eye(9)))) as handed:
    try:
        os.pwrite(handed.descriptor, b"1", 0)
    except OSError:
        print("refused")
"""

TIMING = """
import numpy as np
from lapmark import Assignment, DenseCost
from lapmark.bench.advice.call_timing import time_calls
if __name__ == "__main__":
    timing = time_calls("scipy", [Assignment(DenseCost(np.random.default_rng(0).random((9, 9))))], 0.01, 10.0, 1 << 30)
    print(repr(timing.status), len(timing.results))
"""

LOCK = """
import os, sys
from lapmark.bench.util.descriptor_lock import lock
file = open(sys.argv[1], "wb")
try:
    lock(file.fileno(), wait=False)
    print("locked", flush=True)
    sys.stdin.read()
except BlockingIOError:
    print("held", flush=True)
"""

#: Verbs that measure, or make what only measuring uses.
MEASURING = (
    ("run", "-s", "jv", "-p", "uniform", "-n", "8"),
    ("gate", "HEAD~1"),
    ("check", "jv"),
    ("check-problem", "uniform"),
    ("calibrate",),
    ("gallery", "words"),
    ("env", "add", "old", "scipy<1.16"),
)

#: Verbs that read, and a part of what they print.
READING = (
    (("solvers",), "cascade"),
    (("problems",), "tsne-grid"),
    (("choose", "-p", "uniform", "-n", "100"), "from lapmark import"),
    (("compare", "out", "out"), "Nothing is certainly worse"),
    (("report", "out"), "index.html"),
    (("export", "out", "--to", "out.csv"), "out.csv"),
    (
        ("history", "history", "--import", str(TESTS / "bench/history/data/pytest_benchmark.json")),
        "3 cells of pytest-benchmark",
    ),
    (("env", "list"), "No environment exists yet"),
)

Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("other-systems")


@pytest.fixture(scope="module")
def run(folder: Path) -> Run:
    """Run Python in a folder as on another system, with a folder for temporary files below it."""
    temporary = folder / "temporary"
    temporary.mkdir()

    def run(system: str, *arguments: object) -> subprocess.CompletedProcess[str]:
        variables = {"PYTHONPATH": str(HIDING), "LAPMARK_TEST_SYSTEM": system, "TMPDIR": str(temporary)}
        return subprocess.run(
            [sys.executable, *map(str, arguments)],
            env={**os.environ, "COLUMNS": "300", **variables},
            cwd=folder,
            capture_output=True,
            text=True,
            check=False,
        )

    return run


@pytest.fixture(scope="module")
def measured(folder: Path, run: Run) -> Path:
    """A folder of results measured as on macOS."""
    solvers = ("-s", "jv", "-s", "scipy", "-s", "cascade")
    done = run("darwin", "-m", "lapmark", "run", *solvers, "-p", "uniform", "-n", 40, "--to", "out")
    assert done.returncode == 0, done.stdout + done.stderr
    return folder / "out"


def records(results: Path) -> dict[str, object]:
    with Store.open(results, create=False) as store:
        return {record.solver: record for record in store.records()}


@pytest.mark.parametrize("system", ["darwin", "win32"])
def test_calls_that_the_system_lacks_are_hidden_from_lapmark_alone(run: Run, system: str) -> None:
    lacking = ["import os; os.sched_getaffinity", "open('/proc/self/status')", "import os; os.listdir('/sys')"]
    codes = [*lacking, "import fcntl", "import os; os.fork"]
    done = run(system, "-c", OURS.format(codes=codes))
    hidden = ["AttributeError", "FileNotFoundError", "FileNotFoundError"]
    posix = ["None", "None"] if system == "darwin" else ["ModuleNotFoundError", "AttributeError"]
    assert done.stdout.split() == [*hidden, *posix], done.stderr
    assert run(system, "-c", "import os, fcntl; os.sched_getaffinity, os.fork").returncode == 0


@pytest.mark.parametrize("system", ["darwin", "win32"])
def test_library_solves_and_certifies(run: Run, system: str) -> None:
    done = run(system, "-c", LIBRARY)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("system", ["darwin", "win32"])
def test_every_module_can_be_imported(run: Run, system: str) -> None:
    done = run(system, "-c", IMPORTS)
    assert done.returncode == 0, done.stderr


def test_run_on_macos_certifies_every_row_and_says_what_the_system_lacks(measured: Path) -> None:
    found = records(measured)
    assert {name: record.status for name, record in found.items()} == dict.fromkeys(("jv", "scipy", "cascade"), "ok")
    for record in found.values():
        assert record.samples
        assert record.gap is not None
        assert "pinned cores" in record.machine["lacks"]
    assert list((measured.parent / "temporary").glob("lapmark-scratch-*")) == []


def test_run_on_macos_ends_solvers_at_their_limits_with_all_that_they_started(folder: Path, run: Run) -> None:
    (folder / "failing.py").write_text(FAILING)
    expected = {"sleeper": "timeout", "glutton": "memory", "crasher": "crash", "leaver": "ok"}
    solvers = [word for name in expected for word in ("-s", name)]
    limits = ("--timeout", "2s", "--memory", "256MiB", "--budget", "10ms")
    done = run(
        "darwin",
        *("-m", "lapmark", "run", "--plugin", "failing.py", *solvers, "-p", "uniform", "-n", 40),
        *(*limits, "--to", "failed"),
    )
    found = records(folder / "failed")
    assert {name: record.status for name, record in found.items()} == expected, done.stdout + done.stderr
    assert list((folder / "temporary").glob("lapmark-scratch-*")) == []
    assert [each for each in psutil.process_iter() if str(folder) in _temporary_folder_of(each)] == []


def _temporary_folder_of(process: psutil.Process) -> str:
    try:
        return process.environ().get("TMPDIR", "")
    except psutil.Error:
        return ""


def test_problem_on_macos_cannot_be_written_by_its_worker(run: Run) -> None:
    done = run("darwin", "-c", HANDOVER)
    assert done.stdout == "refused\n", done.stderr


def test_candidates_on_macos_are_timed_in_new_processes(folder: Path, run: Run) -> None:
    (folder / "timing.py").write_text(TIMING)
    done = run("darwin", "timing.py")
    assert done.stdout == "'' 1\n", done.stderr


@pytest.mark.parametrize("words", MEASURING, ids=lambda words: words[0])
def test_measuring_verb_on_windows_names_the_systems_it_needs(run: Run, words: tuple[str, ...]) -> None:
    done = run("win32", "-m", "lapmark", *words)
    assert done.returncode == 2, done.stdout + done.stderr
    assert "Lapmark measures on Linux and macOS only: on Windows, run this command in WSL" in done.stderr


@pytest.mark.parametrize(("words", "part"), READING, ids=lambda each: each[0] if isinstance(each, tuple) else "")
def test_reading_verb_on_windows_works(measured: Path, run: Run, words: tuple[str, ...], part: str) -> None:
    done = run("win32", "-m", "lapmark", *words)
    assert done.returncode == 0, done.stdout + done.stderr
    assert part in done.stdout


def test_map_on_windows_writes_a_page(folder: Path, run: Run) -> None:
    rows = [f"item {k},{k % 5},{k * 7 % 11}" for k in range(20)]
    (folder / "items.csv").write_text("\n".join(["name,x,y", *rows]))
    done = run("win32", "-m", "lapmark", "map", "items.csv", "-o", "map.html")
    assert done.returncode == 0, done.stdout + done.stderr
    assert (folder / "map.html").exists()


@pytest.mark.parametrize("system", ["darwin", "win32"])
def test_lock_that_another_process_holds_is_busy(folder: Path, run: Run, system: str) -> None:
    variables = {**os.environ, "PYTHONPATH": str(HIDING), "LAPMARK_TEST_SYSTEM": system}
    command = [sys.executable, "-c", LOCK, str(folder / "lock")]
    with subprocess.Popen(command, env=variables, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "locked\n"
        assert run(system, "-c", LOCK, folder / "lock").stdout == "held\n"
        holder.communicate()
    done = subprocess.run(command, env=variables, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    assert done.stdout == "locked\n"


#: Modules that only measuring uses, which Windows does not get to.
MEASURING_MODULES = {
    "bench/system": {
        *("conditions", "file_lock", "host_lock", "instruction_counts", "memory_limit", "process_resources"),
        *("process_tree", "scratch_folders", "supervisor"),
    },
    "bench/worker": {"calls", "clock_check", "monitor", "worker"},
    "bench/advice": {"call_timing"},
    "bench/gate": {"benchmark_worker"},
}


@pytest.mark.slow
def test_names_that_windows_lacks_are_used_for_measuring_alone(tmp_path: Path) -> None:
    """`make lint` asks the same of macOS, where no name may be missing."""
    command = [sys.executable, "-m", "mypy", "--platform", "win32", "--cache-dir", str(tmp_path)]
    done = subprocess.run(command, cwd=TESTS.parent, capture_output=True, text=True, check=False)
    found = set(re.findall(r"^src/lapmark/(.*)\.py:\d+: error", done.stdout, re.MULTILINE))
    assert found == {f"{folder}/{name}" for folder, names in MEASURING_MODULES.items() for name in names}, done.stdout
