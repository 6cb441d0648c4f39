"""Configurations: valid and invalid files, and the command's options that override them."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from typer.testing import CliRunner

from lapmark.bench import problems
from lapmark.bench.cli import app
from lapmark.bench.results.record import Record
from lapmark.bench.results.store import Store
from lapmark.bench.run import configuration, configurations
from lapmark.bench.run.cells import plan
from lapmark.bench.run.configuration import Config
from lapmark.solvers import registry


def write(folder: Path, text: str) -> Path:
    path = folder / "mine.toml"
    path.write_text(text, encoding="utf-8")
    return path


def lapmark(*arguments: object) -> tuple[int, str]:
    result = CliRunner().invoke(app, [str(argument) for argument in arguments])
    assert result.exception is None or isinstance(result.exception, SystemExit), result.output
    return result.exit_code, " ".join(result.output.replace("│", " ").split())


def records(folder: Path) -> list[Record]:
    with Store.open(folder, create=False) as store:
        return store.records()


def cells(folder: Path) -> set[tuple[str, str, int]]:
    return {(record.solver, record.problem, record.n) for record in records(folder)}


def test_load_of_a_complete_file_reads_every_key(tmp_path: Path) -> None:
    path = write(
        tmp_path,
        """
        solvers = ["jv", "lap1015:epsilon=false"]   # a comment
        problems = ["uniform", "tracking:n=8"]
        n = [16, 32]
        timeout = "1.5m"
        memory = "2GiB"
        """,
    )
    assert configuration.load(str(path)) == Config(
        solvers=("jv", "lap1015:epsilon=false"),
        problems=("uniform", "tracking:n=8"),
        n=(16, 32),
        timeout=90.0,
        memory=2 << 30,
    )
    assert configuration.load(str(write(tmp_path, 'problems = ["uniform"]'))) == Config(problems=("uniform",))


def test_load_of_minus_one_thread_gives_one_for_each_core(tmp_path: Path) -> None:
    path = write(tmp_path, 'problems = ["uniform"]\nthreads = [1, -1]')
    assert configuration.load(str(path)).threads == (1, len(os.sched_getaffinity(0)))


def test_sized_adds_sizes_to_problems_without_one() -> None:
    given = Config(problems=("uniform", "tracking:n=8"), n=(16, 32))
    assert given.sized(given.problems) == ["uniform:n=16", "uniform:n=32", "tracking:n=8"]
    assert Config().sized(["uniform"]) == ["uniform"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('problems = ["uniform"]\nn = 8 16', "(at line 2, column 7)"),
        ('problems = ["uniform"]\nproblem = ["product"]', "line 2: no key is called 'problem'; did you mean problems"),
        ("n = [8]", "problems: name at least one"),
        ("problems = []", "problems: name at least one"),
        ('problems = "uniform"', "problems: 'uniform' is not a list of texts"),
        ('problems = ["uniform", 3]', "problems: ['uniform', 3] is not a list of texts"),
        ('problems = ["unifrom"]', "problems: no problem is called 'unifrom'; did you mean uniform"),
        ('problems = ["uniform:high=3"]', "problems: uniform:high=3: no setting 'high'"),
        ('problems = ["uniform:dtype=int8"]', "dtype = 'int8'; it must be float32 or float64"),
        ('problems = ["uniform"]\nsolvers = ["jw"]', "solvers: no solver is called 'jw'; did you mean jv"),
        ('problems = ["uniform"]\nsolvers = ["lap1015:epsilon=off"]', "epsilon = 'off'; it must be true or false"),
        ('problems = ["uniform"]\nn = 8', "n: 8 is not a list of whole numbers"),
        ('problems = ["uniform"]\nn = [8.0]', "n: [8.0] is not a list of whole numbers"),
        ('problems = ["uniform"]\nn = [true]', "n: [True] is not a list of whole numbers"),
        ('problems = ["uniform"]\nn = [0]', "n: [0] is not a list of whole numbers above 0"),
        ('problems = ["uniform"]\nthreads = 2', "threads: 2 is not a list; write for example [1, 2]"),
        ('problems = ["uniform"]\nthreads = [0]', "threads: threads = 0; it must be a whole number of at least 1"),
        ('problems = ["uniform"]\ntimeout = 60', 'timeout: 60 is not a text; write for example "60s"'),
        ('problems = ["uniform"]\ntimeout = "60"', "timeout: '60' is not a duration above 0"),
        ('problems = ["uniform"]\nmemory = "8 gigs"', "memory: '8 gigs' is not a size above 0"),
    ],
)
def test_load_of_a_mistake_names_file_and_key(tmp_path: Path, text: str, message: str) -> None:
    path = write(tmp_path, text)
    with pytest.raises(ValueError) as error:
        configuration.load(str(path))
    assert str(error.value).startswith(str(path))
    assert message in str(error.value)


@pytest.mark.parametrize(
    ("text", "number", "line"),
    [
        ('problems = ["uniform"]\n\nproblem = 3', 3, "problem = 3"),
        ('n = [8]\nproblems = [\n    "uniform",\n    "unifrom",  # twice\n]', 4, '"unifrom",  # twice'),
        ("problems = ['uniform']\nsolvers = [\n  'jv',\n  'jw',\n]", 4, "'jw',"),
        ('problems = ["uniform"]\ntimeout = 60', 2, "timeout = 60"),
        ('plugins = [\n"absent.py"]\nproblems = ["uniform"]', 2, '"absent.py"]'),
        ('problems = ["uniform"]\ndata = "nowhere"', 2, 'data = "nowhere"'),
        ('# "jw"\nproblems = ["uniform"]\nsolvers = ["jv",\n  # "jw", [\n  "scipy", "jw"]', 5, '"scipy", "jw"]'),
        ('problems = ["uniform"]\n\n[limits]\ntimeout = "3s"', 3, "[limits]"),
        ('problems = ["uniform"]\nproblems = ["equal"]', 2, 'problems = ["equal"]'),
        ('problems = ["uniform"]\nn = [8,', 2, "n = [8,"),
    ],
)
def test_load_of_a_mistake_names_its_line(tmp_path: Path, text: str, number: int, line: str) -> None:
    path = write(tmp_path, text)
    with pytest.raises(ValueError) as error:
        configuration.load(str(path))
    first, *_, last = str(error.value).splitlines()
    assert first.startswith(f"{path}, line {number}: ")
    assert last.strip() == line


def test_load_finds_plugins_and_data_beside_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(registry, "_solvers", dict(registry._solvers))
    (tmp_path / "data").mkdir()
    (tmp_path / "beside.py").write_text(
        "from lapmark import Capabilities, register, solve\n"
        "@register('beside', Capabilities(exact=True))\n"
        "def beside(problem):\n"
        "    return solve(problem, 'jv')\n"
    )
    text = 'solvers = ["beside"]\nproblems = ["uniform"]\nn = [8]\nplugins = ["beside.py"]\ndata = "data"'
    path = write(tmp_path, text)
    given = configuration.load(str(path))
    assert (given.plugins, given.data) == ((str(tmp_path / "beside.py"),), tmp_path / "data")
    assert lapmark("run", "--config", path, "--budget", "1ms", "--to", tmp_path / "results")[0] == 0
    assert cells(tmp_path / "results") == {("beside", "uniform", 8)}


def test_suites_command_lists_each_with_its_description() -> None:
    code, output = lapmark("suites")
    assert code == 0
    for name in configurations.names():
        assert name in output
    assert "Every solver on every family" in output


def test_nightly_configuration_has_every_family() -> None:
    assert set(configuration.load("nightly").problems) == set(problems.families())


def test_load_of_a_binary_file_names_it(tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    path.write_bytes(b"\xff\xfe")
    with pytest.raises(ValueError, match=r"mine\.toml: 'utf-8' codec"):
        configuration.load(str(path))


def test_run_command_with_a_mistake_makes_no_results(tmp_path: Path) -> None:
    for name, message in (
        ("familys", "no configuration or file is called 'familys'; did you mean families"),
        (write(tmp_path, "n = ["), "(at end of document) n = ["),
        (tmp_path, "Is a directory"),
    ):
        code, output = lapmark("run", "--config", name, "--to", tmp_path / "results")
        assert code == 2, output
        assert message in output
        assert not (tmp_path / "results").exists()


@pytest.mark.parametrize("name", configurations.names())
def test_shipped_configurations_load(name: str) -> None:
    given = configuration.load(name)
    assert plan(given.solvers, given.sized(given.problems))
    assert len(set(given.problems)) == len(given.problems)
    assert len(set(given.solvers)) == len(given.solvers)


def test_run_command_overrides_the_configuration(tmp_path: Path) -> None:
    path = write(
        tmp_path, 'solvers = ["jv", "scipy"]\nproblems = ["uniform", "tracking:n=8"]\nn = [12]\ntimeout = "9s"'
    )
    quick = ("--budget", "1ms", "--config", path)
    assert lapmark("run", *quick, "--to", tmp_path / "a")[0] == 0
    assert cells(tmp_path / "a") == {(s, *case) for s in ("jv", "scipy") for case in (("uniform", 12), ("tracking", 8))}
    assert lapmark("run", *quick, "-s", "hungarian", "-n", 6, "--to", tmp_path / "b")[0] == 0
    assert cells(tmp_path / "b") == {("hungarian", "uniform", 6), ("hungarian", "tracking", 6)}
    assert lapmark("run", *quick, "-p", "product", "-p", "equal:n=5", "--to", tmp_path / "c")[0] == 0
    assert cells(tmp_path / "c") == {(s, *case) for s in ("jv", "scipy") for case in (("product", 12), ("equal", 5))}


def test_run_command_takes_limits_from_the_file_unless_given(tmp_path: Path) -> None:
    plugin = tmp_path / "sleepy.py"
    plugin.write_text(
        "import time\n"
        "from lapmark import Capabilities, register\n\n"
        '@register("sleepy", Capabilities(exact=True, family="sleep", source="this test"))\n'
        "def sleepy(problem):\n"
        "    time.sleep(100 if len(problem.cost.dense()) > 16 else 0)\n"
    )
    path = write(tmp_path, 'solvers = ["sleepy"]\nproblems = ["uniform:n=20"]\ntimeout = "300ms"')
    for limit, shown in (((), "300 ms"), (("--timeout", "200ms"), "200 ms")):
        run = ("run", "--plugin", plugin, "--config", path, *limit, "--to", tmp_path / shown)
        assert lapmark(*run)[0] == 1  # its only cell failed
        (record,) = records(tmp_path / shown)
        assert record.status == "timeout"
        assert shown in record.message
