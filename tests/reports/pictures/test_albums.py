"""Pictures of answers."""

from __future__ import annotations

import re
import subprocess
import sys
import warnings
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from report_records import make_record, measure

from lapmark import Assignment, DenseCost, Matching
from lapmark.bench import problems
from lapmark.bench.applications import gallery
from lapmark.bench.problems import Case, Family
from lapmark.bench.problems.family import _families
from lapmark.bench.run.solve_case import SolvedCase
from lapmark.bench.util import status_line
from lapmark.bench.worker.resource_limits import Limits
from lapmark.reports import tables
from lapmark.reports.pictures import albums, draw_album, page_copy
from lapmark.reports.pictures.table import PICTURES, Pictures
from lapmark.reports.report import write_report_of
from lapmark.solvers import plugins, registry


@pytest.fixture
def in_this_process(monkeypatch: pytest.MonkeyPatch) -> None:
    """Albums are drawn in this process, where tests register families and solvers."""
    monkeypatch.setattr(albums, "draw_apart", draw_album.draw)


@pytest.fixture
def drawn(in_this_process: None, monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """A family that draws its matching as a picture; the sizes that were drawn."""
    problems.families()
    sizes: list[int] = []

    def build(n: int, seed: int = 0, lacks: bool = False) -> Assignment:
        return Assignment(DenseCost(np.random.default_rng(seed).random((n, n))))

    def draw(case: Case, solved: SolvedCase, folder: Path) -> list[Path]:
        sizes.append(case.n)
        if case.settings["lacks"]:
            warnings.warn("the images are missing", stacklevel=2)
        assert isinstance(solved.result, Matching)
        path = folder / "grid.png"
        Image.fromarray((255 * np.eye(case.n)[solved.result.row_to_col]).astype(np.uint8)).save(path)
        return [path]

    monkeypatch.setitem(_families, "drawn", Family(name="drawn", build=build, source="here", sizes=(4,)))
    monkeypatch.setitem(gallery.FAMILIES, "drawn", {})
    monkeypatch.setitem(PICTURES, "drawn", Pictures(draw, {"grid": "Images on the grid"}))
    return sizes


@pytest.mark.slow
def test_report_written_twice_draws_the_largest_solved_case_once(drawn: list[int], tmp_path: Path) -> None:
    records = [measure("jv", Case("drawn", n), samples=1) for n in (8, 16)]
    records.append(make_record("jv", Case("drawn", albums.MOST_ROWS + 1), samples=(1.0,)))
    records.append(make_record("jv", Case("drawn", 32), status="timeout"))
    assert "Images on the grid" not in write_report_of(records, tmp_path).read_text(encoding="utf-8")
    assert drawn == []
    for draw in (True, None):
        page = write_report_of(records, tmp_path, pictures=draw).read_text(encoding="utf-8")
        assert "16 × 16, solved by jv" in page
        assert "certified optimal" in page
        assert 'alt="Images on the grid"' in page
    assert drawn == [16]
    (picture,) = (tmp_path / "figures").glob("drawn-n16-*/grid.png")
    assert np.asarray(Image.open(picture)).sum() == 255 * 16
    assert "Images on the grid" not in write_report_of(records, tmp_path, pictures=False).read_text(encoding="utf-8")


def test_album_without_its_page_copy_counts_as_undrawn(drawn: list[int], tmp_path: Path) -> None:
    cells = tables.frame([measure("jv", Case("drawn", 8), samples=1)])
    assert albums.undrawn(cells, tmp_path) == [Case("drawn", 8)]
    (album,) = albums.albums(cells, tmp_path, draw=True)
    assert albums.undrawn(cells, tmp_path) == []
    page_copy.of(album.pictures[0].path).unlink()
    assert albums.undrawn(cells, tmp_path) == [Case("drawn", 8)]
    assert albums.albums(cells, tmp_path) == []


def test_album_is_solved_and_drawn_outside_this_process(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(draw_album, "draw", None)
    said: list[str] = []
    with monkeypatch.context() as patched:
        patched.setattr(status_line, "_listener", said.append)
        album = albums.album(Case("images-emd", 16), "auto", tmp_path)
    assert album.notes == ()
    assert [each.path.name for each in album.pictures] == ["flow.png", "nearest.png"]
    assert said == ["loading", "solving", "comparing", "drawing"]


@pytest.mark.parametrize(
    ("program", "note"),
    [
        ("import os; os.kill(os.getpid(), 9)", "ended by SIGKILL"),
        ("import sys; sys.exit('no\\nmemory\\x1b[2J')", "ended with exit status 1: memory\N{REPLACEMENT CHARACTER}[2J"),
        ("", "ended with exit status 0"),
    ],
)
def test_album_whose_process_fails_has_a_note(
    program: str, note: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    start = subprocess.Popen
    monkeypatch.setattr(
        subprocess, "Popen", lambda words, **settings: start([sys.executable, "-c", program], **settings)
    )
    album = albums.album(Case("images-emd", 16), "auto", tmp_path)
    assert album.notes == (f"no pictures: the process that draws them {note}",)
    assert not list(tmp_path.glob(".*"))


def test_album_with_notes_is_drawn_again(drawn: list[int], tmp_path: Path) -> None:
    case = Case("drawn", 8, 0, {"lacks": True})
    for _ in range(2):
        album = albums.album(case, "jv", tmp_path)
        assert album.notes == ("the images are missing",)
        assert [each.path.name for each in album.pictures] == ["grid.png"]
    assert drawn == [8, 8]


def test_album_of_a_case_that_cannot_be_built_has_a_note(tmp_path: Path) -> None:
    album = albums.album(Case("tsne-grid", 10), "jv", tmp_path)
    assert album.pictures == ()
    assert album.notes[0].startswith("no pictures: the case cannot be built: n = 10")


def test_albums_of_families_without_pictures_are_left_out(tmp_path: Path) -> None:
    cells = tables.frame([make_record("jv", Case(name, 8), samples=(1.0,)) for name in ("uniform", "not-installed")])
    assert albums.albums(cells, tmp_path) == []


@pytest.mark.slow
def test_album_of_tsne_grid_has_five_pictures(tmp_path: Path) -> None:
    album = albums.album(Case("tsne-grid", 64), "gone:since=1", tmp_path)
    assert album.notes == ()
    assert [each.path.stem for each in album.pictures] == ["grid", "arrows", "nodes", "embedding", "scattered"]
    assert "certified optimal" in album.text


@pytest.fixture
def misbehaving(monkeypatch: pytest.MonkeyPatch) -> None:
    """Solvers that crash, hang or raise, for this test only."""
    monkeypatch.setattr(registry, "_solvers", dict(registry._solvers))
    monkeypatch.setattr("lapmark.solvers.plugins.loading._loaded", {})  # a file that did not change is loaded once
    plugins.load(Path(__file__).parents[2] / "helpers" / "plugins" / "misbehaving.py")


@pytest.mark.usefixtures("misbehaving")
@pytest.mark.parametrize(
    ("solver", "note"),
    [
        ("segfault", r"no pictures: segfault gave no answer \(crash\): .*SIGSEGV"),
        ("hang-with-the-lock", r"no pictures: hang-with-the-lock gave no answer \(timeout\): "),
        ("greedy", r"no pictures: greedy gave no answer \(memory\): "),
        ("raises", r"no pictures: raises gave no answer \(error\): .*prices diverged"),
    ],
)
def test_report_with_a_solver_that_fails_is_written_with_a_note(
    drawn: list[int], solver: str, note: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(draw_album, "LIMITS", Limits(timeout=1.0, memory=64 << 20))
    records = [make_record(solver, Case("drawn", 32), samples=(1.0,))]
    page = write_report_of(records, tmp_path, pictures=True).read_text(encoding="utf-8")
    assert re.search(note, page), page
    assert drawn == []
    assert list((tmp_path / "figures").glob("drawn-n32-*/about.json"))
