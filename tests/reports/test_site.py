"""A site of several runs: its pages, their links, and what it refuses."""

from __future__ import annotations

import json
import urllib.parse
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from browsers import CONTRASTS, PHONE
from report_records import failed, make_record
from typer.testing import CliRunner

from lapmark.bench.cli import app
from lapmark.bench.history.history_store import append
from lapmark.bench.history.measurement import Commit, Measurement, Snapshot
from lapmark.bench.problems import Case
from lapmark.bench.results.store import Store

MEASURED = Path(__file__).parents[2] / "docs" / "measured"


class Links(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found += [value or "" for name, value in attrs if name in ("href", "src")]


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A site of two stores and of a kept table of the documentation."""
    folder = tmp_path_factory.mktemp("site")
    for machine, faster in (("laptop", "jv"), ("a <b>server", "scipy")):
        with Store.open(folder / machine) as store:
            for n in (16, 32):
                for solver in ("jv", "scipy"):
                    seconds = n * (1e-6 if solver == faster else 4e-6)
                    store.add(make_record(solver, Case("uniform", n), samples=(seconds,), machine={"cpu": machine}))
            for record in failed():
                store.add(record)
    stores = [str(folder / name) for name in ("laptop", "a <b>server")]
    command = ["site", *stores, str(MEASURED / "transport.json"), "--to", str(folder / "public")]
    shown = CliRunner().invoke(app, command)
    assert shown.exit_code == 0, shown.output
    assert shown.stdout.strip() == str(folder / "public" / "index.html")
    return folder / "public"


def test_site_pages_link_to_files_of_the_site_only(site: Path) -> None:
    pages = list(site.rglob("*.html"))
    assert {"index.html", "families.html", "solvers.html"} <= {page.name for page in pages}
    for page in pages:
        links = Links()
        links.feed(page.read_text(encoding="utf-8"))
        inside = [
            urllib.parse.unquote(link.partition("#")[0]) for link in links.found if not link.startswith(("data:", "#"))
        ]
        assert inside
        missing = [link for link in inside if not (page.parent / link).is_file()]
        assert missing == [], page


def test_site_names_the_fastest_of_each_run(site: Path) -> None:
    index = (site / "index.html").read_text(encoding="utf-8")
    assert "jv is the fastest exact solver, 4.0× as fast as the next." in index
    assert "scipy is the fastest exact solver, 4.0× as fast as the next." in index
    assert "a &lt;b&gt;server" in index
    solvers = (site / "solvers.html").read_text(encoding="utf-8")
    assert solvers.count("1 of 1, 1.0×") == solvers.count("0 of 1, 4.0×") == 2


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_site_pages_work_from_files_on_a_phone(scheme: str, site: Path, visit: Callable[..., Any]) -> None:
    for name in ("index.html", "families.html", "solvers.html", "runs/laptop/solvers/jv.html"):
        seen = visit(site / name, color_scheme=scheme, **PHONE)
        assert seen.page.evaluate("() => document.documentElement.scrollWidth") == 390
        assert [each for each in seen.page.evaluate(CONTRASTS) if each[0] < 4.5] == []
        assert (seen.requests, seen.complaints) == ([], [])


def test_site_of_a_history_has_its_page(tmp_path: Path) -> None:
    for place in range(2):
        commit = Commit(hash=f"{place:02x}" * 20, time=f"2026-01-0{place + 1}T12:00:00+00:00", subject="x")
        cell = Measurement(name="jv on uniform n=16", certified=True, counters={"scans": 100 + place})
        snapshot = Snapshot(commit=commit, source="lapmark", machine={"cpu": "c"}, versions={}, measurements=[cell])
        append(tmp_path / "history", snapshot)
    with Store.open(tmp_path / "run") as store:
        store.add(make_record("jv", Case("uniform", 16), samples=(1e-3,)))
    command = ["site", str(tmp_path / "run"), "--history", str(tmp_path / "history"), "--to", str(tmp_path / "public")]
    shown = CliRunner().invoke(app, command)
    assert shown.exit_code == 0, shown.output
    assert "history.html" in (tmp_path / "public" / "index.html").read_text(encoding="utf-8")
    assert "Lapmark history" in (tmp_path / "public" / "history.html").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ("{", "holds no kept results"),
        (json.dumps([1]), "holds no kept results"),
        (json.dumps({"rows": [{"n": 5, "seconds": 1.0}]}), "holds times of calls, not cells"),
    ],
)
def test_site_of_another_file_is_refused(content: str, reason: str, tmp_path: Path) -> None:
    (tmp_path / "x.json").write_text(content)
    shown = CliRunner().invoke(app, ["site", str(tmp_path / "x.json"), "--to", str(tmp_path / "public")])
    assert shown.exit_code == 2
    assert reason in " ".join(shown.output.split())
    assert not (tmp_path / "public").exists()


def test_site_of_two_runs_with_one_name_is_refused(tmp_path: Path) -> None:
    for parent in ("a", "b"):
        with Store.open(tmp_path / parent / "results") as store:
            store.add(make_record("jv", Case("uniform", 16), samples=(1e-3,)))
    stores = [str(tmp_path / parent / "results") for parent in ("a", "b")]
    shown = CliRunner().invoke(app, ["site", *stores, "--to", str(tmp_path / "public")])
    assert shown.exit_code == 2
    assert "two runs have the same name: results, results" in " ".join(shown.output.split())
