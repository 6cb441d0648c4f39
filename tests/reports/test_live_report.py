"""A report that is served while its run goes on."""

from __future__ import annotations

import http.client
import json
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from report_records import make_record
from typer.testing import CliRunner

from lapmark.bench.cli import app
from lapmark.bench.problems import Case
from lapmark.bench.results.store import Store
from lapmark.reports.live_report import LiveReport, server


@pytest.fixture
def live(tmp_path: Path) -> LiveReport:
    Store.open(tmp_path).close()
    return LiveReport(tmp_path)


@pytest.fixture
def port(live: LiveReport) -> Iterator[int]:
    """A running server of the report; the report is refreshed by the tests themselves."""
    with server(live, "127.0.0.1", 0) as listening:
        thread = threading.Thread(target=listening.serve_forever)
        thread.start()
        yield listening.server_port
        listening.shutdown()
        thread.join()


def get(port: int, path: str) -> tuple[int, bytes]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
    connection.request("GET", path)
    answer = connection.getresponse()
    return answer.status, answer.read()


def add(folder: Path, n: int) -> None:
    with Store.open(folder) as store:
        store.add(make_record("jv", Case("uniform", n), samples=(n * 1e-6,)))


@pytest.mark.slow
def test_live_report_is_written_again_when_the_store_has_grown(live: LiveReport, port: int) -> None:
    assert not live.refresh()
    assert b"no results yet" in get(port, "/")[1]
    add(live.directory, 16)
    assert live.refresh()
    assert not live.refresh(), "nothing is new"
    status, page = get(port, "/index.html")
    assert status == 200
    assert b'data-version="1"' in page
    assert json.loads(get(port, "/version.json")[1]) == {"version": 1, "fault": ""}
    add(live.directory, 32)
    assert live.refresh()
    assert b'data-version="2"' in get(port, "/")[1]


def test_page_of_a_run_without_results_reloads_itself_when_there_are_some(
    live: LiveReport, port: int, browser: Any
) -> None:
    page = browser.new_page()
    page.goto(f"http://127.0.0.1:{port}/#solver=jv")
    assert page.get_by_text("The run has no results yet.").count() == 1
    add(live.directory, 16)
    live.refresh()
    page.wait_for_selector("#cells")
    assert page.evaluate("() => location.hash") == "#solver=jv"
    add(live.directory, 32)
    live.refresh()
    page.wait_for_function("() => document.querySelectorAll('#cells tbody tr').length === 2")
    assert page.evaluate("() => location.hash") == "#solver=jv"
    page.close()


def test_serve_command_ends_with_ctrl_c(live: LiveReport) -> None:
    command = [sys.executable, "-m", "lapmark", "serve", str(live.directory), "--port", "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline().startswith("http://127.0.0.1:")
        process.send_signal(signal.SIGINT)
        _, told = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "Traceback" not in told


def test_serve_command_names_a_taken_port(live: LiveReport, port: int) -> None:
    shown = CliRunner().invoke(app, ["serve", str(live.directory), "--port", str(port)])
    assert shown.exit_code == 2
    assert f"cannot listen on 127.0.0.1:{port}" in " ".join(shown.output.split())
    assert "--port" in shown.output


def test_live_report_serves_its_pages_and_not_the_store(live: LiveReport, port: int) -> None:
    add(live.directory, 16)
    live.refresh()
    for path in (
        "/solvers/jv.html",
        "/problems/uniform.html",
        "/assets/lapmark.js",
        "/figures/status.svg",
        "/results.csv",
    ):
        assert get(port, path)[0] == 200, path
    for path in ("/lapmark.sqlite", "/nothing.html", "/../x.html", "/%2e%2e/%2e%2e/etc/passwd", "/solvers/"):
        assert get(port, path)[0] == 404, path


def test_live_report_of_a_damaged_store_keeps_the_last_report_and_tells_why(live: LiveReport, port: int) -> None:
    add(live.directory, 16)
    assert live.refresh()
    for path in live.directory.glob("lapmark.sqlite*"):
        path.write_bytes(b"not a store at all" * 100)
    assert not live.refresh()
    assert json.loads(get(port, "/version.json")[1])["fault"]
    assert b'data-version="1"' in get(port, "/")[1]
