"""`lapmark map`: from a user's data to a map, the table of its cells, and what is said of mistakes."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
import xml.etree.ElementTree as ET
from pathlib import Path

import command
import numpy as np
import pandas as pd
import pytest
from PIL import Image

from lapmark import grid_layout
from lapmark.bench.applications.grid_map import collection, pipeline
from lapmark.reports.map.drawing import Map

RNG = np.random.default_rng(0)
POINTS = RNG.random((30, 2))
LABELS = np.where(POINTS[:, 0] < 0.5, "left", "right & <b>")


def lapmark(*arguments: object) -> tuple[int, str]:
    return command.lapmark("map", *arguments)


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working directory of the test's own, with a cache in it."""
    monkeypatch.setenv("LAPMARK_CACHE", str(tmp_path / ".cache"))
    monkeypatch.chdir(tmp_path)
    return tmp_path


def write_images(folder: Path, count: int) -> np.ndarray:
    """Images whose brightness is their number."""
    pixels = np.repeat(np.linspace(40, 250, count).astype(np.uint8), 64).reshape(count, 8, 8)
    pixels[:, :4] //= 2
    folder.mkdir()
    for i, image in enumerate(pixels):
        Image.fromarray(image).save(folder / f"{i:02}.png")
    return pixels


def test_map_shows_images_at_their_nodes(folder: Path) -> None:
    pixels = write_images(folder / "in", 20)
    (folder / "in" / "broken.png").write_text("none")
    code, output = lapmark("in", "-o", "map.png", "--method", "pca", "--sprite", 16, "--save-assignment", "t.csv")
    assert code == 0, output
    assert "20 images\nskipped 1 that cannot be read:\n  broken.png: it is not an image" in output
    assert "pca in " in output
    assert "4×5 grid\njv" in output
    assert "certified optimal\nmap.png\nt.csv" in output
    table = pd.read_csv("t.csv")
    assert list(table) == ["name", "row", "column", "x", "y"]
    np.testing.assert_array_equal(table[["row", "column"]], grid_layout(table[["x", "y"]], (4, 5)))
    picture = np.asarray(Image.open("map.png"))
    assert picture.shape == (64, 80)
    for image, row, column in zip(pixels, table["row"], table["column"], strict=True):
        np.testing.assert_array_equal(picture[16 * row : 16 * row + 16 : 2, 16 * column : 16 * column + 16 : 2], image)


def test_map_of_coloured_images_keeps_colours_and_proportions(folder: Path) -> None:
    (folder / "in").mkdir()
    Image.new("RGB", (40, 20), (200, 30, 40)).save(folder / "in" / "wide.png")
    Image.new("RGB", (10, 40), (10, 220, 90)).save(folder / "in" / "tall.png")
    Image.new("L", (4, 4), 99).save(folder / "in" / "grey.png")
    assert lapmark("in", "--method", "pca", "--sprite", 20, "--save-assignment", "t.json")[0] == 0
    picture = np.asarray(Image.open("map.png"))
    assert picture.shape == (40, 40, 3)
    place = {each["name"]: (20 * each["row"], 20 * each["column"]) for each in json.loads(Path("t.json").read_text())}
    for name, colour, inside, outside in (
        ("wide.png", (200, 30, 40), (6, 2), (3, 10)),
        ("tall.png", (10, 220, 90), (2, 10), (10, 6)),
        ("grey.png", (99, 99, 99), (2, 2), None),
    ):
        top, left = place[name]
        assert tuple(picture[top + inside[0], left + inside[1]]) == colour
        assert outside is None or tuple(picture[top + outside[0], left + outside[1]]) == (80, 80, 80)


@pytest.mark.parametrize("suffix", [".csv", ".json", ".npy", ".parquet"])
def test_map_with_save_assignment_writes_a_table(suffix: str) -> None:
    np.savez("in.npz", points=POINTS, label=LABELS, names=[f"ä{i}" for i in range(30)])
    code, output = lapmark("in.npz", "--grid", "6x9", "--save-assignment", f"t{suffix}")
    assert code == 0, output
    assert "30 points, 2 labels\npoints of the plane, 6×9 grid, 24 nodes empty\ncascade" in output
    read = {
        ".csv": pd.read_csv,
        ".json": pd.read_json,
        ".npy": lambda path: pd.DataFrame(np.load(path, allow_pickle=False)),
        ".parquet": pd.read_parquet,
    }
    table = read[suffix](f"t{suffix}")
    assert list(table) == ["name", "row", "column", "x", "y", "label"]
    assert list(table["name"][:2]) == ["ä0", "ä1"]
    assert list(table["label"]) == list(LABELS)
    np.testing.assert_array_equal(table[["row", "column"]], grid_layout(POINTS, (6, 9)))
    np.testing.assert_allclose(table[["x", "y"]], POINTS)


