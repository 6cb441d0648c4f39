"""Pictures of the answers to each application's problems."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pytest
from drawing import check_pictures, draw
from PIL import Image

from lapmark import solve
from lapmark.bench.applications import gallery
from lapmark.bench.problems import Case
from lapmark.reports.pictures import gmm_flow
from lapmark.reports.pictures.table import PICTURES


def test_table_of_pictures_has_every_application_of_the_gallery() -> None:
    assert set(PICTURES) == set(gallery.applications())


@pytest.mark.parametrize(
    ("case", "names"),
    [
        (Case("images-emd", 64, 0, {"p": 1}), ("flow", "nearest")),
        (Case("images-emd", 64, 0, {"p": 2}), ("flow", "nearest")),
        (Case("words", 24), ("moves", "nearest")),
        (Case("words", 96), ("moves", "nearest")),
    ],
    ids=str,
)
def test_draw_of_a_case_writes_every_picture_as_png_and_svg(case: Case, names: tuple[str, ...], tmp_path: Path) -> None:
    made = draw(case, tmp_path)
    assert sorted(made) == sorted(tmp_path / f"{name}.{kind}" for name in names for kind in ("png", "svg"))
    check_pictures(made, least_side=600)


@pytest.mark.parametrize("case", [Case("images-emd", 16), Case("words", 12)], ids=str)
def test_draw_of_potentials_without_a_plan_leaves_out_the_flow(case: Case, tmp_path: Path) -> None:
    potentials = dataclasses.replace(solve(case.build()), mass=None)
    with pytest.warns(UserWarning, match="what moves where is left out"):
        made = draw(case, tmp_path, potentials)
    assert {path.stem for path in made} == {"nearest"}


@pytest.mark.parametrize(
    ("case", "names"), [(Case("images-emd", 1), ["flow", "nearest"]), (Case("words", 1), ["moves", "nearest"])], ids=str
)
def test_draw_of_the_smallest_case_writes_all_pictures(case: Case, names: list[str], tmp_path: Path) -> None:
    assert sorted({path.stem for path in draw(case, tmp_path)}) == names


@pytest.mark.parametrize("reach", [0, 0.2])
def test_draw_of_label_transfer_writes_one_picture(reach: float, tmp_path: Path) -> None:
    made = draw(Case("label-transfer", 200, 0, {"reach": reach} if reach else {}), tmp_path)
    assert {path.stem for path in made} == {"transfer"}
    check_pictures(made, least_side=600)


@pytest.mark.parametrize("settings", [{}, {"p": 1, "mass": "lognormal"}, {"layout": "lattice", "mass": "whole"}])
def test_draw_of_masses_shows_marks_and_lines_on_black(settings: dict[str, object], tmp_path: Path) -> None:
    png, svg = draw(Case("masses", 36, params=settings), tmp_path)
    picture = np.asarray(Image.open(png).convert("RGB")).reshape(-1, 3)
    for colour in ((1, 115, 178), (222, 143, 5), (140, 140, 140), (0, 0, 0)):
        assert (np.abs(picture.astype(int) - colour).max(axis=1) < 12).sum() > 500, colour
    assert "<svg" in svg.read_text()


def test_draw_of_masses_without_points_writes_nothing(tmp_path: Path) -> None:
    assert draw(Case("masses", 12, params={"layout": "random"}), tmp_path) == []


@pytest.mark.slow
@pytest.mark.parametrize(("d", "names"), [(1, {"losses"}), (3, {"losses", "last-step", "all-steps", "flow"})])
def test_draw_flow_called_twice_writes_equal_bytes(d: int, names: set[str], tmp_path: Path) -> None:
    one, other = (gmm_flow.draw_flow(tmp_path / name, d=d, steps=4) for name in ("one", "other"))
    assert {path.stem for path in one} == names
    assert [path.read_bytes() for path in one] == [path.read_bytes() for path in other]


@pytest.mark.slow
def test_draw_of_gmm_flow_writes_figures_and_an_animation_of_all_steps(tmp_path: Path) -> None:
    made = draw(Case("gmm-flow", 3), tmp_path)
    check_pictures(made, least_side=500)
    (gif,) = (path for path in made if path.suffix == ".gif")
    assert gif.stat().st_size < 2_000_000
    with Image.open(gif) as animation:
        assert animation.n_frames == 51
        assert animation.info["loop"] == 0
