"""Settings of a gate in a project's pyproject.toml."""

from pathlib import Path

import pytest

from lapmark.bench.gate import settings
from lapmark.bench.gate.benchmarks import Command

WHOLE = """
[project]
name = "mine"

[tool.lapmark.gate]
solvers = ["mine", "mine:passes=2"]
problems = ["uniform", "jobs.npy"]
sizes = [100, 400]
plugins = ["problems.py"]
total = "2m"
rounds = 12
budget = "1s"
timeout = "10s"
memory = "1GiB"
threshold = "10%"
confidence = "99%"

[[tool.lapmark.gate.command]]
name = "parse"
run = "python -m mine 'a b'"

[[tool.lapmark.gate.command]]
name = "list"
run = ["mine", "--list"]
"""


def written(folder: Path, text: str) -> Path:
    for name in ("jobs.npy", "problems.py"):
        (folder / name).touch()
    (folder / "pyproject.toml").write_text(text)
    return folder


def test_load_reads_every_key(tmp_path: Path) -> None:
    found = settings.load(None, written(tmp_path, WHOLE))
    assert found == settings.Settings(
        solvers=("mine", "mine:passes=2"),
        problems=("uniform", str(tmp_path / "jobs.npy")),
        sizes=(100, 400),
        plugins=("problems.py",),
        commands=(Command("parse", ("python", "-m", "mine", "a b")), Command("list", ("mine", "--list"))),
        total=120.0,
        rounds=12,
        budget=1.0,
        timeout=10.0,
        memory=1 << 30,
        threshold=0.1,
        confidence=0.99,
        where=str(tmp_path / "pyproject.toml"),
    )


@pytest.mark.parametrize("text", ["", "[project]\nname = 'mine'\n", "[tool.lapmark]\n"])
def test_load_without_the_table_returns_no_settings(tmp_path: Path, text: str) -> None:
    assert settings.load(None, written(tmp_path, text)) == settings.Settings()


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("solver = ['mine']", "line 5: no key is called 'solver'; did you mean solvers?"),
        ("solvers = 'mine'", "line 5: solvers: 'mine' is not a list of texts"),
        ("solvers = ['mine', 'mine:passes']", "line 5: solvers: cannot read 'mine:passes'"),
        ("sizes = [0]", "line 5: sizes: [0] is not a list of whole numbers above 0"),
        ("total = 300", 'line 5: total: 300 is not a text; write for example "5m"'),
        ("total = 'soon'", "line 5: total: 'soon' is not a duration"),
        ("threshold = '500%'", "line 5: threshold: '500%' is not a share"),
        ("rounds = 2.5", "line 5: rounds: 2.5 is not a whole number above 0"),
        ("plugins = ['problem.py']", "line 5: plugins: "),
        ("command = {name = 'a', run = 'b'}", "line 5: command: write its heading with two brackets"),
        ("command = [{name = 'a'}]", "line 5: command: run is missing"),
        ("command = [{name = 'a', run = \"'\"}]", 'line 5: command: run = "\'": No closing quotation'),
        ("command = [{name = 'a', run = 'b', cwd = 'c'}]", "line 5: command: no key 'cwd'"),
        (
            "command = [{name = 'a', run = 'b'}, {name = 'a', run = 'c'}]",
            "line 5: command: two commands are called 'a'",
        ),
    ],
)
def test_load_of_a_wrong_key_names_file_line_and_key(tmp_path: Path, line: str, message: str) -> None:
    # The first table has a key of the same name, which must not be taken for it.
    folder = written(tmp_path, f"[tool.other]\n{line.partition(' ')[0]} = 1\n\n[tool.lapmark.gate]\n{line}\n")
    with pytest.raises(ValueError) as caught:
        settings.load(None, folder)
    assert f"{folder / 'pyproject.toml'}, {message}" in str(caught.value)


def test_load_of_a_named_configuration_takes_its_solvers_and_problems(tmp_path: Path) -> None:
    found = settings.load("gate", tmp_path)
    assert "cascade" in found.solvers
    assert found.where == "gate"
    assert found.rounds == 10


def test_load_of_a_missing_file_names_the_configurations(tmp_path: Path) -> None:
    with pytest.raises(
        ValueError, match=r"no file and no configuration is called 'gat'; the configurations are .*gate"
    ):
        settings.load("gat", tmp_path)
