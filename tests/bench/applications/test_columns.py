"""Roles of columns: which are embedded, which are not, and why; scales of features, and warnings about them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import command
import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import silhouette_score

from lapmark.bench.applications.grid_map import collection, columns, item_table, pipeline, scaling
from lapmark.bench.applications.grid_map.columns import Choice

N = 60
RNG = np.random.default_rng(0)
CLASSES = np.arange(N) % 4


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working directory of the test's own, with a cache in it."""
    monkeypatch.setenv("LAPMARK_CACHE", str(tmp_path / ".cache"))
    monkeypatch.chdir(tmp_path)
    return tmp_path


def clusters() -> pd.DataFrame:
    """Four clean clusters in four columns."""
    values = 8 * np.eye(4)[CLASSES] + np.random.default_rng(1).normal(size=(N, 4))
    return pd.DataFrame(values, columns=["height", "width", "depth", "mass"])


def role(name: str, values: Any, more: pd.DataFrame | None = None, **choice: Any) -> columns.Column:
    """The role of one more column of a table."""
    frame = (clusters() if more is None else more).assign(**{name: values})
    roles = item_table.split(frame, choice=Choice(**choice)).columns
    return next(column for column in roles if column.name == name)


@pytest.mark.parametrize(
    ("name", "values", "reason"),
    [
        ("ID", RNG.random(N), None),
        ("customer_id", RNG.integers(0, 5, N), "an identifier by its name"),
        ("customerId", RNG.random(N), "an identifier by its name"),
        ("uuid", RNG.integers(0, 5, N), "an identifier by its name"),
        ("n", 1000 + RNG.permutation(N), "an identifier: consecutive numbers"),
        ("n", 1000.0 + RNG.permutation(N), "an identifier: consecutive numbers"),
        ("n", np.cumsum(RNG.integers(1, 9, N)), "an identifier: whole numbers in order"),
        ("account", RNG.choice(10**6, N, replace=False), "an identifier: whole numbers that all differ"),
        ("n", 10**9 + RNG.choice(10**9, N, replace=False), "an identifier: whole numbers of nine digits or more"),
        ("batch", np.full(N, 7.5), "constant"),
        ("timestamp", RNG.random(N), "a date by its name"),
        ("joined", pd.date_range("2020", periods=N), "dates or times"),
        ("joined", pd.date_range("2020", periods=N).strftime("%Y-%m-%d"), "dates or times"),
        ("joined", pd.date_range("2020", periods=N).strftime("%d.%m.%Y %H:%M"), "dates or times"),
        ("joined", pd.date_range("2020", periods=N).strftime("%m/%d/%y"), "dates or times"),
        ("remark", [f"t{i // 2}" for i in range(N - 1)] + [None], "text"),
        ("remark", [None] * N, "empty"),
        ("score", [np.nan] * N, "empty"),
    ],
)
def test_assign_does_not_embed_what_is_not_a_feature(name: str, values: Any, reason: str | None) -> None:
    column = role(name, values)
    assert column.role != "feature"
    assert column.reason.startswith(reason or "its name")


@pytest.mark.parametrize("name", ["label", "Label", "TARGET", "class", "Class", "y", "Y"])
def test_assign_recognises_labels_by_name_in_any_case(name: str) -> None:
    assert role(name, CLASSES) == columns.Column(name, "label", "its name")
    assert role(name, RNG.random(N)).reason == f"a quantity to predict; --label {name} colours by it"


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("income", RNG.integers(20_000, 90_000, N)),
        ("count", RNG.integers(0, 9, N)),
        ("account", RNG.integers(0, 9, N)),
        ("is_old", RNG.random(N) < 0.5),
        ("width2", RNG.normal(size=N)),
        ("valid", RNG.random(N)),
    ],
)
def test_assign_embeds_quantities(name: str, values: Any) -> None:
    assert role(name, values).role == "feature"


