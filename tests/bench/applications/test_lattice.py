"""Nodes of maps: lattices in outlines, their pitch, nodes to spare, and how they are drawn."""

from __future__ import annotations

from pathlib import Path

import command
import numpy as np
import pandas as pd
import pytest
from PIL import Image, ImageDraw
from scipy.spatial.distance import pdist

from lapmark.bench.applications.grid_map import collection, lattice, pipeline, thumbnails
from lapmark.bench.applications.grid_map.lattice import Wanted
from lapmark.reports.map.drawing import Map, palette
from lapmark.reports.map.painting import BACKGROUND, Look

RNG = np.random.default_rng(0)


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working directory of the test's own, with a cache in it, and a mask of 60×40 pixels."""
    monkeypatch.setenv("LAPMARK_CACHE", str(tmp_path / ".cache"))
    monkeypatch.chdir(tmp_path)
    mask = Image.new("L", (100, 80), 255)
    ImageDraw.Draw(mask).rectangle((10, 20, 69, 59), fill=0)
    mask.save("mask.png")
    return tmp_path


def coloured(count: int, size: tuple[int, int] = (30, 30)) -> collection.Collection:
    """Points with images of one colour each."""
    images = tuple(np.full((*size, 3), (k + 1, 90, 200), np.uint8) for k in range(count))
    return collection.Collection(RNG.random((count, 2)), tuple(map(str, range(count))), images)


@pytest.mark.parametrize("nodes", ["square", "hexagonal"])
@pytest.mark.parametrize("outline", [None, "circle", "hexagon", "mask.png"])
@pytest.mark.parametrize("spare", [0.0, 0.2])
@pytest.mark.parametrize("n", [2, 3, 10, 97, 1000])
def test_lattice_has_a_node_for_each_item_at_unit_distance(
    n: int, spare: float, outline: str | None, nodes: lattice.Nodes
) -> None:
    found = lattice.lattice(n, Wanted(outline=outline, spare=spare, nodes=nodes))
    least = n / (1 - spare)
    assert least - 1e-9 <= len(found.cells) <= 1.25 * least + 6
    assert len(np.unique(found.cells, axis=0)) == len(found.cells)
    assert (found.cells >= 0).all()
    assert (found.cells < found.shape).all()
    assert pdist(found.places).min() == pytest.approx(1)
    if outline == "circle" and n > 90:
        centre = (found.places.min(axis=0) + found.places.max(axis=0)) / 2
        radius = np.sqrt(len(found.cells) / np.pi * (1 if nodes == "square" else lattice.ROW_STEP))
        assert np.linalg.norm(found.places - centre, axis=1).max() == pytest.approx(radius, rel=0.1)


def test_lattice_of_an_image_fills_its_dark_or_opaque_part() -> None:
    assert str(lattice.lattice(24, Wanted(outline="mask.png", pitch=10))) == "24 nodes in mask.png"
    assert lattice.lattice(24, Wanted(outline="mask.png", pitch=10)).shape == (4, 6)
    opaque = Image.new("RGBA", (100, 80), (0, 0, 0, 0))
    opaque.paste((255, 255, 255, 255), (10, 20, 70, 60))
    opaque.save("opaque.png")
    ring = Image.new("1", (90, 90), 1)
    ImageDraw.Draw(ring).ellipse((0, 0, 89, 89), fill=0)
    ImageDraw.Draw(ring).ellipse((30, 30, 59, 59), fill=1)
    ring.save("ring.png")
    deep = np.full((80, 100), 60_000, np.uint16)
    deep[20:60, 10:70] = 100
    Image.fromarray(deep).save("deep.png")
    for name in ("opaque.png", "deep.png"):
        assert lattice.lattice(24, Wanted(outline=name, pitch=10)).shape == (4, 6)
    taken = lattice.lattice(50, Wanted(outline="ring.png", pitch=10)).cells.tolist()
    assert [4, 4] not in taken
    assert [4, 0] in taken


