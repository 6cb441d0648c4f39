"""Output to terminals, files and pipes that cannot encode every character."""

from __future__ import annotations

import io
import os
import re
import shlex
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from command import VERBS
from PIL import Image

from lapmark.bench.cli import main
from lapmark.bench.cli.terminal import STAND_INS, stand_in
from lapmark.bench.system import commit_build
from lapmark.bench.system.commit_build import CommandError
from lapmark.bench.system.git_repository import TRAILER
from lapmark.solvers import registry

ROOT = Path(__file__).parents[3]

#: The environment of a terminal that shows ASCII only.
ASCII = {"LC_ALL": "C", "PYTHONIOENCODING": "ascii", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}

Shown = Callable[..., bytes]


@pytest.fixture
def shown(monkeypatch: pytest.MonkeyPatch) -> Shown:
    """Return what a command writes to both streams in an encoding."""

    def show(*arguments: str, encoding: str = "ascii") -> bytes:
        pipe = io.BytesIO()
        stream = io.TextIOWrapper(pipe, encoding=encoding, write_through=True)
        monkeypatch.setattr(sys, "argv", ["lapmark", *arguments])
        monkeypatch.setattr(sys, "stdout", stream)
        monkeypatch.setattr(sys, "stderr", stream)
        with pytest.raises(SystemExit):
            main()
        stream.flush()
        return pipe.getvalue()

    return show


def lapmark(*arguments: str, cwd: Path) -> str:
    """The output of a command in a process that writes ASCII only."""
    command = [sys.executable, "-m", "lapmark", *arguments]
    done = subprocess.run(command, capture_output=True, cwd=cwd, env={**os.environ, **ASCII, "PYTHONPATH": str(ROOT)})
    output = done.stdout + done.stderr
    assert b"Traceback" not in output, output.decode()
    return output.decode("ascii")


@pytest.mark.parametrize("verb", VERBS, ids=" ".join)
def test_help_in_an_ascii_terminal_has_a_stand_in_for_every_character(verb: tuple[str, ...], shown: Shown) -> None:
    output = shown(*verb, "--help").decode("ascii")
    assert "Usage: " in output
    assert "?" not in output, "every character of ours has a stand-in"


def test_help_in_a_latin_terminal_keeps_what_it_can_show(shown: Shown) -> None:
    output = shown("run", "--help", encoding="latin-1").decode("latin-1")
    assert "value,..." in output
    assert "…" in shown("run", "--help", encoding="utf-8").decode()


def test_typer_and_rich_write_the_same_stand_ins(shown: Shown, tmp_path: Path) -> None:
    points, picture = tmp_path / "p.csv", tmp_path / "p.png"
    points.write_text("1,2\n3,4\n")
    assert b"1x2 grid" in shown("map", str(points), "-o", str(picture))  # by Typer
    assert "1×2 grid" in shown("map", str(points), "-o", str(picture), encoding="utf-8").decode()
    assert b"lapmark env add NAME PACKAGE..." in shown("env", "list")  # by Rich


@pytest.mark.parametrize("verb", ["solvers", "problems", "suites"])
def test_lists_in_an_ascii_terminal_have_a_stand_in_for_every_character(verb: str, shown: Shown) -> None:
    assert "?" not in shown(verb).decode("ascii")


def test_file_name_that_is_not_unicode_is_shown_in_a_utf_8_terminal(shown: Shown, tmp_path: Path) -> None:
    (tmp_path / "p.csv").write_text("1,2\n3,4\n")
    picture = os.fsdecode(bytes(tmp_path) + b"/caf\xe9.png")
    output = shown("map", str(tmp_path / "p.csv"), "-o", picture, encoding="utf-8").decode()
    assert "caf\N{REPLACEMENT CHARACTER}.png" in output


@pytest.mark.parametrize(
    ("text", "plain"),
    [
        *[("µ", "u"), ("×", "x"), ("–", "-"), ("…", "..."), ("“", '"'), ("≥", ">="), ("±", "+-")],
        *[("é", "e"), ("²", "2"), ("ő", "o"), ("漢", "?"), ("\udce9", "?")],
    ],
)
def test_stand_in_of_a_character_is_ascii(text: str, plain: str) -> None:
    assert stand_in(text) == plain


def test_every_stand_in_is_ascii() -> None:
    assert "".join(STAND_INS.values()).isascii()


