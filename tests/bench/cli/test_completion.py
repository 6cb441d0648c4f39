"""Completion installed into a home folder, and used by pressing TAB in a shell."""

from __future__ import annotations

import os
import pty
import select
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

#: Make Ctrl-X show the current line in the shell of these tests.
SHOW_LINE = r"""
bind 'set enable-bracketed-paste off'
bind 'set show-all-if-ambiguous on'
bind 'set bell-style none'
bind -x '"\C-x": echo "<LINE:$READLINE_LINE:END>"'
"""
BIN = Path(sys.executable).parent


def ask(shell: str, line: str, **more: str) -> str:
    """Return the answer of the command to the script of a shell with this line before the cursor."""
    environ = {**os.environ, "_LAPMARK_COMPLETE": f"complete_{shell}", "_TYPER_COMPLETE_ARGS": line, **more}
    return subprocess.run([BIN / "lapmark"], env=environ, capture_output=True, text=True, check=True).stdout


class Bash:
    """An interactive bash with a simulated keyboard."""

    def __init__(self, home: Path) -> None:
        self.process, self.keyboard = pty.fork()
        if self.process == 0:
            os.chdir(home)
            path = f"{BIN}:{os.environ['PATH']}"
            os.execve(shutil.which("bash") or "", ["bash", "-i"], {"HOME": str(home), "PATH": path, "TERM": "dumb"})

    def complete(self, line: str) -> tuple[str, str]:
        """Return the line after TAB, and the screen."""
        os.write(self.keyboard, f"\x15{line}\t\x18".encode())
        screen = ""
        while ":END>" not in screen.rpartition("<LINE:")[2]:
            assert select.select([self.keyboard], [], [], 60)[0], screen
            screen += os.read(self.keyboard, 4096).decode()
        return screen.rpartition("<LINE:")[2].partition(":END>")[0], screen

    def close(self) -> None:
        os.close(self.keyboard)
        os.waitpid(self.process, 0)


@pytest.fixture(scope="module")
def bash(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bash]:
    if not shutil.which("bash"):
        pytest.skip("needs bash")
    home = tmp_path_factory.mktemp("home")
    install = (
        f"PATH={BIN}:$PATH; lapmark --install-completion; exit $?"  # more than a command, or bash makes way for it
    )
    told = subprocess.run(
        ["bash", "--norc", "-c", install], env={**os.environ, "HOME": str(home)}, capture_output=True, text=True
    )
    assert "bash completion installed" in told.stdout, told.stdout + told.stderr
    (home / ".bashrc").write_text((home / ".bashrc").read_text() + SHOW_LINE)
    shell = Bash(home)
    yield shell
    shell.close()


@pytest.mark.parametrize(
    ("line", "completed"),
    [
        ("lapmark ru", "lapmark run "),
        ("lapmark run --conf", "lapmark run --config "),
        ("lapmark run --config fam", "lapmark run --config families "),
        ("lapmark run --config=fam", "lapmark run --config=families "),
        ("lapmark run --retry time", "lapmark run --retry timeout "),
        ("lapmark run -s casc", "lapmark run -s cascade "),
        ("lapmark run -s cascade:is", "lapmark run -s cascade:isa="),
        ("lapmark run -s cascade:isa=s", "lapmark run -s cascade:isa=scalar "),
        ("lapmark run -s cascade:isa=scalar,lev", "lapmark run -s cascade:isa=scalar,levels="),
        ("lapmark run --solver=cascade:lev", "lapmark run --solver=cascade:levels="),
        ("lapmark run -s sinkhorn:max_", "lapmark run -s sinkhorn:max_iterations="),
        ("lapmark run -s jv:nonsense", "lapmark run -s jv:nonsense"),
        ("lapmark run -s nobody:a", "lapmark run -s nobody:a"),
        ("lapmark run -p tsne-grid:rows=p", "lapmark run -p tsne-grid:rows=points "),
        ("lapmark run -s cascade:isa=scalar -p unif", "lapmark run -s cascade:isa=scalar -p uniform "),
        ("lapmark solvers hung", "lapmark solvers hungarian "),
        ("lapmark gallery wor", "lapmark gallery words "),
        ("lapmark map x.npy --method iso", "lapmark map x.npy --method isomap "),
        ("lapmark map x.npy --method no", "lapmark map x.npy --method none "),
    ],
)
def test_completion_in_bash_completes_the_word(bash: Bash, line: str, completed: str) -> None:
    assert bash.complete(line)[0] == completed


