"""Process trees: their end, folder for temporary files, control group and memory limit."""

from __future__ import annotations

import contextlib
import fcntl
import os
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from lapmark import Assignment, DenseCost
from lapmark.bench.system import commit_build, control_group, instruction_counts, scratch_folders
from lapmark.bench.system.control_group import ControlGroup
from lapmark.bench.system.memory_limit import MemoryLimit
from lapmark.bench.system.process_tree import ProcessTree
from lapmark.bench.worker import isolated_run
from lapmark.bench.worker.resource_limits import Limits
from lapmark.solvers import plugins, registry

PYTHON = [sys.executable, "-I", "-S", "-c"]
MIB = 1 << 20


@pytest.fixture
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder for temporary files of this test alone."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    scratch_folders._sweep.cache_clear()
    return tmp_path


@pytest.fixture
def group() -> Iterator[ControlGroup]:
    made = ControlGroup.make(f"lapmark-test-{os.getpid()}")
    if made is None:
        pytest.skip("this process may not make control groups with a limit of memory")
    yield made
    for path in made.paths:
        Path(path).rmdir()


@pytest.mark.parametrize("status", [0, 3, 255, -9, -11])
def test_tree_whose_command_ends_returns_its_status(status: int) -> None:
    code = f"import os; os._exit({status}) if {status} >= 0 else os.kill(os.getpid(), {-status})"
    with ProcessTree([*PYTHON, code], {}) as tree:
        assert tree.wait(30) == status


def test_tree_of_a_missing_program_raises() -> None:
    with pytest.raises(FileNotFoundError, match="no-such-program is not an executable program"):
        ProcessTree(["no-such-program"], {})


def test_tree_that_cannot_start_leaves_no_folder(temporary: Path) -> None:
    with pytest.raises(OSError, match="too long"):
        ProcessTree([*PYTHON, "x" * (8 * MIB)], {})
    assert list(temporary.iterdir()) == []


def test_tree_started_with_many_open_files_ends() -> None:
    """The numbers of further files are too large for select(2)."""
    with contextlib.ExitStack() as stack:
        for _ in range(1100):
            stack.enter_context(open(os.devnull))
        with ProcessTree([*PYTHON, ""], {}) as tree:
            assert tree.wait(30) == 0


@pytest.mark.parametrize("isolated", [True, False])
def test_tree_removes_deep_and_locked_folders(temporary: Path, monkeypatch: pytest.MonkeyPatch, isolated: bool) -> None:
    if not isolated:
        monkeypatch.setattr("lapmark.bench.system.process_tree.can_isolate", lambda: False)
    code = (
        "import os; os.chdir(os.environ['TMPDIR'])\n"
        "for _ in range(3000): os.mkdir('deeper'); os.chdir('deeper')\n"
        "os.chmod('.', 0); os.chmod(os.environ['TMPDIR'], 0)"
    )
    with ProcessTree([*PYTHON, code], {}) as tree:
        assert tree.wait(60) == 0
    assert list(temporary.iterdir()) == []


def test_scratch_folder_of_a_killed_process_is_removed_at_the_next_start(temporary: Path) -> None:
    code = "import os; from lapmark.bench.system import scratch_folders as s; s.make(); os.kill(os.getpid(), 9)"
    subprocess.run([sys.executable, "-c", code], env={**os.environ, "TMPDIR": str(temporary)}, check=False)
    (left,) = temporary.iterdir()
    with scratch_folders.folder() as used:  # sweeps
        assert list(temporary.iterdir()) == [used]
        scratch_folders._sweep.cache_clear()
        scratch_folders._sweep()
        assert used.exists()
    assert not left.exists()


