"""Lapmark with fewer packages than its tests have: what works then, and what says how to get the rest.

A `sitecustomize` hides all packages but those of some extras, from child processes too.
"""

from __future__ import annotations

import functools
import importlib.metadata
import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

HIDE = """
import importlib.metadata, importlib.util, sys
MODULES, DISTRIBUTIONS = {modules!r}, {distributions!r}

class Hidden:
    def find_spec(name, path=None, target=None):
        if name.partition(".")[0] in MODULES:
            raise ModuleNotFoundError(f"No module named {{name!r}}", name=name)

def find_spec(name, package=None, original=importlib.util.find_spec):
    return None if name.partition(".")[0] in MODULES else original(name, package)

def version(name, original=importlib.metadata.version):
    if name in DISTRIBUTIONS:
        raise importlib.metadata.PackageNotFoundError(name)
    return original(name)

sys.meta_path.insert(0, Hidden)
importlib.metadata.version, importlib.util.find_spec = version, find_spec
"""

LIBRARY = """
import numpy as np
from lapmark import *
rng = np.random.default_rng(0)
costs, x, y = rng.random((60, 60)), rng.random((60, 2)), rng.random((60, 2))
for problem in Assignment(DenseCost(costs)), Assignment(PointCost(x, y)):
    for name in names(problem):
        assert certify(problem, solve(problem, name)).valid, name
for blur in 0, 0.1:
    problem = Transport(PointCost(x, y), blur=blur)
    assert certify(problem, solve(problem)).valid
assert emd(DenseCost(costs), np.ones((2, 60)), np.ones((2, 60))).shape == (2,)
assert solve_batch(rng.random((4, 5, 5))).row_to_col.shape == (4, 5)
assert len(grid_layout(x)) == 60
assert loss(problem).value > 0
print(*names())
"""

FIRST_CALL = """
import sys
import numpy as np
from lapmark import linear_sum_assignment
linear_sum_assignment(np.random.default_rng(0).random((200, 200)))
print(*sys.modules)
"""

Run = Callable[..., subprocess.CompletedProcess[str]]


def packages_of(extras: set[str], other: str) -> set[str]:
    """Return the packages that Lapmark needs with these extras, another package, and what all of these need."""
    found = {"lapmark", other}

    def add(distribution: str, wanted: set[str]) -> None:
        for line in importlib.metadata.requires(distribution) or []:
            requirement, _, condition = line.partition(";")
            name, inner = re.match(r"([\w.-]+)(?:\[(.*?)\])?", requirement).groups()  # type: ignore[union-attr]
            extra = re.search(r"extra == ['\"](.*?)['\"]", condition)
            if extra is not None and extra[1] not in wanted:
                continue
            if name == "lapmark":
                add("lapmark", set(inner.split(",")))
            elif _normal(name) not in found and _normal(name) in _installed():
                found.add(_normal(name))
                add(name, set())

    add("lapmark", extras)
    if other:
        add(other, set())
    return found


def _normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


@functools.cache
def _installed() -> frozenset[str]:
    return frozenset(_normal(each.name) for each in importlib.metadata.distributions() if each.name)


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """Run Python with only the packages of these extras."""

    def run(extras: set[str], *arguments: str, other: str = "") -> subprocess.CompletedProcess[str]:
        seen = packages_of(extras, other)
        modules = {
            module
            for module, owners in importlib.metadata.packages_distributions().items()
            if not seen & set(map(_normal, owners))
        }
        hook = HIDE.format(modules=modules, distributions=set(_installed() - seen))
        (tmp_path / "sitecustomize.py").write_text(hook)
        return subprocess.run(
            [sys.executable, *arguments],
            env={
                **os.environ,
                "PYTHONPATH": str(tmp_path),
                "COLUMNS": "200",
                "LAPMARK_DATA": "",
                "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1",
            },
            cwd=tmp_path,
            capture_output=True,
            text=True,
            check=False,
        )

    return run


