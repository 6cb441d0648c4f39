"""The study of locally linear embedding: its numbers, by hand, and that all of its pictures are made."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from lapmark.bench.applications.lle import numbers
from lapmark.bench.applications.lle.study import study
from lapmark.bench.data import datasets
from lapmark.bench.embeddings import LocallyLinearEmbedding
from lapmark.bench.problems import Case
from lapmark.reports.pictures import canvas, class_marks, lle, lle_paths

# Small samples often fall into parts.
pytestmark = pytest.mark.filterwarnings("ignore:the graph of")


@pytest.fixture(scope="module")
def of() -> numbers.Embedded:
    return numbers.embed(400, 3, "digits", 12, 3)


def check_pictures(paths: list[Path]) -> None:
    """Each picture of the study is there, as PNG, some as SVG too, and the animation as GIF."""
    drawn = [path for path in paths if path.suffix != ".svg"]
    assert sorted(path.stem for path in drawn) == sorted(lle.CAPTIONS)
    for path in drawn:
        assert path.suffix == (".gif" if path.stem == "turning" else ".png")
        assert path.stat().st_size < 2e6
        with Image.open(path) as image:
            assert len(image.convert("RGB").getcolors(1 << 24)) > 20
            assert getattr(image, "n_frames", 1) == (len(numbers.ANGLES) if path.suffix == ".gif" else 1)


def test_draw_of_a_study_writes_every_picture(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # Coarse, without SVG, and in eight steps: in a third of the time.
    monkeypatch.setattr(canvas, "DPI", 80)
    monkeypatch.setattr(canvas, "MOST_VECTOR_MARKS", 0)
    monkeypatch.setattr(numbers, "ANGLES", np.arange(0, 360, 45))
    found = study(200, neighbours=9, components=50)
    check_pictures(lle.draw(Case("lle", 200), found, tmp_path))
    assert found.text.startswith("200 images (digits) of 64 pixels embedded in 50 dimensions with 9 neighbours in ")
    assert "of 300 unseen images have the label of their nearest embedded neighbour" in found.text


@pytest.mark.slow
@pytest.mark.skipif(not datasets.has("mnist"), reason="needs the files of MNIST in LAPMARK_DATA")
def test_draw_of_a_study_of_mnist_writes_every_picture(tmp_path: Path) -> None:
    found = study(5000, source="mnist")
    check_pictures(lle.draw(Case("lle", 5000), found, tmp_path))
    assert "5,000 images (mnist) of 784 pixels" in found.text


def test_embed_of_digits_equals_scikit_learns_embedding(of: numbers.Embedded) -> None:
    apart = np.abs(of.y - of.peer)
    assert of.difference == (apart.mean(), apart.max())
    assert of.difference[1] < 1e-8


def test_embed_adds_noise_too_faint_to_see_to_the_fit_only(of: numbers.Embedded) -> None:
    images = datasets.digits()
    index = np.random.default_rng(3).permutation(len(images.label))[:700]
    pixels = images.pixels[index].reshape(700, 64)
    assert np.array_equal(of.unseen, pixels[400:] / 255)
    assert 0 < np.abs(of.x - pixels[:400] / 255).max() < 1e-5
    assert np.array_equal(np.concatenate([of.label, of.unseen_label]), images.label[index])


def test_embed_with_equal_seeds_gives_equal_numbers_and_pictures(of: numbers.Embedded, tmp_path: Path) -> None:
    again = numbers.embed(400, 3, "digits", 12, 3)
    assert np.array_equal(of.y, again.y)
    one, *_ = lle.unseen(of, tmp_path / "1")
    other, *_ = lle.unseen(again, tmp_path / "2")
    assert one.read_bytes() == other.read_bytes()


def test_agreeing_counts_unseen_images_with_the_label_of_their_nearest(of: numbers.Embedded) -> None:
    at = of.fitted.transform(of.unseen)
    nearest = ((at[:, None] - of.y) ** 2).sum(axis=2).argmin(axis=1)
    assert of.agreeing == (of.label[nearest] == of.unseen_label).sum()


def test_errors_equal_those_of_separate_fits(of: numbers.Embedded) -> None:
    lost = numbers.errors(of, (10, 14), (2, 5))
    for row, k in enumerate(lost.neighbours):
        for column, c in enumerate(lost.components):
            fitted = LocallyLinearEmbedding(c, n_neighbors=k).fit(of.x)
            back = fitted.inverse_transform(fitted.transform(of.unseen))
            shares = np.linalg.norm(of.unseen - back, axis=1) / np.linalg.norm(of.unseen, axis=1)
            assert lost.unseen[row, column] == pytest.approx(shares.mean(), rel=1e-3)
            assert lost.fit[row, column] == pytest.approx(fitted.reconstruction_error_, rel=1e-6)


def test_magnitudes_are_sorted_by_label_and_summed_in_blocks(of: numbers.Embedded) -> None:
    m = np.abs(of.fitted.M_.toarray())
    whole = numbers.magnitudes(of, 400)
    order = np.lexsort((of.y[:, 0], of.label))
    assert np.array_equal(whole.pixels, m[np.ix_(order, order)])
    assert whole.sizes.tolist() == [(of.label == value).sum() for value in range(10)]
    same = of.label[:, None] == of.label
    np.fill_diagonal(m, 0)
    assert whole.within == pytest.approx(m[same].sum() / m.sum())
    assert whole.within > 0.5, "blocks are visible"
    coarse = numbers.magnitudes(of, 150)
    assert (coarse.step, coarse.pixels.shape) == (3, (134, 134))
    assert coarse.pixels[1, 2] == pytest.approx(whole.pixels[3:6, 6:9].sum())
    assert coarse.pixels.sum() == pytest.approx(whole.pixels.sum())


def test_spectrum_begins_with_the_eigenvalues_of_the_embedding(
    of: numbers.Embedded, monkeypatch: pytest.MonkeyPatch
) -> None:
    values, kept = numbers.spectrum(of)
    assert len(values) == 400
    assert values[:4] == pytest.approx(of.fitted.eigenvalues_, rel=1e-5, abs=1e-13)
    assert np.array_equal(kept, of.fitted.eigenvalues_)
    monkeypatch.setattr(numbers, "DENSE", 250)
    values, kept = numbers.spectrum(of)
    assert len(values) == 250
    assert values[:4] == pytest.approx(kept, rel=1e-5, abs=1e-13)


def test_blends_lead_from_one_image_to_another(of: numbers.Embedded) -> None:
    along, across = numbers.blends(of)
    for blend in (along, across):
        ends = list(blend.ends)
        assert np.allclose(blend.straight[[0, -1]], of.x[ends])
        assert np.allclose(blend.along[[0, -1]], of.fitted.inverse_transform(of.y[ends]))
        assert np.allclose(blend.straight[5], of.x[ends].mean(axis=0))
        assert np.allclose(blend.along[5], of.fitted.inverse_transform(of.y[ends].mean(axis=0)[None])[0])
        length = np.linalg.norm(of.x[ends[0]] - of.x[ends[1]])
        for images, off in zip((blend.straight, blend.along), blend.off, strict=True):
            nearest = np.linalg.norm(images[:, None] - of.x, axis=2).min(axis=1)
            assert off == pytest.approx(nearest / length, abs=1e-6)
    assert of.label[along.ends[0]] == of.label[along.ends[1]]
    assert of.label[across.ends[0]] != of.label[across.ends[1]]


def test_turns_rotate_images_to_the_left(of: numbers.Embedded) -> None:
    for turn, value in zip(numbers.turns(of), numbers.TURNED, strict=True):
        assert turn.label == value
        image = of.unseen[of.unseen_label == value][0].reshape(8, 8)
        for angle in (0, 90, 180, 270):
            turned = turn.images[list(numbers.ANGLES).index(angle)].reshape(8, 8)
            assert np.allclose(turned, np.rot90(image, angle // 90))
        assert np.array_equal(turn.at, of.fitted.transform(turn.images))
        assert turn.images.min() >= 0
        assert turn.images.max() <= 1


def test_turned_picture_keeps_the_colours_of_labels(of: numbers.Embedded, tmp_path: Path) -> None:
    png, *_ = lle_paths.turned(of, numbers.turns(of), tmp_path)
    found = np.array([colour for _, colour in Image.open(png).convert("RGB").getcolors(1 << 24) or []])
    for colour in class_marks.PALETTE:
        assert np.abs(found - 255 * colour).max(axis=1).min() < 12


@pytest.mark.parametrize(
    ("n", "settings", "fault"),
    [
        (99, {}, "n = 99; with the images of digits take 100 to 1697, which leaves some unseen"),
        (1698, {}, "n = 1698; "),
        (200, {"components": 1}, "components = 1; the pictures show a plane; take two or more"),
        (200, {"neighbours": 0}, "n_neighbors = 0"),
    ],
)
def test_study_with_settings_out_of_range_raises_value_error(n: int, settings: dict[str, int], fault: str) -> None:
    with pytest.raises(ValueError, match=fault):
        study(n, **settings)
