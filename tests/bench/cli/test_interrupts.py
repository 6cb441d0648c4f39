"""Ctrl-C at any moment, closed pipes, full disks and missing folders: one line at most, and never a traceback."""

from __future__ import annotations

import os
import re
import shlex
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from lapmark.bench.cli import app
from lapmark.bench.cli.base import group, typed_command

LAPMARK = [sys.executable, "-m", "lapmark"]


def catches(process: subprocess.Popen[str], number: signal.Signals) -> bool:
    """Return whether the process has a handler of a signal."""
    try:
        status = Path(f"/proc/{process.pid}/status").read_text()
    except OSError:
        return False
    found = re.search(r"SigCgt:\s*([0-9a-f]+)", status)
    return bool(found and int(found[1], 16) >> (number - 1) & 1)


def interrupted(*arguments: str, after: float, **environ: str) -> tuple[int, str]:
    """Interrupt a command so many seconds after its handler is in place; return its status and output.

    Only the command handles SIGTERM: Python itself does not.
    """
    process = subprocess.Popen(
        [*LAPMARK, *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env={**os.environ, **environ},
    )
    while process.poll() is None and not catches(process, signal.SIGTERM):
        time.sleep(0.001)
    time.sleep(after)
    process.send_signal(signal.SIGINT)
    output, _ = process.communicate(timeout=60)
    return process.returncode, output


#: Ends of an interrupted command: ours, and that of a command whose work was complete already.
ENDS = (130, -signal.SIGINT)


@pytest.mark.parametrize("after", [0.0, 0.02, 0.05, 0.1, 0.2, 0.3])
@pytest.mark.parametrize("arguments", ["run -s jv -p uniform -n 8000 --to r", "--help"])
def test_command_interrupted_at_its_start_ends_without_a_traceback(
    arguments: str, after: float, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    code, output = interrupted(*arguments.split(), after=after)
    assert "Traceback" not in output
    assert "KeyboardInterrupt" not in output
    if arguments == "--help":
        assert code in (0, *ENDS)
    else:
        assert code == 130
        assert all(line.startswith(("Stopped", "noise ")) for line in output.splitlines()), output


@pytest.mark.parametrize("after", [0.0, 0.05, 0.1])
def test_completion_interrupted_shows_nothing(after: float) -> None:
    environ = {"_LAPMARK_COMPLETE": "complete_zsh", "_TYPER_COMPLETE_ARGS": "lapmark run -s j"}
    code, output = interrupted(after=after, **environ)
    assert code in (0, *ENDS)
    assert "Traceback" not in output


def test_command_whose_interrupts_are_ignored_runs_to_its_end() -> None:
    command = f"trap '' INT; {shlex.join(LAPMARK)} --version & sleep 0.1; kill -INT $!; wait $!"
    done = subprocess.run(["bash", "-c", command], capture_output=True, text=True)
    assert (done.returncode, done.stdout[:8]) == (0, "lapmark ")


def shell(command: str, cwd: Path) -> tuple[int, str]:
    """Run a command line of bash in which `lapmark` is ours; return its status and its error output in one line."""
    function = f'lapmark() {{ {shlex.join(LAPMARK)} "$@"; }}; set -o pipefail; '
    done = subprocess.run(["bash", "-c", function + command], capture_output=True, text=True, cwd=cwd)
    assert "Traceback" not in done.stderr
    return done.returncode, " ".join(done.stderr.replace("│", " ").split())


def test_command_whose_reader_has_gone_ends_quietly(tmp_path: Path) -> None:
    assert shell("lapmark solvers | true", tmp_path) == (141, "")
    run = "run -s jv -p uniform -n 8 -n 9 --budget 1ms --to r"
    assert shell(f"lapmark {run} | true", tmp_path) == (141, "")
    assert shell("lapmark --help | true", tmp_path)[1] == ""


@pytest.mark.parametrize("arguments", ["solvers", "--help", "--version", "env list"])
def test_output_to_a_full_disk_is_an_error_of_one_line(arguments: str, tmp_path: Path) -> None:
    code, said = shell(f"lapmark {arguments} >/dev/full", tmp_path)
    assert code == 2
    assert "No space left on device" in said


def test_closed_output_is_no_error(tmp_path: Path) -> None:
    assert shell("lapmark solvers jv >&-", tmp_path)[0] == 0
    assert shell("lapmark solvers nosuch 2>&-", tmp_path) == (2, "")


RUN = "lapmark run -s jv -p uniform -n 8 --budget 1ms"


@pytest.mark.parametrize(
    ("command", "message"),
    [
        (f"touch taken; {RUN} --to taken", "--to taken is no folder; name another place"),
        (f"ln -s nowhere link; {RUN} --to link", "--to link is no folder; name another place"),
        (f"touch taken; {RUN} --to taken/r", "taken/r: Not a directory"),
        (f"{RUN} --to /proc/r", "/proc/r: No such file or directory"),
        (f"mkdir gone; cd gone; rmdir ../gone; {RUN}", "the current folder no longer exists; change to another one"),
        ("touch taken; lapmark report taken", "no results in taken"),
        ("lapmark map nosuch.npy", "nosuch.npy: No such file or directory"),
    ],
)
def test_unusable_folder_or_file_is_named(command: str, message: str, tmp_path: Path) -> None:
    code, said = shell(command, tmp_path)
    assert code == 2
    assert message in said


def test_command_without_a_home_folder_works(tmp_path: Path) -> None:
    assert shell("unset HOME; lapmark env list", tmp_path) == (0, "")
    code, _ = shell(f"HOME=/nonexistent {RUN.replace('lapmark', 'lapmark', 1)} --to r", tmp_path)
    assert code == 0


@pytest.mark.parametrize(
    ("error", "message"),
    [
        (MemoryError("Unable to allocate 3 TiB"), "not enough memory: Unable to allocate 3 TiB"),
        (MemoryError(), "not enough memory"),
        (PermissionError(13, "Permission denied", "costs.npy"), "costs.npy: Permission denied"),
        (BrokenPipeError(32, "Broken pipe"), "Broken pipe"),  # of another pipe than the output
    ],
)
def test_error_of_the_system_in_a_verb_is_one_line_with_exit_status_2(error: Exception, message: str) -> None:
    verbs = group("trial", "Fail.", {"lapmark trial": "fail"})

    @verbs.command(examples={"lapmark trial": "fail"})
    def trial() -> None:
        raise error

    done = CliRunner().invoke(verbs, [])
    app.registered_groups.pop()
    assert done.exit_code == 2
    assert message in " ".join(done.output.replace("│", " ").split())


def test_interrupt_of_a_verb_that_keeps_nothing_says_so_with_exit_status_130() -> None:
    verbs = group("trial", "Stop.", {"lapmark trial": "stop"})

    @verbs.command(examples={"lapmark trial": "stop"})
    def trial() -> None:
        raise KeyboardInterrupt

    done = CliRunner().invoke(verbs, [])
    app.registered_groups.pop()
    assert (done.exit_code, done.output) == (130, "Stopped.\n")


@pytest.mark.parametrize(
    ("typed", "shown"),
    [
        ("run -s jv --to r", "lapmark run -s jv --to r --retry failed"),
        ("run --fresh --retry timeout --retry=crash -s jv", "lapmark run -s jv --retry failed"),
        ("run --to 'my results'", "lapmark run --to 'my results' --retry failed"),
    ],
)
def test_typed_command_shows_what_was_typed_without_given_options(typed: str, shown: str) -> None:
    command = typer.main.get_command(app)
    _, *words = shlex.split(typed)
    with command.make_context("python -m lapmark", ["run"]) as root:
        context = command.commands["run"].make_context("run", words, parent=root)  # type: ignore[attr-defined]
    assert typed_command(context, "--retry", "failed", without=("--fresh", "--retry=")) == shown
