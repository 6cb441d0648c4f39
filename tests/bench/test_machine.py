from __future__ import annotations

import os
import platform
import subprocess
from pathlib import Path

import pytest

from bench import machine as facts


def test_the_machine_is_described() -> None:
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


def test_the_commit_tells_changed_source_from_unchanged(checkout: Path) -> None:
    commit = facts.commit.__wrapped__
    clean = commit()
    assert clean is not None
    assert len(clean) == 40
    (checkout / "README.md").write_text("hello, world\n")
    assert commit() == clean
    (checkout / "bench" / "a.py").write_text("a = 2\n")
    assert commit().startswith(clean + "+")


def test_without_a_checkout_there_is_no_commit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(facts, "_ROOT", tmp_path)
    assert facts.commit.__wrapped__() is None
