"""`lapmark.map`: what it takes, what it returns, how a notebook shows it, and what it refuses."""

from __future__ import annotations

import doctest
import io
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from PIL import Image

import lapmark
from lapmark import grid_layout

N = 24
RNG = np.random.default_rng(0)
POINTS = RNG.random((N, 2))
PIXELS = RNG.integers(0, 256, (N, 9, 7), np.uint8)


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working directory of the test's own, with a cache in it."""
    monkeypatch.setenv("LAPMARK_CACHE", str(tmp_path / ".cache"))
    monkeypatch.chdir(tmp_path)
    return tmp_path


def paths(folder: Path) -> list[Path]:
    (folder / "in").mkdir()
    found = [folder / "in" / f"{k:02}.png" for k in range(N)]
    for path, pixels in zip(found, PIXELS, strict=True):
        Image.fromarray(pixels).save(path)
    return found


def test_map_of_points_is_their_layout() -> None:
    labels = np.arange(N) % 3
    for points in (POINTS, POINTS.tolist(), np.asfortranarray(POINTS), POINTS.astype(np.float32)):
        made = lapmark.map(points, labels=labels, grid=(5, 5))
        np.testing.assert_array_equal(made.nodes, grid_layout(points, (5, 5)))
        np.testing.assert_array_equal(made.points, points)
        assert (made.shape, made.certificate.optimal) == ((5, 5), True)
        assert list(made.table()["label"]) == [str(label) for label in labels]
    assert repr(made).startswith("Map of 24 points, 3 labels\npoints of the plane, 5×5 grid, 1 node empty\n")
    assert repr(made).endswith(", certified optimal")


def test_map_of_images_takes_arrays_lists_and_paths(folder: Path) -> None:
    files = paths(folder)
    whole = lapmark.map(PIXELS, method="pca")
    for images in (
        list(PIXELS),
        [Image.fromarray(pixels) for pixels in PIXELS],
        files,
        [str(file) for file in files],
        [files[0], Image.fromarray(PIXELS[1]), *PIXELS[2:]],
        folder / "in",
        PIXELS[..., None],
        PIXELS.astype(np.int64),
        PIXELS / 255,
        (PIXELS / 255).astype(np.float32),
    ):
        made = lapmark.map(images, method="pca")
        np.testing.assert_array_equal(made.nodes, whole.nodes)
        np.testing.assert_array_equal(made.picture.picture, whole.picture.picture)
    assert lapmark.map(files, method="pca").table()["name"][3] == "03.png"
    coloured = lapmark.map([Image.new("RGBA", (5 + k, 9), "red") for k in range(N)], method="pca", fit="crop")
    assert coloured.image.mode == "RGB"


def test_map_of_real_brightnesses_reaches_white() -> None:
    digits = np.repeat(np.linspace(0, 16, 64).reshape(1, 8, 8), 4, axis=0)
    assert np.asarray(lapmark.map(digits, method="pca", grid=(2, 2)).image).max() == 255
    black = np.zeros((4, 8, 8), bool)
    black[:, 2:4] = True
    assert set(np.unique(np.asarray(lapmark.map(black, method="pca", grid=(2, 2)).image))) == {0, 255}


def test_map_leaves_images_and_arrays_as_they_are() -> None:
    images = [Image.fromarray(np.repeat(RNG.integers(0, 256, (300, 200, 1), np.uint8), 3, 2)) for _ in range(4)]
    before = [image.tobytes() for image in images]
    points = POINTS.copy()
    lapmark.map(images, method="pca")
    lapmark.map(points)
    assert [image.tobytes() for image in images] == before
    np.testing.assert_array_equal(points, POINTS)


