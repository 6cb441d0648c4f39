"""Builds of commits of every usual kind of Python project, each in a real repository."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest
from commits import commit, git, skip_without

from lapmark.bench.system.commit_build import Build, build
from lapmark.bench.system.git_repository import Repository

PYTHON = "def value():\n    return VALUE\n"

#: A function in C, as an extension module without any package's help.
C = """
#include <Python.h>
static PyObject *value(PyObject *self, PyObject *none) { return PyLong_FromLong(VALUE); }
static PyMethodDef methods[] = {{"value", value, METH_NOARGS, ""}, {0}};
static struct PyModuleDef module = {PyModuleDef_HEAD_INIT, "h3p", "", -1, methods};
PyMODINIT_FUNC PyInit_h3p(void) { return PyModule_Create(&module); }
"""

RUST = 'fn main() { println!("{}", VALUE); }\n'

#: A module that calls the command of its package.
CALLER = "import subprocess\ndef value():\n    return int(subprocess.check_output(['h3p']))\n"


def project(requires: str, backend: str, rest: str = '[project]\nname = "h3p"\nversion = "1.0"\n') -> str:
    return f'[build-system]\nrequires = [{requires}]\nbuild-backend = "{backend}"\n\n{rest}'


DYNAMIC = '[project]\nname = "h3p"\ndynamic = ["version"]\n'

SETUPTOOLS = project('"setuptools"', "setuptools.build_meta") + '[tool.setuptools]\npackages = ["h3p"]\n'


@dataclass(frozen=True)
class Kind:
    """A kind of project: its files, of which those with the text VALUE differ between commits.

    `packages` are downloaded to build it. `has_git_version` is whether its version is that of the tag.
    """

    packages: tuple[str, ...]
    files: Mapping[str, str]
    has_git_version: bool = False

    def at(self, value: int) -> dict[str, str]:
        return {name: text.replace("VALUE", str(value)) for name, text in self.files.items()}


PACKAGE = {"h3p/__init__.py": PYTHON}

KINDS = {
    "setuptools": Kind(("setuptools",), {"pyproject.toml": SETUPTOOLS, **PACKAGE}),
    "setup.py": Kind(
        ("setuptools",),
        {"setup.py": "from setuptools import setup\nsetup(name='h3p', version='1.0', packages=['h3p'])\n", **PACKAGE},
    ),
    "setuptools_scm": Kind(
        ("setuptools", "setuptools_scm"),
        {
            "pyproject.toml": project('"setuptools>=64", "setuptools_scm>=8"', "setuptools.build_meta", DYNAMIC)
            + '[tool.setuptools]\npackages = ["h3p"]\n[tool.setuptools_scm]\n',
            **PACKAGE,
        },
        has_git_version=True,
    ),
    "git describe": Kind(
        ("setuptools",),
        {
            "pyproject.toml": '[build-system]\nrequires = ["setuptools"]\nbuild-backend = "setuptools.build_meta"\n',
            "setup.py": "import subprocess\nfrom setuptools import setup\n"
            "version = subprocess.check_output(['git', 'describe', '--tags'], text=True).strip()\n"
            "setup(name='h3p', version=version, packages=['h3p'])\n",
            **PACKAGE,
        },
        has_git_version=True,
    ),
    "hatchling": Kind(
        ("hatchling",), {"pyproject.toml": project('"hatchling"', "hatchling.build"), "src/h3p/__init__.py": PYTHON}
    ),
    "hatch-vcs": Kind(
        ("hatchling", "hatch-vcs"),
        {
            "pyproject.toml": project('"hatchling", "hatch-vcs"', "hatchling.build", DYNAMIC)
            + '[tool.hatch.version]\nsource = "vcs"\n',
            **PACKAGE,
        },
        has_git_version=True,
    ),
    "flit": Kind(
        ("flit_core",),
        {"pyproject.toml": project('"flit_core"', "flit_core.buildapi") + 'description = "-"\n', **PACKAGE},
    ),
    "poetry": Kind(
        ("poetry-core",),
        {
            "pyproject.toml": project(
                '"poetry-core"',
                "poetry.core.masonry.api",
                '[tool.poetry]\nname = "h3p"\nversion = "1.0"\ndescription = "-"\nauthors = []\n',
            ),
            **PACKAGE,
        },
    ),
    "meson-python": Kind(
        ("meson-python", "ninja"),
        {
            "pyproject.toml": project('"meson-python"', "mesonpy"),
            "meson.build": "project('h3p', 'c', version: '1.0')\n"
            "import('python').find_installation(pure: false).extension_module('h3p', 'h3p.c', install: true)\n",
            "h3p.c": C,
        },
    ),
    "scikit-build-core": Kind(
        ("scikit-build-core", "cmake", "ninja"),
        {
            "pyproject.toml": project('"scikit-build-core"', "scikit_build_core.build"),
            "CMakeLists.txt": "cmake_minimum_required(VERSION 3.18)\nproject(h3p LANGUAGES C)\n"
            "find_package(Python REQUIRED COMPONENTS Interpreter Development.Module)\n"
            "Python_add_library(h3p MODULE WITH_SOABI h3p.c)\ninstall(TARGETS h3p DESTINATION .)\n",
            "h3p.c": C,
        },
    ),
    "maturin": Kind(
        ("maturin",),
        {
            "pyproject.toml": project('"maturin"', "maturin")
            + '[tool.maturin]\nbindings = "bin"\npython-source = "python"\n',
            "Cargo.toml": '[package]\nname = "h3p"\nversion = "1.0.0"\nedition = "2021"\n',
            "src/main.rs": RUST,
            "python/h3p/__init__.py": CALLER,
        },
    ),
}

#: Kinds that take more than a few seconds, or go the way of another kind.
SLOW = {"setup.py", "git describe", "flit", "poetry", "hatch-vcs", "meson-python", "scikit-build-core", "maturin"}


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A cache folder for each test, with a space in its name."""
    monkeypatch.setenv("LAPMARK_CACHE", str(tmp_path / "the cache"))
    return tmp_path / "the cache"


