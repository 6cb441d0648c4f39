"""Plugins at a worker of a cluster: sent with the files beside them, in place of those of an earlier run."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from lapmark.bench import problems
from lapmark.bench.run.cluster import cluster_messages, worker_side
from lapmark.solvers import plugins, registry
from lapmark.solvers.plugins import loading, source_files

PLUGIN = """
import lapmark, helper

@lapmark.register(helper.NAME, lapmark.Capabilities(exact=True))
def solver(problem):
    return lapmark.solve(problem, "jv")

@lapmark.family("of-" + helper.NAME)
def family(n: int, seed: int) -> lapmark.Assignment:
    return lapmark.Assignment(lapmark.DenseCost([[1.0] * n] * n))
"""


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    monkeypatch.setattr(loading, "_loaded", {})
    monkeypatch.setattr(source_files, "folders", [])
    registry.solvers()
    problems.families()
    yield
    plugins.forget()
    worker_side._load.cache_clear()


def sent(*files: str) -> list[dict[str, str]]:
    return [plugins.texts(file) for file in files]


def test_describe_loads_plugins_with_their_helpers_in_place_of_earlier_ones() -> None:
    for name in ("one", "two"):
        Path(name).mkdir()
        Path(name, "mine.py").write_text(PLUGIN)
        Path(name, "helper.py").write_text(f"NAME = {name!r}\n")
    cells = [("one", "of-one:n=3,seed=0"), ("two", "of-one:n=3,seed=0")]
    place = cluster_messages.read_place(worker_side.describe(cells, sent("one/mine.py", "two/mine.py")))
    assert not isinstance(place, str), place
    assert place.versions["one"]["mine.py"] == plugins.version("one/mine.py")["mine.py"]
    assert {"of-one", "of-two"} <= problems.families().keys()
    Path("two/helper.py").write_text("NAME = 'three'\n")
    worker_side.describe([], sent("two/mine.py"))
    assert "three" in registry.solvers()
    assert not {"one", "two"} & registry.solvers().keys()
    assert "of-two" not in problems.families()
