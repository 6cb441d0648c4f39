"""The families: the same bytes for the same arguments, and the properties they promise."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from mnist_files import write_mnist

from lapmark import Assignment, Matching, PointCost, SparseCost, Transport, certify, solve
from lapmark.bench import embeddings, problems
from lapmark.bench.applications.make_reference_embedding import agreement
from lapmark.bench.data import datasets
from lapmark.bench.problems import Case
from lapmark.bench.problems.applied import orlib, square_grid, tracking, tsne_grid
from lapmark.bench.problems.hard import grid
from lapmark.bench.problems.random import integers
from lapmark.bench.util import cache

DATA = Path(os.environ.get(datasets.VARIABLE) or Path(__file__).parents[4] / "shared" / "data")
REFERENCE = {"source": "mnist-reference"}

#: Every family that needs no data files, at each of its variants and at settings of its own.
SMALL = [
    Case(name, 36, 0, {**params, **(REFERENCE if name == "tsne-grid" else {})})
    for name, family in problems.families().items()
    for params in family.variants
    if name not in ("orlib", "adversarial", "adversarial-transport")  # the hostile ones have tests of their own
] + [
    Case("duplicates", 36, 0, {"distinct": 1}),
    Case("geometric", 36, 0, {"cost": "points"}),
    Case("geometric", 36, 0, {"dtype": "float64"}),
    Case("geometric", 36, 0, {"cap": 0.1}),
    Case("grid", 36, 0, {"cost": "dense", "rows": "nodes"}),
    Case("sparse", 36, 0, {"cost": "dense", "share": 0.2}),
    Case("tsne-grid", 36, 0, {**REFERENCE, "cost": "points"}),
    Case("tsne-grid", 36, 0, {**REFERENCE, "dtype": "float64"}),
    Case("tsne-grid", 36, 0, {"source": "mnist-resampled"}),
]

#: Of these, each size has one instance, or, of equal points, one optimum and one matrix whatever the seed.
ONLY = ("difference:values=indices", "duplicates:distinct=1", "equal", "product")
RANDOM = [case for case in SMALL if case.label not in ONLY]


@pytest.fixture
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of data, empty, and a cache of its own."""
    monkeypatch.setenv(cache.VARIABLE, str(tmp_path / "cache"))
    monkeypatch.setenv(datasets.VARIABLE, str(tmp_path))
    return tmp_path


def matrix(case: Case) -> np.ndarray:
    return case.build().cost.dense()


def instance(case: Case) -> list[np.ndarray]:
    """All that a seed may decide: the costs, and the masses of transport."""
    problem = case.build()
    return [problem.cost.dense(), *((problem.a, problem.b) if isinstance(problem, Transport) else ())]


def solved(case: Case) -> tuple[Assignment, Matching]:
    problem = case.build()
    assert isinstance(problem, Assignment)
    matching = solve(problem, solver="jv")
    assert isinstance(matching, Matching)
    return problem, matching


@pytest.mark.parametrize("case", SMALL, ids=str)
def test_case_built_twice_gives_equal_bytes(case: Case) -> None:
    again = Case.read(str(case))
    assert again == case
    first, second = matrix(case), matrix(again)
    assert first.dtype == second.dtype
    assert first.tobytes() == second.tobytes()
    assert first.flags.c_contiguous


@pytest.mark.parametrize("case", RANDOM, ids=str)
def test_case_with_another_seed_is_another_instance(case: Case) -> None:
    other = instance(Case(case.problem, case.n, 1, case.params))
    assert not all(np.array_equal(one, another) for one, another in zip(instance(case), other, strict=True))


@pytest.mark.parametrize("case", SMALL, ids=str)
def test_case_has_a_certified_optimum(case: Case) -> None:
    problem = case.build()
    certificate = certify(problem, solve(problem, "jv" if isinstance(problem, Assignment) else "auto"))
    assert certificate.valid
    if isinstance(problem, Transport) and problem.blur > 0:
        assert certificate.entropic_gap <= 1e-2
    else:
        assert certificate.gap <= 1e-6


