"""What the documents show is what happens."""

from __future__ import annotations

import html.parser
import http.server
import os
import re
import subprocess
import sys
import threading
from pathlib import Path

import numpy as np
import pytest
import shown
import typer
from browsers import CHROMIUM
from typer.testing import CliRunner

import lapmark
from lapmark.bench import problems
from lapmark.bench.cli import app
from lapmark.bench.contract import CHECKS, Broken, check
from lapmark.bench.run import configurations
from lapmark.solvers import plugins

ROOT = Path(__file__).parent.parent
PAGES = sorted((ROOT / "docs").glob("**/*.md"))
DOCUMENTS = [*sorted(ROOT.glob("*.md")), ROOT / "examples" / "README.md", *PAGES]
#: Pages that start a cluster, make environments, build commits or draw: what they show has tests of its own.
SLOW = {"cluster", "environments", "gallery", "gate", "map", "plugins"}
#: Documents whose examples of Python run from top to bottom.
EXAMPLES = ("README.md", "docs/library.md", "docs/applications.md", "docs/embeddings.md")
#: Characters in a line of prose.
WIDTH = 100


def relative(path: Path) -> str:
    """Return the name of a document from the root."""
    return path.relative_to(ROOT).as_posix()


def broken(solver: str) -> set[str]:
    """Return the checks of the contract that the solver fails."""
    failed = set()
    for name in CHECKS:
        try:
            check(solver, name)
        except Broken:
            failed.add(name)
    return failed


def prose(text: str) -> list[str]:
    """Return the lines of a document that are neither code, nor in a table, nor an image."""
    outside = re.sub(r"^ *(```|~~~).*?^ *\1 *$", "", text, flags=re.MULTILINE | re.DOTALL)
    return [line for line in outside.splitlines() if not re.match(r"\||\[?!\[|    ", line)]


def test_contributing_guide_solver_that_overclaims_fails_the_contract(tmp_path):
    text = (ROOT / "CONTRIBUTING.md").read_text()
    code = re.search(r"```python\n(.*?)```", text, re.DOTALL)[1].replace('"greedy"', '"guide"', 1)
    assert len(code.splitlines()) <= 30
    for claim, fails in ((code, True), (code.replace("exact=True", "exact=False"), False)):
        file = tmp_path / f"guide_{fails}.py"
        file.write_text(claim if fails else claim.replace('"guide"', '"guide-honest"', 1))
        plugins.load(file)
    assert {"brute-force", "brute-force-rectangular"} <= broken("guide")
    assert broken("guide-honest") == set()


@pytest.mark.parametrize("document", DOCUMENTS, ids=relative)
def test_commands_and_files_that_documents_name_exist(document):
    text = document.read_text()
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    code = "\n".join(re.findall(r"```[^\n`]*\n(.*?)```", text, re.DOTALL) + re.findall(r"`([^`\n]+)`", text))
    assert set(re.findall(r"(?:^|\$ )make ([a-z-]+)", code, re.MULTILINE)) <= targets
    for command in set(re.findall(r"(?:^|\$ )lapmark ([a-z]+)", code, re.MULTILINE)) - {"rnu"}:
        assert CliRunner().invoke(app, [command, "--help"]).exit_code == 0, command
    for path in re.findall(r"`((?:solvers|bench|reports|tests|docs|examples)/[\w./-]+)`", text):
        assert (ROOT / path).exists(), path
    for link in re.findall(r"\]\((?!https?:|#)([^)#]+)[^)]*\)", text):
        assert (document.parent / link).exists(), link


@pytest.mark.parametrize("document", [path for path in DOCUMENTS if path.name != "BIAS.md"], ids=relative)
def test_prose_of_any_document_fits_the_width(document):
    assert [line for line in prose(document.read_text()) if len(line) > WIDTH] == []


def test_pages_name_every_family_and_every_suite():
    families, runs = ((ROOT / "docs" / page).read_text() for page in ("families.md", "suites.md"))
    assert set(problems.families()) <= set(re.findall(r"`([a-z-]+)`", families))
    assert set(configurations.names()) <= set(re.findall(r"`([a-z-]+)`", runs))


@pytest.mark.parametrize("document", EXAMPLES)
def test_python_examples_of_a_document_run(document):
    images = np.random.default_rng(0).random((200, 64), dtype=np.float32)
    names: dict = {"images": images[:150], "others": images[150:]}  # what the page on embeddings leaves to its reader
    for code in re.findall(r"```python\n(.*?)```", (ROOT / document).read_text(), re.DOTALL):
        exec(code, names)
    if "problem" in names:
        assert names["certify"](names["problem"], names["m"]).optimal
    if "rows" in names:
        assert names["cost"][names["rows"], names["cols"]].sum() == pytest.approx(names["m"].cost)


