"""Data of one's own as it comes: formats, broken files, and what is said of them."""

from __future__ import annotations

import gzip
import struct
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from PIL import Image

from bench.maps import collection, thumbnails

RNG = np.random.default_rng(0)


def save(path: Path, pixels: np.ndarray | Image.Image, **settings: Any) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    (pixels if isinstance(pixels, Image.Image) else Image.fromarray(pixels)).save(path, **settings)


def noise(*shape: int) -> np.ndarray:
    return RNG.integers(0, 256, shape, np.uint8)


class TestFolder:
    def test_every_kind_of_image(self, tmp_path: Path) -> None:
        grey, coloured = noise(20, 30), noise(20, 30, 3)
        opaque = np.dstack([coloured, np.where(np.arange(30) < 15, 255, 0)[None].repeat(20, 0)]).astype(np.uint8)
        save(tmp_path / "a.png", grey)
        save(tmp_path / "b.png", coloured)
        save(tmp_path / "c.png", opaque)
        save(tmp_path / "d.png", (grey.astype(np.uint16) << 8) + 7)
        save(tmp_path / "e.gif", Image.fromarray(coloured).quantize(16))
        save(tmp_path / "f.tif", Image.fromarray(coloured).convert("CMYK"))
        save(tmp_path / "g.png", Image.fromarray(grey > 127))
        save(tmp_path / "h.tif", (grey / 255).astype(np.float32))
        save(tmp_path / "i.bmp", coloured)
        save(tmp_path / "j.webp", coloured, lossless=True)
        save(tmp_path / "k.PNG", Image.fromarray(grey).convert("LA"))
        save(tmp_path / "l.gif", Image.fromarray(grey), save_all=True, append_images=[Image.new("L", (30, 20))])
        save(tmp_path / "m.jpg", Image.new("RGB", (300, 200), "red"))
        read = collection.read(tmp_path)
        assert read.skipped == ()
        assert read.images is not None
        assert [name[0] for name in read.names] == list("abcdefghijklm")
        images = dict(zip("abcdefghijklm", read.images, strict=True))
        for name in "adgkl":
            assert images[name].ndim == 2, "grey stays grey"
        for name in "adkl":
            np.testing.assert_array_equal(images[name], grey)
        for name in "bij":
            np.testing.assert_array_equal(images[name], coloured)
        np.testing.assert_array_equal(images["c"][:, :15], coloured[:, :15])
        assert not images["c"][:, 15:].any(), "what is transparent is black"
        np.testing.assert_array_equal(images["g"], np.where(grey > 127, 255, 0))
        assert np.abs(images["f"].astype(int) - coloured).max() <= 2
        assert np.corrcoef(images["h"].ravel(), grey.ravel())[0, 1] > 0.999
        assert images["m"].shape == (171, 256, 3)
        assert images["m"][80, 120] == pytest.approx([255, 0, 0], abs=3)
        assert read.vectors.shape == (13, 32 * 32 * 3), "of various sizes, and some coloured"

    def test_small_images_of_one_size_are_compared_pixel_by_pixel(self, tmp_path: Path) -> None:
        pixels = noise(5, 28, 20)
        for i, image in enumerate(pixels):
            save(tmp_path / f"{i}.png", image)
        read = collection.read(tmp_path)
        np.testing.assert_array_equal(read.vectors, pixels.reshape(5, -1))
        np.testing.assert_array_equal(np.stack(read.images or ()), pixels)

    def test_a_photograph_is_turned_as_the_camera_was_held(self, tmp_path: Path) -> None:
        pixels = np.zeros((20, 40), np.uint8)
        pixels[:, :20] = 255
        turned = Image.Exif()
        turned[0x0112] = 6  # a quarter, clockwise
        for name in "ab":
            save(tmp_path / f"{name}.jpg", pixels, exif=turned)
        first, _ = collection.read(tmp_path).images or ()
        assert first.shape == (40, 20)
        assert first[:18].min() > 240
        assert first[22:].max() < 15

    def test_the_size_of_sprites_changes_nothing_of_what_is_embedded(self, tmp_path: Path) -> None:
        for name in "ab":
            save(tmp_path / f"{name}.jpg", noise(400, 300, 3))
        small, large = (collection.read(tmp_path, side) for side in (16, 128))
        assert (small.images or ())[0].shape == (16, 12, 3)
        assert (large.images or ())[0].shape == (128, 96, 3)
        np.testing.assert_array_equal(small.vectors, large.vectors)

    def test_subfolders_are_labels(self, tmp_path: Path) -> None:
        for name in ("10/b/x.png", "9/a.png", "10/a.png", "Katzen & Mäuse/ü.png"):
            save(tmp_path / name, noise(8, 8))
        read = collection.read(tmp_path)
        assert read.names == ("10/a.png", "10/b/x.png", "9/a.png", "Katzen & Mäuse/ü.png")
        assert read.labels == ("10", "10", "9", "Katzen & Mäuse")
        assert read.classes == ("9", "10", "Katzen & Mäuse")
        save(tmp_path / "z.png", noise(8, 8))
        assert collection.read(tmp_path).labels is None, "one has none"

    def test_a_broken_image_is_named_and_skipped(self, tmp_path: Path) -> None:
        for i in range(30):
            save(tmp_path / f"{i:02}.png", noise(9, 9))
        whole = (tmp_path / "00.png").read_bytes()
        (tmp_path / "cut.png").write_bytes(whole[: len(whole) // 2])
        (tmp_path / "empty.jpg").touch()
        (tmp_path / "text.png").write_text("no image at all")
        (tmp_path / "head.png").write_bytes(whole[:16] + struct.pack(">II", 2**30, 2**30) + whole[24:])
        (tmp_path / "gone.png").symlink_to(tmp_path / "nowhere.png")
        (tmp_path / "notes.txt").write_text("ignored")
        (tmp_path / ".hidden.png").write_text("not looked at")
        save(tmp_path / ".thumbnails" / "a.png", noise(9, 9))
        read = collection.read(tmp_path)
        assert len(read) == len(read.images or ()) == 30
        reasons = dict(read.skipped)
        assert set(reasons) == {"cut.png", "empty.jpg", "text.png", "head.png", "gone.png"}
        assert reasons["empty.jpg"] == "it is empty"
        assert "no image" in reasons["text.png"]
        assert str(tmp_path) not in reasons["cut.png"]
        assert read.ignored == "files that are no images: 1"

    @pytest.mark.parametrize(
        ("files", "fault"),
        [
            ({}, "has no files; a collection is"),
            ({"a.txt": b"", "b.pdf": b""}, "has 2 files, none of them an image"),
            ({"a.png": b"x", "b.png": b""}, "none of 2 images can be read; the first, a.png: it is no image"),
        ],
    )
    def test_a_folder_without_images(self, tmp_path: Path, files: dict[str, bytes], fault: str) -> None:
        for name, content in files.items():
            (tmp_path / name).write_bytes(content)
        with pytest.raises(ValueError, match=fault):
            collection.read(tmp_path)

    def test_a_single_image(self, tmp_path: Path) -> None:
        save(tmp_path / "a.png", noise(9, 9))
        with pytest.raises(ValueError, match="at least two"):
            collection.read(tmp_path)
        with pytest.raises(ValueError, match="a folder of images"):
            collection.read(tmp_path / "a.png")

    def test_sprites_beyond_any_picture_are_refused_before_they_are_read(self, tmp_path: Path) -> None:
        for i in range(5):
            (tmp_path / f"{i}.png").touch()
        with pytest.raises(ValueError, match="--sprite 7327"):
            collection.read(tmp_path, 20_000)


class TestArrays:
    def test_points_features_and_images(self, tmp_path: Path) -> None:
        for values in (RNG.random((5, 2)), RNG.random((5, 7), dtype=np.float32), RNG.integers(0, 9, (5, 3))):
            np.save(tmp_path / "a.npy", values)
            read = collection.read(tmp_path / "a.npy")
            np.testing.assert_array_equal(read.vectors, values)
            assert (read.are_points, read.images, read.labels) == (values.shape[1] == 2, None, None)
            assert read.names == tuple("01234")
        coloured = noise(5, 12, 16, 3)
        opaque = np.concatenate([coloured, np.full((5, 12, 16, 1), 255, np.uint8)], axis=3)
        grey = coloured[..., 0]
        for values, pixels in ((grey, grey), (grey[..., None], grey), (coloured, coloured), (opaque, coloured)):
            np.save(tmp_path / "a.npy", values)
            read = collection.read(tmp_path / "a.npy")
            np.testing.assert_array_equal(np.stack(read.images or ()), pixels)
            np.testing.assert_array_equal(read.vectors, pixels.reshape(5, -1))

    def test_an_archive_has_labels_and_names(self, tmp_path: Path) -> None:
        path = tmp_path / "a.npz"
        points, pixels = RNG.random((3, 2)), noise(3, 8, 8)
        objects = np.array([{}, [], None], dtype=object)
        np.savez(
            path, points=points, images=pixels, label=np.array([2.0, 10.0, 2.0]), names=["a", "ü", "c"], junk=objects
        )
        read = collection.read(path)
        np.testing.assert_array_equal(read.vectors, points)
        np.testing.assert_array_equal(np.stack(read.images or ()), pixels)
        assert (read.labels, read.classes, read.names) == (("2", "10", "2"), ("2", "10"), ("a", "ü", "c"))
        assert read.ignored == "arrays of other names: junk"
        np.savez(path, X=RNG.random((3, 4)), y=np.array([b"dog", b"cat", b"cat"]))
        assert collection.read(path).classes == ("cat", "dog")
        np.savez(path, RNG.random((3, 4)))
        assert collection.read(path).vectors.shape == (3, 4)

    def test_mnists_own_files(self, tmp_path: Path) -> None:
        pixels, label = noise(4, 28, 28), np.array([7, 2, 1, 0], np.uint8)
        images = tmp_path / "t10k-images-idx3-ubyte.gz"
        images.write_bytes(gzip.compress(struct.pack(">4B3I", 0, 0, 8, 3, *pixels.shape) + pixels.tobytes()))
        assert collection.read(images).labels is None
        labels = tmp_path / "t10k-labels-idx1-ubyte.gz"
        labels.write_bytes(gzip.compress(struct.pack(">4BI", 0, 0, 8, 1, 4) + label.tobytes()))
        read = collection.read(images)
        assert read.labels == ("7", "2", "1", "0")
        np.testing.assert_array_equal(read.vectors, pixels.reshape(4, -1))
        with pytest.raises(ValueError, match="begins with"):
            collection.read(labels)

    @pytest.mark.parametrize(
        ("arrays", "fault"),
        [
            ({"a": np.array([[1, None], [2, 3]])}, "Python objects"),
            ({"a": np.array([[1, np.nan], [2, 3]])}, r"a\[0, 1\] is nan"),
            ({"a": np.array([[1, 2], [2, -np.inf]])}, r"a\[1, 1\] is -inf"),
            ({"a": np.ones((1, 2))}, "holds 1 thing; a map takes at least two"),
            ({"a": np.ones((0, 2))}, "holds nothing"),
            ({"a": np.ones(5)}, r"reshape\(-1, 1\)"),
            ({"a": np.ones((5, 0))}, "shape"),
            ({"a": np.float64(3)}, "real numbers"),
            ({"a": np.ones((3, 2), complex)}, "real numbers"),
            ({"a": np.array([["a", "b"], ["c", "d"]])}, "real numbers"),
            ({"a": np.ones((3, 8, 8))}, "they are bytes"),
            ({"a": np.ones((3, 8, 8, 2), np.uint8)}, "they are bytes"),
            ({"a": np.ones((3, 0, 8), np.uint8)}, "they are bytes"),
            ({"a": np.eye(3), "b": np.eye(3)}, "holds a, b; call what is to be embedded points or"),
            ({"X": np.eye(3), "y": np.ones(2)}, r"y has shape \(2,\)"),
            ({"X": np.eye(3), "images": noise(2, 8, 8)}, "there are 2 images for 3 things"),
        ],
    )
    def test_what_is_wrong_is_named(self, tmp_path: Path, arrays: dict[str, np.ndarray], fault: str) -> None:
        np.savez(tmp_path / "a.npz", **arrays)
        with pytest.raises(ValueError, match=fault) as told:
            collection.read(tmp_path / "a.npz")
        assert "a.npz" in str(told.value)

    @pytest.mark.parametrize("name", ["a.npy", "a.npz", "a.parquet", "a.csv.gz", "a-ubyte.gz", "a-ubyte"])
    @pytest.mark.parametrize("content", ["empty", "text", "cut"])
    def test_damaged_files(self, tmp_path: Path, name: str, content: str) -> None:
        path = tmp_path / name
        frame = pd.DataFrame(RNG.random((500, 2)), columns=["x", "y"])
        if content == "empty":
            path.touch()
        elif content == "text":
            path.write_text("this is no such file\n" * 9)
        elif name == "a.npy":
            np.save(path, frame)
        elif name == "a.npz":
            np.savez_compressed(path, frame)
        elif name == "a.parquet":
            frame.to_parquet(path)
        elif name == "a.csv.gz":
            frame.to_csv(path)
        else:
            whole = struct.pack(">4B3I", 0, 0, 8, 3, 9, 9, 9) + bytes(9**3)
            path.write_bytes(gzip.compress(whole) if name.endswith(".gz") else whole)
        if content == "cut":
            path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
        with pytest.raises(ValueError, match=name):
            collection.read(path)


class TestTables:
    @pytest.mark.parametrize("suffix", [".csv", ".csv.gz", ".parquet"])
    def test_numbers_labels_and_names(self, tmp_path: Path, suffix: str) -> None:
        frame = pd.DataFrame({"name": ["a", "b", "ü"], "x": [1, 2, 3], "y": [0.5, 2, 1], "label": [3, 3, None]})
        path = tmp_path / f"t{suffix}"
        frame.to_parquet(path) if suffix == ".parquet" else frame.to_csv(path, index=False)
        read = collection.read(path)
        np.testing.assert_array_equal(read.vectors, frame[["x", "y"]])
        assert read.are_points
        assert (read.names, read.labels, read.ignored) == (("a", "b", "ü"), ("3", "3", ""), "")

    def test_a_first_line_of_numbers_is_no_heading(self, tmp_path: Path) -> None:
        (tmp_path / "t.csv").write_text("1,2,3\n4,5,6\n7,8,9.5\n")
        np.testing.assert_array_equal(collection.read(tmp_path / "t.csv").vectors, [[1, 2, 3], [4, 5, 6], [7, 8, 9.5]])

    def test_row_numbers_are_names(self, tmp_path: Path) -> None:
        pd.DataFrame({"x": [0.1, 0.2], "y": [1, 2]}, index=[7, 9]).to_csv(tmp_path / "t.csv")
        read = collection.read(tmp_path / "t.csv")
        assert (read.names, read.vectors.shape) == (("7", "9"), (2, 2))

    def test_names_are_no_features_whatever_they_hold(self, tmp_path: Path) -> None:
        (tmp_path / "T.CSV").write_text("id,name,x,y,label,class\n1,a,2,3,p,4\n2,b,4,5,q,5\n")
        read = collection.read(tmp_path / "T.CSV")
        assert (read.names, read.labels, read.vectors.shape) == (("a", "b"), ("p", "q"), (2, 2))

    def test_times_are_left_out(self, tmp_path: Path) -> None:
        frame = pd.DataFrame({"x": [1.5, 2], "y": [3, 4], "when": pd.to_datetime(["2020-01-01", "2021-01-01"])})
        frame.to_parquet(tmp_path / "t.parquet")
        read = collection.read(tmp_path / "t.parquet")
        assert (read.ignored, read.vectors.shape) == ("columns that are no numbers: when", (2, 2))

    def test_durations_are_left_out(self, tmp_path: Path) -> None:
        seconds = pa.array([60, 120], pa.duration("s"))
        pq.write_table(pa.table({"x": [1.5, 2], "y": [3, 4], "took": seconds}), tmp_path / "t.parquet")
        read = collection.read(tmp_path / "t.parquet")
        assert (read.ignored, read.vectors.tolist()) == ("columns that are no numbers: took", [[1.5, 3], [2, 4]])

    @pytest.mark.parametrize(
        "columns",
        [
            {"v": pa.array([[1.5, 2.0], [3.0, 4.0]])},
            {"v": pa.array([[1.5, 2.0], [3.0, 4.0]], pa.list_(pa.float32(), 2))},
            {"x": [Decimal("1.5"), Decimal(3)], "y": [2, 4]},
            {"x": [1.5, 3], "y": pa.array([2, 4]).dictionary_encode()},
            {"x": [1.5, 3], "y": [2, 4], "tags": [["a"], ["b", "c"]], "of": [{"a": 1}, {"a": 2}], "raw": [b"a", b"b"]},
        ],
    )
    def test_lists_and_decimals_are_numbers(self, tmp_path: Path, columns: dict[str, Any]) -> None:
        pq.write_table(pa.table(columns), tmp_path / "t.parquet")
        read = collection.read(tmp_path / "t.parquet")
        assert read.vectors.tolist() == [[1.5, 2], [3, 4]]
        assert read.layout == "2 rows, 2 numeric columns"

    @pytest.mark.parametrize("dtype", ["Int64", "Float64", "double[pyarrow]", pd.ArrowDtype(pa.decimal128(30, 2))])
    def test_frames_of_every_kind_of_number(self, tmp_path: Path, dtype: Any) -> None:
        frame = pd.DataFrame({"x": [1, 2], "y": [3, 4]}, index=["a", "b"]).astype(dtype)
        frame["v"] = pd.Series([[5.0, 6.0], [7.0, 8.0]], frame.index, pd.ArrowDtype(pa.list_(pa.float64())))
        frame.to_parquet(tmp_path / "t.parquet")
        read = collection.read(tmp_path / "t.parquet")
        assert read.vectors.tolist() == [[1, 3, 5, 6], [2, 4, 7, 8]]
        assert read.names == ("a", "b")

    @pytest.mark.parametrize("between", [", ", "  "])
    def test_lists_that_were_written_as_text(self, tmp_path: Path, between: str) -> None:
        (tmp_path / "t.csv").write_text(f'v,label\n"[1.5{between}2]",a\n"[3{between}4e0]",b\n')
        read = collection.read(tmp_path / "t.csv")
        assert (read.vectors.tolist(), read.labels) == ([[1.5, 2], [3, 4]], ("a", "b"))

    @pytest.mark.parametrize(
        ("lists", "fault"),
        [
            ([[1.0, 2.0], [3.0]], "row 2 of column 'v' is .*3.*; each must be a list of 2 numbers"),
            ([None, [1.0, 2.0]], "row 1 of column 'v' is None; each must be a list of 2 numbers"),
            ([[1.0, 2.0], [None, 1.0]], "row 2 of column 'v' is missing"),
            ([Decimal(1), None], "row 2 of column 'v' is missing"),
        ],
    )
    def test_a_faulty_list_is_named(self, tmp_path: Path, lists: list[Any], fault: str) -> None:
        pq.write_table(pa.table({"v": lists}), tmp_path / "t.parquet")
        with pytest.raises(ValueError, match=fault):
            collection.read(tmp_path / "t.parquet")

    def test_a_heading_can_be_asked_for(self, tmp_path: Path) -> None:
        pd.DataFrame(RNG.random((5, 3))).to_csv(tmp_path / "t.csv", index=False)
        assert [len(collection.read(tmp_path / "t.csv", header=header)) for header in (None, True, False)] == [5, 5, 6]
        np.save(tmp_path / "t.npy", RNG.random((5, 3)))
        for path in (tmp_path / "t.npy", tmp_path):
            with pytest.raises(ValueError, match="has no first line; --header and --no-header are for"):
                collection.read(path, header=True)

    def test_texts_are_left_out_and_named(self, tmp_path: Path) -> None:
        (tmp_path / "t.csv").write_text("a,b,city,when\n1,2,Rome,x\n3,4,Oslo,2020\n5,6,Bern,y\n")
        read = collection.read(tmp_path / "t.csv")
        assert read.ignored == "columns that are no numbers: city, when"
        assert read.vectors.shape == (3, 2)

    def test_images_by_their_paths(self, tmp_path: Path) -> None:
        for name in ("a", "b", "c"):
            save(tmp_path / "pictures" / f"{name}.png", noise(9, 9))
        paths = ["pictures/a.png", "pictures/none.png", "pictures/b.png", "pictures/c.png"]
        frame = pd.DataFrame({"image": paths, "x": range(4), "y": range(4), "label": list("pqrs")})
        frame.to_csv(tmp_path / "t.csv", index=False)
        read = collection.read(tmp_path / "t.csv")
        np.testing.assert_array_equal(read.vectors, [[0, 0], [2, 2], [3, 3]])
        assert len(read.images or ()) == 3
        assert (read.names, read.labels) == ((paths[0], *paths[2:]), ("p", "r", "s"))
        assert [name for name, _ in read.skipped] == [paths[1]]
        frame[["image"]].to_parquet(tmp_path / "t.parquet")
        assert collection.read(tmp_path / "t.parquet").vectors.shape == (3, 81)

    @pytest.mark.parametrize(
        ("text", "fault"),
        [
            ("x,y\n1,2\n3,\n", "row 2 of column 'y' is missing"),
            ("x,y\n1,inf\n3,4\n", "row 1 of column 'y' is inf"),
            ("x,y\n1,2\n3,four\n5,6\n", "row 2 of column 'y' is 'four', no number"),
            ("x,y\n1,2\n3,4,5\n6,7\n", "Expected 2 fields in line 3, saw 3"),
            ("x,y\n1,2,3\n4,5,6\n", "more fields than the heading"),
            ("x,y\n1,2\n", "holds 1 thing"),
            ("x,y\n", "holds nothing"),
            ("\n\n", "t.csv"),
            ("a,b\np,q\nr,s\n", "no column of numbers"),
            ("label\n1\n2\n", "no column of numbers"),
            ("x,y\n\xff,2\n", "t.csv"),
        ],
    )
    def test_what_is_wrong_is_named(self, tmp_path: Path, text: str, fault: str) -> None:
        (tmp_path / "t.csv").write_bytes(text.encode("latin-1"))
        with pytest.raises(ValueError, match=fault):
            collection.read(tmp_path / "t.csv")


def test_what_does_not_exist_and_what_is_no_collection(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="nowhere"):
        collection.read(tmp_path / "nowhere")
    (tmp_path / "a.doc").write_text("x")
    with pytest.raises(ValueError, match=r"a\.doc: it is no collection; one is a folder of images"):
        collection.read(tmp_path / "a.doc")


def test_threads_do_not_change_what_is_read(tmp_path: Path) -> None:
    paths = [tmp_path / f"{i}.png" for i in range(40)]
    for path in paths:
        save(path, noise(30, 40, 3))
    for one, other in zip(thumbnails.read(paths, 16, 1), thumbnails.read(paths, 16, 7), strict=True):
        assert isinstance(one, thumbnails.Thumbnail)
        assert isinstance(other, thumbnails.Thumbnail)
        np.testing.assert_array_equal(one.sprite, other.sprite)
        np.testing.assert_array_equal(one.compared, other.compared)
