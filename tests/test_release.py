"""What a release consists of: one version, wheels for every Python that is named, and one job that may publish."""

from __future__ import annotations

import importlib.metadata
import importlib.util
import re
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).parents[1]
SETTINGS = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
WHEELS = SETTINGS["tool"]["cibuildwheel"]
WORKFLOWS = {path.stem: yaml.safe_load(path.read_text()) for path in (ROOT / ".github" / "workflows").glob("*.yml")}
JOBS = {(name, key): job for name, workflow in WORKFLOWS.items() for key, job in workflow["jobs"].items()}


def test_version_stands_in_meson_build_and_has_an_entry_in_the_changelog() -> None:
    (version,) = re.findall(r"^  version: '(.*)',$", (ROOT / "meson.build").read_text(), flags=re.MULTILINE)
    assert importlib.metadata.version("lapmark") == version
    assert "version" not in SETTINGS["project"]
    assert re.search(rf"^## {re.escape(version)}\b", (ROOT / "CHANGELOG.md").read_text(), flags=re.MULTILINE)
    recipe = yaml.safe_load((ROOT / "packaging" / "conda-forge" / "recipe.yaml").read_text())
    assert recipe["context"]["version"] == version


def test_wheels_are_built_for_the_pythons_that_the_classifiers_name() -> None:
    named = re.findall(r":: 3\.(\d+)$", "\n".join(SETTINGS["project"]["classifiers"]), flags=re.MULTILINE)
    assert sorted(WHEELS["build"].split()) == sorted([*(f"cp3{minor}-*" for minor in named), f"cp3{max(named)}t-*"])
    assert SETTINGS["project"]["requires-python"] == f">=3.{min(named)}"


def test_command_that_tests_a_wheel_names_tests_that_are_there() -> None:
    paths = [word for word in WHEELS["test-command"].split() if word.startswith("tests")]
    assert len(paths) > 1
    assert all((ROOT / path).exists() for path in paths)


def test_workflows_cannot_write_except_the_job_that_publishes_a_tag() -> None:
    for name, workflow in WORKFLOWS.items():
        assert workflow["permissions"] == {"contents": "read"}, name
    (publishing,) = (key for key, job in JOBS.items() if "permissions" in job)
    assert publishing == ("release", "publish")
    job = JOBS[publishing]
    assert job["permissions"] == {"id-token": "write"}
    assert job["needs"] == "check"
    assert job["if"] == "github.event_name == 'push' && github.ref_type == 'tag'"


def test_release_builds_on_the_machines_that_ci_tests() -> None:
    built = set(JOBS["release", "wheels"]["strategy"]["matrix"]["os"])
    tested = {each["os"] for each in JOBS["ci", "wheel"]["strategy"]["matrix"]["include"]}
    assert tested | set(JOBS["ci", "test"]["strategy"]["matrix"]["os"]) == built


@pytest.mark.parametrize("key", JOBS, ids="/".join)
def test_jobs_have_a_time_limit_and_actions_a_version(key: tuple[str, str]) -> None:
    job: dict[str, Any] = JOBS[key]
    assert job["timeout-minutes"] <= 180
    assert all("@" in step["uses"] for step in job["steps"] if "uses" in step)


def test_kernels_are_in_one_module_only() -> None:
    spec = importlib.util.find_spec("lapmark.solvers.native._kernels")
    assert spec is not None
    assert spec.origin is not None
    kernels = Path(spec.origin)
    others = [path for path in kernels.parent.glob(f"_*{kernels.suffix}") if path != kernels]
    assert len(others) >= 7
    assert max(path.stat().st_size for path in others) < kernels.stat().st_size / 2