def test_run_report_export_compare_and_choose_work_in_an_ascii_terminal(tmp_path: Path) -> None:
    run = lapmark("run", "-s", "jv", "-p", "uniform", "-n", "50", "--budget", "10ms", "--to", "trial", cwd=tmp_path)
    assert " us x " in run
    assert "lapmark report trial" in run
    assert "index.html" in lapmark("report", "trial", cwd=tmp_path)
    assert "uniform" in lapmark("export", "trial", cwd=tmp_path)
    assert "1 cell" in lapmark("compare", "trial", "trial", "--all", "--format", "markdown", cwd=tmp_path)
    assert " us " in lapmark("choose", "-p", "uniform", "-n", "50", cwd=tmp_path)


def test_reasons_in_commit_messages_are_read_in_an_ascii_locale(tmp_path: Path) -> None:
    git = ["git", "-c", "user.name=A", "-c", "user.email=a@example.org", "-c", "commit.gpgsign=false"]
    for arguments in (["init", "-q"], ["commit", "-q", "--allow-empty", "-m", "first"]):
        subprocess.run([*git, *arguments], cwd=tmp_path, check=True)
    message = f"second\n\n{TRAILER}: Kőnig"
    subprocess.run([*git, "commit", "-q", "--allow-empty", "-m", message], cwd=tmp_path, check=True)
    code = "from lapmark.bench.system.git_repository import *; print(len(Repository.here().reasons('HEAD~1', 'HEAD')))"
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        cwd=tmp_path,
        env={**os.environ, **ASCII, "PYTHONPATH": str(ROOT)},
    )
    assert done.stdout == b"1\n", done.stderr.decode()


#: Clears the screen, and sets the title of the window.
ESCAPES = "\x1b[2J\x1b]0;title\x07"

PLUGIN = f"""
from lapmark import Assignment, Capabilities, register

@register("shouts", Capabilities(exact=True))
def shouts(problem: Assignment) -> object:
    raise ArithmeticError({ESCAPES!r})
"""


def test_escape_sequences_from_elsewhere_do_not_reach_the_terminal(
    tmp_path: Path, shown: Shown, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(registry, "_solvers", dict(registry._solvers))
    (tmp_path / "shouts.py").write_text(PLUGIN)
    (tmp_path / "fails.py").write_text(f"raise OSError({ESCAPES!r})")
    heading = ",".join([f"a{ESCAPES}", *(f"b{k}" for k in range(39))])
    np.savetxt(
        tmp_path / "table.csv", np.random.default_rng(0).random((40, 40)), "%.3f", ",", header=heading, comments=""
    )
    pictures = tmp_path / "pictures"
    pictures.mkdir()
    for k in range(3):
        Image.fromarray(np.full((8, 8), 60 * k, dtype=np.uint8)).save(pictures / f"{k}.png")
    (pictures / f"{ESCAPES}.png").write_bytes(b"no picture")
    run = ("-p", "uniform", "-n", "20", "--to", str(tmp_path / "results"))
    for command in (
        ("run", "-s", "shouts", "--plugin", str(tmp_path / "shouts.py"), *run),
        ("run", "--plugin", str(tmp_path / "fails.py"), *run),
        ("check", "shouts", "--plugin", str(tmp_path / "shouts.py")),
        ("choose", str(tmp_path / "table.csv")),
        ("map", str(pictures), "-o", str(tmp_path / "map.png"), "--method", "pca"),
    ):
        output = shown(*command, encoding="utf-8").decode()
        assert "title" in output, (command, output)
        assert "\x1b[2J" not in output, command
        assert "\x1b]" not in output, command
    with pytest.raises(CommandError, match="title") as failed:
        commit_build.run(["sh", "-c", f"printf '%s' {shlex.quote(ESCAPES)}; exit 1"])
    assert "\x1b" not in str(failed.value)


def test_pipe_that_is_coloured_is_no_terminal() -> None:
    """Notebooks and CI services set FORCE_COLOR, and show no moves of the cursor."""
    command = [sys.executable, "-m", "lapmark", "check", "jv", "-k", "planted", "-k", "infeasible"]
    environ = {name: value for name, value in os.environ.items() if name != "NO_COLOR"} | {"FORCE_COLOR": "1"}
    done = subprocess.run(command, env=environ, capture_output=True, text=True, check=True)
    text = done.stdout + done.stderr
    assert "pass" in text
    assert not set(re.findall(r"\x1b\[[0-9;?]*([A-Za-z])", text)) - {"m"}
