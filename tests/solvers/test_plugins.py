"""Plugin files and entry points: what they may import, whose name it is, and how their faults are named."""

from __future__ import annotations

import importlib
import os
import subprocess
import sys
import textwrap
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from lapmark.bench.environments import inventory
from lapmark.solvers import plugins, registry
from lapmark.solvers.plugins import PluginError, PluginWarning, loading, source_files

SOLVER = """
from lapmark import Capabilities, register, solve

@register({name!r}, Capabilities(exact=True))
def solver(problem):
    return solve(problem, "jv")
"""


@pytest.fixture(autouse=True)
def restored(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[None]:
    """Run in an empty folder, and forget plugins and their modules afterwards."""
    registry.solvers()
    monkeypatch.setattr(registry, "_solvers", dict(registry._solvers))
    monkeypatch.setattr(loading, "_loaded", {})
    monkeypatch.setattr(source_files, "folders", [])
    monkeypatch.setattr(sys, "path", list(sys.path))
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    monkeypatch.chdir(tmp_path)
    before = set(sys.modules)
    with warnings.catch_warnings():
        warnings.simplefilter("error", PluginWarning)
        yield
    for name in set(sys.modules) - before:
        if str(tmp_path) in str(getattr(sys.modules[name], "__file__", "")):
            del sys.modules[name]


def write(path: str, text: str) -> str:
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    Path(path).write_text(textwrap.dedent(text))
    return path


def fault(path: str) -> str:
    with pytest.raises(PluginError) as caught:
        plugins.load(path)
    return str(caught.value)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("\n1 / 0", "plugin mine.py, line 2: ZeroDivisionError: division by zero"),
        ("import sys\n\nsys.exit(0)", "line 3: it calls sys.exit(0) while it is loaded; put what only a script runs"),
        ("import sys\nsys.exit()", "line 2: it calls sys.exit() while it is loaded"),
        ("import argparse\nargparse.ArgumentParser().parse_args(['--no'])", "line 2: it calls sys.exit(2)"),
        ("x = 1\ndef f(:", "line 2: SyntaxError: invalid syntax in 'def f(:'"),
        ("if True:\nx = 1", "line 2: IndentationError: expected an indented block after 'if'"),
        ("\nimport no_such_thing", "install the package that has it, or put no_such_thing.py beside the plugin"),
        ("import numpy.no_such", "line 1: numpy has no module 'numpy.no_such'"),
        ("from . import helper", "write “import NAME” for the file NAME.py beside it"),
        ("from lapmark import registre", "line 1: ImportError: cannot import name 'registre' from 'lapmark'"),
        ("raise GeneratorExit", "line 1: GeneratorExit"),
        ("raise type('Own', (BaseException,), {'__str__': lambda self: 1 / 0})", "Own: its message cannot be read"),
        (SOLVER.format(name="A B"), "mine.py, line 4: solver name 'A B': use lower case"),
        (SOLVER.format(name="jv"), "solver 'jv' at mine.py, line 4: Lapmark has a solver of this name"),
        (2 * SOLVER.format(name="mine"), "'mine' is registered twice, at mine.py, line 4 and at mine.py, line 10"),
    ],
)  # fmt: skip
def test_load_of_a_failing_file_names_the_line_and_the_cure(text: str, message: str) -> None:
    known, path = registry.solvers(), list(sys.path)
    assert message in fault(write("mine.py", text))
    assert registry.solvers() == known
    assert sys.path == path
    assert not plugins.loaded()


@pytest.mark.parametrize(
    ("line", "message"),
    [
        (
            "Capabilities(ecxat=True)",
            "unexpected keyword argument 'ecxat'; write Capabilities(exact=True or False, …); d",
        ),
        ("Capabilities()", "missing 1 required keyword-only argument: 'exact'; write Capabilities(exact="),
        ("register('mine')", "missing 1 required positional argument: 'capabilities'; write @register(\"NAME\", Cap"),
    ],
)
def test_load_of_a_file_with_a_wrong_call_of_register_names_the_cure(line: str, message: str) -> None:
    found = fault(write("mine.py", f"from lapmark import Capabilities, register\n{line}"))
    assert found.startswith("plugin mine.py, line 2: ")
    assert message in found
    assert "docs/plugins.md" in found