def test_map_of_labelled_points_uses_colours_of_labels(folder: Path) -> None:
    np.savez("in.npz", points=POINTS, label=LABELS)
    assert lapmark("in.npz", "--grid", "6x6", "--sprite", 40)[0] == 0
    picture = np.asarray(Image.open("map.png"))
    nodes = grid_layout(POINTS, (6, 6))
    corners = picture[tuple((40 * nodes + 2).T)]
    assert len(np.unique(corners, axis=0)) == 2
    assert len(np.unique(corners[LABELS == "left"], axis=0)) == 1
    assert (picture == 255).all(axis=2).any(), "the labels are written on it"
    taken = np.zeros((6, 6), bool)
    taken[tuple(nodes.T)] = True
    empty = picture[:240][2::40, 2::40][~taken]
    assert (empty == 80).all(), "an empty node shows the background"
    assert (picture[:240][20::40, 20::40][~taken] != 80).all(), "and a dot"
    assert len(picture) > 240, "the legend is below"


def test_map_of_points_without_labels_uses_colours_of_places(folder: Path) -> None:
    row, column = np.divmod(np.arange(100), 10)
    np.save("in.npy", np.column_stack([column, -row]))
    assert lapmark("in.npy", "--sprite", 3)[0] == 0
    colours = np.asarray(Image.open("map.png"))[1::3, 1::3].astype(float)
    assert (np.diff(colours.sum(axis=2), axis=0) < 0).all(), "darker downwards"
    assert (np.diff(colours[..., 0] - colours[..., 2], axis=1) > 0).all(), "from blue to yellow across"


def test_map_as_svg_names_each_cell(folder: Path) -> None:
    np.savez("in.npz", points=POINTS, label=LABELS, names=["\x01<&'\">"] * 30)
    assert lapmark("in.npz", "-o", "map.svg", "--sprite", 40)[0] == 0
    root = ET.parse("map.svg").getroot()
    space = {"s": "http://www.w3.org/2000/svg"}
    nodes = grid_layout(POINTS)
    cells = [rect for rect in root.findall("s:rect", space) if rect.find("s:title", space) is not None]
    assert [(int(cell.get("y", "")), int(cell.get("x", ""))) for cell in cells] == [tuple(40 * node) for node in nodes]
    row, column = nodes[0]
    assert cells[0].findtext("s:title", "", space) == f"�<&'\"> · {LABELS[0]} · row {row}, column {column}"
    assert [text.text for text in root.iter("{http://www.w3.org/2000/svg}text")][-2:] == ["left", "right & <b>"]


def test_map_repeated_gives_equal_bytes_and_uses_the_cache(folder: Path) -> None:
    np.save("in.npy", RNG.random((40, 5)))
    for suffix in (".png", ".svg", ".html"):
        assert lapmark("in.npy", "-o", f"a{suffix}", "--threads", 1)[0] == 0
        assert len(list((folder / ".cache").glob("tsne-*.npy"))) == 1
        assert lapmark("in.npy", "-o", f"b{suffix}", "--threads", 1)[0] == 0
        assert Path(f"a{suffix}").read_bytes() == Path(f"b{suffix}").read_bytes()


@pytest.mark.parametrize(
    ("arguments", "fault"),
    [
        (["nowhere.npy"], "nowhere.npy"),
        (
            ["two.npy", "-o", "map.jpg"],
            "--output map.jpg: the name must end in .png, .svg, .html",
        ),
        (["two.npy", "-o", "."], "must end in"),
        (["two.npy", "--save-assignment", "t.xlsx"], "must end in .csv, .json, .npy, .parquet"),
        (["two.npy", "--grid", "5"], "--grid 5: give ROWSxCOLUMNS, such as 40x60"),
        (["two.npy", "--grid", "0x7"], "ROWSxCOLUMNS"),
        (["two.npy", "--grid", "4x5"], "a 4×5 grid has room for 20 of 30 points; 5×6 has for all"),
        (["two.npy", "--grid", "9999x9999", "--sprite", "9"], "use --sprite 1"),
        (["two.npy", "--grid", "99999x99999"], "take fewer"),
        (["two.npy", "--method", "tsen"], "no method is called 'tsen'; did you mean tsne"),
        (["five.npy", "--method", "none"], "--method none needs points of the plane; these are vectors of 5 numbers"),
        (["one.npy"], "one.npy: it holds 1 item; a map needs at least two"),
        (["nan.npy"], "nan.npy: data[3, 1] is nan"),
        (["."], "none of them an image"),
    ],
)
def test_map_with_a_mistake_names_it_and_writes_nothing(folder: Path, arguments: list[str], fault: str) -> None:
    np.save("two.npy", POINTS)
    np.save("five.npy", RNG.random((30, 5)))
    np.save("one.npy", POINTS[:1])
    np.save("nan.npy", np.where(np.arange(60).reshape(30, 2) == 7, np.nan, POINTS))
    before = sorted(folder.iterdir())
    code, output = lapmark(*arguments)
    assert code == 2
    assert fault in " ".join(output.replace("│", " ").split())
    assert sorted(folder.iterdir()) == before