def test_map_of_a_frame_follows_the_roles_of_its_columns(folder: Path) -> None:
    files = paths(folder)
    frame = pd.DataFrame(RNG.random((N, 4)), columns=["height", "width", "depth", "mass"])
    frame = frame.assign(income=1e5 * RNG.random(N), target=np.arange(N) % 2, customer_id=np.arange(N))
    made = lapmark.map(frame, method="pca")
    assert made.layout.collection.vectors.shape == (N, 5)
    assert made.layout.scale == "standard"
    assert made.layout.collection.classes == ("0", "1")
    with pytest.warns(UserWarning, match="income drowns the other columns.*; scale standard cures it") as caught:
        lapmark.map(frame, method="pca", scale="none")
    assert caught[0].filename == __file__
    chosen = lapmark.map(frame.set_index("customer_id"), features=["height", "width"], label="target")
    np.testing.assert_array_equal(chosen.points, frame[["height", "width"]])
    assert chosen.table()["name"][5] == "5"
    drawn = lapmark.map(frame.assign(image=[str(file) for file in files]), method="pca")
    assert drawn.image.mode == "L", "the images are shown"
    few = lapmark.map(frame[frame["target"] == 1], method="pca")
    assert list(few.table()["name"][:2]) == ["1", "3"], "names are the index"


def test_map_of_vectors_shows_images_given_beside_them(folder: Path) -> None:
    files = paths(folder)
    vectors = RNG.random((N, 16)).astype(np.float32)
    for images in (files, PIXELS, list(PIXELS)):
        made = lapmark.map(vectors, images=images, names=[f"n{k}" for k in range(N)], method="pca")
        np.testing.assert_array_equal(made.nodes, lapmark.map(vectors, method="pca").nodes)
        assert made.image.mode == "L"
    np.savez("clip.npz", features=vectors, labels=np.arange(N) % 2)
    assert repr(lapmark.map("clip.npz", method="pca")).startswith("Map of 24 vectors, 2 labels")


def test_map_fills_a_shape_or_a_mask() -> None:
    mask = RNG.random((8, 7)) < 0.7
    made = lapmark.map(POINTS, shape=mask)
    assert mask[tuple(made.nodes.T)].all()
    np.testing.assert_array_equal(made.nodes, grid_layout(POINTS, nodes=mask))
    assert "hexagonal nodes in a circle" in repr(lapmark.map(POINTS, shape="circle", nodes="hexagonal", spare=0.2))
    Image.fromarray(~mask).resize((70, 80), Image.Resampling.NEAREST).save("mask.png")
    assert lapmark.map(POINTS, shape=Path("mask.png")).certificate.optimal


def test_map_in_a_notebook_is_a_picture_and_a_figure(folder: Path) -> None:
    made = lapmark.map(PIXELS, method="pca", sprite=300)
    shown = Image.open(io.BytesIO(made._repr_png_()))
    assert max(shown.size) == 1000
    assert max(made.image.size) > 1000
    figure = made.figure()
    np.testing.assert_array_equal(figure.axes[0].images[0].get_array(), np.asarray(made.image))
    figure.savefig("figure.png")
    assert Image.open("figure.png").size[0] > 300


@pytest.mark.parametrize("suffix", [".png", ".svg", ".html", ".csv", ".json", ".npy", ".parquet"])
def test_map_is_saved_by_the_ending_of_a_name(folder: Path, suffix: str) -> None:
    made = lapmark.map(POINTS, labels=["a"] * N, title="mine & yours")
    assert made.save(f"out/map{suffix}") == Path(f"out/map{suffix}")
    content = Path(f"out/map{suffix}").read_bytes()
    assert len(content) > 100
    if suffix in (".svg", ".html"):
        assert "mine &amp; yours" in content.decode()
    with pytest.raises(ValueError, match=r"map\.jpg: the name must end in \.png, \.svg"):
        made.save("map.jpg")


def test_map_says_whether_its_embedding_is_from_the_cache(folder: Path) -> None:
    vectors = RNG.random((N, 5))
    assert "pca in " in repr(lapmark.map(vectors, method="pca"))
    assert "pca from the cache" in repr(lapmark.map(vectors, method="pca"))
    (kept,) = (folder / ".cache").glob("pca-*.npy")
    kept.write_bytes(b"damaged")
    with pytest.warns(UserWarning, match="computing it again"):
        assert "pca in " in repr(lapmark.map(vectors, method="pca"))


