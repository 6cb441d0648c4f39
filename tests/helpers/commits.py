"""Small git repositories, and the packages of a registry that tests build with."""

from __future__ import annotations

import functools
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

IDENTITY = ("-c", "user.name=A", "-c", "user.email=a@example.org", "-c", "commit.gpgsign=false")


def git(folder: Path, *arguments: str) -> str:
    """Run git in a folder and return its output."""
    settings = (*IDENTITY, "-c", "init.defaultBranch=main", "-c", "protocol.file.allow=always")
    done = subprocess.run(["git", *settings, *arguments], cwd=folder, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def commit(folder: Path, files: Mapping[str, str], tag: str = "") -> str:
    """Write files, commit them in a repository, made if needed, and return the hash."""
    folder.mkdir(parents=True, exist_ok=True)
    if not (folder / ".git").exists():
        git(folder, "init", "--quiet")
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    git(folder, "add", "--all")
    git(folder, "commit", "--quiet", "--message", tag or "change")
    if tag:
        git(folder, "tag", tag)
    return git(folder, "rev-parse", "HEAD")


def skip_without(*packages: str) -> None:
    """Skip a test where pip cannot download packages."""
    for package in packages:
        if reason := _why_missing(package):
            pytest.skip(f"{package} cannot be downloaded: {reason}")


@functools.cache
def _why_missing(package: str) -> str:
    options = ["--dry-run", "--quiet", "--ignore-installed", "--no-deps", "--retries", "1"]
    done = subprocess.run([sys.executable, "-m", "pip", "install", *options, package], capture_output=True, text=True)
    return done.stderr.strip().rpartition("\n")[2] if done.returncode else ""
