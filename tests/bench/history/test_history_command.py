"""`lapmark history` and `lapmark run --history`, in a repository of their own."""

from __future__ import annotations

import dataclasses
import json
import shutil
import subprocess
from pathlib import Path

import pytest
from command import lapmark, unwrapped

from lapmark.bench.history import history_store
from lapmark.bench.history.measurement import Commit
from lapmark.bench.history.project_commit import commit_of, commit_url
from lapmark.bench.history.record_snapshots import append_records, cell_name
from lapmark.bench.results.store import Store

DATA = Path(__file__).parent / "data"


def git(*arguments: object) -> str:
    settings = ["-c", "user.name=A", "-c", "user.email=a@example.com"]
    done = subprocess.run(["git", *settings, *map(str, arguments)], check=True, capture_output=True, text=True)
    return done.stdout.strip()


def commit(text: str) -> str:
    Path("file.txt").write_text(text)
    git("add", "-A")
    git("commit", "-qm", text)
    return git("rev-parse", "HEAD")


@pytest.fixture
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in ("GITHUB_HEAD_REF", "GITHUB_REF_NAME", "CI_COMMIT_REF_NAME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.chdir(tmp_path)
    git("init", "-q", "-b", "main")
    Path(".gitignore").write_text("results\n")
    commit("first")
    return tmp_path


RUN = ("run", "-s", "jv", "-p", "uniform", "-n", "8", "--budget", "1ms")


def test_run_with_a_history_adds_the_commit_with_counters_and_machine(repository: Path) -> None:
    head = git("rev-parse", "HEAD")
    code, output = lapmark(*RUN, "--history", "history")
    assert code == 0
    (snapshot,) = history_store.read(repository / "history").snapshots
    assert f"Commit {head[:10]} is in history/{head[:12]}-{snapshot.machine_key}-lapmark.json" in output
    assert (snapshot.commit.hash, snapshot.commit.subject, snapshot.commit.branch) == (head, "first", "main")
    (cell,) = snapshot.measurements
    assert (cell.name, cell.certified, cell.rounds) == ("jv on uniform n=8", True, 1)
    assert cell.counters["row_scans"] > 0
    assert cell.lower <= cell.median <= cell.upper
    assert {"python", "numpy"} <= snapshot.versions.keys()
    # The history may be in the repository: adding to it does not make the next run one of changed files.
    git("add", "-A")
    git("commit", "-qm", "history")
    code, output = lapmark(*RUN, "--fresh", "--history", "history")
    assert code == 0
    assert len(history_store.read(repository / "history").snapshots) == 2


def test_run_that_continues_another_adds_nothing_of_it(repository: Path) -> None:
    assert lapmark(*RUN)[0] == 0
    commit("second")
    code, output = lapmark(*RUN, "--history", "history")
    assert code == 2
    assert "1 cell from an earlier run may be of another commit: not added. --fresh measures again." in output
    assert "no cell was measured" in unwrapped(output)
    assert not Path("history").exists()


def test_run_on_changed_files_is_refused_before_it_measures(repository: Path) -> None:
    Path("file.txt").write_text("changed")
    code, output = lapmark(*RUN, "--history", "history")
    assert code == 2
    assert "the working tree differs from commit" in unwrapped(output)
    assert "(file.txt)" in output
    assert not Path("results").exists()


def test_run_outside_of_a_repository_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    code, output = lapmark(*RUN, "--history", "history")
    assert code == 2
    assert "a history belongs to a git repository" in unwrapped(output)


def test_commit_of_a_detached_head_has_the_branch_that_ci_names(
    repository: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    git("checkout", "-q", "--detach")
    monkeypatch.setenv("GITHUB_REF_NAME", "release")
    lapmark("history", "history", "--import", DATA / "hyperfine.json")
    (snapshot,) = history_store.read(repository / "history").snapshots
    assert snapshot.commit.branch == "release"


def test_records_of_two_machines_have_a_file_each(repository: Path) -> None:
    lapmark("run", "-s", "jv", "-s", "scipy", "-p", "uniform:dtype=float32", "-n", "8", "--budget", "1ms")
    with Store.open(repository / "results") as store:
        one, other = store.records()
    other = dataclasses.replace(other, machine={**other.machine, "cores": 999}, threads=2, seed=3)
    paths = append_records(repository / "h", [one, other], Commit(hash="ab" * 20, time="2026-01-01T00:00:00+00:00"))
    assert len(paths) == 2
    assert cell_name(one) == "jv on uniform:dtype=float32 n=8"
    assert cell_name(other) == "scipy on uniform:dtype=float32 n=8 seed=3, 2 threads"


def test_history_imports_files_then_shows_a_summary_and_writes_page_and_badges(repository: Path) -> None:
    head = git("rev-parse", "HEAD")
    outputs = ["-o", "page/index.html", "--badge", "badge.svg", "--badge", "badge.json"]
    imports = [
        part for name in ("hyperfine.json", "google_benchmark.json", "asv") for part in ("--import", DATA / name)
    ]
    code, output = lapmark("history", "history", *imports, *outputs)
    assert code == 0
    assert f"hyperfine.json: 4 cells of hyperfine, commit {head[:10]}" in output
    assert "cells of asv, commit 89ed46021a" in output
    assert "22 cells (0 certified) on 2 commits" in output
    assert "error  sums.time_fails" in output
    page = Path("page/index.html").read_text()
    assert "sleep 0.02" in page
    assert "sum_range/1000" in page
    assert Path("badge.svg").read_text().startswith("<svg")
    assert json.loads(Path("badge.json").read_text())["message"] == "2 failing"


def test_history_with_a_damaged_file_names_it_and_shows_the_others(repository: Path) -> None:
    lapmark("history", "history", "--import", DATA / "hyperfine.json")
    (path,) = Path("history").iterdir()
    shutil.copy(path, path.with_name("ffffffffffff" + path.name[12:]))
    path.write_text("{}")
    code, output = lapmark("history", "history")
    assert code == 0
    assert f"damaged {path} is damaged" in output.replace("\n", "")
    assert "4 cells" in output
    path.with_name("ffffffffffff" + path.name[12:]).unlink()
    code, output = lapmark("history", "history")
    assert code == 2
    assert "restore or delete it" in unwrapped(output)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--open"], "--open opens the page: name its file with -o page.html"),
        (["--badge", "badge.png"], "--badge badge.png: its name must end in .svg or .json"),
        (["-o", "."], "-o .: it is a folder; name a file"),
        (["--commit", "HEAD"], "use it with --import"),
        (["--since", "v9"], "v9: no such commit in the repository of"),
        (["--branch", "other"], "history has no commit of the branch other; it has main"),
        (["--import", "none.json"], "none.json: No such file or directory"),
    ],
)
def test_history_with_a_wrong_option_says_what_to_do(repository: Path, options: list[str], message: str) -> None:
    lapmark("history", "history", "--import", DATA / "hyperfine.json")
    code, output = lapmark("history", "history", *options)
    assert code == 2
    assert message in unwrapped(output)