@pytest.mark.parametrize(
    "case",
    [
        Case("tsne-grid", 49, 3, {**REFERENCE, "rows": "points"}),
        Case("images-emd", 100, 3),
        Case("words", 40, 3),
    ],
    ids=str,
)
def test_case_built_in_another_process_gives_equal_bytes(case: Case) -> None:
    code = (
        "import sys; from lapmark.bench.problems import Case; problem = Case.read(sys.argv[1]).build();"
        "arrays = problem.cost.dense(), getattr(problem, 'a', None), getattr(problem, 'b', None);"
        "sys.stdout.buffer.write(b''.join(array.tobytes() for array in arrays if array is not None))"
    )
    output = subprocess.run([sys.executable, "-c", code, str(case)], check=True, capture_output=True).stdout
    assert output == b"".join(array.tobytes() for array in instance(case))


@pytest.mark.parametrize("family", problems.families().values(), ids=lambda family: family.name)
def test_family_has_a_source_and_a_description(family: problems.Family) -> None:
    assert len(family.source) > 20
    assert list(family.sizes) == sorted(set(family.sizes))


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("uniform:n=4,high=3", "uniform:high=3: no setting 'high'; there is dtype"),
        ("product:n=4,ratio=3", "there is none"),
        ("uniform:n=4,dtype=int8", "dtype = 'int8'; it must be float32 or float64"),
        ("integers:n=4,high=few", "high = 'few'; give a whole number"),
        ("integers:n=1000,high=10000000n", "do not fit the int32 matrix"),
        ("product:n=4,seed=1", "leave the seed at 0"),
        ("product:n=46341", "does not fit"),
        ("difference:n=4,seed=1", "leave the seed at 0"),
        ("duplicates:n=4,distinct=0", "distinct = 0"),
        ("duplicates:n=4,distinct=2.5", "distinct = 2.5; it must be a whole number"),
        ("equal:n=4,seed=1", "leave the seed at 0"),
        ("equal:n=4,value=dear", "value = 'dear'; it must be a number"),
        ("binary:n=4,zeros=5", "zeros = 5 at n = 4"),
        ("binary:n=4,zeros=1.5", "a whole number up to n"),
        ("binary:n=4,zeros=-0.1", "zeros = -0.1"),
        ("low-rank:n=4,rank=0", "rank = 0"),
        ("wide-range:n=4,decades=40", "decades = 40; choose from 0 to 38"),
        ("forbidden:n=4,share=1.1", "share = 1.1"),
        ("sparse:n=4,share=nan", "share = nan"),
        ("sparse:n=4,cost=points", "it must be sparse or dense"),
        ("tracking:n=4,lost=2", "lost = 2"),
        ("grid:n=5", r"the nearest that do: 4 \(2×2\) and 9 \(3×3\)"),
        ("grid:n=4,layout=round", "layout = 'round'; it must be uniform or line or near-line or lattice or clusters"),
        ("grid:n=4,share=0", "share = 0"),
        ("grid:n=4,distinct=-1", "distinct = -1"),
        ("geometric:n=4,d=0", "d = 0"),
        ("geometric:n=4,p=0", "p = 0"),
        ("geometric:n=4,cap=0", "cap = 0"),
        ("geometric:n=4,cost=points,cap=1", "take cost=dense"),
        ("rectangular:n=4,ratio=0.5", "ratio = 0.5"),
        ("rectangular:n=5,ratio=1.5", "whole number"),
        ("rectangular:n=4,longer=both", "columns or rows"),
        ("orlib:n=250", "n = 250; OR-Library has n = 100, 200, 300, 400, 500, 600, 700, 800 with dense costs"),
        ("orlib:n=100,cost=sparse", "OR-Library has n = 800, 1500, 3000, 5000 with sparse costs"),
        ("orlib:n=100,seed=2", "leave the seed at 0"),
        ("geometric:n=4,cost=sparse", "dense or points"),
        ("tsne-grid:n=2000", r"the nearest that do: 1936 \(44×44\) and 2025 \(45×45\)"),
        ("tsne-grid:n=0", r"1 \(1×1\)"),
        ("tsne-grid:n=100,source=faces", "it must be auto or digits or mnist-reference or mnist-resampled or mnist"),
        ("tsne-grid:n=100,rows=columns", "nodes or points"),
        ("tsne-grid:n=1849,source=digits", "digits has 1797 images; take n up to 1764"),
        ("tsne-grid:n=10201,source=mnist-reference", "mnist-reference has 10000 images; take n up to 10000"),
    ],
)
def test_case_with_an_invalid_setting_raises_value_error(text: str, fault: str) -> None:
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
    assert matching.cost == Case("product", 30).known_optimum == sum(i * (31 - i) for i in range(1, 31))