def test_load_of_a_file_that_is_no_python_says_so() -> None:
    Path("folder.py").mkdir()
    for path in ("folder.py", write("notes.txt", "x")):
        assert "not a Python file" in fault(path)
    assert fault("absent.py") == "plugin absent.py: no such file"
    Path("binary.py").write_bytes(b"\0\xff")
    assert "plugin binary.py: " in fault("binary.py")


def test_load_does_not_swallow_ctrl_c() -> None:
    with pytest.raises(KeyboardInterrupt):
        plugins.load(write("mine.py", "raise KeyboardInterrupt"))
    assert not plugins.loaded()


def test_load_prints_to_standard_error(capsys: pytest.CaptureFixture[str]) -> None:
    plugins.load(write("mine.py", SOLVER.format(name="mine") + "\nprint('hello')"))
    assert capsys.readouterr() == ("", "hello\n")


def test_load_of_a_file_that_registers_nothing_warns() -> None:
    with pytest.warns(PluginWarning, match=r"plugin mine\.py registers nothing; put @lapmark\.register"):
        plugins.load(write("mine.py", "x = 1"))


def test_load_imports_the_file_beside_it_whose_faults_are_named() -> None:
    write("sub/helper.py", SOLVER.format(name="helped"))
    plugins.load(write("sub/mine.py", "import helper"))
    assert registry.get("helped").origin.plugin == str(Path("sub/mine.py").resolve())
    write("sub/broken.py", "\n\n1 / 0")
    assert "plugin sub/other.py, sub/broken.py, line 3: ZeroDivisionError" in fault(
        write("sub/other.py", "import broken")
    )
    write("sub/unreadable.py", "x = (")
    assert "sub/unreadable.py, line 1: SyntaxError" in fault(write("sub/another.py", "import unreadable"))


def test_load_beside_files_with_the_names_of_installed_modules_uses_the_installed_ones() -> None:
    for name in ("numpy", "lapmark", "typing", "json"):
        write(f"{name}.py", "raise AssertionError('not this one')")
    text = "import json, typing\nimport numpy.linalg\n" + SOLVER.format(name="mine")
    plugins.load(write("mine.py", text))
    assert len(plugins.sources("mine.py")) == 1
    # The names of modules that only a later import needs are safe as well.
    code = (
        "from lapmark.solvers import plugins, registry; plugins.load('mine.py'); import numpy, typing, json, lapmark\n"
        "print(registry.get('mine').run(lapmark.Assignment(lapmark.DenseCost([[1.0]]))).cost)"
    )
    done = subprocess.run([sys.executable, "-P", "-c", code], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "1.0\n"), done.stderr


def test_load_of_two_files_of_one_name_keeps_each_its_own_helper() -> None:
    for folder in ("a", "b"):
        write(f"{folder}/helper.py", f"NAME = 'of-{folder}'")
        text = "import helper\n" + SOLVER.replace("{name!r}", "helper.NAME")
        plugins.load(write(f"{folder}/mine.py", text))
    for folder in ("a", "b"):
        assert registry.get(f"of-{folder}").origin.plugin == str(Path(folder, "mine.py").resolve())


def test_load_of_a_name_of_another_file_names_both() -> None:
    plugins.load(write("a/mine.py", SOLVER.format(name="mine")))
    assert "solver 'mine' at b/mine.py, line 4 is already registered at a/mine.py, line 4; rename one" in fault(
        write("b/mine.py", SOLVER.format(name="mine"))
    )


