"""Families of plugin files and packages: how they are registered, and that every command takes them."""

from __future__ import annotations

import importlib
import json
import os
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path

import pytest

import lapmark
from lapmark.bench import problems
from lapmark.bench.problems import Case
from lapmark.bench.run.cells import resolve
from lapmark.solvers import plugins
from lapmark.solvers.plugins import PluginError, PluginWarning, loading, source_files

family = importlib.import_module("lapmark.bench.problems.family")  # not the function of the same name

#: A family in ten lines.
FAMILY = '''
import numpy as np
import lapmark


@lapmark.family("steps", sizes=(8, 12))
def steps(n: int, seed: int, height: int = 5) -> lapmark.Assignment:
    """Costs of a few whole numbers."""
    return lapmark.Assignment(lapmark.DenseCost(np.random.default_rng(seed).integers(0, height, (n, n))))
'''


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """An empty current folder; the plugins are forgotten afterwards."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    monkeypatch.setattr(loading, "_loaded", {})
    monkeypatch.setattr(source_files, "folders", [])
    problems.families()
    yield tmp_path
    plugins.forget()


def write(path: str, text: str = FAMILY) -> str:
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    Path(path).write_text(textwrap.dedent(text))
    return path


def test_family_of_a_file_is_like_any_other() -> None:
    plugins.load(write("mine.py"))
    steps = problems.get("steps")
    plugins.forget()
    assert "steps" not in problems.families()
    plugins.load("mine.py")
    assert (steps.kind, steps.sizes, steps.variants) == (lapmark.Assignment, (8, 12), ({},))
    case = Case.read("steps:height=2,n=9")
    assert case.settings == {"height": 2}
    assert case.build().cost.dense().max() == 1
    with pytest.raises(ValueError, match="steps:depth=2: no setting 'depth'; there is height"):
        Case.read("steps:depth=2,n=9").build()
    with pytest.raises(ValueError, match="height = 'x'; it must be a whole number"):
        Case.read("steps:height=x,n=9").build()


def test_family_of_a_changed_file_has_another_key() -> None:
    write("helper.py", "X = 1")
    plugins.load(write("mine.py", FAMILY + "\nimport helper"))
    case = Case("steps", 8)
    assert set(case.versions) == {"problem steps"}
    before = resolve("jv", case)
    key = before.key({})
    write("helper.py", "X = 2")
    assert before.key({}) == key  # this process still runs the old code
    plugins.load("mine.py")
    assert resolve("jv", case).key({}) != key
    assert resolve("jv", Case("uniform", 8)).versions == before.versions


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        (" -> lapmark.Assignment", "", "problem 'steps': write what it builds, “-> lapmark.Assignment” or"),
        ("n: int, seed: int", "n: int, *, seed: int", "its function must begin with \\(n, seed\\)"),
        ("height: int = 5", "height: int", "its setting 'height' has no default; write height=…"),
        ("n: int, seed: int, height", "n", "its function must begin with \\(n, seed\\)"),
        ("(8, 12)", "(12, 8)", "sizes = \\(12, 8\\); give whole numbers above 0, in order"),
        ("(8, 12)", "()", "sizes = \\(\\); give whole numbers"),
        ("(8, 12)", "(0, 2.5)", "give whole numbers above 0"),
        ("sizes=(8, 12)", "variants=('a',)", "variants = \\('a',\\); give mappings of settings"),
        ('"steps"', '"My Steps"', "problem name 'My Steps': use lower case without blanks"),
        ('"steps"', '"uniform"', "'uniform' at mine.py, line 6: Lapmark has a problem of this name; choose another"),
        ("sizes=", "size=", "family.* unexpected keyword argument 'size'; write @lapmark.family"),
    ],
)  # fmt: skip
def test_family_that_is_wrong_names_the_line_and_the_cure(old: str, new: str, message: str) -> None:
    text = FAMILY.replace(old, new)
    assert text != FAMILY
    with pytest.raises(PluginError, match=f"plugin mine.py, line [67]: .*{message}"):
        plugins.load(write("mine.py", text))


@pytest.mark.parametrize(
    ("annotation", "message"),
    [
        ("int", "problem 'steps' at mine.py, line 6 builds int; it must be “-> lapmark.Assignment”"),
        ("'lapmark.Assigment'", "at mine.py, line 6: its annotations: module 'lapmark' has no attribute 'Assigment'"),
        ("'Absent'", "its annotations: name 'Absent' is not defined"),
    ],
)
def test_family_of_an_unknown_kind_says_so(annotation: str, message: str) -> None:
    plugins.load(write("mine.py", FAMILY.replace("-> lapmark.Assignment", f"-> {annotation}")))
    with pytest.raises(ValueError, match=message):
        _ = problems.get("steps").kind


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ("return helper(n)", r"ZeroDivisionError: division by zero \(mine.py:7\)"),
        ("raise SystemExit(3)", r"SystemExit: 3 \(mine.py:12\)"),
        ("return np.ones((n, n))", r"it returns ndarray in place of Assignment; return lapmark.* \(mine.py:9\)"),
        ("return lapmark.DenseCost(np.ones((n, n)))", "it returns DenseCost in place of Assignment"),
        ("return lapmark.Assignment(np.ones((n, n)))", r"TypeError: expected DenseCost.* \(mine.py:12\)"),
        ("return lapmark.Assignment(lapmark.DenseCost(np.full((n, n), np.nan)))", r"nan at \[0, 0\] \(mine.py:12\)"),
        ("return np.ones((10**7 * n, 10**7))", r"MemoryError: Unable to allocate .* \(mine.py:12\)"),
        (
            "return lapmark.Assignment(lapmark.DenseCost(np.ones((n + 1, n + 1))))",
            r"it is a problem of 10×10: neither side is n = 9 \(mine.py:9\)",
        ),
    ],
)
def test_family_that_fails_while_it_builds_names_its_line(body: str, message: str) -> None:
    head, _, _ = FAMILY.partition("    return")
    text = head.replace("\n@lapmark", "\ndef helper(n):\n    return 1 / (n - n)\n\n@lapmark") + f"    {body}\n"
    plugins.load(write("mine.py", text))
    with pytest.raises(problems.FamilyFault, match=message):
        Case("steps", 9).build()


def test_family_that_refuses_a_case_is_no_fault() -> None:
    plugins.load(
        write("mine.py", FAMILY.replace("    return", "    if n < 9: raise ValueError('too small')\n    return"))
    )
    with pytest.raises(ValueError, match=r"^too small$") as refusal:
        Case("steps", 8).build()
    assert not isinstance(refusal.value, problems.FamilyFault)


def test_family_that_fails_costs_only_its_own_cells() -> None:
    write("mine.py", FAMILY.replace("    return", "    if n == 8: 1 / 0\n    return"))
    arguments = ("--plugin", "mine.py", "-p", "steps", "-s", "jv")
    shown = lapmark_command("run", *arguments)
    assert "steps n=8  the case cannot be built: ZeroDivisionError: division by zero (mine.py:9)" in shown
    assert "ok       jv                   steps n=12" in shown
    found = lapmark_command("choose", "--plugin", "mine.py", "-p", "steps", "-n", 8, status=2)
    assert "steps:n=8,seed=0 cannot be built: ZeroDivisionError: division by zero (mine.py:9)" in found
    found = lapmark_command("check", "--plugin", "mine.py", "jv", "-p", "steps:n=8", status=2)
    assert "skipped  steps n=8  the case cannot be built: ZeroDivisionError" in found


def test_family_with_sizes_that_fail_names_its_line() -> None:
    plugins.load(write("mine.py", FAMILY.replace("sizes=(8, 12)", "sizes_of=lambda: (1 // 0,)")))
    with pytest.raises(problems.FamilyFault, match=r"ZeroDivisionError: .* \(mine.py:6\)"):
        problems.get("steps").sizes_with({})
    plugins.load(write("mine.py", FAMILY.replace("sizes=(8, 12)", "sizes_of=lambda: 8")))
    with pytest.raises(ValueError, match="sizes_of returns 8; it must be a tuple"):
        problems.get("steps").sizes_with({})


def test_family_of_an_entry_point_is_listed_and_a_broken_one_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, text in (("goodfamily", FAMILY), ("badfamily", "\n1 / 0")):
        write(f"site/{name}.py", text)
        write(f"site/{name}-1.0.dist-info/METADATA", f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
        write(f"site/{name}-1.0.dist-info/entry_points.txt", f"[{family.ENTRY_POINTS}]\n{name} = {name}\n")
    monkeypatch.syspath_prepend("site")
    importlib.invalidate_caches()
    monkeypatch.setattr(family, "_families", dict(family._families))
    monkeypatch.setattr(family, "_load", family._load.__wrapped__)
    with pytest.warns(PluginWarning, match=r"package badfamily 1\.0, entry point .*, site/badfamily\.py, line 2"):
        known = problems.families()
    assert known["steps"].origin.package == "goodfamily 1.0"
    assert set(known["steps"].versions) == {"problem steps"}
    del sys.modules["goodfamily"]


def lapmark_command(*arguments: object, status: int = 0) -> str:
    variables = {**os.environ, "COLUMNS": "300"}
    command = [sys.executable, "-m", "lapmark", *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, env=variables, check=False)
    assert "Traceback" not in done.stderr, done.stderr
    assert done.returncode == status, done.stdout + done.stderr
    return done.stdout + done.stderr


def test_family_of_a_file_works_in_every_command() -> None:
    write("mine.py")
    write("mine.toml", 'plugins = ["mine.py"]\nproblems = ["steps:height=3"]\nsolvers = ["jv"]\nn = [8]\n')
    run = lapmark_command("run", "--plugin", "mine.py", "-p", "steps", "-s", "jv", "-s", "scipy")
    assert run.count("ok  ") == 4
    assert "ok       jv" in lapmark_command("run", "--config", "mine.toml", "--to", "other")
    choice = ("choose", "-p", "steps", "-n", 40, "--format", "json")
    assert json.loads(lapmark_command(*choice, "--plugin", "mine.py"))["n"] == 40
    assert "no problem is called 'steps'" in lapmark_command(*choice, status=2)
    # Commands that read results need no plugin.
    assert "index.html" in lapmark_command("report", "results")
    lapmark_command("compare", "results", "results")
    lapmark_command("export", "results", "--format", "csv", "--to", "cells.csv")


def test_family_is_public() -> None:
    assert lapmark.family is family.family
    assert {"family", "register"} <= set(dir(lapmark))
