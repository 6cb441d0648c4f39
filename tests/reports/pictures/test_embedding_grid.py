"""Pictures of an embedding laid on a grid."""

from __future__ import annotations

from pathlib import Path

import matplotlib
import matplotlib.pyplot as plt
import numpy as np
import pytest
from drawing import check_pictures, draw
from mnist_files import write_mnist
from PIL import Image

from lapmark import Matching, solve
from lapmark.bench import embeddings
from lapmark.bench.data import datasets
from lapmark.bench.problems import Case
from lapmark.bench.problems.applied import square_grid, tsne_grid
from lapmark.bench.util import cache
from lapmark.reports.pictures import class_marks, embedding_grid

NAMES = ("embedding", "nodes", "arrows", "scattered", "grid")
CASE = Case("tsne-grid", 25, 0, {"source": "mnist-reference"})


@pytest.fixture
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder of data, and a cache of its own."""
    monkeypatch.setenv(cache.VARIABLE, str(tmp_path / "cache"))
    monkeypatch.setenv(datasets.VARIABLE, str(tmp_path))
    return tmp_path


@pytest.fixture
def pixels(data: Path) -> np.ndarray:
    """10 000 random images with the labels of the reference, in the folder of data."""
    pixels = np.random.default_rng(0).integers(0, 256, (10_000, 28, 28), np.uint8)
    write_mnist(data, pixels, embeddings.reference()[1])
    return pixels


@pytest.mark.parametrize("rows", ["nodes", "points"])
def test_draw_shows_every_image_at_its_node(pixels: np.ndarray, data: Path, rows: str) -> None:
    case = Case("tsne-grid", 25, 0, {**CASE.params, "rows": rows})
    matching = solve(case.build(), "jv")
    assert isinstance(matching, Matching)
    draw(case, data / "out", matching)
    picture = np.asarray(Image.open(data / "out" / "grid.png"))
    assert picture.shape == (8 * 140, 8 * 140)
    index = tsne_grid.sample(25, 0, "mnist-reference").index
    pairs = enumerate(matching.row_to_col)
    for node, point in pairs if rows == "nodes" else ((node, point) for point, node in pairs):
        left, up = node % 5 * 28, (4 - node // 5) * 28
        cell = picture[::8, ::8][up : up + 28, left : left + 28]
        assert np.array_equal(cell, pixels[index[point]])


@pytest.mark.usefixtures("pixels")
def test_draw_with_images_writes_five_pictures_as_png_and_svg(data: Path) -> None:
    made = draw(CASE, data / "out")
    assert sorted(made) == sorted(data / "out" / f"{name}.{kind}" for name in NAMES for kind in ("png", "svg"))
    check_pictures(made, least_side=1000)
    assert "<image" in (data / "out" / "grid.svg").read_text()
    assert "<image" not in (data / "out" / "arrows.svg").read_text()


def test_draw_nodes_gives_each_node_the_colour_of_its_label(tmp_path: Path) -> None:
    label = np.arange(400) % 10
    png, _ = embedding_grid.draw_nodes(square_grid.nodes(20), label, "somewhere", tmp_path)
    found = {colour: count for count, colour in Image.open(png).convert("RGB").getcolors(1 << 24) or []}
    areas = [found[tuple(np.rint(255 * colour).astype(int).tolist())] for colour in class_marks.PALETTE]
    # Names of labels lie over some of them.
    assert max(areas) < 1.4 * min(areas)


def test_draw_without_images_writes_the_plots_and_warns(data: Path) -> None:
    with pytest.warns(UserWarning, match=r"left out\. MNIST: no t10k-images-idx3-ubyte"):
        made = draw(CASE, data / "out")
    assert {path.stem for path in made} == {"embedding", "nodes", "arrows"}


def test_draw_with_images_of_other_labels_leaves_them_out(data: Path) -> None:
    write_mnist(data, np.zeros((10_000, 28, 28), np.uint8), np.zeros(10_000, np.uint8))
    with pytest.warns(UserWarning, match="labels differ"):
        made = draw(CASE, data / "out")
    assert {path.stem for path in made} == {"embedding", "nodes", "arrows"}


def test_draw_on_grid_of_ten_thousand_images_shows_every_pixel(tmp_path: Path) -> None:
    pixels = np.zeros((10_000, 28, 28), np.uint8)
    pixels[:, 0, 0] = 255
    png, _ = embedding_grid.draw_on_grid(np.arange(10_000), pixels, tmp_path)
    picture = np.asarray(Image.open(png))
    assert picture.shape == (2800, 2800)
    assert np.count_nonzero(picture) == 10_000
    assert picture[::28, ::28].all()


@pytest.mark.usefixtures("pixels")
def test_draw_leaves_global_settings_of_matplotlib_unchanged(data: Path) -> None:
    plt.get_backend()  # resolves the backend, which is the one thing that may change by itself
    before = matplotlib.rcParams.copy()
    draw(CASE, data / "out")
    assert plt.get_fignums() == []
    assert matplotlib.rcParams == before


@pytest.mark.parametrize(("n", "source"), [(25, "digits"), (36, "digits-resampled")])
def test_draw_of_lle_grid_writes_the_same_five_pictures(n: int, source: str, tmp_path: Path) -> None:
    made = draw(Case("lle-grid", n, 0, {"source": source}), tmp_path)
    assert {path.stem for path in made} == set(NAMES)
    assert f"LLE of {n:,} images ({source})" in (tmp_path / "embedding.svg").read_text()