def test_load_of_a_file_twice_runs_it_again_only_if_it_has_changed() -> None:
    text = SOLVER.format(name="mine")
    plugins.load(write("mine.py", text))
    first = registry.get("mine")
    plugins.load("mine.py")
    assert registry.get("mine") is first
    plugins.load(write("mine.py", text + "# changed\n"))
    assert registry.get("mine") is not first
    assert plugins.loaded() == (str(Path("mine.py").resolve()),)


def test_register_in_a_notebook_cell_that_runs_again_replaces_it() -> None:
    space = {"__name__": "__main__"}
    for _ in range(2):
        exec(SOLVER.format(name="mine"), space)
    assert registry.get("mine").function is space["solver"]


def test_version_of_a_file_changes_with_the_files_that_it_imports() -> None:
    write("helper.py", "import deeper")
    write("deeper/__init__.py", "")
    write("deeper/part.py", "X = 1")
    write("unrelated.py", "X = 1")
    plugin = write("mine.py", "def late():\n    from helper import x\n")
    before = plugins.version(plugin)
    write("unrelated.py", "X = 2")
    assert plugins.version(plugin) == before
    write("deeper/part.py", "X = 2")
    assert plugins.version(plugin) != before
    assert plugins.version(None) == {}


def test_files_beside_a_plugin_are_importable_in_a_worker(tmp_path: Path) -> None:
    from lapmark.bench.cli import app  # noqa: F401 - the whole command must work with such a plugin

    write("sub/helper_next_to_it.py", "ANSWER = 'jv'")
    write(
        "sub/mine.py",
        """
        from lapmark import Capabilities, register, solve

        @register("mine", Capabilities(exact=True))
        def mine(problem):
            import helper_next_to_it
            return solve(problem, helper_next_to_it.ANSWER)
        """,
    )
    assert "ok       mine" in lapmark("run", "--plugin", "sub/mine.py", "-s", "mine", "-p", "uniform", "-n", 8)
    assert "pass     brute-force\n" in lapmark("check", "--plugin", "sub/mine.py", "mine", "-k", "brute-force")


def lapmark(*arguments: object) -> str:
    variables = {**os.environ, "COLUMNS": "300"}
    command = [sys.executable, "-m", "lapmark", *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, env=variables, check=False)
    assert "Traceback" not in done.stderr
    return done.stdout + done.stderr


def test_plugin_that_fails_in_the_worker_only_is_named_there(tmp_path: Path) -> None:
    in_worker = 'import sys\nif "worker" in sys.modules["__main__"].__spec__.name:\n    '
    write("leaves.py", in_worker + "sys.exit(0)\n" + SOLVER.format(name="leaves"))
    hidden = SOLVER.format(name="hides").replace("@register", "@(lambda *given: lambda function: function)")
    write("hides.py", f"{in_worker}exec({hidden!r})\nelse:\n    exec({SOLVER.format(name='hides')!r})\n")
    run = ("run", "--plugin", "leaves.py", "--plugin", "hides.py", "-s", "leaves", "-s", "hides", "-p", "uniform")
    output = lapmark(*run, "-n", 8)
    assert "leaves.py, line 3: it calls sys.exit(0) while it is loaded" in output
    assert "hides.py registers no solver 'hides' in this process" in output


