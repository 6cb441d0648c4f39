"""How pictures are saved."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from matplotlib.figure import Figure
from PIL import Image

from lapmark.reports.pictures.canvas import save_animation


def dots(frames: int) -> list[Image.Image]:
    """A dot that goes to the right."""
    pixels = np.zeros((frames, 8, 8, 3), np.uint8)
    pixels[range(frames), 4, range(frames)] = (230, 159, 0)
    return [Image.fromarray(frame) for frame in pixels]


def test_save_animation_shows_frames_unchanged_and_holds_the_last(tmp_path: Path) -> None:
    frames = dots(5)
    (path,) = save_animation(frames, tmp_path / "new" / "dot", seconds=0.1, hold=1.5)
    assert path == tmp_path / "new" / "dot.gif"
    assert list(path.parent.iterdir()) == [path], "nothing half written is left"
    with Image.open(path) as animation:
        assert animation.n_frames == 5
        assert animation.info["loop"] == 0
        for place, frame in enumerate(frames):
            animation.seek(place)
            assert np.array_equal(animation.convert("RGB"), frame)
            assert animation.info["duration"] == (1500 if place == 4 else 100)


def test_save_animation_of_equal_figures_writes_equal_bytes(tmp_path: Path) -> None:
    def figures() -> list[Figure]:
        made = [Figure(figsize=(2, 1), dpi=50) for _ in range(3)]
        for place, figure in enumerate(made):
            figure.add_subplot().plot([0, place])
        return made

    (one,), (other,) = (save_animation(figures(), tmp_path / name) for name in ("one", "other"))
    assert one.read_bytes() == other.read_bytes()
    with Image.open(one) as animation:
        assert (animation.n_frames, animation.size) == (3, (100, 50))


def test_save_animation_with_a_failing_frame_keeps_the_earlier_file(tmp_path: Path) -> None:
    (path,) = save_animation(dots(2), tmp_path / "dot")
    before = path.read_bytes()

    def broken():
        yield dots(1)[0]
        raise ValueError("no more")

    with pytest.raises(ValueError, match="no more"):
        save_animation(broken(), tmp_path / "dot")
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]