@pytest.mark.parametrize(("of", "columns"), [("points", 7), ("rows", 200), ("blocks", 7)])
def test_duplicates_repeat_few_rows(of: str, columns: int) -> None:
    costs = matrix(Case("duplicates", 200, 0, {"distinct": 7, "of": of}))
    assert len(np.unique(costs, axis=0)) == 7
    assert len(np.unique(costs, axis=1).T) == columns
    assert costs.dtype == np.float32
    assert (costs == 0).any() == (of == "points")


def test_duplicates_of_one_point_cost_nothing() -> None:
    assert not matrix(Case("duplicates", 20, 0, {"distinct": 1})).any()


def test_equal_costs_are_all_equal() -> None:
    assert np.unique(matrix(Case("equal", 20, 0, {"value": 0.25}))).tolist() == [0.25]


def test_binary_has_the_requested_zeros() -> None:
    share = matrix(Case("binary", 300, 0, {"zeros": 0.02}))
    assert np.unique(share).tolist() == [0, 1]
    assert np.mean(share == 0) == pytest.approx(0.02, abs=0.003)
    assert ((matrix(Case("binary", 300, 0, {"zeros": 2})) == 0).sum(axis=1) == 2).all()


@pytest.mark.parametrize("rank", [1, 3])
def test_low_rank_has_its_rank(rank: int) -> None:
    assert np.linalg.matrix_rank(matrix(Case("low-rank", 60, 0, {"rank": rank, "dtype": "float64"}))) == rank


def test_separable_costs_give_all_matchings_equal_cost() -> None:
    problem, matching = solved(Case("separable", 50, 0, {"dtype": "float64"}))
    assert matching.cost == pytest.approx(np.trace(problem.cost.dense()), rel=1e-14)


@pytest.mark.parametrize("values", ["indices", "random"])
def test_difference_has_its_known_optimum(values: str) -> None:
    case = Case("difference", 50, 0, {"values": values})
    _, matching = solved(case)
    assert matching.cost == case.known_optimum
    assert (matching.cost == 0) == (values == "indices")


def test_wide_range_spans_its_decades() -> None:
    costs = matrix(Case("wide-range", 200, 0, {"decades": 8}))
    assert 1 <= costs.min() < 1.1
    assert 0.9e8 < costs.max() <= 1e8
    assert np.median(costs) == pytest.approx(1e4, rel=0.2)


@pytest.mark.parametrize("share", [0.3, 1])
def test_forbidden_pairs_leave_a_matching(share: float) -> None:
    problem, matching = solved(Case("forbidden", 200, 0, {"share": share}))
    assert np.isfinite(matching.cost)
    assert np.mean(np.isinf(problem.cost.dense())) == pytest.approx(share, abs=0.01)


def test_sparse_lists_its_share_and_a_matching() -> None:
    problem = Case("sparse", 400, 0, {"share": 0.01}).build()
    assert isinstance(problem.cost, SparseCost)
    assert 1600 <= problem.cost.csr.nnz <= 2000
    assert np.isfinite(solve(problem, "jv").cost)


def test_tracking_tracks_overlap_their_own_detections_only() -> None:
    costs = matrix(Case("tracking", 64, 0, {"lost": 0}))
    assert 0 <= costs.min() < costs.max() == 1
    assert np.mean(costs == 1) > 0.9
    _, matching = solved(Case("tracking", 64, 0, {"lost": 0}))
    assert matching.cost / 64 < 0.4  # a box that moves by some pixels overlaps itself by more than half


