"""Builds of commits of every usual kind of Python project, each in a real repository."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from commits import commit, git, skip_without

from lapmark.bench.system import build_tools
from lapmark.bench.system.commit_build import Build, BuildError, build
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


#: A project with a build backend of its own, which needs no package: it builds at once, and without a registry.
OWN = {
    "pyproject.toml": """
[build-system]
requires = []
build-backend = "backend"
backend-path = ["."]
""",
    "backend.py": """
import zipfile

KNOWN = "Metadata-Version: 2.1\\nName: h3p\\n"

def version():
    return "1.0"

def dependencies():
    return []

def build_wheel(folder, settings=None, metadata=None):
    name, needed = f"h3p-{version()}", "".join(f"Requires-Dist: {text}\\n" for text in dependencies())
    with zipfile.ZipFile(f"{folder}/{name}-py3-none-any.whl", "w") as wheel:
        wheel.write("h3p/__init__.py")
        wheel.writestr(f"{name}.dist-info/METADATA", f"{KNOWN}Version: {version()}\\n{needed}")
        wheel.writestr(f"{name}.dist-info/WHEEL", "Wheel-Version: 1.0\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n")
        wheel.writestr(f"{name}.dist-info/RECORD", "")
    return f"{name}-py3-none-any.whl"
""",
    "h3p/__init__.py": PYTHON.replace("VALUE", "1"),
}


def own(**functions: str) -> dict[str, str]:
    """The files of that project, whose backend has other functions: the expressions that they return."""
    code = "".join(f"\ndef {name}():\n    return {expression}\n" for name, expression in functions.items())
    return {**OWN, "backend.py": OWN["backend.py"] + code}


#: The version of the last tag.
DESCRIBED = "__import__('subprocess').check_output(['git', 'describe', '--tags'], text=True).strip().lstrip('v')"


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


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A cache folder for each test, with a space in its name."""
    monkeypatch.setenv("LAPMARK_CACHE", str(tmp_path / "the cache"))
    return tmp_path / "the cache"


