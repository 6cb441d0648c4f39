"""The gallery: what it draws, the page it makes, and what it says of mistakes."""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
import time
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import command
import numpy as np
import pytest
from PIL import Image

from lapmark import PointCost, Transport
from lapmark.bench import problems
from lapmark.bench.applications import gallery
from lapmark.bench.applications.gallery import Application
from lapmark.bench.cli import completion
from lapmark.bench.data import datasets
from lapmark.bench.problems import Case, Family
from lapmark.bench.problems.family import _families
from lapmark.bench.run.solve_case import SolvedCase
from lapmark.reports.page.gallery_page import write_gallery
from lapmark.reports.pictures import albums, card, draw_album, images_emd
from lapmark.reports.pictures.albums import Album, Picture
from lapmark.reports.pictures.table import PICTURES, Pictures

SMALL = "images-emd:n=16"


def lapmark(*arguments: object) -> tuple[int, str]:
    code, output = command.lapmark(*arguments)
    return code, " ".join(output.replace("│", " ").split())


@pytest.fixture(autouse=True)
def without_data(monkeypatch: pytest.MonkeyPatch) -> None:
    """What the gallery draws by itself depends on the folder of data."""
    monkeypatch.delenv(datasets.VARIABLE, raising=False)


@pytest.fixture
def in_this_process(monkeypatch: pytest.MonkeyPatch) -> None:
    """Albums are drawn in this process, where tests register applications."""
    monkeypatch.setattr(albums, "draw_apart", draw_album.draw)


