"""Data files: found where they may lie, refused when damaged, and missed with a cure."""

import gzip
import os
import struct
from pathlib import Path
from urllib.error import URLError

import numpy as np
import pytest

from lapmark.bench.data import datasets
from lapmark.bench.data.datasets import MissingData

DATA = Path(os.environ.get(datasets.VARIABLE) or Path(__file__).parents[4] / "shared" / "data")


def idx(array: np.ndarray) -> bytes:
    return bytes((0, 0, 8, array.ndim)) + struct.pack(f">{array.ndim}I", *array.shape) + array.tobytes()


@pytest.fixture
def images(rng: np.random.Generator) -> np.ndarray:
    return rng.integers(0, 256, (12, 28, 28), np.uint8)


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(1)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv(datasets.VARIABLE, str(tmp_path))
    return tmp_path


def test_digits_are_bytes_from_black_to_nearly_white() -> None:
    digits = datasets.digits()
    assert digits.pixels.shape == (1797, 8, 8)
    assert digits.pixels.dtype == digits.label.dtype == np.uint8
    assert digits.pixels.min() == 0
    assert digits.pixels.max() == 240
    assert set(digits.label) == set(range(10))


@pytest.mark.parametrize("subfolder", ["", "mnist"])
@pytest.mark.parametrize("packed", [True, False])
@pytest.mark.parametrize("separator", ["-", "."])
def test_mnist_is_found_plain_or_gzipped_in_either_folder(
    folder: Path, images: np.ndarray, subfolder: str, packed: bool, separator: str
) -> None:
    place = folder / subfolder
    place.mkdir(exist_ok=True)
    label = np.arange(12, dtype=np.uint8) % 10
    for name, array in ((f"t10k-images{separator}idx3-ubyte", images), (f"t10k-labels{separator}idx1-ubyte", label)):
        content = idx(array)
        (place / (f"{name}.gz" if packed else name)).write_bytes(gzip.compress(content) if packed else content)
    loaded = datasets.mnist()
    assert np.array_equal(loaded.pixels, images)
    assert np.array_equal(loaded.label, label)


def test_mnist_with_unequal_images_and_labels_raises(folder: Path, images: np.ndarray) -> None:
    (folder / "t10k-images-idx3-ubyte").write_bytes(idx(images))
    (folder / "t10k-labels-idx1-ubyte").write_bytes(idx(np.zeros(11, np.uint8)))
    with pytest.raises(ValueError, match="12 images, but 11 labels"):
        datasets.mnist()


def test_mnist_missing_names_file_folders_and_remedy(folder: Path, images: np.ndarray) -> None:
    (folder / "t10k-images-idx3-ubyte").write_bytes(idx(images))
    with pytest.raises(MissingData) as caught:
        datasets.mnist()
    message = str(caught.value)
    assert "t10k-labels-idx1-ubyte" in message
    assert "t10k-images" not in message
    assert str(folder) in message
    assert str(folder / "mnist") in message
    assert "--data" in message


def test_mnist_without_folder_and_network_raises_missing_data(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def unreachable(*_: object, **__: object) -> None:
        raise URLError("no route to host")

    monkeypatch.delenv(datasets.VARIABLE, raising=False)
    monkeypatch.setenv("LAPMARK_CACHE", str(tmp_path))
    monkeypatch.setattr("sklearn.datasets.fetch_openml", unreachable)
    with pytest.raises(MissingData, match=r"no route to host.*--data"):
        datasets.mnist()


def test_mnist_without_download_does_not_use_the_network(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(datasets.VARIABLE, raising=False)
    monkeypatch.setattr("sklearn.datasets.fetch_openml", lambda *_, **__: pytest.fail("asked the network"))
    with pytest.raises(MissingData, match="LAPMARK_DATA is not set"):
        datasets.mnist(download=False)


@pytest.mark.parametrize(
    ("damage", "fault"),
    [
        (lambda content: content[:-1], "9407 bytes of data; its header declares 12 × 28 × 28"),
        (lambda content: content + b"\0", "9409 or more bytes of data"),
        (lambda content: content[:9], "ends within its header, at byte 9"),
        (lambda content: b"", "begins with nothing"),
        (lambda content: b"\0\0\x0d\x03" + content[4:], "begins with 00 00 0d 03"),
        (lambda content: b"\0\0\x08\x01" + content[4:], "begins with 00 00 08 01"),
        (lambda content: b"<html>404</html>", "begins with 3c 68 74 6d"),
        (lambda content: content[:4] + b"\xff" * 12 + content[16:], "declares 4294967295 × 4294967295 × 4294967295"),
    ],
)
def test_read_idx_of_a_damaged_file_names_it_and_the_fault(
    tmp_path: Path, images: np.ndarray, damage, fault: str
) -> None:
    path = tmp_path / "images"
    path.write_bytes(damage(idx(images)))
    with pytest.raises(ValueError, match=fault) as caught:
        datasets.read_idx(path, 3)
    assert str(path) in str(caught.value)


@pytest.mark.parametrize("keep", [slice(0, 40), slice(40, None)])
def test_read_idx_of_a_damaged_gzip_file_names_it(tmp_path: Path, images: np.ndarray, keep: slice) -> None:
    path = tmp_path / "images.gz"
    path.write_bytes(gzip.compress(idx(images))[keep])
    with pytest.raises(ValueError, match=f"{path} is damaged"):
        datasets.read_idx(path, 3)


def test_orlib_returns_the_costs(folder: Path) -> None:
    (folder / "orlib").mkdir()
    (folder / "orlib" / "assign3.txt").write_text(" 3\n 5 1\n 9 2 2 2\n 7 8 9\n")
    assert datasets.orlib("assign3").dense().tolist() == [[5, 1, 9], [2, 2, 2], [7, 8, 9]]


def test_orlib_of_pairs_in_a_gzip_file_is_sparse(folder: Path) -> None:
    (folder / "assignp2.txt.gz").write_bytes(gzip.compress(b" 2\n 1 2 30\n 2 1 40\n 2 2 50\n"))
    assert datasets.orlib("assignp2").dense().tolist() == [[np.inf, 30], [40, 50]]


@pytest.mark.parametrize("text", ["", "3 1 2 3", "2 1 2 3 4", "3 1 2 3 4 5 6 7 8 x", "3 1 2 3 4 5 6 7 8 9 10"])
def test_orlib_of_a_damaged_file_names_it(folder: Path, text: str) -> None:
    path = folder / "assign3.txt"
    path.write_text(text)
    with pytest.raises(ValueError, match=str(path)):
        datasets.orlib("assign3")


def test_orlib_missing_says_where_to_get_it(folder: Path) -> None:
    with pytest.raises(MissingData, match=r"assign100\.txt.*orlib.*--data"):
        datasets.orlib("assign100")


@pytest.mark.skipif(not (DATA / "mnist").is_dir(), reason=f"no MNIST files in {DATA / 'mnist'}")
def test_mnist_real_test_set_has_the_expected_content(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(datasets.VARIABLE, str(DATA))
    images = datasets.mnist(download=False)
    assert images.pixels.shape == (10_000, 28, 28)
    assert np.bincount(images.label).tolist() == [980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009]