@pytest.fixture
def offline(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A pip that finds no package anywhere."""
    for name in [name for name in os.environ if name.startswith("PIP_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    build_tools._choose.cache_clear()
    yield
    build_tools._choose.cache_clear()


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


@pytest.mark.slow
@pytest.mark.parametrize("name", KINDS)
def test_builds_of_each_kind_of_project_have_the_code_and_the_version_of_their_commit(
    name: str, tmp_path: Path
) -> None:
    kind = KINDS[name]
    if name == "maturin" and shutil.which("cargo") is None:
        pytest.skip("cargo is not installed")
    skip_without(*kind.packages)
    folder = tmp_path / "repository"
    commits = [commit(folder, kind.at(value), tag) for value, tag in ((1, "v1.0"), (2, "v1.1"))]
    before = git(folder, "for-each-ref"), git(folder, "status", "--porcelain")
    for value, made in enumerate(commits, 1):
        check(build(Repository(folder), made), value, f"1.{value - 1}" if kind.has_git_version else "1.0")
    assert before == (git(folder, "for-each-ref"), git(folder, "status", "--porcelain"))


def test_build_of_a_setuptools_scm_project_has_the_code_and_the_version_of_its_commit(tmp_path: Path) -> None:
    """The representative of the kinds: pip downloads its tools, and another commit is checked out."""
    kind, folder = KINDS["setuptools_scm"], tmp_path / "repository"
    skip_without(*kind.packages)
    first = commit(folder, kind.at(1), "v1.0")
    commit(folder, kind.at(2), "v1.1")
    check(build(Repository(folder), first), 1, "1.0")


def in_folder(files: Mapping[str, str]) -> dict[str, str]:
    return {f"libs/py/{name}": text for name, text in files.items()}


@pytest.mark.slow
def test_build_in_a_folder_of_a_repository_has_the_code_of_its_commit(tmp_path: Path) -> None:
    skip_without("hatchling")
    made = commit(tmp_path / "mono", in_folder(KINDS["hatchling"].at(7)))
    check(build(Repository(tmp_path / "mono", Path("libs/py")), made), 7)


def test_build_in_a_folder_may_read_files_of_the_whole_repository(tmp_path: Path) -> None:
    files = in_folder(own(version="open('../../VERSION').read().strip()"))
    commits = [commit(tmp_path / "mono", {**files, "VERSION": version}) for version in ("3.2", "3.3")]
    for made, version in zip(commits, ("3.2", "3.3"), strict=True):
        check(build(Repository(tmp_path / "mono", Path("libs/py")), made), 1, version)


def test_build_that_is_kept_is_used_again_by_commits_of_the_same_sources(cache: Path, tmp_path: Path) -> None:
    first = commit(tmp_path / "repository", OWN)
    git(tmp_path / "repository", "commit", "--quiet", "--allow-empty", "--message", "nothing")
    second = git(tmp_path / "repository", "rev-parse", "HEAD")
    builds = [build(Repository(tmp_path / "repository"), made) for made in (first, second)]
    assert builds[0].folder == builds[1].folder
    assert [built.commit for built in builds] == [first, second]
    assert not list(cache.rglob("*.part"))


def test_build_in_a_shallow_clone_says_that_tags_are_missing(tmp_path: Path) -> None:
    commit(tmp_path / "repository", own(version=DESCRIBED), "v1.0")
    commit(tmp_path / "repository", {"file": ""})
    git(tmp_path, "clone", "--quiet", "--depth", "1", (tmp_path / "repository").as_uri(), "clone")
    clone = Repository(tmp_path / "clone")
    with pytest.raises(BuildError, match=r"git.*describe[^$]*\nThe clone is shallow: .*`fetch-depth: 0`"):
        build(clone, clone.commit("HEAD"))


def test_build_in_a_git_hook_takes_its_version_from_the_commit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made = commit(tmp_path / "repository", own(version=DESCRIBED), "v1.0")
    commit(tmp_path / "other", {"file": ""}, "v9.9")
    monkeypatch.setenv("GIT_DIR", str(tmp_path / "other" / ".git"))
    check(build(Repository(tmp_path / "repository"), made), 1)


#: What a build may do wrong, with what the error must show.
FAILURES = {
    "__import__('os').stat('no such file')": r"FileNotFoundError: .*'no such file'$",
    "__import__('surely_missing')": r"surely_missing'\n.* in build-system.requires of pyproject.toml\.$",
    "__import__('subprocess').check_call(['cc', 'h3p.c'])": r"\nh3p\.c:\d+:.*error: .*missing_name",
}


@pytest.mark.parametrize("fault", FAILURES)
def test_build_that_fails_shows_the_reason_and_the_log(fault: str, tmp_path: Path, cache: Path) -> None:
    source = "/* */\n" * 50 + "int f(void) { return missing_name; }\n"
    made = commit(tmp_path / "repository", {**own(version=fault), "h3p.c": source})
    with pytest.raises(BuildError, match=FAILURES[fault]) as failed:
        build(Repository(tmp_path / "repository"), made)
    (log,) = (cache / "builds").glob("*.log")
    assert str(failed.value).startswith(f"{made[:12]} cannot be built; see {log}\n")
    assert len(str(failed.value).splitlines()) < 25
    assert "build_wheel" in log.read_text()


def test_build_that_needs_a_missing_package_names_it_and_the_cure(tmp_path: Path) -> None:
    needed = ["surely-missing>=2", "absent[all]; python_version >= '3'", "other; python_version < '3'", "numpy>=1"]
    made = commit(tmp_path / "repository", own(dependencies=repr(needed)))
    with pytest.raises(
        BuildError, match=r"needs surely-missing>=2, absent.* must be installed; .* install 'surely-missing>=2'"
    ):
        build(Repository(tmp_path / "repository"), made)


def test_build_that_asks_for_another_version_says_which_is_used(tmp_path: Path) -> None:
    made = commit(tmp_path / "repository", own(dependencies="['numpy>=900', 'h3p', 'x; extra == \"y\"']"))
    (note,) = build(Repository(tmp_path / "repository"), made).notes
    assert note == f"{made[:12]} asks for numpy>=900; {np.__version__} is installed and used."


@pytest.mark.usefixtures("offline")
def test_build_without_a_registry_uses_the_installed_packages_and_says_so(tmp_path: Path) -> None:
    made = commit(tmp_path / "repository", KINDS["meson-python"].at(1))
    built = build(Repository(tmp_path / "repository"), made)
    check(built, 1)
    (note,) = built.notes
    assert note.startswith("Built with the installed packages, since meson-python cannot be downloaded (ERROR: No mat")


@pytest.mark.usefixtures("offline")
def test_build_without_a_registry_and_a_needed_package_names_it(tmp_path: Path) -> None:
    files = {"pyproject.toml": project('"surely-missing>=2"', "missing"), **PACKAGE}
    made = commit(tmp_path / "repository", files)
    with pytest.raises(
        BuildError, match=r"requirements \('surely-missing>=2'\) cannot be installed:\n[^$]*No matching"
    ):
        build(Repository(tmp_path / "repository"), made)


@pytest.mark.parametrize(
    ("requires", "expected"),
    [('"--index-url=x"', "build-system.requires in pyproject.toml: '--index-url=x'"), ("1", "must be a list of")],
)
def test_build_with_invalid_requirements_names_the_key(requires: str, expected: str, tmp_path: Path) -> None:
    made = commit(tmp_path / "repository", {"pyproject.toml": project(requires, "missing")})
    with pytest.raises(BuildError, match=expected):
        build(Repository(tmp_path / "repository"), made)


def test_tools_without_isolation_need_wheel_beside_an_old_setuptools(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As in a new environment of Python 3.11, which has setuptools 65 and no wheel."""
    for name in "setuptools-65.5.0", "wheel-0.45.0":
        (tmp_path / f"{name}.dist-info").mkdir()
        package, _, version = name.partition("-")
        (tmp_path / f"{name}.dist-info" / "METADATA").write_text(f"Name: {package}\nVersion: {version}\n")
    monkeypatch.setattr("sys.path", [str(tmp_path)])
    found = build_tools._installed(("setuptools>=40",), "setuptools.build_meta")
    assert found == ("setuptools==65.5.0", "wheel==0.45.0")
    shutil.rmtree(tmp_path / "wheel-0.45.0.dist-info")
    assert build_tools._installed(("setuptools>=40",), "setuptools.build_meta") is None
    assert build_tools._installed(("setuptools>=40",), "another") == ("setuptools==65.5.0",)
    assert build_tools._installed(("setuptools>=70",), "another") is None