@pytest.fixture
def blurred(in_this_process: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """A family that is registered elsewhere, whose answers are entropic, and whose pictures have no captions."""
    problems.families()

    def build(n: int, seed: int = 0, reach: float = 0.0) -> Transport:
        x, y = np.random.default_rng(seed).random((2, n, 2))
        return Transport(PointCost(x, y), blur=0.1, reach=reach or None)

    def draw(case: Case, solved: SolvedCase, folder: Path) -> list[Path]:
        Image.fromarray(np.eye(100, dtype=np.uint8) * 255).save(folder / "an-eye.png")
        return [folder / "an-eye.png"]

    family = Family(name="blurred", build=build, source="here & there", sizes=(9, 16))
    monkeypatch.setitem(_families, "blurred", family)
    monkeypatch.setitem(gallery.FAMILIES, "blurred", {})
    monkeypatch.setitem(PICTURES, "blurred", Pictures(draw, {}))


@dataclass(frozen=True)
class Spiral:
    """A study of a curve."""

    turns: int
    text: str


@pytest.fixture
def spiral(in_this_process: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """A study that is registered elsewhere."""

    def build(n: int, seed: int = 0, turns: int = 3, hand: Literal["left", "right"] = "left") -> Spiral:
        if n < 3:
            raise ValueError(f"n = {n}; a spiral has three points or more")
        if hand == "right":
            warnings.warn("the mirror is missing", stacklevel=2)
        time.sleep(0.002)  # the time is shown in milliseconds
        return Spiral(turns, f"{n} points of {turns} turns.")

    def draw(case: Case, spiral: Spiral, folder: Path) -> list[Path]:
        angle = np.linspace(0, 2 * np.pi * spiral.turns, case.n)
        x, y = (50 + 45 * angle / angle[-1] * (np.cos(angle), np.sin(angle))).astype(int)
        pixels = np.zeros((100, 100), np.uint8)
        pixels[y, x] = 255
        Image.fromarray(pixels).save(folder / "curve.png")
        return [folder / "curve.png"]

    study = Application(
        name="spiral",
        build=build,
        source="Archimedes",
        sizes=(20, 40),
        variants=({"turns": 2},),
        exhibits={"mnist": ({"n": 60}, {"n": 70, "turns": 5})},
    )
    monkeypatch.setitem(gallery.STUDIES, "spiral", study)
    monkeypatch.setitem(PICTURES, "spiral", Pictures(draw, {"curve": "A curve that winds"}))


def put_mnist(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder of data that has the names of MNIST's files: what is in them matters to who draws."""
    for name in ("t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte.gz"):
        (folder / name).touch()
    monkeypatch.setenv(datasets.VARIABLE, str(folder))


def test_cases_without_mnist_use_built_in_data(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(datasets.VARIABLE, raising=False)
    cases = {case.problem: case for case in gallery.cases()}
    assert {"images-emd", "tsne-grid", "words"} <= set(cases)
    assert len(cases) == len(gallery.cases()), "one of each"
    for name in ("tsne-grid", "lle-grid"):
        assert cases.pop(name) == Case(name, 42**2, 0, {"rows": "nodes", "source": "digits"})
    for name, case in cases.items():
        known = gallery.get(name)
        assert case == Case(name, known.sizes[0], 0, known.variants[0])
    assert "mnist" not in " ".join(map(str, cases.values()))


def test_cases_with_mnist_use_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    put_mnist(tmp_path, monkeypatch)
    cases = [str(case) for case in gallery.cases()]
    assert "images-emd:n=784,seed=0,source=mnist" in cases
    grids = [f"tsne-grid:n={n},rows=nodes,seed=0,source=mnist-reference" for n in (2500, 10_000)]
    assert [case for case in cases if case.startswith("tsne-grid")] == grids
    assert [str(case) for case in gallery.cases(["tsne-grid"])] == grids
    (tmp_path / "t10k-images-idx3-ubyte").unlink()
    assert [case.n for case in gallery.cases(["tsne-grid"])] == [1764]


def test_cases_of_a_spec_replace_settings_of_the_first_variant() -> None:
    assert gallery.cases(["tsne-grid:cost=points,seed=3"], 49) == [
        Case("tsne-grid", 49, 3, {"rows": "nodes", "cost": "points"})
    ]


@pytest.mark.parametrize("text", ["words:n=20", "words:n=20,seed=4,vectors=my file.txt", "tsne-grid:n=49"])
def test_command_of_a_case_gives_the_case_back(text: str) -> None:
    (case,) = gallery.cases([text])
    program, verb, name, option, size = shlex.split(gallery.command(case))
    assert (program, verb, option) == ("lapmark", "gallery", "-n")
    assert gallery.cases([name], int(size)) == [case]


@pytest.fixture(scope="module")
def drawn(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """A folder that one application was drawn to, and what was said of it."""
    folder = tmp_path_factory.mktemp("drawn")
    code, output = lapmark("gallery", SMALL, "--to", folder)
    assert code == 0, output
    return folder, output


def test_gallery_of_one_application_writes_its_page(drawn: tuple[Path, str]) -> None:
    folder, output = drawn
    assert "16 × 16, solved by transport" in output
    assert "certified optimal" in output
    page = (folder / "index.html").read_text(encoding="utf-8")
    assert "lapmark gallery images-emd -n 16" in page
    assert "The earth mover&#39;s distance between two grey images" in page
    assert images_emd.CAPTIONS["flow"] in page
    assert page.count('<img src="data:image/webp;base64,') == 2
    assert not re.search(r'src(?:set)?="(?!data:)', page)
    links = re.findall(r'href="(?!data:|#)(.*?)"', page)
    assert sorted(folder / link for link in links) == sorted([*folder.glob("*/*.png"), *folder.glob("*/*.html")])
    assert f"Cards to share: {folder}/*/card.png" in output
    for alt in images_emd.ALTS.values():
        assert f'alt="{alt}"' in page
    for path in folder.glob("*/*.png"):
        assert len(Image.open(path).convert("RGB").getcolors(1 << 24)) > 10
    assert not list(folder.glob(".*")), "nothing half drawn is left"


@pytest.mark.parametrize(
    ("options", "base"),
    [
        ((), ("", "")),
        (("--url", "https://example.org/art/"), ("https://example.org/art/{}/", "https://example.org/art/{}/")),
    ],
)
def test_gallery_pages_name_a_card_of_the_size_that_sites_show(
    options: tuple[str, ...], base: tuple[str, str], tmp_path: Path, drawn: tuple[Path, str]
) -> None:
    shutil.copytree(drawn[0], tmp_path, dirs_exist_ok=True)
    write_gallery(tmp_path, *options[1:])
    (card,) = tmp_path.glob("*/card.png")
    with Image.open(card) as image:
        assert image.size == (1200, 630)
    album = card.parent
    expected = {tmp_path: base[0].format(album.name) or f"{album.name}/", album: base[1].format(album.name)}
    for folder, start in expected.items():
        page = (folder / "index.html").read_text(encoding="utf-8")
        assert re.findall(r'<meta property="og:image" content="(.*?)">', page) == [f"{start}card.png"]
        assert re.findall(r'<meta name="twitter:image" content="(.*?)">', page) == [f"{start}card.png"]
        assert '<meta name="twitter:card" content="summary_large_image">' in page
        assert re.search(r'href="(.*?card\.png)" download="lapmark-images-emd-n16\.png"', page)
    assert 'href="../index.html"' in (album / "index.html").read_text(encoding="utf-8")


@pytest.mark.parametrize("size", [(64, 64), (900, 90), (90, 900), (1, 1), (4000, 4000)])
def test_card_of_any_picture_and_text_has_its_size(size: tuple[int, int], tmp_path: Path) -> None:
    Image.new("RGB", size, "red").save(tmp_path / "one.png")
    pictures = (Picture(tmp_path / "one.png", "", ""),)
    for text in ("", "word " * 500, "x" * 2000):
        path = card.write(Album("a:n=1", text or "A", text, text, pictures=pictures), is_mosaic=True)
        with Image.open(path) as image:
            assert image.size == (1200, 630)
            assert len(image.getcolors(1 << 24)) > 10


@pytest.mark.usefixtures("blurred")
def test_gallery_page_shows_all_albums_of_the_folder(tmp_path: Path, drawn: tuple[Path, str]) -> None:
    shutil.copytree(drawn[0], tmp_path, dirs_exist_ok=True)
    for arguments in (("blurred",), ("blurred:reach=0.5", "-n", 16), ("blurred",)):
        code, output = lapmark("gallery", *arguments, "--to", tmp_path)
        assert code == 0, output
    page = (tmp_path / "index.html").read_text(encoding="utf-8")
    titles = [title.replace("\N{NO-BREAK SPACE}", " ") for title in re.findall(r"<h2[^>]*>(.*?) <a", page)]
    assert titles == ["One digit becomes another, n = 16", "blurred:reach=0.5, n = 16", "blurred, n = 9"]
    assert "An eye." in page
    assert "here &amp; there" in page


@pytest.mark.usefixtures("spiral")
def test_gallery_of_a_study_writes_its_text_notes_and_pictures(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert gallery.cases(["spiral"]) == [Case("spiral", 20, 0, {"turns": 2})]
    assert ("spiral:hand=left", "") in completion.applications("spiral:ha")
    assert ("spiral", "Archimedes") in completion.applications("sp")
    code, output = lapmark("gallery", "spiral:hand=right,turns=4", "-n", 30, "--to", tmp_path)
    assert code == 0, output
    case = "spiral:hand=right,n=30,seed=0,turns=4"
    assert re.search(rf"{case} \([\d.]+ m?s\): 30 points of 4 turns\. {case} \(.*\): the mirror is missing", output)
    page = (tmp_path / "index.html").read_text(encoding="utf-8")
    for text in ("A curve that winds.", "30 points of 4 turns.", "the mirror is missing", "Archimedes"):
        assert text in page
    assert "lapmark gallery spiral:hand=right,turns=4 -n 30" in page
    (about,) = tmp_path.glob("*/about.json")
    assert 0 < json.loads(about.read_text())["seconds"] < 60

    put_mnist(tmp_path, monkeypatch)
    assert gallery.cases(["spiral"]) == [Case("spiral", 60, 0, {"turns": 2}), Case("spiral", 70, 0, {"turns": 5})]


@pytest.mark.usefixtures("spiral")
@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["spiral:hand=both"], 2, "hand = 'both'; it must be left or right"),
        (["spiral:folder=x"], 2, "no setting 'folder'; there is turns, hand"),
        (["spirla"], 2, "did you mean spiral?"),
        (["spiral:n=2"], 1, "no pictures: n = 2; a spiral has three points or more"),
    ],
)
def test_gallery_of_a_study_names_mistakes(tmp_path: Path, arguments: list[str], code: int, message: str) -> None:
    got, output = lapmark("gallery", "--to", tmp_path, *arguments)
    assert (got, message in output) == (code, True), output


@pytest.mark.usefixtures("blurred")
def test_album_of_an_entropic_answer_gives_its_certified_gap(tmp_path: Path) -> None:
    balanced = albums.album(Case("blurred", 9), "auto", tmp_path).text
    assert re.search(r"marginal error .*, certified at most .* % above the optimum without blur", balanced), balanced
    loose = albums.album(Case("blurred", 9, 0, {"reach": 0.5}), "auto", tmp_path).text
    assert re.search(r"with the penalty on mass that is not moved, .*, certified at most .* % above", loose), loose


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["wrods"], "no application is called 'wrods'; did you mean words"),
        (["uniform"], "uniform has no pictures; those that have: "),
        (["words:colour=red"], "no setting 'colour'"),
        (["words:n=few"], "n and seed are whole numbers"),
        (["-n", "0"], "Invalid value for '-n'"),
    ],
)
def test_gallery_with_a_mistake_names_it_and_writes_nothing(tmp_path: Path, arguments: list[str], message: str) -> None:
    code, output = lapmark("gallery", "--to", tmp_path, *arguments)
    assert code == 2
    assert message in output
    assert not list(tmp_path.iterdir())


