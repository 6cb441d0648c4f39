"""Files that unpack to far more than they are, or announce more than they hold: refused before memory is taken."""

from __future__ import annotations

import gzip
import io
import struct
import threading
import time
import tracemalloc
import zipfile
import zlib
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd
import psutil
import pytest
import scipy.sparse
from PIL import Image

from lapmark.bench.applications.grid_map import collection, thumbnails
from lapmark.bench.data import bounded_reading, cost_file, csv_file, datasets, word_vectors
from lapmark.bench.problems.applied import label_transfer

#: What the tests below bound unpacked bytes by.
MOST = 10_000


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("MOST_UNPACKED", "MOST_TEXT"):
        monkeypatch.setattr(bounded_reading, name, MOST)


def npy(shape: tuple[int, ...], data: bytes) -> bytes:
    """A `.npy` file whose header announces bytes in a shape."""
    file = io.BytesIO()
    np.lib.format.write_array_header_1_0(file, {"descr": "|u1", "fortran_order": False, "shape": shape})
    return file.getvalue() + data


def archive(path: Path, compression: int = zipfile.ZIP_DEFLATED, **members: bytes) -> Path:
    with zipfile.ZipFile(path, "w", compression) as file:
        for name, content in members.items():
            file.writestr(f"{name}.npy", content)
    return path


