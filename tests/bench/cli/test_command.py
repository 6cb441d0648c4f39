from __future__ import annotations

import os
import random
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest
from command import lapmark, unwrapped

from lapmark.bench.results.record import Record
from lapmark.bench.results.store import NAME, Store

#: Enough cells that a run can be stopped among them.
RUN = ["run", "-s", "jv", "-s", "scipy", "-p", "uniform", "-n", "8", "-n", "12", "--budget", "10ms"]


def start(*arguments: object) -> subprocess.Popen[str]:
    """The command in a process of its own, with an identity that commits made meanwhile do not change."""
    return subprocess.Popen(
        [sys.executable, "-m", "lapmark", *map(str, arguments)],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env={**os.environ, "GIT_DIR": os.devnull},
    )


def finished(folder: Path) -> list[Record]:
    if not (folder / NAME).exists():
        return []
    with Store.open(folder) as store:
        return store.records()


def wait_for_records(folder: Path, count: int, process: subprocess.Popen[str]) -> None:
    while len(finished(folder)) < count:
        assert process.poll() is None, process.communicate()[0]
        time.sleep(0.02)


def wait_for_worker(process: subprocess.Popen[str]) -> list[psutil.Process]:
    while not (workers := psutil.Process(process.pid).children(recursive=True)):
        assert process.poll() is None
        time.sleep(0.002)
    return workers


def test_run_prints_a_line_per_cell_and_a_table(tmp_path: Path) -> None:
    code, output = lapmark("run", "-s", "jv", "-p", "uniform", "-n", 8, "--budget", "10ms", "--to", tmp_path)
    assert code == 0, output
    assert "ok       jv" in output
    assert "1 cell in" in output
    code, output = lapmark("run", "-s", "jv", "-p", "uniform", "-n", 8, "--budget", "10ms", "--to", tmp_path, "--fresh")
    assert code == 0
    assert "from an earlier run" not in output
    assert len(finished(tmp_path)) == 1


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["-s", "jw"], "no solver is called 'jw'; did you mean jv"),
        (["-p", "unifrom"], "no problem is called 'unifrom'; did you mean uniform"),
        (["-s", "jv:fast=true"], "no setting 'fast'"),
        (["--timeout", "60"], "'60' is not a duration above 0"),
        (["--memory", "8 gigs"], "'8 gigs' is not a size above 0"),
        (["--budget", "0s"], "'0s' is not a duration above 0"),
        (["--retry", "timeuot"], "did you mean timeout?"),
        (["-n", "0"], "Invalid value for '-n'"),
        (
            ["--threads", "0"],
            "Invalid value for '--threads': threads = 0; it must be a whole number of at least 1, or -1",
        ),
        (["--threads", "two"], "Invalid value for '--threads': threads = 'two'"),
        (["--plugin", "missing.py"], "no such file"),
    ],
)
def test_run_with_a_bad_option_names_it_and_writes_nothing(tmp_path: Path, arguments: list[str], message: str) -> None:
    code, output = lapmark("run", "--to", tmp_path, *arguments)
    assert code == 2
    assert message in unwrapped(output)
    assert "Traceback" not in output
    assert not list(tmp_path.iterdir())


def test_run_with_a_failing_plugin_names_it(tmp_path: Path) -> None:
    plugin = tmp_path / "broken.py"
    plugin.write_text("1 / 0\n")
    code, output = lapmark("run", "--to", tmp_path / "results", "--plugin", plugin)
    assert code == 2
    assert "broken.py, line 1: ZeroDivisionError: division by zero" in unwrapped(output)


def test_run_into_a_folder_with_another_file_leaves_it_unchanged(tmp_path: Path) -> None:
    (tmp_path / NAME).write_text("dear diary")
    code, output = lapmark("run", "-s", "jv", "-p", "uniform", "-n", 8, "--to", tmp_path)
    assert code == 2
    assert "is not a Lapmark store" in unwrapped(output)
    assert (tmp_path / NAME).read_text() == "dear diary"


def test_report_draws_pictures_when_asked_and_shows_them_afterwards(tmp_path: Path) -> None:
    lapmark("run", "-s", "transport", "-p", "images-emd", "-n", 16, "--budget", "1ms", "--to", tmp_path)

    def shown(*options: str) -> tuple[str, int]:
        code, output = lapmark("report", tmp_path, *options)
        assert code == 0, output
        page = (tmp_path / "index.html").read_text(encoding="utf-8")
        return unwrapped(output), len(set(re.findall(r'src="(data:image/webp;.*?)"', page)))

    output, count = shown()
    assert f"Pictures of images-emd: lapmark report {tmp_path} --pictures" in output
    assert count == 0
    for options, pictures in ((["--pictures"], 2), ([], 2), (["--no-pictures"], 0)):
        output, count = shown(*options)
        assert "Pictures of" not in output
        assert count == pictures