def test_gallery_of_a_case_that_cannot_be_built_gives_the_reason(tmp_path: Path) -> None:
    code, output = lapmark("gallery", "words:vectors=missing.txt", "--to", tmp_path)
    assert code == 1
    assert "no pictures: " in output
    assert "missing.txt" in output
    assert "<section" not in (tmp_path / "index.html").read_text(encoding="utf-8")


def test_gallery_to_a_file_names_it_and_keeps_it(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("dear diary")
    code, output = lapmark("gallery", SMALL, "--to", tmp_path / "file")
    assert code == 2
    assert "file" in output
    assert (tmp_path / "file").read_text() == "dear diary"


def test_gallery_interrupted_keeps_finished_albums(tmp_path: Path) -> None:
    process = subprocess.Popen(
        [sys.executable, "-m", "lapmark", "gallery", SMALL, "words:n=300", "--to", str(tmp_path)],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env=os.environ,
    )
    assert process.stdout is not None
    first = process.stdout.readline()
    assert first.startswith("images-emd"), first + process.communicate()[0]
    process.send_signal(signal.SIGINT)
    output, _ = process.communicate(timeout=60)
    assert process.returncode == 130, output
    assert "Stopped after 1 of 2 applications, which are kept" in output
    assert "Traceback" not in output
    assert not list(tmp_path.glob(".*"))
    (about,) = tmp_path.glob("*/about.json")
    assert [each["path"] for each in json.loads(about.read_text())["pictures"]] == ["flow.png", "nearest.png"]
    assert "images-emd -n 16" in (tmp_path / "index.html").read_text(encoding="utf-8")