def test_import_on_changed_files_needs_the_commit_named(repository: Path) -> None:
    Path("file.txt").write_text("changed")
    code, output = lapmark("history", "history", "--import", DATA / "hyperfine.json")
    assert code == 2
    assert "or name the commit with --commit" in unwrapped(output)
    code, _ = lapmark("history", "history", "--import", DATA / "hyperfine.json", "--commit", "HEAD")
    assert code == 0


def test_import_of_several_files_adds_none_where_one_is_wrong(repository: Path) -> None:
    Path("wrong.json").write_text("{}")
    code, output = lapmark("history", "history", "--import", DATA / "hyperfine.json", "--import", "wrong.json")
    assert code == 2
    assert "wrong.json cannot be imported: it is of no known format" in unwrapped(output)
    assert not Path("history").exists()


@pytest.mark.parametrize(
    ("remote", "url"),
    [
        ("git@github.com:some/project.git", "https://github.com/some/project/commit/"),
        ("https://user:secret@github.com/some/project", "https://github.com/some/project/commit/"),
        ("ssh://git@gitlab.com/a/b/c.git", "https://gitlab.com/a/b/c/-/commit/"),
        ("https://example.com/some/project.git", ""),
        ("../elsewhere", ""),
    ],
)
def test_commit_url_of_a_remote_has_no_password(repository: Path, remote: str, url: str) -> None:
    git("remote", "add", "origin", remote)
    assert commit_url() == url


def test_records_of_benchmarks_of_a_project_are_certified_only_with_an_answer(repository: Path) -> None:
    lapmark(*RUN)
    with Store.open(repository / "results") as store:
        (record,) = store.records()
    benchmark = dataclasses.replace(record, solver="parse", case="benchmark", problem="benchmark", gap=None)
    at = Commit(hash="ab" * 20, time="2026-01-01T00:00:00+00:00")
    append_records(repository / "h", [record, benchmark], at)
    (snapshot,) = history_store.read(repository / "h").snapshots
    assert {each.name: each.certified for each in snapshot.measurements} == {
        "jv on uniform n=8": True,
        "parse (benchmark)": False,
    }


def test_commit_named_by_its_hash_has_the_branch_where_it_is_checked_out(repository: Path) -> None:
    first = git("rev-parse", "HEAD")
    assert commit_of(first).branch == "main"
    commit("second")
    assert commit_of(first).branch == ""
    assert commit_of("HEAD").subject == "second"