class TestArrays:
    @pytest.mark.usefixtures("small")
    @pytest.mark.parametrize("name", ["a.npz", "a-ubyte.gz", "a.csv.gz", "a.parquet"])
    def test_oversized_file_is_refused_before_unpacking(self, tmp_path: Path, name: str) -> None:
        path, pixels = tmp_path / name, np.zeros((1 << 12, 1 << 13), np.uint8)
        if name == "a.npz":
            np.savez_compressed(path, points=pixels)
        elif name == "a.parquet":
            pd.DataFrame(pixels[:, :100]).rename(columns=str).to_parquet(path)
        else:
            header = struct.pack(">4B3I", 0, 0, 8, 3, 1, *pixels.shape) if name == "a-ubyte.gz" else b""
            path.write_bytes(gzip.compress(header + pixels.tobytes()))
        tracemalloc.start()
        try:
            with pytest.raises(ValueError, match=name):
                collection.read(path)
            assert tracemalloc.get_traced_memory()[1] < pixels.nbytes / 4
        finally:
            tracemalloc.stop()

    @pytest.mark.usefixtures("small")
    @pytest.mark.parametrize("read", [collection.read, cost_file.read])
    def test_archive_bounds_its_arrays_together(self, tmp_path: Path, read) -> None:
        path = tmp_path / "a.npz"
        names = ("points", "labels") if read is collection.read else ("x", "y")
        np.savez_compressed(path, **{name: np.zeros((500, 2)) for name in names})
        with pytest.raises(
            ValueError, match=r"a\.npz: (y|labels) unpacks to 7\.81 KiB; .*np\.savez saves it uncompressed"
        ):
            read(path)

    @pytest.mark.usefixtures("small")
    def test_archive_does_not_bound_unused_or_uncompressed_arrays(self, tmp_path: Path) -> None:
        np.savez_compressed(tmp_path / "a.npz", points=np.ones((9, 2)), other=np.zeros(MOST))
        assert len(collection.read(tmp_path / "a.npz")) == 9
        np.savez(tmp_path / "b.npz", points=np.zeros((MOST, 2)))
        assert len(collection.read(tmp_path / "b.npz")) == MOST

    @pytest.mark.parametrize("shape", [(1 << 40, 2), (-1, 2), (3, 2)])
    @pytest.mark.parametrize("read", [collection.read, cost_file.read])
    @pytest.mark.parametrize("name", ["a.npy", "a.npz"])
    def test_header_that_declares_more_than_the_file_has(
        self, tmp_path: Path, name: str, read, shape: tuple[int, ...]
    ) -> None:
        path = tmp_path / name
        if name == "a.npy":
            path.write_bytes(npy(shape, bytes(4)))
        else:
            archive(path, x=npy(shape, bytes(4)), **({"y": npy((2, 2), bytes(4))} if read is cost_file.read else {}))
        with pytest.raises(
            ValueError, match=rf"{name}: the header of (x|the array) declares .* bytes, but the file has 4"
        ):
            read(path)

    def test_array_larger_than_the_free_memory_is_refused(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        np.save(tmp_path / "a.npy", np.zeros((1000, 2)))
        monkeypatch.setattr(psutil, "virtual_memory", lambda: SimpleNamespace(available=9999))
        with pytest.raises(ValueError, match=r"the array takes 15\.6 KiB of memory, but only 9\.76 KiB are free"):
            collection.read(tmp_path / "a.npy")

    def test_archive_with_password_or_unknown_compression_raises_with_its_name(self, tmp_path: Path) -> None:
        path = archive(tmp_path / "a.npz", x=npy((3, 2), bytes(6)))
        content = path.read_bytes()
        for offset, value, fault in ((8, 1, "encrypted"), (10, 99, "compression")):
            broken = bytearray(content)
            broken[content.rindex(b"PK\1\2") + offset] = value
            path.write_bytes(broken)
            with pytest.raises(ValueError, match=rf"a\.npz: x cannot be read: .*{fault}"):
                collection.read(path)

    def test_sparse_matrix_with_bad_indices_or_shape_is_refused(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        path = tmp_path / "a.npz"
        matrix = scipy.sparse.csr_array(np.eye(3))
        matrix.indptr[1] = 1 << 28
        scipy.sparse.save_npz(path, matrix)
        with pytest.raises(ValueError, match=r"a\.npz: indptr must be a non-decreasing sequence"):
            cost_file.read(path)
        scipy.sparse.save_npz(path, scipy.sparse.coo_array(([1.0], ([0], [0])), shape=(1 << 40, 2)))
        with pytest.raises(ValueError, match=r"a\.npz: the sparse matrix has shape \(1099511627776, 2\)"):
            cost_file.read(path)
        monkeypatch.setattr(bounded_reading, "MOST_UNPACKED", MOST)
        scipy.sparse.save_npz(path, scipy.sparse.csr_array(np.zeros((3000, 3))))
        with pytest.raises(ValueError, match=r"a\.npz: indptr unpacks to"):
            cost_file.read(path)


class TestText:
    @pytest.mark.usefixtures("small")
    def test_idx_that_unpacks_to_more_is_refused(self, tmp_path: Path) -> None:
        path = tmp_path / "a-ubyte.gz"
        path.write_bytes(gzip.compress(struct.pack(">4B3I", 0, 0, 8, 3, 1 << 20, 9, 9)))
        with pytest.raises(ValueError, match=r"a-ubyte\.gz unpacks to 81 MiB; .*; unpack it with gunzip"):
            datasets.read_idx(path, 3)
        path.write_bytes(gzip.compress(struct.pack(">4B3I", 0, 0, 8, 3, 2, 2, 2) + bytes(1 << 24)))
        with pytest.raises(ValueError, match="9 or more bytes of data; its header declares 2 × 2 × 2"):
            datasets.read_idx(path, 3)

    @pytest.mark.parametrize("unit", [b"1,2\n", b"1,", b"1"])
    def test_table_that_unpacks_to_more_is_refused(self, tmp_path: Path, monkeypatch, unit: bytes) -> None:
        path = tmp_path / "a.csv.gz"
        path.write_bytes(gzip.compress(unit * 1_000_000))
        monkeypatch.setattr(bounded_reading, "MOST_TEXT", 300_000)
        with pytest.raises(ValueError, match=r"a\.csv\.gz: it unpacks to more than 293 KiB; unpack it with gunzip"):
            collection.read(path)
        with pytest.raises(ValueError, match="it unpacks to more than"):
            csv_file.read(path)

    def test_line_that_is_too_long_is_refused(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(bounded_reading, "MOST_LINE", 1000)
        path = tmp_path / "a.csv"
        path.write_text("1,2\n" + "1" * 2000)
        with pytest.raises(ValueError, match="line 2 has more than 1,000 characters"):
            csv_file.read(path)
        path.write_text("\n".join(["1,2"] * 1000))
        assert len(csv_file.read(path).frame) == 1000
        path.write_text("the 1 2\n" + "1" * 2000)
        with pytest.raises(ValueError, match="line 2 has more than 1,000 bytes"):
            word_vectors.read(path)

    @pytest.mark.usefixtures("small")
    def test_vectors_that_unpack_to_more_are_refused(self, tmp_path: Path) -> None:
        path = tmp_path / "a.gz"
        path.write_bytes(gzip.compress(b"".join(b"w%d 1 2\n" % k for k in range(3000))))
        with pytest.raises(ValueError, match=r"a\.gz, line 1251: the file unpacks to .*; unpack it with gunzip"):
            word_vectors.read(path)
        assert word_vectors.read(path, only={"w2999"}).words == ("w2999",)

    @pytest.mark.usefixtures("small")
    def test_parquet_that_unpacks_to_more_is_refused(self, tmp_path: Path) -> None:
        path = tmp_path / "a.parquet"
        pd.DataFrame({"a": np.zeros(MOST, np.int8)}).to_parquet(path)
        with pytest.raises(ValueError, match=r"a\.parquet: the table unpacks to 78\.1 KiB; .*; take fewer rows"):
            collection.read(path)
        pd.DataFrame({"a": ["text" * MOST] * 9, "x": range(9), "y": range(9)}).to_parquet(path)
        with pytest.raises(ValueError, match="drop columns of text"):
            collection.read(path)


class TestImages:
    def test_thumbnails_decode_a_bounded_number_of_pixels_at_a_time(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        for k in range(12):
            Image.new("L", (100, 100 if k % 4 else 500)).save(tmp_path / f"{k}.png")
        most, working, seen, lock = 20_000, [0], set(), threading.Lock()
        thumbnail = thumbnails.thumbnail

        def watched(image: Image.Image, side: int, crop: bool) -> thumbnails.Thumbnail:
            pixels = image.width * image.height
            with lock:
                working[0] += pixels
                seen.add(working[0])
            time.sleep(0.02)
            try:
                return thumbnail(image, side, crop)
            finally:
                with lock:
                    working[0] -= pixels

        monkeypatch.setattr(thumbnails, "thumbnail", watched)
        monkeypatch.setattr(bounded_reading, "PIXELS_AT_A_TIME", most)
        assert len(collection.read(tmp_path, threads=6)) == 12
        assert seen == {10_000, 20_000, 50_000}, "an image larger than that is decoded while no other is"

    def test_image_that_declares_too_many_pixels_is_skipped(self, tmp_path: Path) -> None:
        for name in ("a", "b", "c"):
            Image.new("L", (9, 9)).save(tmp_path / f"{name}.png")
        content = bytearray((tmp_path / "c.png").read_bytes())
        content[16:24] = struct.pack(">2I", 20_000, 20_000)
        content[29:33] = struct.pack(">I", zlib.crc32(content[12:29]))
        (tmp_path / "c.png").write_bytes(content)
        name, reason = collection.read(tmp_path).skipped[0]
        assert (name, reason) == ("c.png", "it has more than 178,956,970 pixels; make it smaller")

    def test_jpeg_is_bounded_by_its_decoded_size(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        image = Image.new("RGB", (2000, 2000), "red")
        image.save(tmp_path / "a.jpg")
        image.save(tmp_path / "b.jpg", progressive=True)
        image.save(tmp_path / "c.png")
        image.resize((99, 99)).save(tmp_path / "d.png")
        monkeypatch.setattr(bounded_reading, "MOST_PIXELS", 300_000)
        read = collection.read(tmp_path)
        reason = "it has 4,000,000 pixels, more than 300,000; make it smaller"
        assert read.names == ("a.jpg", "d.png")
        assert read.skipped == (("b.jpg", reason), ("c.png", reason))
        monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 100_000)  # beyond twice as many, Pillow opens none
        assert collection.read(tmp_path).names == read.names

    def test_transparency_in_strips_equals_one_piece(self, monkeypatch: pytest.MonkeyPatch) -> None:
        pixels = np.random.default_rng(0).integers(0, 256, (50, 40, 4), np.uint8)
        whole = thumbnails.thumbnail(Image.fromarray(pixels), 50)
        monkeypatch.setattr(thumbnails, "STRIP", 100)
        parts = thumbnails.thumbnail(Image.fromarray(pixels), 50)
        np.testing.assert_array_equal(parts.sprite, whole.sprite)
        np.testing.assert_array_equal(parts.compared, whole.compared)

    def test_picture_of_clouds_is_bounded(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        path = tmp_path / "a.png"
        Image.new("L", (100, 100)).save(path)
        monkeypatch.setattr(bounded_reading, "PIXELS_AT_A_TIME", 9999)
        with pytest.raises(ValueError, match="cannot be read as a picture: it has 10,000 pixels"):
            label_transfer.clouds(5, source=str(path))
        monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 100)
        with pytest.raises(ValueError, match="cannot be read as a picture"):
            label_transfer.clouds(5, source=str(path))