@pytest.fixture
def installed(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Callable[..., None]:
    """Install modules with entry points, by the names of their packages."""

    def install(group: str = registry.ENTRY_POINTS, **modules: str) -> None:
        for name, text in modules.items():
            write(f"site/{name}.py", text)
            write(f"site/{name}-1.0.dist-info/METADATA", f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
            write(f"site/{name}-1.0.dist-info/entry_points.txt", f"[{group}]\n{name} = {name}\n")
        monkeypatch.syspath_prepend(str(tmp_path / "site"))
        importlib.invalidate_caches()

    return install


def test_entry_points_that_fail_are_named_and_the_others_work(installed: Callable[..., None]) -> None:
    bad = "import sys\nsys.exit(3)"
    installed(aaa=bad, bbb="\n\n1 / 0", ccc=SOLVER.format(name="theirs"), ddd="import no_such_thing")
    write("site/eee-1.0.dist-info/METADATA", "Metadata-Version: 2.1\nName: eee\nVersion: 1.0\n")
    write("site/eee-1.0.dist-info/entry_points.txt", f"[{registry.ENTRY_POINTS}]\neee = eeee\n")
    with pytest.warns(PluginWarning) as caught:
        plugins.load_entry_points(registry.ENTRY_POINTS)
    messages = "\n".join(sorted(str(warning.message) for warning in caught))
    assert "package aaa 1.0, entry point aaa of lapmark.solvers, site/aaa.py, line 2: it calls sys.exit(3)" in messages
    assert "site/bbb.py, line 3: ZeroDivisionError: division by zero. What it registers is left out" in messages
    assert "site/ddd.py, line 1: no module is called 'no_such_thing'" in messages
    assert "entry point eee of lapmark.solvers: no module is called 'eeee'; correct its pyproject.toml" in messages
    assert registry.get("theirs").requires == ("ccc",)


@pytest.mark.parametrize("is_file_first", [True, False])
def test_file_and_installed_package_of_one_name_give_a_note_and_the_file(
    installed: Callable[..., None], is_file_first: bool
) -> None:
    installed(swaps=SOLVER.format(name="mine") + SOLVER.format(name="other"))
    write("mine.py", SOLVER.format(name="mine"))
    loads = [lambda: plugins.load("mine.py"), lambda: plugins.load_entry_points(registry.ENTRY_POINTS)]
    first, second = loads if is_file_first else reversed(loads)
    first()
    with pytest.warns(PluginWarning) as caught:
        second()
    (message,) = [str(warning.message) for warning in caught]
    assert "mine.py, line 4" in message
    assert "the package swaps 1.0 (site/swaps.py, line 4)" in message
    assert registry.get("mine").origin.plugin == str(Path("mine.py").resolve())
    assert registry.get("other").requires == ("swaps",)


def test_entry_points_of_a_taken_name_are_left_out_with_a_note(installed: Callable[..., None]) -> None:
    installed(aaa=SOLVER.format(name="theirs"), bbb=SOLVER.format(name="theirs"), ccc=SOLVER.format(name="jv"))
    with pytest.warns(PluginWarning) as caught:
        plugins.load_entry_points(registry.ENTRY_POINTS)
    messages = [str(warning.message) for warning in caught]
    assert len(messages) == 2
    assert any(
        "'theirs' of the package bbb 1.0" in message and "the package aaa 1.0" in message for message in messages
    )
    assert any("'jv' of the package ccc 1.0" in message and "Lapmark itself" in message for message in messages)
    assert registry.get("jv").is_built_in


def test_command_shows_a_warning_about_a_plugin_as_one_line() -> None:
    write("mine.py", "x = 1")
    output = lapmark("run", "--plugin", "mine.py", "-s", "jv", "-p", "uniform", "-n", 8)
    assert output.count("note: plugin mine.py registers nothing; put @lapmark.register(…) before a solver, or") == 1
    assert "PluginWarning" not in output


def test_inventory_of_a_plugin_that_fails_has_a_warning_and_all_other_solvers() -> None:
    write("bad.py", "import no_such_thing")
    write(
        "partial.py",
        """
        import functools
        from lapmark import Capabilities, register, solve

        def best(name, problem, /):
            return solve(problem, name)

        register("of-a-partial", Capabilities(exact=True))(functools.partial(best, "jv"))
        """,
    )
    found = inventory.take(["bad.py", "partial.py"])
    assert any("plugin bad.py, line 1: no module is called 'no_such_thing'" in each for each in found.warnings)
    assert {"jv", "of-a-partial"} <= found.items.keys()
    assert found.items["of-a-partial"].versions["partial.py"]