@pytest.fixture(scope="module")
def plain_python(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The interpreter of a new environment, which has the setuptools that Python 3.11 brings, and no `wheel`."""
    folder = tmp_path_factory.mktemp("environment")
    subprocess.run([sys.executable, "-m", "venv", "--system-site-packages", folder], check=True)
    return str(folder / "bin" / "python")


def check(built: Build, value: int, version: str = "1.0") -> None:
    """Check that a build's own interpreter imports its value and version."""
    built.python(
        [
            "-c",
            "import h3p, importlib.metadata as m, pathlib; "
            f"assert pathlib.Path(h3p.__file__).is_relative_to({str(built.folder)!r}), h3p.__file__; "
            f"assert h3p.value() == {value}, h3p.value(); assert m.version('h3p') == {version!r}, m.version('h3p')",
        ]
    )


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=[pytest.mark.slow] if name in SLOW else []) for name in KINDS]
)
def test_build_of_each_kind_of_project_has_the_code_and_the_version_of_its_commit(name: str, tmp_path: Path) -> None:
    kind = KINDS[name]
    if name == "maturin" and shutil.which("cargo") is None:
        pytest.skip("cargo is not installed")
    skip_without(*kind.packages)
    folder = tmp_path / "repository"
    commits = [commit(folder, kind.at(value), tag) for value, tag in ((1, "v1.0"), (2, "v1.1"))]
    repository = Repository(folder)
    before = git(folder, "for-each-ref"), git(folder, "status", "--porcelain"), (folder / ".git/index").read_bytes()
    for value, name_of_commit in enumerate(commits, 1):
        built = build(repository, name_of_commit)
        check(built, value, f"1.{value - 1}" if kind.has_git_version else "1.0")
    assert before == (
        git(folder, "for-each-ref"),
        git(folder, "status", "--porcelain"),
        (folder / ".git/index").read_bytes(),
    )