@pytest.mark.parametrize(
    ("data", "settings", "error", "fault"),
    [
        ([[1, 2]], {}, ValueError, "it holds 1 item; a map needs at least two"),
        ([], {}, ValueError, "holds nothing"),
        (None, {}, TypeError, "data is of type object; give points"),
        ({}, {}, TypeError, "data is of type object; give points"),
        ([[1, 2], [3]], {}, ValueError, "its rows have different lengths"),
        (np.array([[1j, 2], [2, 3]]), {}, TypeError, "complex128"),
        (np.ma.masked_less([[0, 1], [2, 3]], 1), {}, TypeError, "a masked array"),
        ([[0, np.nan], [1, 2]], {}, ValueError, r"data\[0, 1\] is nan"),
        (np.full((4, 8, 8), np.nan), {}, ValueError, "image 0 has a brightness that is not finite"),
        (np.ones((4, 8, 8, 7)), {}, ValueError, "with 1, 3 or 4 channels"),
        (np.zeros((4, 3, 8, 8), np.uint8), {}, ValueError, r"np\.moveaxis\(images, 1, -1\)"),
        ([np.ones((3, 3)), np.ones((4, 4, 2))], {}, ValueError, r"images\[1\] has shape \(4, 4, 2\)"),
        (["a.png", "b.png"], {}, ValueError, r"images\[0\], a\.png: "),
        (POINTS, {"images": [np.ones((3, 3))] * 4}, ValueError, "there are 4 images for 24 items"),
        (POINTS, {"labels": [1, 2]}, ValueError, r"labels has shape \(2,\); there must be one for each of 24"),
        (POINTS, {"names": "abc"}, ValueError, "names has shape"),
        (POINTS, {"grid": (2, 2)}, ValueError, "a 2×2 grid has room for 4 of 24 points"),
        (POINTS, {"grid": (2, 2.5)}, ValueError, r"grid = \(2, 2\.5\)"),
        (POINTS, {"shape": "circle", "grid": (3, 3)}, ValueError, "^grid 3x3 has 9 nodes in a circle for 24 items"),
        (POINTS, {"shape": "square"}, ValueError, "^shape square: it is neither circle nor hexagon"),
        (POINTS, {"shape": np.ones((2, 2), bool)}, ValueError, "shape has 4 true cells for 24 items"),
        (POINTS, {"shape": np.ones((5, 5))}, ValueError, "a mask is"),
        (POINTS, {"spare": 1}, ValueError, "spare = 1"),
        (POINTS, {"gap": 1.5}, ValueError, "gap = 1.5"),
        (POINTS, {"sprite": 0}, ValueError, "sprite = 0"),
        (POINTS, {"sprite": 10**6}, ValueError, "use sprite "),
        (POINTS, {"nodes": "hex"}, ValueError, "nodes = 'hex'; it is one of 'square', 'hexagonal'"),
        (POINTS, {"fit": "fill"}, ValueError, "fit = 'fill'"),
        (POINTS, {"scale": "log"}, ValueError, "scale = 'log'"),
        (POINTS, {"background": "blau"}, ValueError, "background blau: give a colour"),
        (POINTS, {"caption": "name"}, ValueError, "caption name is for images"),
        (POINTS, {"method": "tsn"}, ValueError, "did you mean tsne"),
        (POINTS, {"features": ["a"]}, ValueError, "are names of columns"),
        (pd.DataFrame(POINTS, columns=["a", "b"]), {"label": "c"}, ValueError, "label c: there is no such column"),
        (pd.DataFrame(POINTS, columns=["a", "a"]), {}, ValueError, "two columns have the name 'a'"),
    ],
)
def test_map_of_a_mistake_names_it(data: Any, settings: Any, error: type[Exception], fault: str) -> None:
    with pytest.raises(error, match=fault):
        lapmark.map(data, **settings)


@pytest.mark.slow
@pytest.mark.parametrize("settings", [{}, {"shape": "circle", "nodes": "hexagonal"}])
def test_map_of_a_hundred_thousand_points_is_exact_and_quick(settings: Any) -> None:
    centres = RNG.normal(size=(20, 2))[RNG.integers(0, 20, 100_000)]
    start = time.perf_counter()
    made = lapmark.map(3 * centres + 0.3 * RNG.normal(size=(100_000, 2)), **settings)
    made.save("map.png")
    assert made.certificate.optimal
    assert time.perf_counter() - start < 60, "it takes five seconds where nothing else runs"


def test_map_docstring_examples_are_true() -> None:
    assert doctest.testmod(sys.modules[lapmark.map.__module__]).failed == 0
