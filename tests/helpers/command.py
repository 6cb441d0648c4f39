"""The command `lapmark`, run in this process."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import typer
from typer.testing import CliRunner

from lapmark.bench.cli import app


def lapmark(*arguments: object) -> tuple[int, str]:
    result = CliRunner().invoke(app, [str(argument) for argument in arguments])
    assert result.exception is None or isinstance(result.exception, SystemExit), result.output
    return result.exit_code, result.output


def unwrapped(output: str) -> str:
    """Return an output without the frames and line breaks of Rich."""
    return " ".join(output.replace("│", " ").split())


def _verbs(command: Any, *before: str) -> Iterator[tuple[str, ...]]:
    """Every command there is, as one types it, itself first."""
    yield before
    for name, verb in getattr(command, "commands", {}).items():
        yield from _verbs(verb, *before, name)


VERBS = list(_verbs(typer.main.get_command(app)))