@pytest.fixture(scope="session")
def environ(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Return the environment of a page's commands: our programs, the tests' lock, and a cache of its own."""
    own = {
        name: value for name, value in os.environ.items() if not name.startswith("LAPMARK_") or name == "LAPMARK_LOCK"
    }
    own |= {"LAPMARK_CACHE": str(tmp_path_factory.mktemp("cache")), "COLUMNS": "120", "TERM": "dumb", "NO_COLOR": "1"}
    return {**own, "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"}


@pytest.mark.parametrize(
    "page", [pytest.param(path, marks=[pytest.mark.slow] * (path.stem in SLOW), id=path.stem) for path in PAGES]
)
def test_the_commands_of_a_page_do_what_it_shows(page: Path, tmp_path: Path, environ: dict[str, str]) -> None:
    text = page.read_text(encoding="utf-8")
    done = shown.run(text, tmp_path, {**environ, "LAPMARK_ENVIRONMENTS": str(tmp_path / ".environments")}, timeout=280)
    for command, status, output in done:
        assert status == command.status, f"{command.text}\n{output}"
        assert not shown.missing(command.output, output), f"{command.text}\n{output}"
    assert len(done) == sum(isinstance(step, shown.Command) for step in shown.steps(text)), "the shell has ended before"


def test_what_a_page_shows_is_read_as_the_guide_says() -> None:
    first, second, third = shown.steps("""
```toml title="mine.toml"
n = [8]
```
```console norun
$ rm -rf /
```
```console
$ lapmark run \\
    --to a
ok       jv    uniform n=500  4.55 ms × 43 · 4 KiB
...
$ false  # exit 1
```
""")
    assert first == shown.File("mine.toml", "n = [8]\n")
    assert second.text == "lapmark run \\\n    --to a"
    assert (second.status, third.status) == (0, 1)
    assert third.text == "false  # exit 1"
    line, ellipsis = second.output
    assert not shown.missing([line, ellipsis], "something else\nok  jv  uniform n=400  1.2 µs × 7 · 1.93 MiB\n")
    for other in (
        "ok jv-avx2 uniform n=500 4 ms × 4 · 4 KiB",
        "ok jv uniform n=500 4 ms × 4",
        "wrong jv uniform n=5",
        "",
    ):
        assert shown.missing([line], other) == [line]
    assert not shown.missing(["──── gap 1.5·10⁻⁹, ... 3 %"], "─────── gap 2·10⁻¹², 17 s later 99.5 %")
    assert shown.missing(["4 cells"], "4 cells in a folder")


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build the site strictly: a dead link, a dead anchor or a page without a place in the navigation fails."""
    folder = tmp_path_factory.mktemp("site")
    done = subprocess.run(
        [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", folder],
        cwd=ROOT,
        env={**os.environ, "NO_MKDOCS_2_WARNING": "1"},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    return folder


def test_the_site_has_every_page_and_the_whole_reference(site: Path) -> None:
    for page in PAGES:
        if page.name != "README.md":
            assert (site / f"{page.stem}.html").exists()
    command = (site / "command.html").read_text(encoding="utf-8")
    for verb in typer.main.get_command(app).commands:
        assert f'id="lapmark-{verb}"' in command
    library = (site / "api.html").read_text(encoding="utf-8")
    for name in {*lapmark.__all__, *lapmark._HARNESS}:
        assert f'id="lapmark.{name}"' in library


class Shown(html.parser.HTMLParser):
    """Collect what a page shows: the text outside of code, and the lines of its boxes of code."""

    def __init__(self) -> None:
        super().__init__()
        self.inside: list[str] = []
        self.text, self.code = "", ""

    def handle_starttag(self, tag: str, attrs: object) -> None:
        if tag in {"pre", "code", "script", "style"}:
            self.inside.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag in self.inside:
            del self.inside[self.inside.index(tag) :]

    def handle_data(self, data: str) -> None:
        if not self.inside:
            self.text += data
        elif {"script", "style"}.isdisjoint(self.inside):
            self.code += data


#: Markdown that was not rendered, in text: a fence, bold, a code span, a link or an image, a heading, a row of a table.
RAW_TEXT = re.compile(r"```|~~~|(?<!\w)\*\*\w|`|\]\(|^#{1,6} |^\|.*\|$|^:::", re.MULTILINE)
#: The same in a box of code, where all but a fence and a rendered page's headings may be meant.
RAW_CODE = re.compile(r"^\s*(?:```|~~~)|^#{2,6} \w", re.MULTILINE)


def test_a_page_shows_no_raw_markdown(site: Path) -> None:
    pages = sorted(site.glob("**/*.html"))
    assert len(pages) > len(PAGES)
    for page in pages:
        shows = Shown()
        shows.feed(page.read_text(encoding="utf-8"))
        assert not (found := RAW_TEXT.search(shows.text)), f"{page.name}: {_around(shows.text, found)}"
        assert not (found := RAW_CODE.search(shows.code)), f"{page.name}: {_around(shows.code, found)}"


def _around(text: str, found: re.Match[str]) -> str:
    return text[max(found.start() - 80, 0) : found.end() + 80]


@pytest.mark.skipif(CHROMIUM is None, reason="neither Chromium nor Chrome is installed")
def test_the_site_asks_nobody_else_for_anything(site: Path, tmp_path: Path) -> None:
    """The browser is told to refuse, and to report, whatever does not come from the site itself."""
    asked: list[str] = []

    class Handler(http.server.SimpleHTTPRequestHandler):
        def __init__(self, *arguments: object) -> None:
            super().__init__(*arguments, directory=str(site))  # type: ignore[arg-type]

        def end_headers(self) -> None:
            policy = "default-src 'self' 'unsafe-inline' data: blob:; report-uri /refused"
            self.send_header("Content-Security-Policy", policy)
            super().end_headers()

        def do_POST(self) -> None:
            asked.append(self.path + self.rfile.read(int(self.headers["Content-Length"])).decode())
            self.send_response(204)
            self.end_headers()

        def log_message(self, format: str, *arguments: object) -> None:
            asked.append(self.path)

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        for page in ("index.html", "measured.html", "api.html"):
            subprocess.run(
                [
                    CHROMIUM,
                    *("--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run"),
                    *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
                    *(f"--user-data-dir={tmp_path / 'profile'}", "--virtual-time-budget=5000", "--dump-dom"),
                    f"http://127.0.0.1:{server.server_port}/{page}",
                ],
                capture_output=True,
                timeout=120,
                check=True,
            )
        server.shutdown()
    assert {"/index.html", "/measured.html", "/api.html"} <= set(asked)
    assert any("search_index" in path for path in asked), "its scripts run"
    assert not [path for path in asked if path.startswith("/refused")]