def test_overlap_is_intersection_over_union() -> None:
    boxes = np.array([[0, 0, 2, 2], [1, 0, 3, 2], [5, 5, 6, 6.0]])
    assert tracking.overlap(boxes[:1], boxes).tolist() == [[1, pytest.approx(1 / 3), 0]]


def test_rectangular_rows_are_the_transpose_of_columns() -> None:
    wide, tall = (matrix(Case("rectangular", 20, 0, {"ratio": 10, "longer": side})) for side in ("columns", "rows"))
    assert wide.shape == (20, 200)
    assert np.array_equal(tall, wide.T)
    whole = matrix(Case("rectangular", 20, 0, {"ratio": 10, "dtype": "int32"}))
    assert (whole.dtype, whole.min(), whole.max()) == (np.int32, 0, 99)


def test_grid_points_and_matrix_are_the_same_problem() -> None:
    for case in (Case("geometric", 36, 0, {"d": 3}), Case("grid", 36, 0, {"layout": "line"}), SMALL[-1]):
        dense, points = (
            matrix(Case(case.problem, case.n, 0, {**case.params, "cost": kind})) for kind in ("dense", "points")
        )
        assert dense.dtype == np.float32
        assert np.allclose(dense, points, rtol=1e-6)


class TestGrid:
    def points(self, **params: object) -> np.ndarray:
        cost = Case("grid", 900, 0, params).build().cost  # type: ignore[arg-type]
        assert isinstance(cost, PointCost)
        assert cost.p == 2
        assert cost.y.shape == (900, 2)
        return cost.x

    @pytest.mark.parametrize("distinct", [500, 20, 1])
    def test_grid_distinct_points_come_from_few_places(self, distinct: int) -> None:
        found = len(np.unique(self.points(distinct=distinct), axis=0))
        assert found <= distinct
        assert found > 0.8 * distinct

    def test_grid_line_points_are_on_a_line_or_nearly(self) -> None:
        for layout, off in (("line", 1e-16), ("near-line", 1e-5)):
            x, y = self.points(layout=layout).T
            residual = np.abs(y - 0.25 - x / 2).max()
            assert off / 100 < residual + 1e-17 <= off

    def test_grid_lattice_has_30_by_30_places(self) -> None:
        x, y = self.points(layout="lattice").T
        assert np.unique(x).tolist() == np.unique(y).tolist() == pytest.approx((np.arange(30) + 0.5) / 30)

    def test_grid_clusters_are_tight_and_have_outliers(self) -> None:
        points = self.points(layout="clusters")
        near = np.linalg.norm(points[:, None] - grid.CENTRES, axis=2) < 6 * grid.CLUSTER_SIZE
        assert (near.sum(axis=0) > 300).all()
        assert 0 < (~near.any(axis=1)).sum() < 30

    def test_grid_share_leaves_nodes_empty(self) -> None:
        assert len(self.points(share=0.9)) == 810
        assert Case("grid", 900, 0, {"share": 0.9, "rows": "nodes"}).build().shape == (900, 810)


@pytest.mark.parametrize(("cost", "n"), [(cost, n) for cost, optima in orlib.OPTIMA.items() for n in optima])
def test_orlib_has_the_published_optima(cost: str, n: int, monkeypatch: pytest.MonkeyPatch) -> None:
    if not (DATA / "orlib" / f"{orlib.FILES[cost]}{n}.txt").is_file():
        pytest.skip(f"no {orlib.FILES[cost]}{n}.txt in {DATA / 'orlib'}")
    monkeypatch.setenv(datasets.VARIABLE, str(DATA))
    case = Case("orlib", n, 0, {"cost": cost})
    problem = case.build()
    assert problem.cost.kind == cost
    certificate = certify(problem, solve(problem))
    assert certificate.exactly_optimal
    assert certificate.cost == case.known_optimum