def test_assign_keeps_two_columns_of_numbers_as_points() -> None:
    count = pd.DataFrame({"a": np.arange(N), "b": np.zeros(N)})
    assert [column.role for column in item_table.split(count).columns] == ["feature", "feature"]
    curve = pd.DataFrame({"t": np.arange(N), "y": RNG.random(N)})
    assert [column.role for column in item_table.split(curve).columns] == ["feature", "feature"]
    xyz = pd.DataFrame({"x": np.arange(N), "Y": RNG.integers(0, 3, N), "z": np.ones(N)})
    assert item_table.split(xyz).numbers.shape == (N, 3), "beside x, y is a coordinate"


def test_assign_takes_the_only_text_with_few_values_as_the_label() -> None:
    city = np.array(["Rome", "Oslo"])[CLASSES % 2]
    assert role("city", city).role == "label"
    assert role("city", city, clusters().assign(land=city)).reason == "text"
    assert role("city", city, clusters().assign(label=CLASSES)).reason == "text"
    assert role("when", np.array(["2020-01-01", "2020-01-02"])[CLASSES % 2]).reason == "dates or times"


def test_assign_with_a_choice_follows_it() -> None:
    frame = clusters().assign(id=np.arange(N), y=CLASSES, city=[f"c{i}" for i in range(N)])
    split = item_table.split(frame, choice=Choice(("h*", "ID"), "y", "City"))
    found = {column.name: (column.role, column.reason) for column in split.columns}
    assert found["id"] == ("feature", "--features")
    assert found["y"] == ("label", "--label")
    assert found["city"] == ("name", "--name")
    assert found["width"] == ("ignored", "not in --features")
    np.testing.assert_array_equal(split.numbers, frame[["height", "id"]])


@pytest.mark.parametrize(
    ("choice", "fault"),
    [
        (
            Choice(("hight",)),
            "--features hight: there is no such column; the columns are height, width, depth, mass, city",
        ),
        (Choice(("city",)), "--features city: the column has no numbers; it can be a --label or --name"),
        (Choice(None, "kind"), "--label kind: there is no such column"),
        (Choice(None, None, "who"), "--name who: there is no such column"),
    ],
)
def test_assign_with_a_column_that_does_not_serve_names_it(choice: Choice, fault: str) -> None:
    with pytest.raises(ValueError) as error:
        item_table.split(clusters().assign(city="Rome"), choice=choice)
    assert fault in str(error.value)


def test_split_without_numbers_says_what_columns_are() -> None:
    Path("t.csv").write_text("customer_id,when\n1,2020-01-01\n2,2020-01-02\n")
    with pytest.raises(ValueError, match=r"customer_id \(an identifier by its name\), when \(dates or times\)"):
        collection.read("t.csv")


def test_split_ignores_holes_in_columns_that_are_not_embedded() -> None:
    frame = clusters().assign(score=[np.nan, *range(N - 1)])
    with pytest.raises(ValueError, match=r"row 1 of column 'score' is missing.*--features"):
        item_table.split(frame)
    assert item_table.split(frame, choice=Choice(("height", "width"))).numbers.shape == (N, 2)


@pytest.mark.parametrize(
    ("names", "have_units"),
    [
        (["age", "income", "mass"], True),
        (["pixel0", "pixel1", "pixel2"], False),
        (["0", "1", "2"], False),
        (["age", "x1", "x2", "x3"], True),
        (["a", "b1", "b2"], True),
    ],
)
def test_split_tells_quantities_from_a_numbered_series(names: list[str], have_units: bool) -> None:
    frame = pd.DataFrame(RNG.random((N, len(names))), columns=names)
    assert item_table.split(frame).have_units == have_units


@pytest.mark.parametrize("scale", scaling.SCALES)
@pytest.mark.parametrize("size", [1.0, 1e300, 1e-300, 1e308])
def test_scaled_gives_each_column_the_same_extent(scale: scaling.Scale, size: float) -> None:
    vectors = np.column_stack([RNG.random(N), size * RNG.uniform(-1, 1, N), np.full(N, size)])
    found = scaling.scaled(vectors, scale)
    assert np.isfinite(found).all()
    if scale == "standard":
        np.testing.assert_allclose(found.std(axis=0), [1, 1, 0], atol=1e-12)
        np.testing.assert_allclose(found.mean(axis=0), 0, atol=1e-12)
    elif scale == "minmax":
        np.testing.assert_allclose([found.min(axis=0), found.max(axis=0)], [[0, 0, 0], [1, 1, 0]])
    else:
        np.testing.assert_array_equal(found, vectors)


