"""What `lapmark gate --init` writes for projects of several kinds."""

from pathlib import Path

import pytest
from commits import commit

from lapmark.bench.gate import settings
from lapmark.bench.gate.benchmarks import Command
from lapmark.bench.gate.start import write_start

PROJECT = '[build-system]\nrequires = ["setuptools"]\n\n[project]\nname = "mine-tool"\nversion = "1"\n'
PLUGIN = (
    "from lapmark import Capabilities, register\n\n\n@register('mine', Capabilities(exact=False))\ndef mine(p): ...\n"
)


def start(folder: Path, monkeypatch: pytest.MonkeyPatch, **files: str) -> settings.Settings:
    commit(
        folder, {name.replace("__", "/").replace("_toml", ".toml").replace("_py", ".py"): files[name] for name in files}
    )
    monkeypatch.chdir(folder)
    assert list(write_start(folder))[-1].startswith("Next: commit this")
    return settings.load(None, folder)


def test_start_of_a_project_with_solvers_measures_them(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    entry = '[project.entry-points."lapmark.solvers"]\nmine = "mine_tool"\n'
    found = start(tmp_path, monkeypatch, pyproject_toml=PROJECT + entry, mine_tool_py=PLUGIN)
    assert (found.commands, found.plugins) == ((), ())


def test_start_of_a_project_with_a_plugin_file_names_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    found = start(tmp_path, monkeypatch, tools__mine_py=PLUGIN, other_py="print('lapmark')\n")
    assert (found.commands, found.plugins) == ((), ("tools/mine.py",))


def test_start_of_a_project_with_a_script_measures_the_script(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    found = start(tmp_path, monkeypatch, pyproject_toml=PROJECT + '[project.scripts]\nmine = "mine_tool:main"\n')
    assert found.commands == (Command("mine", ("mine", "--help")),)


def test_start_of_a_project_without_a_script_measures_its_import(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = start(tmp_path, monkeypatch, pyproject_toml=PROJECT)
    assert found.commands == (Command("import", ("python", "-c", "import mine_tool")),)


def test_start_keeps_the_file_and_refuses_a_second_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    start(tmp_path, monkeypatch, pyproject_toml=PROJECT)
    assert (tmp_path / "pyproject.toml").read_text().startswith(PROJECT)
    with pytest.raises(ValueError, match=r"has a table \[tool.lapmark.gate\] already"):
        list(write_start(tmp_path))