def test_report_of_a_missing_folder_says_how_to_make_one(tmp_path: Path) -> None:
    code, output = lapmark("report", tmp_path / "none")
    assert code == 2
    assert "make some with" in unwrapped(output)


def test_solvers_and_problems_list_all_names(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "300")
    code, output = lapmark("solvers")
    assert code == 0
    assert all(name in output for name in ("jv-avx2", "hungarian", "auction", "sinkhorn", "scipy"))
    code, output = lapmark("problems")
    assert code == 0
    assert all(name in output for name in ("tsne-grid:rows=points", "uniform", "orlib"))


def test_run_help_shows_an_example(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "120")
    code, output = lapmark("run", "--help")
    assert code == 0
    assert "lapmark run -s jv-avx2 -s lapjv -p uniform -n 1000 -n 4000" in output


def test_run_killed_keeps_finished_cells_and_continues(tmp_path: Path) -> None:
    command = [*RUN, "--to", tmp_path]
    process = start(*command)
    wait_for_records(tmp_path, 1, process)
    workers = wait_for_worker(process)
    process.kill()
    process.communicate()
    _, alive = psutil.wait_procs(workers, timeout=10)
    assert not alive
    kept = finished(tmp_path)
    assert 1 <= len(kept) < 4

    process = start(*command)
    output, _ = process.communicate(timeout=120)
    assert process.returncode == 0, output
    assert f"4 cells in {tmp_path / NAME}, {len(kept)} from an earlier run" in output
    records = finished(tmp_path)
    assert records[: len(kept)] == kept
    assert len(records) == 4
    assert {record.status for record in records} == {"ok"}


@pytest.mark.slow
def test_run_killed_repeatedly_ends_with_all_cells(tmp_path: Path) -> None:
    """At moments that differ each time: in start-up, in a solver's call, while a record is written."""
    command = [*RUN, "--rounds", "3", "--to", tmp_path]
    moments = random.Random(0)
    for _ in range(12):
        process = start(*command)
        time.sleep(moments.uniform(1.0, 6.0))
        process.kill()
        process.communicate()
        finished(tmp_path)  # the store can be read
    process = start(*command)
    output, _ = process.communicate(timeout=200)
    assert process.returncode == 0, output
    records = finished(tmp_path)
    assert sorted((record.solver, record.n) for record in records) == [
        ("jv", 8),
        ("jv", 12),
        ("scipy", 8),
        ("scipy", 12),
    ]
    for record in records:
        assert record.status == "ok"
        assert len(record.samples) == sum(record.rounds)
        assert record.gap == pytest.approx(0, abs=1e-9)


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_run_interrupted_keeps_finished_cells_and_says_how_to_continue(tmp_path: Path, how: signal.Signals) -> None:
    many = [part for n in range(20, 60) for part in ("-n", n)]  # on a busy machine this process may be late
    process = start(*RUN, *many, "--to", tmp_path)
    wait_for_records(tmp_path, 1, process)
    workers = wait_for_worker(process)
    process.send_signal(how)
    output, _ = process.communicate(timeout=30)
    assert process.returncode == 130, output
    assert "The same command continues." in output
    assert "Traceback" not in output
    _, alive = psutil.wait_procs(workers, timeout=10)
    assert not alive
    assert finished(tmp_path)


def test_solvers_with_a_name_shows_its_details(monkeypatch: pytest.MonkeyPatch) -> None:
    code, output = lapmark("solvers", "sinkhorn")
    assert code == 0
    for fact in ("NIPS 2013", "blur=None", "passes", "Marginal error"):
        assert fact in output
    code, output = lapmark("solvers", "sinkhron")
    assert code == 2
    assert "did you mean sinkhorn" in output


def test_fault_of_lapmark_ends_with_70_and_is_no_verdict(monkeypatch: pytest.MonkeyPatch) -> None:
    def fault() -> None:
        raise ZeroDivisionError("planted")

    monkeypatch.setattr("lapmark.bench.cli.listing.plain_console", fault)
    code, output = lapmark("suites")
    assert code == 70
    assert "ZeroDivisionError: planted" in output
    assert "a fault of Lapmark" in output
