from __future__ import annotations

import os
import platform
import subprocess
from pathlib import Path

import pytest

from lapmark.bench.system import machine as facts


def test_machine_returns_facts() -> None:
    found = facts.machine()
    assert found["python"] == platform.python_version()
    assert found["cores"] == os.cpu_count()
    assert isinstance(found["memory"], int)
    assert found["cpu"]


@pytest.fixture
def checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    def git(*arguments: str) -> None:
        identity = ["-c", "user.name=a", "-c", "user.email=a@b.c"]
        subprocess.run(["git", "-C", tmp_path, *identity, *arguments], check=True, capture_output=True)

    (tmp_path / "bench").mkdir()
    (tmp_path / "bench" / "a.py").write_text("a = 1\n")
    (tmp_path / "README.md").write_text("hello\n")
    git("init")
    git("add", ".")
    git("commit", "-m", "first")
    monkeypatch.setattr(facts, "_ROOT", tmp_path)
    return tmp_path


def test_commit_marks_changed_sources(checkout: Path) -> None:
    commit = facts.commit.__wrapped__
    clean = commit()
    assert clean is not None
    assert len(clean) == 40
    (checkout / "README.md").write_text("hello, world\n")
    assert commit() == clean
    (checkout / "bench" / "a.py").write_text("a = 2\n")
    assert commit().startswith(clean + "+")


def test_commit_changes_with_new_files_and_their_edits(checkout: Path) -> None:
    commit = facts.commit.__wrapped__
    found = {commit()}
    new = checkout / "bench" / "new solver.py"
    for content in ("b = 1\n", "b = 2\n", "ä = 3\n"):
        new.write_text(content, encoding="utf-8")
        found.add(commit())
    (checkout / "bench" / "data.bin").write_bytes(b"\xff\x00\xfe")
    found.add(commit())
    subprocess.run(["git", "-C", checkout, "add", "."], check=True)
    found.add(commit())  # staged is not committed
    (checkout / "bench" / "data.bin").write_bytes(b"\xff\x00\xfd")
    found.add(commit())
    assert len(found) == 7
    (checkout / ".gitignore").write_text("*.log\n")
    before = commit()
    (checkout / "bench" / "run.log").write_text("noise\n")
    assert commit() == before


def test_source_without_a_checkout_is_a_digest_of_the_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(facts, "_ROOT", tmp_path)
    monkeypatch.setattr(facts, "commit", facts.commit.__wrapped__)
    source = facts.source.__wrapped__
    assert facts.commit() is None
    (tmp_path / "solvers" / "__pycache__").mkdir(parents=True)
    kernel = tmp_path / "solvers" / "kernel.so"
    kernel.write_bytes(b"\x7fELF1")
    first = source()
    (tmp_path / "solvers" / "__pycache__" / "a.pyc").write_bytes(b"left behind")
    assert source() == first
    kernel.write_bytes(b"\x7fELF2")
    assert source() != first
