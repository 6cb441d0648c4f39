"""`lapmark record`: run a Python program, and keep the problems that it solves."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from .base import app, user_errors

#: Options of Python that take a value.
_WITH_VALUE = ("-W", "-X", "--check-hash-based-pycs")


@app.command(
    examples={
        "lapmark record tracker -- python track.py video.mp4": "keep the costs of its linear_sum_assignment calls",
        "lapmark record tracker -- python -m mypackage.track": "run a module",
        "lapmark record tests -- pytest -q": "run a script of an installed package",
        "lapmark run recordings/tracker -s scipy -s lap -s cascade": "compare solvers on what was recorded",
    },
    note='In a program: `with lapmark.recording("tracker"): …`, or `@lapmark.recording("tracker")`.',
)
def record(
    name: Annotated[str, typer.Argument(metavar="NAME", help="Name of the workload.", show_default=False)],
    command: Annotated[
        list[str],
        typer.Argument(metavar="-- COMMAND", help="Python program to run, with its arguments.", show_default=False),
    ],
    to: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Folder of the recording; default: recordings/NAME.")
    ] = None,
) -> None:
    """Run a Python program, and keep the problems that it solves as files.

    Calls of SciPy's linear_sum_assignment and of similar functions go through unchanged, and their costs are kept: each
    distinct matrix once, at most 200 of all sizes. A program that runs again adds to the recording. The exit status is
    the program's.
    """
    from lapmark.bench.data.recording import recording

    with user_errors():
        folder = recording(name, to).folder
        python, flags, kind, arguments = _program(command)
        _check_python(python)
    job = json.dumps({"name": name, "folder": str(folder), "kind": kind})
    sys.stdout.flush()
    words = [python, *flags, "-P", "-m", "lapmark.bench.data.recorded_program", job, *arguments]
    if sys.platform == "win32":  # where a shell would not wait for a program that replaces this one
        raise typer.Exit(subprocess.call(words))
    # This process becomes the program's: signals, the terminal and the exit status need no handing on.
    os.execv(python, words)


def _program(command: Sequence[str]) -> tuple[str, list[str], str, list[str]]:
    """Return the interpreter of a command, its options, what the arguments begin with (-m, -c or ""), and those."""
    first, rest = command[0], list(command[1:])
    if Path(first).suffix == ".py" and Path(first).is_file():
        return sys.executable, [], "", [first, *rest]
    found = shutil.which(first)
    if found is None:
        raise ValueError(f"{first}: no such program; write for example: lapmark record NAME -- python program.py")
    if not Path(found).name.startswith("python"):
        return _interpreter_of_script(found), [], "", [found, *rest]
    flags: list[str] = []
    while rest and rest[0].startswith("-") and rest[0] not in ("-m", "-c", "-"):
        flags.append(rest.pop(0))
        if flags[-1] in _WITH_VALUE and rest:
            flags.append(rest.pop(0))
    kind = rest.pop(0) if rest and rest[0] in ("-m", "-c") else ""
    if not rest or rest[0] == "-":
        raise ValueError(f"{' '.join(command)}: name a script, or a module after -m")
    if not kind and not Path(rest[0]).exists():
        raise ValueError(f"{rest[0]}: no such file")
    return found, flags, kind, rest


def _interpreter_of_script(path: str) -> str:
    """Return the Python that the first line of a script names."""
    with open(path, "rb") as file:
        line = file.readline(1000)
    words = line[2:].decode(errors="replace").split() if line.startswith(b"#!") else []
    if words and Path(words[0]).name == "env":
        words = [shutil.which(words[1]) or ""] if len(words) > 1 else []
    if not words or not Path(words[0]).name.startswith("python"):
        raise ValueError(f"{path} is no Python program; only those can be recorded")
    return words[0]


def _check_python(python: str) -> None:
    """Raise a ValueError if another Python than this one does not have Lapmark."""
    if os.path.samefile(python, sys.executable) and os.path.dirname(python) == os.path.dirname(sys.executable):
        return
    code = "import lapmark.bench.data.recording"
    done = subprocess.run([python, "-P", "-c", code], capture_output=True, check=False, stdin=subprocess.DEVNULL)
    if done.returncode:
        raise ValueError(
            f"{python} cannot import lapmark: install it there, or use the Python that has it, {sys.executable}"
        )
