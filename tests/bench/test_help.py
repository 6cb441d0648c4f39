"""The help teaches by examples that work, and a name that does not exist is answered with the nearest that do."""

from __future__ import annotations

import importlib.metadata
import re
import shlex

import pytest
import typer
from typer.testing import CliRunner

from bench.cli import app

COMMAND = typer.main.get_command(app)
VERBS = sorted(COMMAND.commands)

#: What a line of an example has room for in a terminal of 80 columns.
ROOM = 74


def lapmark(*arguments: str) -> tuple[int, str]:
    result = CliRunner().invoke(app, arguments)
    assert result.exception is None or isinstance(result.exception, SystemExit), result.output
    return result.exit_code, " ".join(result.output.replace("│", " ").split())


def examples_of(verb: str | None) -> list[str]:
    command = COMMAND.commands[verb] if verb else COMMAND
    assert command.epilog.startswith("**Examples**"), verb
    return re.findall(r"`(lapmark[^`]*)`", command.epilog)


@pytest.mark.parametrize("verb", [None, *VERBS])
def test_every_help_ends_with_examples_that_are_commands(verb: str | None) -> None:
    shown = examples_of(verb)
    assert shown
    for example in shown:
        assert len(example) <= ROOM, example
        _, name, *arguments = shlex.split(example)
        command = COMMAND.commands[name]
        if "--help" not in arguments:
            command.make_context(name, arguments).close()  # a usage error where it is none
    if verb:
        assert any(example.split()[1] == verb for example in shown)


@pytest.mark.parametrize("verb", [None, *VERBS])
def test_every_help_fits_a_terminal(verb: str | None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    output = CliRunner().invoke(app, [*filter(None, [verb]), "--help"]).output
    assert max(map(len, output.splitlines())) <= 80
    assert "<bool>" not in output, "a flag takes no value"
    for example in examples_of(verb):
        assert any(example in line for line in output.splitlines()), "not broken in two"


def test_no_arguments_is_help() -> None:
    _, output = lapmark()
    assert "lapmark run -s jv" in output
    assert all(f" {verb} " in output for verb in VERBS)


def test_the_version_is_that_of_the_package() -> None:
    assert lapmark("--version") == (0, f"lapmark {importlib.metadata.version('lapmark')}")


@pytest.mark.parametrize(
    ("mistyped", "answer"),
    [
        ("rnu", "No such command 'rnu'. Did you mean 'run'?"),
        ("run --buget 3s", "--budget"),
        ("run -s jvv", "no solver is called 'jvv'; did you mean jv or jv-avx2 or lapjv?"),
        ("run -s sinkhron", "did you mean sinkhorn"),
        (
            "run -s sinkhorn:blurr=1",
            "no setting 'blurr'; there is blur, scaling, stop, max_iterations, threads, time_limit",
        ),
        ("run -s sinkhorn:blurr=1", "time_limit; did you mean blur?"),
        ("run -s scipy:fast=true", "no setting 'fast'; there is none"),
        ("run -p unifrm", "no problem is called 'unifrm'; did you mean uniform?"),
        ("run -p uniform:dtpye=float32", "no setting 'dtpye'; there is dtype; did you mean dtype?"),
        ("run -p uniform:dtype=flota32", "dtype = 'flota32'; it must be float32 or float64"),
        ("run --config grdi", "no configuration or file is called 'grdi'; did you mean grid?"),
        ("run --retry timeuot", "no status is called 'timeuot'; did you mean timeout?"),
        ("solvers jvv", "no solver is called 'jvv'; did you mean jv or jv-avx2 or lapjv?"),
        ("gallery wrds", "no application is called 'wrds'; did you mean words?"),
        ("gallery words:txts=1", "no setting 'txts'; there is vectors, texts; did you mean texts?"),
    ],
)
def test_a_mistyped_name_is_answered_with_the_nearest(mistyped: str, answer: str) -> None:
    code, output = lapmark(*mistyped.split())
    assert code == 2
    assert answer in output
