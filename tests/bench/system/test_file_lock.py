"""Locks between processes, and other things in their place."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable
from pathlib import Path

import pytest
from command import lapmark, unwrapped

from lapmark.bench.system import file_lock, host_lock
from lapmark.bench.system.file_lock import Busy, LockError

ROOT = Path(__file__).parents[3]

RUN = ["run", "-s", "jv", "-p", "uniform", "-n", 8, "--budget", "10ms", "--to"]


def link(path: Path) -> None:
    path.with_name("diary").write_text("dear diary")
    path.symlink_to(path.with_name("diary"))


#: Things in place of a lock file, and the reason in the message.
OTHERS: dict[str, tuple[Callable[[Path], None], str]] = {
    "folder": (Path.mkdir, "Is a directory"),
    "link": (link, "it is a link"),
    "dangling link": (lambda path: path.symlink_to(path.with_name("nothing")), "it is a link"),
    "fifo": (lambda path: os.mkfifo(path), "it is not a plain file"),
}


@pytest.fixture
def usual(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the default lock file, in a temporary folder of this test."""
    monkeypatch.delenv(host_lock.VARIABLE)
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    return tmp_path / f"lapmark-{os.getuid()}.lock"


def test_lock_is_held_by_one_process_and_released_by_its_death(tmp_path: Path) -> None:
    path = tmp_path / "new" / "lock"
    code = (
        "from pathlib import Path; from lapmark.bench.system import file_lock\n"
        f"with file_lock.hold(Path({str(path)!r})): print(flush=True); input()"
    )
    holder = subprocess.Popen(
        [sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=ROOT
    )
    assert holder.stdout
    holder.stdout.readline()
    with pytest.raises(Busy), file_lock.hold(path, wait=False):
        pass
    waiting = threading.Timer(0.2, holder.kill)
    waiting.start()
    with file_lock.hold(path):
        assert holder.wait(10) != 0
    holder.communicate()


def test_lock_whose_file_is_replaced_is_held_at_the_new_file(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    held = threading.Event()

    def wait_and_hold() -> None:
        with file_lock.hold(path):
            held.set()

    waiting = threading.Thread(target=wait_and_hold)
    with file_lock.hold(path):
        waiting.start()
        while not held.wait(0.1) and path.exists():
            path.unlink()
    with file_lock.hold(path):
        waiting.join(10)
        assert not waiting.is_alive() or not held.is_set()
    waiting.join(10)
    assert held.is_set()


@pytest.mark.parametrize("kind", OTHERS)
def test_lock_at_anything_but_a_plain_file_raises(kind: str, tmp_path: Path) -> None:
    make, reason = OTHERS[kind]
    path = tmp_path / "lock"
    make(path)
    with pytest.raises(LockError, match=f"{path} cannot be used as a lock: {reason}; remove it"), file_lock.hold(path):
        pass
    assert not (tmp_path / "nothing").exists()
    if kind == "link":
        assert (tmp_path / "diary").read_text() == "dear diary"


@pytest.mark.parametrize("kind", OTHERS)
def test_run_with_an_unusable_named_lock_is_a_usage_error(
    kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make, reason = OTHERS[kind]
    path = tmp_path / "lock"
    make(path)
    monkeypatch.setenv(host_lock.VARIABLE, str(path))
    code, output = lapmark(*RUN, tmp_path / "results")
    assert code == 2
    assert f"{path} cannot be used as a lock: {reason}; remove it, or name another file with LAPMARK_LOCK" in unwrapped(
        output
    )


def test_lock_file_named_by_the_variable_may_belong_to_another_user(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "shared.lock"
    path.touch(0o666)
    monkeypatch.setenv(host_lock.VARIABLE, str(path))
    monkeypatch.setattr(os, "geteuid", lambda: os.getuid() + 1)
    assert host_lock.lock_file() == path


def test_lock_file_by_default_is_private(usual: Path) -> None:
    usual.touch(0o644)
    assert host_lock.lock_file() == usual
    assert usual.stat().st_mode & 0o777 == 0o600
    assert not host_lock.is_held()
    with host_lock.hold():
        assert host_lock.is_held()


@pytest.mark.parametrize("kind", [*OTHERS, "of another user"])
def test_lock_file_taken_by_another_user_falls_back_to_the_state_folder(kind: str, usual: Path) -> None:
    if kind in OTHERS:
        OTHERS[kind][0](usual)
    elif os.getuid():
        pytest.skip("giving a file to another user takes root")
    else:
        usual.touch()
        os.chown(usual, 1, 1)
    assert host_lock.lock_file().parent == usual.parent / "state" / "lapmark"
    with host_lock.hold():
        assert host_lock.is_held()
    code, output = lapmark(*RUN, usual.parent / "results")
    assert code == 0, output


def test_run_without_any_usable_lock_is_a_usage_error(usual: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    usual.mkdir()
    monkeypatch.setenv("XDG_STATE_HOME", os.devnull)
    code, output = lapmark(*RUN, usual.parent / "results")
    assert code == 2
    said = "its folder cannot be created (Not a directory); create that folder, or name another file with LAPMARK_LOCK"
    assert said in unwrapped(output)


@pytest.mark.parametrize(
    ("number", "cure"),
    [
        (errno.EACCES, "make its folder writable"),
        (errno.EROFS, "make its folder writable"),
        (errno.ENOSPC, "free some space on its disk"),
    ],
)
def test_lock_that_cannot_be_created_names_the_remedy(
    number: int, cure: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "lock"
    opened = os.open

    def refuse(name: str | Path, *arguments: int) -> int:
        if name == path:
            raise OSError(number, os.strerror(number))
        return opened(name, *arguments)

    monkeypatch.setattr(os, "open", refuse)
    with pytest.raises(LockError, match=f"{path} cannot be used as a lock: {os.strerror(number)}; {cure}$"):
        file_lock.check(path)


def test_lock_without_a_folder_names_the_remedy(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(LockError, match=r"its folder cannot be created \(.*\); create that folder$"):
        file_lock.check(tmp_path / "file" / "folder" / "lock")


def test_lock_file_that_cannot_be_made_private_falls_back_to_the_state_folder(
    usual: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise PermissionError(errno.EPERM, os.strerror(errno.EPERM))

    monkeypatch.setattr(os, "fchmod", refuse)
    with pytest.raises(LockError, match=f"{usual} .*: its permissions cannot be restricted to this user"):
        file_lock.check(usual, private=True)
    assert host_lock.lock_file().parent == usual.parent / "state" / "lapmark"