def test_scratch_folder_without_file_locks_is_made(temporary: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise OSError(38, "Function not implemented")

    monkeypatch.setattr(fcntl, "flock", refuse)
    with scratch_folders.folder() as made:
        assert made.is_dir()


def test_run_with_a_background_process_holding_the_output_returns() -> None:
    began = time.monotonic()
    commit_build.run(["sh", "-c", "sleep 600 & echo done"])
    assert time.monotonic() - began < 60


def test_control_group_limit_can_rise_and_fall(group: ControlGroup) -> None:
    for size in (100 * MIB, 200 * MIB, 64 * MIB, 512 * MIB):
        group.limit(size)
        assert int((group.path / group.interface.limit).read_text()) == size


def test_memory_limit_in_the_kernel_includes_the_baseline() -> None:
    code = "import time; kept = bytes([1]) * (80 << 20); print(flush=True); time.sleep(600)"
    with ProcessTree([*PYTHON, code], {}, memory=100 * MIB) as tree:
        if tree.group is None:
            pytest.skip("this process may not make control groups with a limit of memory")
        tree.output.readline()
        limit = MemoryLimit(tree, 100 * MIB)
        assert limit.set_baseline() >= 80 * MIB
        assert int((tree.group.path / tree.group.interface.limit).read_text()) >= 180 * MIB


def test_groups_named_finds_both_groups(group: ControlGroup) -> None:
    assert set(map(str, control_group.groups_named(group.path.name))) == set(group.paths)


def test_enable_controller_moves_own_processes_below() -> None:
    """Version 2, with any controller that is there: that of memory may be bound to version 1."""
    roots = [Path("/sys/fs/cgroup"), Path("/sys/fs/cgroup/unified")]
    root = next((root for root in roots if (root / "cgroup.controllers").exists()), None)
    controller = root and next(iter((root / "cgroup.controllers").read_text().split()), None)
    if root is None or not controller or not os.access(root / "cgroup.subtree_control", os.W_OK) or os.getuid():
        pytest.skip("needs root, and version 2 of control groups with a controller")
    (root / "cgroup.subtree_control").write_text(f"+{controller}")
    above = root / f"lapmark-test-{uuid.uuid4().hex[:8]}"
    above.mkdir()
    code = f"""
import os, pathlib
from lapmark.bench.system.control_group import enable_controller
above = pathlib.Path({str(above)!r})
(above / "cgroup.procs").write_text("0")
assert enable_controller(above, {controller!r})
assert {controller!r} in (above / "cgroup.subtree_control").read_text()
(above / "below").mkdir()
assert list((above / "below").glob("{controller}.*"))
(above / "below").rmdir()
"""
    try:
        subprocess.run([sys.executable, "-c", code], check=True)
    finally:
        for path in (*above.glob("lapmark-*"), above):
            path.rmdir()


#: A solver that keeps the memory of every call.
HOARDER = """
import numpy as np
from lapmark import Assignment, Capabilities, register, solve
hoard = []

@register("hoarder", Capabilities(exact=True))
def hoarder(problem: Assignment) -> object:
    hoard.append(np.ones(30 << 17))
    return solve(problem, "jv")
"""


@pytest.fixture
def hoarder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    path = tmp_path / "hoarder.py"
    path.write_text(HOARDER)
    monkeypatch.setattr(registry, "_solvers", dict(registry._solvers))
    plugins.load(path)
    return str(path)


@pytest.mark.parametrize("grouped", [True, False])
def test_memory_limit_counts_memory_kept_between_calls(
    hoarder: str, monkeypatch: pytest.MonkeyPatch, grouped: bool
) -> None:
    if not grouped:
        monkeypatch.setattr("lapmark.bench.system.process_tree.ControlGroup.make", lambda name: None)
    problem = Assignment(DenseCost(np.random.default_rng(0).random((50, 50))))
    limits = Limits(timeout=30, memory=100 * MIB)
    outcome = isolated_run.run("hoarder", problem, limits, budget=1.0, plugins=(hoarder,))
    assert outcome.status == "memory", outcome


@pytest.mark.parametrize("grouped", [True, False])
def test_memory_limit_excludes_the_problem(monkeypatch: pytest.MonkeyPatch, grouped: bool) -> None:
    if not grouped:
        monkeypatch.setattr("lapmark.bench.system.process_tree.ControlGroup.make", lambda name: None)
    problem = Assignment(DenseCost(np.eye(3000)))
    outcome = isolated_run.run("jv", problem, Limits(timeout=30, memory=20 * MIB), budget=0.5)
    assert outcome.status is None, outcome.message
    assert outcome.samples


def test_read_callgrind_accepts_only_plain_files(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "callgrind.out")
    assert instruction_counts.read_callgrind(tmp_path) is None
    (tmp_path / "callgrind.out").unlink()
    (tmp_path / "callgrind.out").symlink_to("/dev/zero")
    assert instruction_counts.read_callgrind(tmp_path) is None
    (tmp_path / "callgrind.out").unlink()
    (tmp_path / "callgrind.out").write_bytes(b"\xff\xfe\ntotals: 123\n")
    assert instruction_counts.read_callgrind(tmp_path) == 123