def test_map_with_a_missing_package_names_it(monkeypatch: pytest.MonkeyPatch) -> None:
    np.save("in.npy", RNG.random((30, 5)))
    monkeypatch.setitem(sys.modules, "umap", None)
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    code, output = lapmark("in.npy", "--method", "umap")
    assert code == 2
    assert "pip install umap-learn" in output


def test_map_replaces_an_old_file_and_names_an_unwritable_one(folder: Path) -> None:
    np.save("in.npy", POINTS)
    Path("map.png").write_text("old")
    assert lapmark("in.npy")[0] == 0
    Image.open("map.png").verify()
    Path("file").touch()
    code, output = lapmark("in.npy", "-o", "file/map.png")
    assert code == 2
    assert "file" in output


def test_map_of_extreme_inputs_succeeds(folder: Path) -> None:
    for points, grid in (([[0, 0], [1, 0]], "1x2"), (np.ones((9, 2)), "7x7"), (POINTS, "1x40"), (POINTS, "50x2")):
        np.save("in.npy", np.asarray(points))
        code, output = lapmark("in.npy", "--grid", grid)
        assert code == 0
        assert "certified optimal" in output


def test_map_of_many_long_labels_succeeds(folder: Path) -> None:
    for count, written in ((45, False), (30, True)):
        labels = [f"a very long label that is number {i % count}" for i in range(200)]
        np.savez("in.npz", points=RNG.random((200, 2)), label=labels)
        for suffix in (".png", ".svg", ".html"):
            assert lapmark("in.npz", "-o", f"map{suffix}")[0] == 0
        assert (">a very long label that …<" in Path("map.svg").read_text(encoding="utf-8")) == written


@pytest.mark.parametrize(
    "label", ["New\nYork", "a\r\n\tb", "\n", "\x00", "\ud800", "\u2028\u202e", "日本\n語", "x" * 500 + "\n"]
)
def test_map_writes_any_label(folder: Path, label: str) -> None:
    np.savez("in.npz", points=[[0, 0], [1, 0], [0, 1]], label=[label, "Rome", "Rome"], names=[label, "b", "c"])
    layout = pipeline.lay(collection.read("in.npz"))
    for suffix in (".png", ".svg", ".html"):
        assert Map(layout, 40, "title").render(suffix)


def test_map_writes_a_label_of_two_lines_on_one(folder: Path) -> None:
    Path("in.csv").write_text('x,y,label\n0,0,"New\nYork"\n1,0,Rome\n0,1,Rome\n')
    code, output = lapmark("in.csv", "-o", "map.svg")
    assert code == 0, output
    assert "3 points, 2 labels\n3 rows, 2 numeric columns, separator ,, heading x, y, label\n" in output
    assert ">New York<" in Path("map.svg").read_text(encoding="utf-8")


def test_map_shows_a_name_with_invalid_bytes(folder: Path) -> None:
    source = os.fsdecode(b"im\xffages")
    write_images(folder / source, 4)
    assert lapmark(source, "--method", "pca", "-o", "map.html")[0] == 0
    assert "im�ages" in Path("map.html").read_text(encoding="utf-8")


def test_map_prints_warnings_of_an_embedding_as_notes(folder: Path) -> None:
    np.save("in.npy", np.concatenate([RNG.random((30, 5)), 100 + RNG.random((30, 5))]))
    code, output = lapmark("in.npy", "--method", "lle", "-o", "map.png")
    assert code == 0, output
    assert "60 vectors\nwarning: the graph of 10 neighbours has 2 parts" in output
    assert "more neighbours may connect them\nlle in " in output


def test_lay_as_a_library_function_returns_a_layout() -> None:
    np.save("in.npy", POINTS)
    layout = pipeline.lay(collection.read("in.npy"), (6, 6))
    np.testing.assert_array_equal(layout.nodes, grid_layout(POINTS, (6, 6)))
    assert layout.certificate.optimal
    assert layout.facts == "points of the plane, 6×6 grid, 6 nodes empty, cascade, certified optimal"


def test_map_interrupted_leaves_no_partial_file(folder: Path) -> None:
    np.save("in.npy", RNG.random((6000, 50)))
    command = [sys.executable, "-m", "lapmark", "map", "in.npy", "--method", "tsne-sklearn", "-o", "out/map.png"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    while not _has_begun(process.pid):
        assert process.poll() is None, process.communicate()[0]
        time.sleep(0.1)
    process.send_signal(signal.SIGINT)
    assert process.wait(120) == 130
    assert sorted(path.name for path in folder.iterdir() if path.name != ".cache") == ["in.npy"]
    assert not list(folder.glob(".cache/*"))


def _has_begun(pid: int) -> bool:
    """Whether a process has scikit-learn loaded, which it does to embed."""
    try:
        return "sklearn/manifold" in Path(f"/proc/{pid}/maps").read_text()
    except OSError:
        return False
