"""Help pages have valid examples, and mistyped names get suggestions."""

from __future__ import annotations

import importlib.metadata
import re
import shlex
from collections.abc import Sequence
from typing import Any

import pytest
import typer
from command import VERBS, unwrapped
from typer.testing import CliRunner

import lapmark as package
from lapmark.bench.cli import app

COMMAND = typer.main.get_command(app)


#: Longest example line in a terminal of 80 columns.
ROOM = 74


def lapmark(*arguments: str) -> tuple[int, str]:
    result = CliRunner().invoke(app, arguments)
    assert result.exception is None or isinstance(result.exception, SystemExit), result.output
    return result.exit_code, unwrapped(result.output)


def find(verb: Sequence[str]) -> Any:
    command = COMMAND
    for name in verb:
        command = command.commands[name]
    return command


def examples_of(verb: Sequence[str]) -> list[str]:
    epilog = find(verb).epilog
    assert epilog, verb
    assert epilog.startswith("**Examples**"), verb
    return re.findall(r"`(lapmark[^`]*)`", epilog)


@pytest.mark.parametrize("verb", VERBS, ids=" ".join)
def test_help_of_every_verb_ends_with_valid_examples(verb: tuple[str, ...]) -> None:
    shown = examples_of(verb)
    assert any(example.startswith(" ".join(["lapmark", *verb])) for example in shown)
    for example in shown:
        assert len(example) <= ROOM, example
        _, *words = shlex.split(example.partition(" | ")[0])
        command, names = COMMAND, []
        while hasattr(command, "commands"):
            names.append(words.pop(0))
            command = command.commands[names[-1]]
        if "--help" not in words:
            command.make_context(" ".join(names), words).close()  # raises a usage error for an invalid example


@pytest.mark.parametrize("verb", VERBS, ids=" ".join)
def test_help_of_every_verb_fits_80_columns(verb: tuple[str, ...], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    output = CliRunner().invoke(app, [*verb, "--help"]).output
    assert max(map(len, output.splitlines())) <= 80
    assert "<bool>" not in output, "a flag takes no value"
    assert not re.search(r"<(list\[)?(str|path)", output), "an argument's own word says what it is"
    for example in examples_of(verb):
        assert any(example in line for line in output.splitlines()), "not broken in two"


def test_command_without_arguments_shows_help() -> None:
    _, output = lapmark()
    assert "lapmark run -s jv" in output
    assert all(f" {verb} " in output for verb in COMMAND.commands)


def test_version_option_prints_the_package_version() -> None:
    assert lapmark("--version") == (0, f"lapmark {importlib.metadata.version('lapmark')}")
    assert package.__version__ == importlib.metadata.version("lapmark")
    assert "__version__" in dir(package)


@pytest.mark.parametrize("verb", VERBS, ids=" ".join)
def test_help_of_every_verb_says_what_each_option_does(verb: tuple[str, ...]) -> None:
    command = find(verb)
    assert command.help, verb
    assert command.help.split("\n")[0].endswith("."), verb
    for parameter in command.params:
        if not parameter.hidden and parameter.param_type_name == "option":
            assert parameter.help, (verb, parameter.name)
            assert parameter.help[0].isupper(), (verb, parameter.name)


@pytest.mark.parametrize("width", ["60", "100"])
def test_help_at_other_widths_fits(width: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", width)
    for verb in VERBS:
        output = CliRunner().invoke(app, [*verb, "--help"]).output
        options = output.partition("Examples")[0]
        assert max(map(len, options.splitlines())) <= int(width), verb
        assert "..." not in re.sub(r"[]}]\.\.\.", "", options), verb


@pytest.mark.parametrize(
    ("mistyped", "answer"),
    [
        ("rnu", "No such command 'rnu'. Did you mean 'run'?"),
        ("run --buget 3s", "--budget"),
        ("run -s jvv", "no solver is called 'jvv'; did you mean jv or jv-avx2 or lapjv?"),
        ("run -s sinkhron", "did you mean sinkhorn"),
        (
            "run -s sinkhorn:blurr=1",
            "no setting 'blurr'; there is blur, scaling, stop, max_iterations, threads, diameter, time_limit",
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
def test_mistyped_name_suggests_the_nearest(mistyped: str, answer: str) -> None:
    code, output = lapmark(*mistyped.split())
    assert code == 2
    assert answer in output