def test_map_of_columns_with_units_keeps_clusters_that_one_column_would_drown(folder: Path) -> None:
    frame = clusters().assign(income=RNG.normal(50_000, 20_000, N), target=CLASSES, customer_id=np.arange(N))
    frame.to_csv("t.csv", index=False)
    read = collection.read("t.csv")
    clean = silhouette_score(pipeline.lay(read, method="pca").points, CLASSES)
    with pytest.warns(UserWarning, match=r"^income drowns the other columns.*--scale standard cures it$"):
        drowned = silhouette_score(pipeline.lay(read, method="pca", scale="none").points, CLASSES)
    assert clean > 0.3 > 0.05 > drowned
    code, output = command.lapmark("map", "t.csv", "--method", "pca")
    assert code == 0, output
    shown = " ".join(output.split())
    assert "features height, width, depth, mass, income (numbers) label target (its name) ignored customer_id" in shown
    assert "scale standard: each feature has mean 0 and standard deviation 1" in shown
    assert "standard scale, 8×8 grid" in shown
    assert "warning" not in output
    code, output = command.lapmark("map", "t.csv", "--method", "pca", "--scale", "none")
    assert "warning: income drowns the other columns" in output
    assert all(len(line) <= 80 for line in output.splitlines())


@pytest.mark.filterwarnings("error")
def test_lay_of_even_columns_does_not_warn() -> None:
    digits = np.random.default_rng(3).integers(0, 256, (N, 64), np.uint8)
    digits[:, :50] //= 100
    for vectors in (RNG.random((N, 6)), digits, np.ones((N, 4)), np.column_stack([RNG.random(N), 1e6 * RNG.random(N)])):
        pipeline.lay(collection.Collection(vectors, tuple(map(str, range(N)))), method="pca")


def test_lay_of_an_array_with_a_large_column_warns() -> None:
    vectors = np.column_stack([RNG.random((N, 5)), 1e4 * RNG.random(N)])
    with pytest.warns(UserWarning, match="column 5 drowns the other columns"):
        pipeline.lay(collection.Collection(vectors, tuple(map(str, range(N)))), method="pca")


def test_read_with_a_choice_takes_arrays_of_an_archive() -> None:
    np.savez("t.npz", points=RNG.random((N, 2)), clip=RNG.random((N, 9)), kind=CLASSES, who=np.arange(N) + 5)
    read = collection.read("t.npz", choice=Choice(("clip",), "kind", "who"))
    assert (read.vectors.shape, read.classes, read.names[0]) == ((N, 9), ("0", "1", "2", "3"), "5")
    with pytest.raises(ValueError, match=r"no array 'klip'; it holds points, clip, kind, who"):
        collection.read("t.npz", choice=Choice(("klip",)))


def test_read_with_a_choice_refuses_what_has_no_columns() -> None:
    np.save("t.npy", RNG.random((N, 3)))
    with pytest.raises(ValueError, match=r"t.npy has no columns; --features, --label and --name are for"):
        collection.read("t.npy", choice=Choice(None, "kind"))


def test_split_names_takes_a_list_with_commas() -> None:
    assert columns.split_names('a, b,"c, d"') == ("a", "b", "c, d")
    with pytest.raises(ValueError, match="names no column"):
        columns.split_names(" , ")


def test_describe_fits_a_terminal_and_names_some_of_many_columns() -> None:
    roles = [columns.Column(f"pixel{i}", "feature", "numbers") for i in range(784)]
    roles += [columns.Column("w" * 100, "ignored", "text"), columns.Column("k", "label", "its name")]
    lines = columns.describe(roles)
    assert max(map(len, lines)) <= 80
    assert "784 in all" in " ".join(lines)
    assert [line.split()[0] for line in lines if not line.startswith(" ")] == ["features", "label", "ignored"]
