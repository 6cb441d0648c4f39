"""What a page of documentation shows: the commands of its `console` blocks, what they print, and the files they need.

CONTRIBUTING.md, "Write documentation", tells the rules to those who write pages.
"""

from __future__ import annotations

import contextlib
import os
import re
import shlex
import signal
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

_BLOCK = re.compile(r"^```(?P<info>[^\n`]*)\n(?P<body>.*?)^```$", re.MULTILINE | re.DOTALL)

#: What a line of output may have other on another run: numbers with their units, rules of tables, and what is left out.
_VARIES = re.compile(
    r"(?P<number>[-−]?[0-9⁰¹²³⁴-⁹⁻]+(?:[.,·⁰¹²³⁴-⁹⁻]*[0-9⁰¹²³⁴-⁹]+)*(?:e[+-]?[0-9]+)?"
    r"(?P<unit>\s*(?:ns|µs|ms|s|min|h|B|[kKMGT]i?B)\b)?)"
    r"|(?P<rule>[─━═]{2,})|(?P<ellipsis>\s*(?:\.\.\.|…))|(?P<blank>\s+)"
)
_LIKE = {
    "number": r"[-−+]?[0-9⁰¹²³⁴-⁹⁻][0-9.,·⁰¹²³⁴-⁹⁻]*(?:e[+-]?[0-9]+)?",
    "unit": r"\s*(?:ns|µs|ms|s|min|h|B|[kKMGT]i?B)\b",
    "rule": r"[─━═]+",
    "ellipsis": r".*",
    "blank": r"\s+",
}


@dataclass(frozen=True)
class File:
    """A block with a title: the file that the commands below it find."""

    name: str
    content: str


@dataclass(frozen=True)
class Command:
    """A command, and the lines of output that are shown below it."""

    text: str
    output: tuple[str, ...]

    @property
    def status(self) -> int:
        """The exit status that it is to have: what a comment at its end says, or 0."""
        said = re.search(r"# exit (\d+)$", self.text)
        return int(said[1]) if said else 0


def steps(page: str) -> list[File | Command]:
    """The files and commands of a page, in its order."""
    found: list[File | Command] = []
    for block in _BLOCK.finditer(page):
        language, *words = block["info"].split() or [""]
        if title := re.search(r'title="([^"]+)"', block["info"]):
            found.append(File(title[1], block["body"]))
        elif language == "console" and "norun" not in words:
            found += _commands(block["body"])
    return found


def run(page: str, folder: Path, environ: Mapping[str, str], timeout: float) -> list[tuple[Command, int, str]]:
    """Run a page from top to bottom in one shell: each command, its exit status, and what it printed.

    What it has started in the background ends with it.
    """
    mark = "--- 8< ---"
    script = ["trap 'kill $(jobs -p) 2>/dev/null' EXIT"]
    commands = []
    for step in steps(page):
        if isinstance(step, File):
            script.append(f"cat > {shlex.quote(step.name)} <<'{mark}'\n{step.content}{mark}")
        else:
            script.append(f"{step.text}\nprintf '\\n%s\\n' '{mark}'$?")
            commands.append(step)
    shell = subprocess.Popen(
        ["bash", "-c", "\n".join(script)],
        cwd=folder,
        env=dict(environ),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )
    try:
        output, _ = shell.communicate(timeout=timeout)
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(shell.pid, signal.SIGKILL)
    parts = re.split(rf"^{mark}(\d+)$", output, flags=re.MULTILINE)  # what was printed and a status, in turns
    return [(commands[i], int(status), parts[2 * i]) for i, status in enumerate(parts[1::2])]


def missing(shown: Sequence[str], output: str) -> list[str]:
    """The lines shown that are none of the output, but for what varies from run to run."""
    lines = [line.strip() for line in output.splitlines()]
    return [text for text in shown if not any(re.fullmatch(_pattern(text), line) for line in lines)]


def _commands(body: str) -> list[Command]:
    commands: list[Command] = []
    for text in re.split(r"^\$ ", body, flags=re.MULTILINE)[1:]:
        command, *output = text.splitlines()
        while command.endswith("\\") and output:
            command += "\n" + output.pop(0)
        commands.append(Command(command, tuple(line for line in output if line.strip())))
    return commands


def _pattern(text: str) -> str:
    pattern, end = "", 0
    for varies in _VARIES.finditer(text := text.strip()):
        kind = varies.lastgroup if varies["unit"] is None else "number"
        assert kind
        pattern += re.escape(text[end : varies.start()]) + _LIKE[kind] + (_LIKE["unit"] if varies["unit"] else "")
        end = varies.end()
    return pattern + re.escape(text[end:])