class TestTsneGrid:
    @pytest.mark.parametrize("dtype", ["float32", "float64"])
    def test_tsne_grid_largest_cost_is_at_most_100_000(self, dtype: str) -> None:
        costs = matrix(Case("tsne-grid", 400, 0, {**REFERENCE, "dtype": dtype}))
        assert costs.shape == (400, 400)
        assert costs.dtype == dtype
        assert costs.max() == pytest.approx(100_000, rel=1e-15)

    def test_tsne_grid_rows_are_nodes_or_points(self) -> None:
        nodes, points = (matrix(Case("tsne-grid", 225, 0, {**REFERENCE, "rows": rows})) for rows in ("nodes", "points"))
        assert np.array_equal(nodes, points.T)

    def test_sample_takes_the_first_points_of_a_permutation(self) -> None:
        chosen = tsne_grid.sample(100, 0, "mnist-reference")
        points, label = embeddings.reference()
        index = np.random.default_rng(0).permutation(10_000)[:100]
        assert np.array_equal(chosen.index, index)
        assert np.array_equal(chosen.label, label[index])
        assert chosen.points.min(axis=0).tolist() == [0, 0]
        assert chosen.points.max(axis=0).tolist() == [1, 1]
        assert np.corrcoef(chosen.points[:, 0], points[index, 0])[0, 1] == pytest.approx(1)

    def test_sample_of_auto_source_depends_on_n(self) -> None:
        assert tsne_grid.sample(1849).source == "mnist-reference"
        assert tsne_grid.sample(10_201).source == "mnist-resampled"

    def test_sample_of_a_hundred_thousand_points_is_in_the_unit_square(self) -> None:
        case = Case("tsne-grid", 316**2, 0, {"cost": "points", "rows": "points"})
        cost = case.build().cost
        assert isinstance(cost, PointCost)
        assert cost.shape == (99_856, 99_856)
        assert cost.dtype == np.float64
        assert len(np.unique(cost.x, axis=0)) == 99_856
        assert cost.x.min() == 0
        assert cost.x.max() == 1

    def test_resample_follows_the_density_of_the_embedding(self) -> None:
        points, _ = embeddings.reference()
        drawn, origin = embeddings.resample(points, 40_000, np.random.default_rng(0))
        distance = np.sort(np.linalg.norm(points[:50, None].astype(float) - points, axis=2), axis=1)[:, 5]
        for k in range(50):
            moved = drawn[origin == k] - points[k]
            assert np.abs(moved).max(initial=0) < 5 * distance[k] / 2
        moved = (drawn - points[origin])[origin < 50] / distance[origin[origin < 50], None]
        assert moved.std() == pytest.approx(0.5, rel=0.1)
        assert np.bincount(origin, minlength=len(points)).max() < 20

    @pytest.mark.slow
    def test_tsne_grid_of_all_digits_is_solved(self, data: Path) -> None:
        chosen = tsne_grid.sample(1764)
        assert chosen.source == "digits"
        assert len(np.unique(chosen.points, axis=0)) == 1764
        # The nearest other point shows the same digit nearly always, if the embedding is any good.
        assert agreement(chosen.points, chosen.label) > 0.95

    def test_nodes_run_along_x_first(self) -> None:
        assert square_grid.nodes(2).tolist() == [[0, 0], [1, 0], [0, 1], [1, 1]]
        assert square_grid.nodes(1).tolist() == [[0, 0]]

    def test_unit_square_of_an_axis_without_extent_is_zero(self) -> None:
        assert square_grid.unit_square(np.array([[3, 1], [3, 5]])).tolist() == [[0, 0], [0, 1]]

    def test_tsne_grid_of_images_in_a_folder_embeds_them(self, data: Path) -> None:
        digits = datasets.digits()
        write_mnist(data, np.pad(digits.pixels[:60], ((0, 0), (10, 10), (10, 10))), digits.label[:60])
        problem, matching = solved(Case("tsne-grid", 49, 0, {"source": "mnist"}))
        assert certify(problem, matching).gap <= 1e-6
        assert len(list((data / "cache").glob("tsne-*.npy"))) == 1
