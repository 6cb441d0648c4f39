"""Pictures of answers."""

from __future__ import annotations

import warnings
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from report_records import make_record, measure

from lapmark import Assignment, DenseCost, Matching, reports
from lapmark.bench import problems
from lapmark.bench.problems import Case, Family
from lapmark.reports import tables
from lapmark.reports.pictures import albums


@pytest.fixture
def drawn(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """A family that draws its matching as a picture; the sizes that were drawn."""
    problems.families()
    sizes: list[int] = []

    def build(n: int, seed: int = 0, lacks: bool = False) -> Assignment:
        return Assignment(DenseCost(np.random.default_rng(seed).random((n, n))))

    def draw(
        problem: Assignment, result: Matching, folder: Path, n: int, seed: int = 0, lacks: bool = False
    ) -> list[Path]:
        sizes.append(n)
        if lacks:
            warnings.warn("the images are missing", stacklevel=2)
        path = folder / "grid.png"
        Image.fromarray((255 * np.eye(n)[result.row_to_col]).astype(np.uint8)).save(path)
        return [path]

    captions = {"grid": "Images on the grid"}
    family = Family(name="drawn", build=build, source="here", sizes=(4,), draw=draw, captions=captions)
    monkeypatch.setitem(problems._families, "drawn", family)
    return sizes


def test_the_largest_solved_case_is_drawn_once(drawn: list[int], tmp_path: Path) -> None:
    records = [measure("jv", Case("drawn", n), samples=1) for n in (8, 16)]
    records.append(make_record("jv", Case("drawn", albums.MOST_ROWS + 1), samples=(1.0,)))
    records.append(make_record("jv", Case("drawn", 32), status="timeout"))
    for _ in range(2):
        page = reports.write_records(records, tmp_path).read_text(encoding="utf-8")
        assert "16 × 16, solved by jv" in page
        assert "certified optimal" in page
        assert 'alt="Images on the grid"' in page
    assert drawn == [16]
    (picture,) = (tmp_path / "figures").glob("drawn-n16-*/grid.png")
    assert np.asarray(Image.open(picture)).sum() == 255 * 16


def test_an_album_that_lacks_pictures_says_so_and_is_drawn_again(drawn: list[int], tmp_path: Path) -> None:
    case = Case("drawn", 8, 0, {"lacks": True})
    for _ in range(2):
        album = albums.album(case, "jv", tmp_path)
        assert album.notes == ("the images are missing",)
        assert [path.name for path in album.pictures] == ["grid.png"]
    assert drawn == [8, 8]


def test_a_case_that_cannot_be_built_here_is_a_note(tmp_path: Path) -> None:
    album = albums.album(Case("tsne-grid", 10), "jv", tmp_path)
    assert album.pictures == ()
    assert album.notes[0].startswith("no pictures: n = 10")


def test_families_without_pictures_and_unknown_ones_have_no_album(tmp_path: Path) -> None:
    cells = tables.frame([make_record("jv", Case(name, 8), samples=(1.0,)) for name in ("uniform", "not-installed")])
    assert albums.albums(cells, tmp_path) == []


@pytest.mark.slow
def test_the_five_pictures_of_tsne_grid(tmp_path: Path) -> None:
    album = albums.album(Case("tsne-grid", 64), "gone:since=1", tmp_path)
    assert album.notes == ()
    assert [path.stem for path in album.pictures] == ["embedding", "nodes", "arrows", "scattered", "grid"]
    assert "certified optimal" in album.text
