"""Build tools of a Python project: the packages that `build-system.requires` asks for, and the compilers.

pip installs the packages for each build alone, isolated from those of this environment. Which versions it would take
is found once for all builds of a process: two commits are built with the same tools, and a build that was kept is used
again only while they are the same.
"""

import functools
import importlib.metadata
import importlib.util
import json
import os
import shlex
import shutil
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from packaging.requirements import InvalidRequirement, Requirement
from packaging.version import Version

from . import scratch_folders
from .commands import CommandError, error_excerpt, run

PIP = (sys.executable, "-m", "pip", "--disable-pip-version-check")

#: What pip builds a project with that does not say.
DEFAULT_REQUIRES = ("setuptools>=40.8.0",)

#: The first setuptools that makes wheels without the package `wheel`.
_SETUPTOOLS_WITH_WHEEL = Version("70.1")

#: Environment variables that compilers and their callers read.
_COMPILER_VARIABLES = ("AR", "CC", "CFLAGS", "CPPFLAGS", "CXX", "CXXFLAGS", "FC", "FFLAGS", "LDFLAGS", "RUSTFLAGS")


class BuildToolsError(ValueError):
    """The packages to build a project with are not to be had; the text says which, why, and what to do."""


@dataclass(frozen=True)
class BuildTools:
    """Packages to build with, as `name==version`: installed for the build alone if `is_isolated`, else those here.

    `note` says why they are not isolated.
    """

    packages: tuple[str, ...]
    is_isolated: bool = True
    note: str = ""


def choose(system: Any) -> BuildTools:
    """Return the tools for the table `build-system` of a pyproject.toml, or for None.

    They are isolated, as with pip. Where they cannot be downloaded, those that are installed are used if they suffice;
    else a BuildToolsError is raised.
    """
    table = system if isinstance(system, Mapping) else {}
    requires = table.get("requires", DEFAULT_REQUIRES)
    if importlib.util.find_spec("pip") is None:
        raise BuildToolsError(
            "builds need pip, which is not installed here: `python -m ensurepip`, or `uv pip install pip`"
        )
    if not isinstance(requires, list | tuple) or not all(isinstance(text, str) for text in requires):
        raise BuildToolsError(f"build-system.requires in pyproject.toml must be a list of requirements, not {requires}")
    for text in requires:
        try:
            Requirement(text)
        except InvalidRequirement as error:
            raise BuildToolsError(f"build-system.requires in pyproject.toml: {text!r}: {error}") from None
    return _choose(tuple(requires), str(table.get("build-backend", "setuptools.build_meta")))


@functools.cache
def _choose(requires: tuple[str, ...], backend: str) -> BuildTools:
    if not requires:
        return BuildTools(())
    installed = _installed(requires, backend)
    patience = ["--retries", "1"] if installed else []
    with scratch_folders.folder() as folder:
        report = folder / "report.json"
        options = ["--quiet", "--dry-run", "--ignore-installed", "--report", str(report), *patience]
        try:
            run([*PIP, "install", *options, "--", *requires])
        except CommandError as error:
            what = shlex.join(requires)
            if installed is None:
                raise BuildToolsError(
                    f"the build requirements ({what}) cannot be installed:\n{error_excerpt(error)}"
                ) from None
            reason = error_excerpt(error).splitlines()[-1]
            note = f"Built with the installed packages, since {what} cannot be downloaded ({reason})."
            return BuildTools(installed, is_isolated=False, note=note)
        content = json.loads(report.read_text(encoding="utf-8"))
    return BuildTools(tuple(sorted(map(_pin, content["install"]))))


def _pin(entry: Mapping[str, Any]) -> str:
    """Return a package of pip's report as a constraint; one from a URL with that."""
    name, version = entry["metadata"]["name"], entry["metadata"]["version"]
    return f"{name} @ {entry['download_info']['url']}" if entry["is_direct"] else f"{name}=={version}"


def _installed(requires: tuple[str, ...], backend: str) -> tuple[str, ...] | None:
    """Return the installed packages that meet the requirements, or None where one is missing or does not suffice."""
    found = {}
    for requirement in map(Requirement, requires):
        if requirement.marker is not None and not requirement.marker.evaluate():
            continue
        try:
            found[requirement.name] = importlib.metadata.version(requirement.name)
        except importlib.metadata.PackageNotFoundError:
            return None
        if requirement.url or not requirement.specifier.contains(found[requirement.name], prereleases=True):
            return None
    if backend.startswith("setuptools.") and Version(found.get("setuptools", "0")) < _SETUPTOOLS_WITH_WHEEL:
        try:
            found["wheel"] = importlib.metadata.version("wheel")
        except importlib.metadata.PackageNotFoundError:
            return None
    return tuple(sorted(f"{name}=={version}" for name, version in found.items()))


@functools.cache
def compilers() -> tuple[str, ...]:
    """Return the versions of the compilers here and the variables that change what they make."""
    commands = [os.environ.get("CC", "cc"), os.environ.get("CXX", "c++"), "rustc"]
    versions = [_version(shlex.split(command)) for command in commands]
    return (*versions, *(f"{name}={os.environ[name]}" for name in _COMPILER_VARIABLES if name in os.environ))


def _version(command: list[str]) -> str:
    """Return the first line of a compiler's version, or nothing where it is not installed."""
    if not command or shutil.which(command[0]) is None:
        return ""
    done = subprocess.run([*command, "--version"], stdin=subprocess.DEVNULL, capture_output=True)
    return done.stdout.decode(errors="replace").partition("\n")[0]


def constraints(tools: BuildTools, file: Path) -> dict[str, str]:
    """Write the versions of isolated tools to a file, and return variables that hold pip to them."""
    file.write_text("".join(f"{package}\n" for package in tools.packages), encoding="utf-8")
    # As a URL, since pip splits the variable at spaces. Since pip 25.3 a build has a variable of its own.
    names = ("PIP_CONSTRAINT", "PIP_BUILD_CONSTRAINT")
    return {name: " ".join(filter(None, (os.environ.get(name), file.as_uri()))) for name in names}
