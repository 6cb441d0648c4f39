"""The families: the same bytes for the same arguments, the properties they promise, and their pictures."""

import os
import struct
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from bench import cache, datasets, problems
from bench.embeddings.make_reference import agreement
from bench.problems import Case, integers, orlib, product, tsne_grid
from solvers import Assignment, Matching, certify, solve

DATA = Path(os.environ.get(datasets.VARIABLE) or Path(__file__).parents[3] / "shared" / "data")
REFERENCE = {"source": "mnist-reference"}

#: Every family that needs no data files, at each of its variants and at settings of its own.
SMALL = [
    Case(name, 36, 0, {**params, **(REFERENCE if name == "tsne-grid" else {})})
    for name, family in problems.families().items()
    for params in family.variants
    if name != "orlib"
] + [
    Case("geometric", 36, 0, {"cost": "points"}),
    Case("geometric", 36, 0, {"dtype": "float64"}),
    Case("tsne-grid", 36, 0, {**REFERENCE, "cost": "points"}),
    Case("tsne-grid", 36, 0, {**REFERENCE, "dtype": "float64"}),
]

RANDOM = [case for case in SMALL if case.problem != "product" and case.params.get("distinct") != 1]


@pytest.fixture
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of data, empty, and a cache of its own."""
    monkeypatch.setenv(cache.VARIABLE, str(tmp_path / "cache"))
    monkeypatch.setenv(datasets.VARIABLE, str(tmp_path))
    return tmp_path


def write_mnist(folder: Path, pixels: np.ndarray, label: np.ndarray) -> None:
    for name, array in (("t10k-images-idx3-ubyte", pixels), ("t10k-labels-idx1-ubyte", label)):
        header = bytes((0, 0, 8, array.ndim)) + struct.pack(f">{array.ndim}I", *array.shape)
        (folder / name).write_bytes(header + array.tobytes())


def matrix(case: Case) -> np.ndarray:
    return case.build().cost.dense()


def solved(case: Case) -> tuple[Assignment, Matching]:
    problem = case.build()
    assert isinstance(problem, Assignment)
    matching = solve(problem, solver="jv")
    assert isinstance(matching, Matching)
    return problem, matching


@pytest.mark.parametrize("case", SMALL, ids=str)
def test_a_case_is_a_function_of_its_arguments(case: Case) -> None:
    again = Case.read(str(case))
    assert again == case
    first, second = matrix(case), matrix(again)
    assert first.dtype == second.dtype
    assert first.tobytes() == second.tobytes()
    assert first.flags.c_contiguous


@pytest.mark.parametrize("case", RANDOM, ids=str)
def test_another_seed_is_another_instance(case: Case) -> None:
    assert not np.array_equal(matrix(case), matrix(Case(case.problem, case.n, 1, case.params)))


@pytest.mark.parametrize("case", SMALL, ids=str)
def test_the_optimum_is_proven(case: Case) -> None:
    certificate = certify(*solved(case))
    assert certificate.valid
    assert certificate.gap <= 1e-6


def test_another_process_builds_the_same_bytes() -> None:
    case = Case("tsne-grid", 49, 3, {**REFERENCE, "rows": "points"})
    build = "import sys; from bench.problems import Case; matrix = Case.read(sys.argv[1]).build().cost.dense()"
    write = "sys.stdout.buffer.write(matrix)"
    output = subprocess.run(
        [sys.executable, "-c", f"{build}; {write}", str(case)], check=True, capture_output=True
    ).stdout
    assert output == matrix(case).tobytes()


@pytest.mark.parametrize("family", problems.families().values(), ids=lambda family: family.name)
def test_every_family_says_where_it_comes_from(family: problems.Family) -> None:
    assert len(family.source) > 20
    assert list(family.sizes) == sorted(set(family.sizes))


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("uniform:n=4,high=3", "uniform has no setting 'high'; it has dtype"),
        ("product:n=4,ratio=3", "it has none"),
        ("uniform:n=4,dtype=int8", "dtype = 'int8'; choose from float32, float64"),
        ("integers:n=4,high=few", "high = 'few'; give a whole number"),
        ("integers:n=1000,high=10000000n", "do not fit the int32 matrix"),
        ("product:n=4,seed=1", "leave the seed at 0"),
        ("product:n=46341", "does not fit"),
        ("duplicates:n=4,distinct=0", "distinct = 0"),
        ("rectangular:n=4,ratio=0.5", "ratio = 0.5"),
        ("rectangular:n=5,ratio=1.5", "whole number"),
        ("rectangular:n=4,longer=both", "choose from columns, rows"),
        ("orlib:n=200", "n = 200; OR-Library has n = 100, 500, 600, 700"),
        ("orlib:n=100,seed=2", "leave the seed at 0"),
        ("geometric:n=4,cost=sparse", "choose from dense, points"),
        ("tsne-grid:n=2000", r"the nearest that do: 1936 \(44×44\) and 2025 \(45×45\)"),
        ("tsne-grid:n=0", r"1 \(1×1\)"),
        ("tsne-grid:n=100,source=faces", "choose from auto, digits, mnist-reference, mnist"),
        ("tsne-grid:n=100,rows=columns", "choose from nodes, points"),
        ("tsne-grid:n=1849,source=digits", "digits has 1797 images; take n up to 1764"),
        ("tsne-grid:n=10201", "mnist-reference has 10000 images; take n up to 10000"),
    ],
)
def test_a_setting_that_does_not_fit_is_refused(text: str, fault: str) -> None:
    with pytest.raises(ValueError, match=fault):
        Case.read(text).build()


@pytest.mark.parametrize(("high", "largest"), [(99, 99), ("10n", 2000), (0, 0)])
def test_integers_fill_their_range(high: int | str, largest: int) -> None:
    costs = integers.build(200, high=high).cost.dense()
    assert costs.dtype == np.int32
    assert costs.min() == 0
    assert costs.max() == largest


def test_product_has_its_known_optimum() -> None:
    problem, matching = solved(Case("product", 30))
    assert problem.cost.dense()[4, 6] == 5 * 7
    assert matching.cost == product.optimum(30)


def test_duplicates_repeat_few_rows() -> None:
    costs = matrix(Case("duplicates", 200, 0, {"distinct": 7}))
    assert len(np.unique(costs, axis=0)) == len(np.unique(costs, axis=1).T) == 7
    assert not matrix(Case("duplicates", 20, 0, {"distinct": 1})).any()


def test_rectangular_goes_both_ways() -> None:
    wide, tall = (matrix(Case("rectangular", 20, 0, {"ratio": 10, "longer": side})) for side in ("columns", "rows"))
    assert wide.shape == (20, 200)
    assert np.array_equal(tall, wide.T)


def test_points_and_matrix_are_the_same_problem() -> None:
    for case in (Case("geometric", 36), Case("tsne-grid", 36, 0, REFERENCE)):
        points = matrix(Case(case.problem, case.n, 0, {**case.params, "cost": "points"}))
        assert np.allclose(matrix(case), points, rtol=1e-6)


@pytest.mark.parametrize("n", sorted(orlib.OPTIMA))
@pytest.mark.skipif(not (DATA / "orlib").is_dir(), reason=f"no OR-Library files in {DATA / 'orlib'}")
def test_the_published_optima(n: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(datasets.VARIABLE, str(DATA))
    problem, matching = solved(Case("orlib", n))
    assert matching.cost == orlib.OPTIMA[n]
    assert certify(problem, matching).gap == 0


class TestTsneGrid:
    @pytest.mark.parametrize("dtype", ["float32", "float64"])
    def test_the_largest_cost_is_100_000(self, dtype: str) -> None:
        costs = matrix(Case("tsne-grid", 400, 0, {**REFERENCE, "dtype": dtype}))
        assert costs.shape == (400, 400)
        assert costs.dtype == dtype
        assert costs.max() == pytest.approx(100_000, rel=1e-15)

    def test_rows_are_nodes_or_points(self) -> None:
        nodes, points = (matrix(Case("tsne-grid", 225, 0, {**REFERENCE, "rows": rows})) for rows in ("nodes", "points"))
        assert np.array_equal(nodes, points.T)

    def test_the_points_are_the_first_of_a_permutation(self) -> None:
        chosen = tsne_grid.sample(100, 0, "mnist-reference")
        points, label = tsne_grid.embeddings.reference()
        index = np.random.default_rng(0).permutation(10_000)[:100]
        assert np.array_equal(chosen.index, index)
        assert np.array_equal(chosen.label, label[index])
        assert chosen.points.min(axis=0).tolist() == [0, 0]
        assert chosen.points.max(axis=0).tolist() == [1, 1]
        assert np.corrcoef(chosen.points[:, 0], points[index, 0])[0, 1] == pytest.approx(1)

    def test_beyond_the_digits_the_reference_is_taken(self) -> None:
        assert tsne_grid.sample(1849).source == "mnist-reference"

    @pytest.mark.slow
    def test_all_digits(self, data: Path) -> None:
        chosen = tsne_grid.sample(1764)
        assert chosen.source == "digits"
        assert len(np.unique(chosen.points, axis=0)) == 1764
        # The nearest other point shows the same digit nearly always, if the embedding is any good.
        assert agreement(chosen.points, chosen.label) > 0.95

    def test_the_grid_runs_along_x_first(self) -> None:
        assert tsne_grid.grid(2).tolist() == [[0, 0], [1, 0], [0, 1], [1, 1]]
        assert tsne_grid.grid(1).tolist() == [[0, 0]]

    def test_an_axis_without_extent_stays_finite(self) -> None:
        assert tsne_grid.unit_square(np.array([[3, 1], [3, 5]])).tolist() == [[0, 0], [0, 1]]

    def test_images_from_a_folder_are_embedded(self, data: Path) -> None:
        digits = datasets.digits()
        write_mnist(data, np.pad(digits.pixels[:60], ((0, 0), (10, 10), (10, 10))), digits.label[:60])
        problem, matching = solved(Case("tsne-grid", 49, 0, {"source": "mnist"}))
        assert certify(problem, matching).gap <= 1e-6
        assert len(list((data / "cache").glob("tsne-*.npy"))) == 1


class TestPictures:
    """Drawn at n = 25 from a folder of 10 000 made-up images that carry the reference's labels."""

    NAMES = ("embedding", "arrows", "scattered", "grid")

    @pytest.fixture
    def pixels(self, data: Path) -> np.ndarray:
        pixels = np.random.default_rng(0).integers(0, 256, (10_000, 28, 28), np.uint8)
        write_mnist(data, pixels, tsne_grid.embeddings.reference()[1])
        return pixels

    @pytest.mark.parametrize("rows", ["nodes", "points"])
    def test_the_grid_shows_every_image_at_its_node(self, pixels: np.ndarray, data: Path, rows: str) -> None:
        case = Case("tsne-grid", 25, 0, {**REFERENCE, "rows": rows})
        problem, matching = solved(case)
        case.draw(problem, matching, data / "out")
        picture = np.asarray(Image.open(data / "out" / "grid.png"))
        assert picture.shape == (8 * 140, 8 * 140)
        index = tsne_grid.sample(25, 0, "mnist-reference").index
        pairs = enumerate(matching.row_to_col)
        for node, point in pairs if rows == "nodes" else ((node, point) for point, node in pairs):
            left, up = node % 5 * 28, (4 - node // 5) * 28
            cell = picture[::8, ::8][up : up + 28, left : left + 28]
            assert np.array_equal(cell, pixels[index[point]])

    def test_all_four_as_png_and_svg(self, pixels: np.ndarray, data: Path) -> None:
        case = Case("tsne-grid", 25, 0, REFERENCE)
        made = case.draw(*solved(case), data / "out")
        assert sorted(made) == sorted(data / "out" / f"{name}.{kind}" for name in self.NAMES for kind in ("png", "svg"))
        for path in made:
            if path.suffix == ".png":
                picture = Image.open(path).convert("RGB")
                assert min(picture.size) >= 1000
                assert len(picture.getcolors(1 << 24)) > 10
            else:
                assert "<svg" in path.read_text()[:1000]
        assert "<image" in (data / "out" / "grid.svg").read_text()
        assert "<image" not in (data / "out" / "arrows.svg").read_text()

    def test_without_images_the_two_plots_remain(self, data: Path) -> None:
        case = Case("tsne-grid", 25, 0, REFERENCE)
        with pytest.warns(UserWarning, match=r"left out\. MNIST: no t10k-images-idx3-ubyte"):
            made = case.draw(*solved(case), data / "out")
        assert {path.stem for path in made} == {"embedding", "arrows"}

    def test_other_images_are_not_passed_off_as_these(self, data: Path) -> None:
        write_mnist(data, np.zeros((10_000, 28, 28), np.uint8), np.zeros(10_000, np.uint8))
        case = Case("tsne-grid", 25, 0, REFERENCE)
        with pytest.warns(UserWarning, match="labels differ"):
            made = case.draw(*solved(case), data / "out")
        assert {path.stem for path in made} == {"embedding", "arrows"}

    def test_ten_thousand_images_are_shown_pixel_by_pixel(self, tmp_path: Path) -> None:
        from bench.problems import _tsne_grid_pictures as pictures

        pixels = np.zeros((10_000, 28, 28), np.uint8)
        pixels[:, 0, 0] = 255
        png, _ = pictures.on_grid(np.arange(10_000), pixels, tmp_path)
        picture = np.asarray(Image.open(png))
        assert picture.shape == (2800, 2800)
        assert np.count_nonzero(picture) == 10_000
        assert picture[::28, ::28].all()

    def test_nothing_global_changes(self, pixels: np.ndarray, data: Path) -> None:
        import matplotlib
        import matplotlib.pyplot as plt

        plt.get_backend()  # resolves the backend, which is the one thing that may change by itself
        before = matplotlib.rcParams.copy()
        case = Case("tsne-grid", 25, 0, REFERENCE)
        case.draw(*solved(case), data / "out")
        assert plt.get_fignums() == []
        assert matplotlib.rcParams == before
