"""Label transfer: clouds from pictures, what is carried over, and what is said of pictures that are none."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from lapmark import carry, solve
from lapmark.bench.problems.applied import label_transfer


def test_clouds_sample_dark_parts_of_the_picture(tmp_path):
    picture = np.full((40, 80, 3), 255, np.uint8)
    picture[10:20, 60:80] = (200, 0, 0)  # y downwards
    Image.fromarray(picture).save(tmp_path / "red.png")
    sample = label_transfer.clouds(300, target=str(tmp_path / "red.png"))
    np.testing.assert_allclose(sample.labels, np.broadcast_to([200 / 255, 0, 0], (300, 3)))
    assert sample.y.min(axis=0) == pytest.approx([60 / 80, 20 / 80], abs=0.02)
    assert sample.y.max(axis=0) == pytest.approx([1.0, 30 / 80], abs=0.02)


def test_clouds_treat_transparent_parts_as_white(tmp_path):
    picture = np.zeros((10, 10, 4), np.uint8)
    picture[:, :5, 3] = 255
    Image.fromarray(picture).save(tmp_path / "half.png")
    assert label_transfer.clouds(200, source=str(tmp_path / "half.png")).x[:, 0].max() <= 0.5


@pytest.mark.parametrize("kind", ["missing", "text", "white"])
def test_clouds_of_an_invalid_picture_raise_value_error(tmp_path, kind):
    path = tmp_path / f"{kind}.png"
    if kind == "text":
        path.write_text("no picture")
    if kind == "white":
        Image.new("RGB", (8, 8), "white").save(path)
    with pytest.raises(ValueError, match=kind):
        label_transfer.build(10, source=str(path))


def test_build_with_n_below_one_raises_value_error():
    with pytest.raises(ValueError, match="n = 0"):
        label_transfer.build(0)


def test_carry_without_reach_gives_means_of_colours():
    problem = label_transfer.build(600)
    labels = label_transfer.clouds(600).labels
    carried = carry(problem, solve(problem, "sinkhorn-multilevel", stop=1e-4), labels)
    # Each row's mass arrives in full, so that nothing is darker than the darkest colour.
    assert carried.min() >= labels.min() - 0.01
    assert carried.max() <= labels.max() + 0.01


def test_carry_with_reach_leaves_far_points_black():
    problem = label_transfer.build(2000, reach=0.1)
    sample = label_transfer.clouds(2000)
    carried = carry(problem, solve(problem, "sinkhorn-multilevel"), sample.labels)
    island = np.linalg.norm(sample.x - [0.13, 0.1], axis=1) < 0.08
    assert island.sum() > 50
    assert carried[island].max() < 0.05
    assert np.median(carried[~island].max(axis=1)) > 0.25
