"""The package as users meet it: beside their own folders, as a command and a module, and in their type checker."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

import lapmark

SOLVE = """
import numpy as np
import lapmark
from lapmark import Assignment, DenseCost, gmm_flow, solve
assert lapmark.bench.__name__ == "lapmark.bench"
print(solve(Assignment(DenseCost(np.eye(3)))).cost)
"""

TYPED = """
import numpy as np
from lapmark import Assignment, DenseCost, LocallyLinearEmbedding, solve
answer = solve(Assignment(DenseCost(np.eye(3))))
reveal_type(answer)
reveal_type(solve)
reveal_type(LocallyLinearEmbedding)
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A user's own modules, named like the parts of the package; to import one of them is an error."""
    for name in ("solvers.py", "bench/__init__.py", "reports/__init__.py"):
        file = tmp_path / name
        file.parent.mkdir(exist_ok=True)
        file.write_text("raise SystemExit('this is the file of the user')")
    (tmp_path / "script.py").write_text(SOLVE)
    return tmp_path


def run(folder: Path, *arguments: object, program: str = sys.executable) -> str:
    """What a program prints, started in a folder that is also on the module path."""
    variables = {**os.environ, "PYTHONPATH": str(folder), "PYTHONSAFEPATH": ""}
    done = subprocess.run(
        [program, *map(str, arguments)], cwd=folder, env=variables, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.mark.parametrize("arguments", [("script.py",), ("-m", "script"), ("-c", SOLVE)], ids=["script", "module", "-c"])
def test_library_runs_beside_modules_of_the_same_names(folder: Path, arguments: tuple[str, ...]) -> None:
    assert run(folder, *arguments) == "0.0\n"


@pytest.mark.parametrize("form", ["command", "module"])
def test_command_runs_and_reports_beside_modules_of_the_same_names(folder: Path, form: str) -> None:
    program, before = (
        (str(Path(sys.executable).with_name("lapmark")), ())
        if form == "command"
        else (sys.executable, ("-m", "lapmark"))
    )
    problem = ("-s", "jv", "-p", "uniform", "-n", 8, "--budget", "10ms")
    assert "jv" in run(folder, *before, "run", *problem, "--to", "out", program=program)
    run(folder, *before, "report", "out", program=program)
    assert (folder / "out" / "index.html").exists()


def test_package_installs_nothing_beside_lapmark_at_the_top_level(tmp_path: Path) -> None:
    names = "lapmark", "solvers", "bench", "reports"
    code = f"from importlib.util import find_spec; print([name for name in {names} if find_spec(name)])"
    assert run(tmp_path, "-c", code) == "['lapmark']\n"


def test_public_names_all_exist() -> None:
    assert len(lapmark.__all__) == len(set(lapmark.__all__))
    assert [name for name in lapmark.__all__ if not hasattr(lapmark, name)] == []
    with pytest.raises(AttributeError, match="'solv'"):
        lapmark.solv  # noqa: B018


@pytest.mark.parametrize("name", ["solvers", "solve", "gmm_flow", "__all__"])
def test_public_name_is_loaded_by_its_first_use_and_stays(tmp_path: Path, name: str) -> None:
    code = (
        f"import lapmark; before = {name!r} in vars(lapmark); lapmark.{name}; print(before, {name!r} in vars(lapmark))"
    )
    assert run(tmp_path, "-c", code) == "False True\n"


def test_user_s_type_checker_sees_the_types(tmp_path: Path) -> None:
    (tmp_path / "typed.py").write_text(TYPED)
    source = Path(lapmark.__file__).parents[1]
    done = subprocess.run(
        [
            sys.executable,
            "-m",
            "mypy",
            "--cache-dir",
            str(tmp_path / "cache"),
            "--follow-imports",
            "silent",
            "typed.py",
        ],
        cwd=tmp_path,
        env={**os.environ, "MYPYPATH": str(source)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    first, second, third = (line.partition("Revealed type is ")[2] for line in done.stdout.splitlines()[:3])
    assert "Matching" in first
    assert "def (problem:" in second
    assert "LocallyLinearEmbedding" in third
