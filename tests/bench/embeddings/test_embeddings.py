"""Embeddings: computed once and kept safely; and the one that is shipped, equal to the bit."""

import dataclasses
import hashlib
import importlib
import warnings
from importlib.resources import files
from pathlib import Path

import numpy as np
import pytest

from lapmark.bench.embeddings import embed, methods, reference
from lapmark.bench.util import cache

reference_module = importlib.import_module("lapmark.bench.embeddings.reference_embedding")
methods_module = importlib.import_module("lapmark.bench.embeddings.methods")


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv(cache.VARIABLE, str(tmp_path / "cache"))
    return tmp_path / "cache"


@pytest.fixture
def blobs() -> np.ndarray:
    """Two clusters of 20 images, far apart."""
    rng = np.random.default_rng(0)
    return np.concatenate([rng.integers(0, 60, (20, 5, 5)), rng.integers(180, 256, (20, 5, 5))]).astype(np.uint8)


def test_embed_by_tsne_separates_clusters(folder: Path, blobs: np.ndarray) -> None:
    points = embed(blobs)
    assert points.shape == (40, 2)
    assert points.dtype == np.float32
    first, second = points[:20], points[20:]
    apart = np.linalg.norm(first.mean(axis=0) - second.mean(axis=0))
    assert apart > max(np.linalg.norm(half - half.mean(axis=0), axis=1).max() for half in (first, second))


def test_embed_again_reads_the_cache(folder: Path, blobs: np.ndarray, monkeypatch: pytest.MonkeyPatch) -> None:
    points = embed(blobs)
    monkeypatch.setattr("sklearn.manifold.TSNE", lambda **_: pytest.fail("computed again"))
    assert np.array_equal(embed(blobs), points)


def test_embed_without_cache_gives_equal_points(folder: Path, blobs: np.ndarray) -> None:
    points = embed(blobs)
    (kept,) = folder.iterdir()
    kept.unlink()
    assert np.array_equal(embed(blobs), points)


def test_embed_of_changed_data_uses_another_cache_entry(folder: Path, blobs: np.ndarray) -> None:
    embed(blobs)
    blobs[0, 0, 0] += 1
    embed(blobs)
    assert len(list(folder.iterdir())) == 2


@pytest.mark.parametrize(
    ("data", "fault"),
    [
        (np.zeros((1, 4)), r"shape \(1, 4\)"),
        (np.zeros(4), r"shape \(4,\)"),
        (np.array([[1, 2], [3, np.nan]]), "entry 1 of vector 1 is nan"),
    ],
)
def test_embed_of_invalid_data_raises_value_error(folder: Path, data: np.ndarray, fault: str) -> None:
    with pytest.raises(ValueError, match=fault):
        embed(data)


#: UMAP compiles for some ten seconds when it is imported.
METHODS = [pytest.param(name, marks=pytest.mark.slow) if name == "umap" else name for name in methods()]


def skip_missing(method: str) -> None:
    if methods()[method].missing:
        pytest.skip(methods()[method].missing)


@pytest.mark.filterwarnings("ignore:the graph of", "ignore:The number of connected", "ignore:Changing the sparsity")
@pytest.mark.parametrize("method", METHODS)
def test_embed_by_every_method_separates_clusters_and_repeats(folder: Path, blobs: np.ndarray, method: str) -> None:
    skip_missing(method)
    points = embed(blobs, method)
    assert points.shape == (40, 2)
    assert np.isfinite(points).all()
    first, second = points[:20], points[20:]
    apart = np.linalg.norm(np.median(first, axis=0) - np.median(second, axis=0))
    assert apart > max(np.linalg.norm(half - np.median(half, axis=0), axis=1).mean() for half in (first, second))
    (kept,) = folder.glob("*.npy")
    kept.unlink()
    assert np.array_equal(embed(blobs, method), points)


@pytest.mark.filterwarnings("ignore:the graph of")
@pytest.mark.parametrize(("n", "d"), [(3, 1), (3, 2), (4, 3), (7, 4), (12, 30)])
@pytest.mark.parametrize("method", METHODS)
def test_embed_by_every_method_takes_few_vectors(folder: Path, method: str, n: int, d: int) -> None:
    skip_missing(method)
    vectors = np.random.default_rng(n).random((n, d))
    points = embed(vectors, method)
    assert points.shape == (n, 2)
    assert np.isfinite(points).all()
    assert len(np.unique(points, axis=0)) == n


@pytest.mark.parametrize("method", METHODS)
def test_embed_of_equal_or_two_vectors_succeeds(folder: Path, method: str) -> None:
    skip_missing(method)
    assert not embed(np.full((9, 3), 7), method).any()
    if method == "umap":
        with pytest.raises(ValueError, match="UMAP needs three vectors or more, not 2"):
            embed(np.eye(2), method)
    else:
        one, other = embed(np.eye(2), method)
        assert not np.array_equal(one, other)