def test_completion_in_bash_lists_the_remaining_settings(bash: Bash) -> None:
    _, screen = bash.complete("lapmark run -s cascade:isa=scalar,")
    assert {"scalar,levels=false", "scalar,levels=true", "scalar,threads="} <= set(screen.split())
    assert "scalar,isa=scalar" not in screen.split(), "a setting is given once"


def test_completion_of_a_problem_offers_families_and_cost_files(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("uniform-costs.npy", "unit.txt", "unread.md", "mine.npy"):
        (tmp_path / name).touch()
    (tmp_path / "units").mkdir()
    for option in ("-p ", ""):
        fish = ask("fish", f"lapmark run {option}uni", _TYPER_COMPLETE_FISH_ACTION="get-args")
        words = {line.partition("\t")[0] for line in fish.splitlines()}
        assert words == {"uniform", "uniform-costs.npy", "unit.txt", "units"}
    # Where no family matches, the shell completes the path itself.
    assert not ask("fish", "lapmark run -p mine", _TYPER_COMPLETE_FISH_ACTION="get-args").strip()


def test_completion_in_bash_falls_back_to_files(bash: Bash, tmp_path: Path) -> None:
    (tmp_path / "mine.toml").touch()
    for option in ("--config", "--to", "--plugin"):
        line = f"lapmark run {option} {tmp_path}/mi"
        assert bash.complete(line)[0] == f"lapmark run {option} {tmp_path}/mine.toml "


def test_completion_in_zsh_and_fish_includes_help() -> None:
    assert 'jv-avx2":"' in ask("zsh", "lapmark run -s jv-")
    # In zsh an unquoted colon separates a word from its help.
    assert r'"cascade\\:levels=true"' in ask("zsh", "lapmark run -s cascade:le")
    fish = ask("fish", "lapmark run -s cascade:le", _TYPER_COMPLETE_FISH_ACTION="get-args")
    assert fish.splitlines() == ["cascade:levels=true", "cascade:levels=false"]
    fish = ask("fish", "lapmark run --retry time", _TYPER_COMPLETE_FISH_ACTION="get-args")
    assert fish.splitlines() == ["timeout\tstopped at the time limit"]


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_script_of_each_shell_calls_the_command(shell: str) -> None:
    environ = {**os.environ, "_LAPMARK_COMPLETE": f"source_{shell}"}
    script = subprocess.run([BIN / "lapmark"], env=environ, capture_output=True, text=True, check=True).stdout
    assert f"_LAPMARK_COMPLETE=complete_{shell}" in script


@pytest.mark.parametrize("line", ["lapmark ru", "lapmark run --b", "lapmark run --config g"])
def test_completion_of_verbs_and_options_imports_no_solver(line: str) -> None:
    code = """
import sys
from lapmark.bench.cli import main
sys.argv = ["lapmark"]
try:
    main()
finally:
    print("heavy:", [name for name in ("numpy", "scipy", "numba", "pandas", "matplotlib") if name in sys.modules])
"""
    environ = {**os.environ, "_LAPMARK_COMPLETE": "complete_zsh", "_TYPER_COMPLETE_ARGS": line}
    told = subprocess.run([sys.executable, "-c", code], env=environ, capture_output=True, text=True)
    assert "_arguments" in told.stdout, told.stderr
    assert "heavy: []" in told.stdout
