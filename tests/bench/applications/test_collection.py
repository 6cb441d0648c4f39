"""Data of one's own as it comes: formats, broken files, and what is said of them."""

from __future__ import annotations

import gzip
import os
import struct
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from lapmark.bench.applications.grid_map import collection, picture_size, thumbnails
from lapmark.reports.pictures.mosaic import mosaic

RNG = np.random.default_rng(0)


def save(path: Path, pixels: np.ndarray | Image.Image, **settings: Any) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    (pixels if isinstance(pixels, Image.Image) else Image.fromarray(pixels)).save(path, **settings)


def noise(*shape: int) -> np.ndarray:
    return RNG.integers(0, 256, shape, np.uint8)


class TestFolder:
    def test_read_takes_every_kind_of_image(self, tmp_path: Path) -> None:
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
        assert (images["c"][:, 15:] == 255).all(), "what is transparent is white"
        np.testing.assert_array_equal(images["g"], np.where(grey > 127, 255, 0))
        assert np.abs(images["f"].astype(int) - coloured).max() <= 2
        assert np.corrcoef(images["h"].ravel(), grey.ravel())[0, 1] > 0.999
        assert images["m"].shape == (171, 256, 3)
        assert images["m"][80, 120] == pytest.approx([255, 0, 0], abs=3)
        assert read.vectors.shape == (13, 32 * 32 * 3), "of various sizes, and some coloured"

    def test_vectors_of_small_images_are_their_pixels(self, tmp_path: Path) -> None:
        pixels = noise(5, 28, 20)
        for i, image in enumerate(pixels):
            save(tmp_path / f"{i}.png", image)
        read = collection.read(tmp_path)
        np.testing.assert_array_equal(read.vectors, pixels.reshape(5, -1))
        np.testing.assert_array_equal(np.stack(read.images or ()), pixels)

    def test_read_rotates_photographs_as_the_camera_was_held(self, tmp_path: Path) -> None:
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

    def test_vectors_do_not_depend_on_the_size_of_sprites(self, tmp_path: Path) -> None:
        for name in "ab":
            save(tmp_path / f"{name}.jpg", noise(400, 300, 3))
        small, large = (collection.read(tmp_path, side) for side in (16, 128))
        assert (small.images or ())[0].shape == (16, 12, 3)
        assert (large.images or ())[0].shape == (128, 96, 3)
        np.testing.assert_array_equal(small.vectors, large.vectors)

    def test_read_of_a_folder_uses_subfolders_as_labels(self, tmp_path: Path) -> None:
        for name in ("10/b/x.png", "9/a.png", "10/a.png", "Katzen & Mäuse/ü.png"):
            save(tmp_path / name, noise(8, 8))
        read = collection.read(tmp_path)
        assert read.names == ("10/a.png", "10/b/x.png", "9/a.png", "Katzen & Mäuse/ü.png")
        assert read.labels == ("10", "10", "9", "Katzen & Mäuse")
        assert read.classes == ("9", "10", "Katzen & Mäuse")
        save(tmp_path / "z.png", noise(8, 8))
        assert collection.read(tmp_path).labels is None, "one has none"

    def test_read_of_a_broken_image_skips_and_names_it(self, tmp_path: Path) -> None:
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
        assert "not an image" in reasons["text.png"]
        assert str(tmp_path) not in reasons["cut.png"]
        assert read.ignored == "files that are not images: 1"

    @pytest.mark.parametrize(
        ("files", "fault"),
        [
            ({}, "has no files; give"),
            ({"a.txt": b"", "b.pdf": b""}, r"has 2 files, none of them an image \(a\.txt, …\)"),
            ({"a.png": b"x", "b.png": b""}, "none of 2 images can be read; the first, a.png: it is not an image"),
        ],
    )
    def test_read_of_a_folder_without_images_raises_value_error(
        self, tmp_path: Path, files: dict[str, bytes], fault: str
    ) -> None:
        for name, content in files.items():
            (tmp_path / name).write_bytes(content)
        with pytest.raises(ValueError, match=fault):
            collection.read(tmp_path)

    def test_read_of_a_single_image_raises_value_error(self, tmp_path: Path) -> None:
        save(tmp_path / "a.png", noise(9, 9))
        with pytest.raises(ValueError, match="at least two"):
            collection.read(tmp_path)
        with pytest.raises(ValueError, match="a folder of images"):
            collection.read(tmp_path / "a.png")

    def test_read_with_huge_sprites_raises_before_reading(self, tmp_path: Path) -> None:
        for i in range(5):
            (tmp_path / f"{i}.png").touch()
        with pytest.raises(ValueError, match="use --sprite 3344"):
            collection.read(tmp_path, 20_000)
        for suffix in picture_size.MOST_PIXELS:
            picture_size.check_size(2 * 3, 3344, suffix)

    @pytest.mark.parametrize("mode", ["RGBA", "LA", "P"])
    @pytest.mark.parametrize(
        ("drawn", "ground"), [(0, 255), (60, 255), (128, 255), (200, 255), (220, 0), (255, 0)], ids=str
    )
    def test_read_of_transparent_images_keeps_drawings_visible(
        self, tmp_path: Path, mode: str, drawn: int, ground: int
    ) -> None:
        inside = np.zeros((40, 40), bool)
        inside[10:30, 5:20] = True
        if mode in ("RGBA", "LA"):
            icon = Image.fromarray(np.dstack([np.where(inside, drawn, 255 - drawn), 255 * inside]).astype(np.uint8))
            settings: dict[str, Any] = {}
            icon = icon.convert(mode)
        else:
            icon = Image.fromarray(np.where(inside, drawn, 255 - drawn).astype(np.uint8)).convert(mode)
            settings = {"transparency": 255 - drawn}
        for name in "ab":
            save(tmp_path / f"{name}.png", icon, **settings)
        image, _ = collection.read(tmp_path).images or ()
        np.testing.assert_array_equal(image, np.where(inside, drawn, ground))

    @pytest.mark.parametrize(
        ("colour", "ground"),
        [("yellow", 0), ("cyan", 0), ("ivory", 0), ("lime", 0), ("red", 255), ("navy", 255), ("orange", 255)],
    )
    def test_read_of_coloured_icons_keeps_them_visible(self, tmp_path: Path, colour: str, ground: int) -> None:
        icon = Image.new("RGBA", (40, 40), (0, 0, 0, 0))
        icon.paste(colour, (10, 10, 30, 30))
        for name in "ab":
            save(tmp_path / f"{name}.png", icon)
        image, _ = collection.read(tmp_path).images or ()
        assert (image[:9] == ground).all()
        assert tuple(image[20, 20]) == icon.getpixel((20, 20))[:3]  # type: ignore[index]

    @pytest.mark.parametrize("suffix", [".png", ".tif"])
    @pytest.mark.parametrize("bits", [8, 12, 16])
    def test_read_of_sixteen_bits_uses_the_bits_that_are_used(self, tmp_path: Path, bits: int, suffix: str) -> None:
        pixels = np.arange(256, dtype=np.uint16).reshape(16, 16)
        for name in "ab":
            save(tmp_path / f"{name}{suffix}", pixels << (bits - 8))
        np.testing.assert_array_equal((collection.read(tmp_path).images or ())[0], pixels)

    @pytest.mark.parametrize("orientation", range(1, 9))
    def test_read_undoes_each_orientation_of_a_camera(self, tmp_path: Path, orientation: int) -> None:
        upright = np.kron(np.array([[250, 0, 0], [120, 0, 0]], np.uint8), np.ones((16, 16), np.uint8))
        stored = {
            1: upright,
            2: upright[:, ::-1],
            3: upright[::-1, ::-1],
            4: upright[::-1],
            5: upright.T,
            6: np.rot90(upright),
            7: np.rot90(upright, 2).T,
            8: np.rot90(upright, -1),
        }[orientation]
        exif = Image.Exif()
        exif[0x0112] = orientation
        for name in "ab":
            save(tmp_path / f"{name}.jpg", Image.fromarray(np.ascontiguousarray(stored)), exif=exif, quality=95)
        image, _ = collection.read(tmp_path).images or ()
        assert image.shape == (32, 48)
        assert np.abs(image.astype(int) - upright).max() < 12

    def test_vectors_of_black_and_white_icons_differ(self, tmp_path: Path) -> None:
        for i, colour in enumerate((0, 0, 255, 255)):
            opaque = np.zeros((40, 40), np.uint8)
            opaque[5 + 9 * (i % 2) : 30, 5:20] = 255
            save(tmp_path / f"{i}.png", Image.fromarray(np.dstack([np.full_like(opaque, colour), opaque])))
        read = collection.read(tmp_path)
        assert len(np.unique(read.vectors, axis=0)) == 4
        assert all(len(np.unique(image)) == 2 for image in read.images or ())

    def test_read_takes_images_of_one_pixel_or_row(self, tmp_path: Path) -> None:
        sizes = {"a": (1, 1), "b": (1, 1, 3), "c": (1, 300), "d": (300, 1, 3), "e": (2000, 2)}
        images = {name: noise(*size) for name, size in sizes.items()}
        for name, image in images.items():
            save(tmp_path / f"{name}.png", image)
        read = collection.read(tmp_path, 256)
        assert read.skipped == ()
        shown = dict(zip(sizes, read.images or (), strict=True))
        for name in "ab":
            np.testing.assert_array_equal(shown[name], images[name])
        assert [shown[name].shape[:2] for name in "cde"] == [(1, 256), (256, 1), (256, 1)]
        assert mosaic(read.images or (), np.argwhere(np.ones((2, 3)))[:5], (2, 3), 20).shape == (40, 60, 3)

    def test_find_follows_links_to_folders_once(self, tmp_path: Path) -> None:
        for name in ("elsewhere/cats/1.png", "elsewhere/dogs/2.png", "elsewhere/dogs/old/3.png", "in/own/4.png"):
            save(tmp_path / name, noise(8, 8))
        folder = tmp_path / "in"
        for name, target in {
            "cats": "../elsewhere/cats",
            "dogs": "../elsewhere/dogs",
            "hounds": "../elsewhere/dogs",
            "own/again": "..",
            "above": "/",
            "self": "self",
        }.items():
            (folder / name).symlink_to(target)
        (folder / "own" / "linked.png").symlink_to(folder / "own" / "4.png")
        read = collection.read(folder)
        assert read.names == ("cats/1.png", "dogs/2.png", "dogs/old/3.png", "own/4.png", "own/linked.png")
        assert read.labels == ("cats", "dogs", "dogs", "own", "own")
        reason = "it is a link to a folder that was read already, or that contains it"
        assert dict(read.skipped) == dict.fromkeys(("above", "hounds", "own/again"), reason)

    def test_read_of_an_unreadable_folder_names_it(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        for name in ("a.png", "b.png", "private/c.png"):
            save(tmp_path / name, noise(8, 8))
        scan = os.scandir

        def refuses(path: Any) -> Any:
            if Path(path).name == "private":
                raise PermissionError(13, "Permission denied", str(path))
            return scan(path)

        monkeypatch.setattr("os.scandir", refuses)
        read = collection.read(tmp_path)
        assert (read.names, read.skipped) == (("a.png", "b.png"), (("private", "Permission denied"),))

    def test_read_takes_images_of_phones(self, tmp_path: Path) -> None:
        pillow_heif = pytest.importorskip("pillow_heif", reason="pip install 'lapmark[heif]'")
        for name in ("a.heic", "b.HEIF", "c.png"):
            (tmp_path / name).touch()
            image = Image.new("RGB", (64, 48), "red")
            (pillow_heif.from_pillow(image) if name != "c.png" else image).save(tmp_path / name)
        read = collection.read(tmp_path)
        assert (len(read), read.skipped) == (3, ())
        assert (read.images or ())[0][24, 32] == pytest.approx([255, 0, 0], abs=6)

    def test_read_of_phone_images_without_the_plugin_names_it(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        (tmp_path / "a.heic").write_bytes(b"\0\0\0\x18ftypheix")
        (tmp_path / "b.HEIC").write_bytes(b"\0\0\0\x18ftypheix")
        known = {ending: kind for ending, kind in Image.registered_extensions().items() if kind != "HEIF"}
        monkeypatch.setattr(Image, "registered_extensions", lambda: known)
        monkeypatch.setattr(Image, "open", lambda path: (_ for _ in ()).throw(Image.UnidentifiedImageError))
        with pytest.raises(ValueError, match=r"the first, a\.heic: to read it, pip install 'lapmark\[heif\]'"):
            collection.read(tmp_path)


class TestArrays:
    def test_read_takes_arrays_of_points_features_and_images(self, tmp_path: Path) -> None:
        for values in (RNG.random((5, 2)), RNG.random((5, 7), dtype=np.float32), RNG.integers(0, 9, (5, 3))):
            np.save(tmp_path / "a.npy", values)
            read = collection.read(tmp_path / "a.npy")
            np.testing.assert_array_equal(read.vectors, values)
            assert (read.are_points, read.images, read.labels) == (values.shape[1] == 2, None, None)
            assert read.names == tuple("01234")
        coloured = noise(5, 12, 16, 3)
        opaque = np.concatenate([coloured, np.full((5, 12, 16, 1), 255, np.uint8)], axis=3)
        for strip in (
            noise(5, 1, 1),
            noise(5, 1, 7),
            noise(5, 7, 1),
            noise(5, 1, 1, 3),
            noise(5, 1, 3, 3),
            noise(5, 3, 1, 3),
        ):
            np.save(tmp_path / "a.npy", strip)
            np.testing.assert_array_equal(np.stack(collection.read(tmp_path / "a.npy").images or ()), strip)
        grey = coloured[..., 0]
        for values, pixels in ((grey, grey), (grey[..., None], grey), (coloured, coloured), (opaque, coloured)):
            np.save(tmp_path / "a.npy", values)
            read = collection.read(tmp_path / "a.npy")
            np.testing.assert_array_equal(np.stack(read.images or ()), pixels)
            np.testing.assert_array_equal(read.vectors, pixels.reshape(5, -1))

    def test_read_of_an_archive_takes_labels_and_names(self, tmp_path: Path) -> None:
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

    def test_read_takes_files_of_mnist(self, tmp_path: Path) -> None:
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
            ({"a": np.ones((1, 2))}, "holds 1 item; a map needs at least two"),
            ({"a": np.ones((0, 2))}, "holds nothing"),
            ({"a": np.ones(5)}, r"reshape\(-1, 1\)"),
            ({"a": np.ones((5, 0))}, "shape"),
            ({"a": np.float64(3)}, "real numbers"),
            ({"a": np.ones((3, 2), complex)}, "real numbers"),
            ({"a": np.array([["a", "b"], ["c", "d"]])}, "real numbers"),
            ({"a": np.ones((3, 8, 8))}, r"they must be bytes, .* by \(255 \* images\)\.astype\(np\.uint8\)"),
            ({"a": np.ones((3, 8, 8), int)}, r"they must be bytes, .* by images\.astype\(np\.uint8\)"),
            (
                {"a": np.ones((3, 3, 8, 8), np.uint8)},
                r"they must be bytes, .*; np\.moveaxis\(images, 1, -1\) puts channels",
            ),
            ({"a": np.ones((3, 8, 8, 2), np.uint8)}, "they must be bytes"),
            ({"a": np.ones((3, 0, 8), np.uint8)}, "they must be bytes"),
            ({"a": np.eye(3), "b": np.eye(3)}, "holds a, b; call the array to embed points or"),
            ({"X": np.eye(3), "y": np.ones(2)}, r"y has shape \(2,\)"),
            ({"X": np.eye(3), "images": noise(2, 8, 8)}, "there are 2 images for 3 items"),
        ],
    )
    def test_read_of_invalid_arrays_names_the_fault(
        self, tmp_path: Path, arrays: dict[str, np.ndarray], fault: str
    ) -> None:
        np.savez(tmp_path / "a.npz", **arrays)
        with pytest.raises(ValueError, match=fault) as told:
            collection.read(tmp_path / "a.npz")
        assert "a.npz" in str(told.value)

    def test_read_of_images_converted_as_suggested_succeeds(self, tmp_path: Path) -> None:
        for images in (
            (255 * RNG.random((3, 8, 8))).astype(np.uint8),
            (255 * np.ones((3, 8, 8), bool)).astype(np.uint8),
            np.arange(3 * 64).reshape(3, 8, 8).astype(np.uint8),
            np.moveaxis(noise(3, 3, 8, 8), 1, -1),
        ):
            np.save(tmp_path / "a.npy", images)
            assert len(collection.read(tmp_path / "a.npy").images or ()) == 3
        np.savez(tmp_path / "a.npz", points=np.arange(5).reshape(-1, 1), b=np.eye(5))
        assert collection.read(tmp_path / "a.npz").vectors.shape == (5, 1)

    @pytest.mark.parametrize("name", ["a.npy", "a.npz", "a.parquet", "a.csv.gz", "a-ubyte.gz", "a-ubyte"])
    @pytest.mark.parametrize("content", ["empty", "text", "cut"])
    def test_read_of_damaged_files_raises_value_error(self, tmp_path: Path, name: str, content: str) -> None:
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


def test_read_of_missing_or_unknown_files_raises_an_error(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="nowhere"):
        collection.read(tmp_path / "nowhere")
    (tmp_path / "a.doc").write_text("x")
    with pytest.raises(ValueError, match=r"a\.doc: its format is unknown; give a folder of images"):
        collection.read(tmp_path / "a.doc")


def test_read_does_not_depend_on_threads(tmp_path: Path) -> None:
    paths = [tmp_path / f"{i}.png" for i in range(40)]
    for path in paths:
        save(path, noise(30, 40, 3))
    for one, other in zip(thumbnails.read(paths, 16, 1), thumbnails.read(paths, 16, 7), strict=True):
        assert isinstance(one, thumbnails.Thumbnail)
        assert isinstance(other, thumbnails.Thumbnail)
        np.testing.assert_array_equal(one.sprite, other.sprite)
        np.testing.assert_array_equal(one.compared, other.compared)
