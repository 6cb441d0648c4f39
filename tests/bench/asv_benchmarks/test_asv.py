"""History over commits: asv measures two, and its site shows them in a browser without a network."""

from __future__ import annotations

import functools
import http.server
import os
import re
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import asv
import pytest

from lapmark.bench.asv_benchmarks import asv_site

ROOT = Path(__file__).parents[3]


SETTINGS = {
    "LAPMARK_BENCH_SIZES": "16",
    "LAPMARK_BENCH_PROBLEMS": "uniform",
    "LAPMARK_BENCH_SOLVERS": "jv,auction",  # neither loads Numba, which each of asv's processes would do anew
}

TRACKED = "assignment.WorkUniform.track_row_scans"


@pytest.fixture(scope="module")
def published(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The site of two commits, as `asv publish` writes it."""
    home = tmp_path_factory.mktemp("asv")
    clone = home / "lapmark"
    subprocess.run(["git", "clone", "--quiet", ROOT, clone], check=True)
    identity = ["-c", "user.name=A", "-c", "user.email=a@example.org", "-c", "commit.gpgsign=false"]
    subprocess.run(["git", *identity, "commit", "--quiet", "--allow-empty", "-m", "Next"], cwd=clone, check=True)

    def run(*arguments: str) -> None:
        environment = {**os.environ, **SETTINGS, "HOME": str(home)}
        command = [sys.executable, "-m", "asv", *arguments]
        done = subprocess.run(command, cwd=clone, env=environment, capture_output=True, text=True)
        assert done.returncode == 0, done.stdout + done.stderr

    run("machine", "--yes")
    for revision in ("HEAD~1", "HEAD"):
        parsed = subprocess.run(["git", "rev-parse", revision], cwd=clone, check=True, capture_output=True, text=True)
        here = ["--environment", f"existing:{sys.executable}", "--set-commit-hash", parsed.stdout.strip()]
        run("run", *here, "--quick", "--launch-method", "forkserver", "--bench", "Uniform")
    run("publish")
    return clone / ".asv" / "html"


@pytest.fixture(scope="module")
def local(published: Path) -> Path:
    """The same, with its scripts beside it."""
    if shutil.which("npm") is None:
        pytest.skip("npm, which fetches the scripts of asv's site, is not installed")
    try:
        assert asv_site.make_local(published) == []
    except ValueError as error:
        pytest.skip(str(error))
    return published


@pytest.fixture(scope="module")
def address(local: Path) -> Iterator[str]:
    """The site served on this machine: a page may not read other files by itself."""
    handler = functools.partial(_Quiet, directory=str(local))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/"
        server.shutdown()


class _Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        """Say nothing."""


def test_scripts_cover_the_page_of_asv() -> None:
    page = (Path(asv.__file__).parent / "www" / "index.html").read_text()
    assert set(re.findall(r'(?:src|href)="(https://[^"]+\.(?:js|css))"', page)) == set(asv_site.SCRIPTS)


def test_make_local_without_npm_leaves_the_site_unchanged(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys
) -> None:
    page = Path(asv.__file__).parent / "www" / "index.html"
    shutil.copy(page, tmp_path)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert asv_site.main([str(tmp_path)]) == 1
    assert "npm cannot be run" in capsys.readouterr().err
    assert (tmp_path / "index.html").read_bytes() == page.read_bytes()
    assert asv_site.main([str(tmp_path / "none")]) == 1
    assert asv_site.main([]) == 2


@pytest.mark.timeout(900)  # some fifty processes, one after another: minutes on a busy machine
def test_site_of_two_commits_shows_a_graph_offline(address: str, browser: Any) -> None:
    page = browser.new_page(viewport={"width": 1280, "height": 800})
    elsewhere, complaints = [], []

    def refuse(route: Any) -> None:
        elsewhere.append(route.request.url)
        route.abort()

    page.route(lambda url: not url.startswith(address), refuse)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.goto(address)
    page.wait_for_selector("#summarygrid-display .benchmark-container")
    names = page.eval_on_selector_all(
        "#summarygrid-display .benchmark-container", "tiles => tiles.map(t => t.innerText)"
    )
    for kind in ("time_solve", "peakmem_solve", "track_gap", "track_row_scans"):
        assert any(kind in name for name in names)
    page.goto(f"{address}#{TRACKED}")
    page.wait_for_selector("#main-graph canvas.flot-base")
    drawn = """canvas => {
        const pixels = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height).data;
        return new Set(new Uint32Array(pixels.buffer)).size;
    }"""
    page.wait_for_function(f"({drawn})(document.querySelector('#main-graph canvas.flot-base')) > 10")
    if folder := os.environ.get("LAPMARK_SCREENSHOTS"):
        page.screenshot(path=f"{folder}/asv.png")
    assert elsewhere == []
    assert complaints == []
    page.close()