@pytest.mark.parametrize("dtype", [np.bool_, np.int8, np.uint16, np.float16, np.float32, np.longdouble])
def test_embed_takes_any_real_type_and_layout(folder: Path, dtype: type) -> None:
    vectors = (np.random.default_rng(0).random((30, 6)) * 5).astype(dtype)
    expected = embed(vectors.astype(np.float64), "pca")
    for same in (vectors, np.asfortranarray(vectors), vectors[::-1][::-1], vectors.tolist()):
        assert np.allclose(np.abs(embed(same, "pca")), np.abs(expected), atol=1e-5)


@pytest.mark.filterwarnings("ignore:the graph of")
def test_embed_of_huge_vectors_scales_them(folder: Path, blobs: np.ndarray) -> None:
    vectors = blobs.reshape(40, -1) * 1e300
    assert np.isfinite(embed(vectors, "pca")).all()
    assert np.allclose(embed(vectors, "lle"), embed(blobs.astype(float), "lle"), atol=1e-6)


def test_embed_of_many_vectors_uses_the_fast_library(
    folder: Path, blobs: np.ndarray, monkeypatch: pytest.MonkeyPatch
) -> None:
    skip_missing("tsne-opentsne")
    fast = embed(blobs, "tsne-opentsne")
    assert not np.array_equal(embed(blobs), fast)
    monkeypatch.setattr(methods_module, "MANY", len(blobs))
    monkeypatch.setenv(cache.VARIABLE, str(folder / "another"))
    assert np.array_equal(embed(blobs), fast)


def test_embed_with_invalid_arguments_names_them(
    folder: Path, blobs: np.ndarray, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(ValueError, match="no method of embedding is called 'tnse'; did you mean tsne"):
        embed(blobs, "tnse")
    with pytest.raises(ValueError, match="components = 0"):
        embed(blobs, components=0)
    with pytest.raises(ValueError, match="threads = 0; it must be a whole number of at least 1"):
        embed(blobs, threads=0)
    assert np.array_equal(embed(blobs, "pca", threads=-1), embed(blobs, "pca", threads=None))
    with pytest.raises(ValueError, match="type complex128; an embedding needs real numbers"):
        embed(blobs * 1j)
    absent = dataclasses.replace(methods()["umap"], modules={"no_such_module": "no-such-package"})
    monkeypatch.setitem(methods(), "umap", absent)
    with pytest.raises(ImportError, match="umap: no-such-package not installed: pip install no-such-package"):
        embed(blobs, "umap")


@pytest.mark.parametrize(
    "damage",
    [
        lambda content: content[:50],
        lambda content: b"",
        lambda content: content[:-40] + bytes([content[-40] ^ 1]) + content[-39:],
        lambda content: b"not an array at all, but long enough to hold a checksum",
    ],
)
def test_cache_with_a_damaged_file_computes_again_and_warns(folder: Path, damage) -> None:
    values = np.arange(12.0).reshape(3, 4)
    cache.array("thing", lambda: values)
    path = folder / "thing.npy"
    path.write_bytes(damage(path.read_bytes()))
    with pytest.warns(UserWarning, match=r"thing\.npy cannot be used .* computing it again"):
        assert np.array_equal(cache.array("thing", lambda: values), values)
    assert np.array_equal(cache.array("thing", lambda: pytest.fail("computed again")), values)


def test_cache_stores_plain_npy_files(folder: Path) -> None:
    cache.array("thing", lambda: np.arange(5))
    assert np.load(folder / "thing.npy").tolist() == [0, 1, 2, 3, 4]


def test_cache_in_an_unwritable_folder_only_warns(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv(cache.VARIABLE, str(tmp_path / "file"))
    with pytest.warns(UserWarning, match="set LAPMARK_CACHE to a"):
        assert cache.array("thing", lambda: np.arange(3)).tolist() == [0, 1, 2]


def test_cache_of_an_interrupted_computation_leaves_no_file(folder: Path) -> None:
    def interrupted() -> np.ndarray:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        cache.array("thing", interrupted)
    assert not folder.exists() or not list(folder.iterdir())


def test_cache_key_depends_on_bytes_shapes_and_types() -> None:
    base = np.arange(4, dtype=np.int32)
    parts = [
        (base,),
        (base.reshape(2, 2),),
        (base.view(np.uint32),),
        (base[::-1],),
        (base, 1),
        (base, "1"),
        (base, 1, ""),
    ]
    assert len({cache.key(*some) for some in parts}) == len(parts)
    assert cache.key(base[::2]) == cache.key(base[::2].copy())


def test_reference_equals_the_shipped_file() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        points, label = reference()
    assert points.shape == (10_000, 2)
    assert points.dtype == np.float32
    assert np.isfinite(points).all()
    assert np.bincount(label).tolist() == [980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009]
    content = files("lapmark.bench.embeddings").joinpath("data", reference_module.FILE).read_bytes()
    assert hashlib.sha256(content).hexdigest() == reference_module.SHA256


def test_reference_of_a_damaged_file_raises_value_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    content = bytearray(files("lapmark.bench.embeddings").joinpath("data", reference_module.FILE).read_bytes())
    content[4000] ^= 1
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / reference_module.FILE).write_bytes(content)
    monkeypatch.setattr(reference_module, "files", lambda _: tmp_path)
    with pytest.raises(ValueError, match="damaged: SHA-256"):
        reference()