@pytest.mark.parametrize(
    ("wanted", "fault"),
    [
        (Wanted((5, 5), "circle"), "--grid 5x5 has 21 nodes in a circle for 30 items; --grid 6x6 has enough"),
        (Wanted((5, 5), "circle", 0.1), "--grid and --pitch both"),
        (Wanted(pitch=0.1), "--pitch is for --shape"),
        (Wanted(outline="circle", pitch=0.0), "--pitch 0 must be above 0"),
        (Wanted(outline="circle", pitch=float("nan")), "--pitch nan must be above 0"),
        (Wanted(outline="circle", pitch=0.3), "--pitch 0.3 leaves 9 nodes for 30 items; 0.1666 leaves enough"),
        (Wanted(outline="circle", pitch=1e-6), "more than 67,108,864 nodes"),
        (Wanted(outline="mask.png", pitch=40.0), "--pitch 40 leaves 1 node for 30 items"),
        (Wanted((5, 6), spare=0.1), "a 5×6 grid leaves fewer than 10% of its nodes empty"),
        (Wanted(outline="none.png"), "neither circle nor hexagon, nor an image file that exists"),
        (Wanted(outline="text.png"), "--shape text.png is not an image"),
        (Wanted(outline="white.png"), "has no dark or opaque part"),
        (Wanted(outline="."), "--shape . cannot be read"),
    ],
)
def test_lattice_that_cannot_be_is_refused(folder: Path, wanted: Wanted, fault: str) -> None:
    Path("text.png").write_text("no image")
    Image.new("L", (9, 9), 255).save("white.png")
    with pytest.raises(ValueError) as error:
        lattice.lattice(30, wanted)
    assert fault in str(error.value)


@pytest.mark.parametrize("wanted", [Wanted(outline="circle"), Wanted(nodes="hexagonal"), Wanted((7, 7), "mask.png")])
def test_lay_on_any_lattice_is_proven_and_inside(wanted: Wanted) -> None:
    layout = pipeline.lay(coloured(37), lattice.lattice(37, wanted))
    assert layout.certificate.optimal
    assert len(np.unique(layout.nodes, axis=0)) == 37
    assert {tuple(node) for node in layout.nodes.tolist()} <= {tuple(cell) for cell in layout.lattice.cells.tolist()}
    assert len(layout.empty) == len(layout.lattice.cells) - 37


@pytest.mark.parametrize("nodes", ["square", "hexagonal"])
@pytest.mark.parametrize("fit", ["contain", "crop", "cover"])
@pytest.mark.parametrize("gap", [0, 7])
@pytest.mark.parametrize("size", [(30, 30), (20, 60), (1, 50), (3, 1)])
def test_map_shows_each_image_in_its_cell_only(nodes: lattice.Nodes, fit: str, gap: int, size: tuple[int, int]) -> None:
    read = coloured(20, size)
    layout = pipeline.lay(read, lattice.lattice(20, Wanted(outline="circle", nodes=nodes, spare=0.1)))
    drawn = Map(layout, 40, "", Look(fit=fit, gap=gap))  # type: ignore[arg-type]
    picture = drawn.picture
    for k, (y, x) in enumerate(drawn.cells.centres(layout.nodes).astype(int).tolist()):
        rows, columns = np.nonzero((picture == [k + 1, 90, 200]).all(axis=2))
        assert len(rows) > 0
        height, width = drawn.cells.size
        assert np.abs(rows - y).max() <= height / 2 + 1
        assert np.abs(columns - x).max() <= width / 2 + 1
        share = len(rows) / drawn.cells.mask.sum()
        if fit == "cover" or (fit == "crop" and nodes == "square"):
            assert share == pytest.approx(1, abs=0.03), "the cell is filled"
        elif fit == "contain":
            assert abs((np.ptp(rows) + 1) - (np.ptp(columns) + 1) * size[0] / size[1]) <= size[0] / size[1] + 1
    for y, x in drawn.cells.centres(layout.empty).astype(int).tolist():
        assert tuple(picture[y, x]) == drawn.look.mark, "an empty node has a dot"


def test_map_of_black_photographs_differs_from_empty_cells() -> None:
    images = tuple(np.zeros((16, 16), np.uint8) for _ in range(5))
    layout = pipeline.lay(collection.Collection(RNG.random((5, 2)), tuple("abcde"), images), (2, 3))
    picture = Map(layout, 16, "").picture.reshape(2, 16, 3, 16).swapaxes(1, 2)
    assert [cell.max() for cell in picture[tuple(layout.nodes.T)]] == [0] * 5
    assert picture[tuple(layout.empty[0])].min() >= 80


@pytest.mark.parametrize("background", ["white", "#204060", "black"])
def test_map_on_a_background_has_it_between_cells(background: str) -> None:
    layout = pipeline.lay(coloured(9), (3, 3))
    drawn = Map(layout, 30, "", Look(gap=4, background=background))
    assert drawn.picture.shape == (106, 106, 3)
    for line in (drawn.picture[0], drawn.picture[34 + 2], drawn.picture[:, -1]):
        assert (line == drawn.look.ground).all()
    points = pipeline.lay(collection.Collection(RNG.random((9, 2)), tuple("abcdefghi")), (3, 3))
    assert (Map(points, 30, "", Look(gap=4, background=background)).picture[36] == drawn.look.ground).all()