def test_library_without_extras_solves_and_certifies(run: Run) -> None:
    done = run(set(), "-c", LIBRARY)
    assert done.returncode == 0, done.stderr
    assert {"cascade", "transport", "sinkhorn", "scipy"} <= set(done.stdout.split())
    assert not {"hungarian", "lap", "pot-emd"} & set(done.stdout.split())


def test_hungarian_without_numba_is_missing_with_the_cure(run: Run) -> None:
    done = run(set(), "-c", "import lapmark; print(lapmark.solvers.registry.get('hungarian').missing)")
    assert done.stdout.strip() == "package numba is not installed (pip install numba)"


def test_first_assignment_loads_only_what_it_uses() -> None:
    done = subprocess.run([sys.executable, "-c", FIRST_CALL], capture_output=True, text=True, check=True)
    loaded = set(done.stdout.split())
    assert not {"scipy", "importlib.metadata", "lapmark.bench", "lapmark.solvers.assignment"} & loaded


@pytest.mark.parametrize(
    ("verb", "cure"), [("run", "lapmark[bench]"), ("map", "lapmark[map]"), ("--help", "lapmark[bench]")]
)
def test_command_without_extras_names_the_extra(run: Run, verb: str, cure: str) -> None:
    done = run(set(), "-m", "lapmark", verb)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == f"lapmark {verb} needs the package typer, which is not installed: pip install '{cure}'\n"


def test_harness_of_the_library_without_extras_names_the_extra(run: Run) -> None:
    done = run(set(), "-c", "import lapmark; lapmark.embed")
    assert "lapmark.embed needs the package" in done.stderr
    assert done.stderr.endswith("pip install 'lapmark[bench]'\n")


def test_map_with_its_extra_alone_writes_a_page(run: Run, tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    (tmp_path / "images").mkdir()
    for k in range(12):
        Image.fromarray(rng.integers(0, 255, (8, 8, 3), dtype=np.uint8)).save(tmp_path / "images" / f"{k}.png")
    done = run({"map"}, "-m", "lapmark", "map", "images", "-o", "map.html", "--save-assignment", "map.csv")
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "map.html").exists()
    assert len((tmp_path / "map.csv").read_text().splitlines()) == 13


def test_other_verb_with_the_extra_map_names_the_extra_bench(run: Run) -> None:
    done = run({"map"}, "-m", "lapmark", "choose", "-p", "uniform", "-n", "100")
    assert done.returncode == 2
    assert "lapmark choose needs the package pyarrow" in done.stderr
    assert "pip install 'lapmark[bench]'" in done.stderr


def test_run_and_report_with_the_extra_bench_need_no_numba(run: Run, tmp_path: Path) -> None:
    done = run(
        {"bench"}, "-m", "lapmark", "run", "-s", "jv", "-s", "hungarian", "-p", "uniform", "-n", "16", "--to", "out"
    )
    assert done.returncode == 0, done.stderr
    assert "pip install numba" in done.stdout
    assert run({"bench"}, "-m", "lapmark", "report", "out").returncode == 0
    assert (tmp_path / "out" / "index.html").exists()


def test_what_is_compiled_without_numba_names_the_package(run: Run) -> None:
    done = run({"bench"}, "-c", "import lapmark; lapmark.LocallyLinearEmbedding")
    assert done.stderr.endswith("needs the package numba, which is not installed: pip install numba\n")


def test_pytest_of_others_runs_without_extras(run: Run, tmp_path: Path) -> None:
    (tmp_path / "test_theirs.py").write_text("def test_one():\n    assert True\n")
    plugin = "-p", "lapmark.bench.history.pytest_plugin", "-p", "no:cacheprovider"
    done = run(set(), "-m", "pytest", "-q", *plugin, "test_theirs.py", other="pytest")
    assert "1 passed" in done.stdout, done.stdout + done.stderr