def test_map_with_captions_writes_them_below_images(folder: Path) -> None:
    layout = pipeline.lay(coloured(4), (2, 2))
    plain, named = (Map(layout, 60, "", Look(caption=caption)) for caption in ("none", "name"))  # type: ignore[arg-type]
    assert plain.captions == []
    assert [word.text for word in named.captions] == ["0", "1", "2", "3"]
    for word, (row, column) in zip(named.captions, layout.nodes.tolist(), strict=True):
        assert 60 * row + 45 < word.y < 60 * row + 60
        assert 60 * column < word.x < 60 * column + 60
    assert np.asarray(named.image()).max() > np.asarray(named.picture).max(), "white letters"
    assert ">3</text>" in named.svg().decode()


def test_map_of_many_labels_has_a_colour_and_a_line_of_the_legend_for_each() -> None:
    assert len(np.unique(palette(40), axis=0)) == 40
    labels = [str(k) for k in (10, 9, 2, -1, 0.5)] + [f"class {k}" for k in range(20)]
    read = collection.Collection(RNG.random((100, 2)), tuple(map(str, range(100))), labels=tuple(labels * 4))
    assert read.classes[:6] == ("-1", "0.5", "2", "9", "10", "class 0")
    drawn = Map(pipeline.lay(read), 60, "")
    entries = drawn.legend.entries
    assert [entry.text for entry in entries] == list(read.classes)
    assert len({entry.colour for entry in entries}) == 25
    assert len({(entry.x, entry.y) for entry in entries}) == 25
    assert all(drawn.height < entry.y < drawn.full_height for entry in entries)
    assert all(entry.x + drawn.legend_font.getlength(entry.text) < drawn.width for entry in entries)
    image = drawn.image()
    assert image.size == (drawn.width, drawn.full_height)
    for entry in entries:
        swatch = np.asarray(image)[round(entry.y), round(entry.x + drawn.legend.side / 2)]
        assert "#" + bytes(swatch).hex() == entry.colour


def test_map_command_fills_a_shape(folder: Path) -> None:
    (folder / "in").mkdir()
    for k in range(12):
        Image.new("RGB", (20 + k, 10), (20 * k, 90, 200)).save(folder / "in" / f"{k:02}.png")
    options = "--method pca --shape circle --nodes hexagonal --spare 10% --fit cover --gap 3 --background white"
    code, output = command.lapmark("map", "in", *options.split(), "--sprite", 40, "--save-assignment", "t.csv")
    assert code == 0, output
    assert "hexagonal nodes in a circle" in output
    assert len(pd.read_csv("t.csv")) == 12
    assert Image.open("map.png").getpixel((0, 0)) == (255, 255, 255)


@pytest.mark.parametrize(
    ("options", "fault"),
    [
        ("--background blau", "--background blau: give a colour such as white"),
        ("--caption name", "--caption name is for images; these are points"),
        ("--shape square.png", "--shape square.png: it is neither circle nor hexagon"),
        ("--spare 2", "not a share between 0 and 100 %"),
        ("--fit fill", "fill"),
        ("--gap -1", "gap"),
        ("--pitch 3", "--pitch is for --shape"),
    ],
)
def test_map_command_with_a_mistake_names_it(options: str, fault: str) -> None:
    np.save("in.npy", RNG.random((9, 2)))
    code, output = command.lapmark("map", "in.npy", *options.split())
    assert code == 2
    assert fault in " ".join(output.replace("│", " ").split())
    assert not Path("map.png").exists()


def test_thumbnail_of_a_cropped_image_is_its_middle_square() -> None:
    pixels = np.zeros((40, 100), np.uint8)
    pixels[:, 30:70] = 200
    made = thumbnails.thumbnail(Image.fromarray(pixels), 20, crop=True)
    assert made.sprite.shape == (20, 20)
    assert made.sprite.min() > 150
    assert made.compared.min() == 0, "all of it is compared"


def test_look_has_a_background_unlike_black_and_white() -> None:
    assert 40 < Look().ground[0] < 215
    assert len(set(Look(background=BACKGROUND).ground)) == 1, "grey pictures stay grey"
