"""The page of a map in a browser: zoom, moving about, and names, without a request."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import quote, unquote, urlsplit

import numpy as np
import pytest
from PIL import Image

from lapmark.bench.applications.grid_map import collection, lattice, pipeline
from lapmark.reports.map.drawing import Map, write_map
from lapmark.reports.map.painting import Look

PHONE = {"viewport": {"width": 390, "height": 844}, "device_scale_factor": 2, "is_mobile": True, "has_touch": True}

HOSTILE = "</script><script>window.hacked = 1</script><img src=x onerror='window.hacked = 1'>"

#: The shape of the grid, and pixels of a cell's side.
SHAPE, SIDE = (5, 8), 40

#: Where the middle of the map's cell (row, column) is in the window, by what the page says of itself.
MIDDLE = f"""([row, column]) => {{
  const box = document.getElementById("map").getBoundingClientRect();
  const at = (index) => (index + 0.5) * {SIDE} * view.scale;
  return [box.left + view.x + at(column), box.top + view.y + at(row)];
}}"""

#: The colour of the pixel of the canvas there.
COLOUR = """([x, y]) => {
  const canvas = document.getElementById("map");
  const box = canvas.getBoundingClientRect();
  const ratio = canvas.width / box.width;
  const pixel = new OffscreenCanvas(1, 1).getContext("2d");
  pixel.drawImage(canvas, (x - box.left) * ratio, (y - box.top) * ratio, 1, 1, 0, 0, 1, 1);
  return [...pixel.getImageData(0, 0, 1, 1).data.slice(0, 3)];
}"""

DRAWN = "() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))"


@pytest.fixture(scope="module")
def layout() -> pipeline.Layout:
    """Things on a grid with nodes to spare, one of them hostile."""
    points = np.random.default_rng(0).random((30, 2))
    names = (HOSTILE, *(f"thing {i}" for i in range(1, 30)))
    labels = tuple("upper" if y > 0.5 else "<i>lower</i>" for _, y in points)
    return pipeline.lay(collection.Collection(points, names, labels=labels), SHAPE)


@pytest.fixture(scope="module")
def file(layout: pipeline.Layout, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_map(layout, tmp_path_factory.mktemp("map") / "map.html", f"mine {HOSTILE}", SIDE)


@pytest.fixture
def opened(file: Path, visit: Callable[..., Any]) -> Callable[..., Any]:
    """Opens the map, with settings of the browser."""

    def go(**settings: Any) -> Any:
        seen = visit(file, **settings)
        seen.page.wait_for_selector("#map", state="visible")
        seen.page.evaluate(DRAWN)
        return seen

    return go


def view(page: Any) -> dict[str, float]:
    return page.evaluate("() => ({ ...view })")


def told(page: Any) -> str:
    return page.locator("#told").text_content()


def test_map_page_shows_the_picture_and_loads_nothing(layout: pipeline.Layout, opened: Callable[..., Any]) -> None:
    seen = opened()
    picture = Map(layout, SIDE, "").picture
    for (row, column), name, label in zip(
        layout.nodes.tolist(), layout.collection.names, layout.collection.labels or (), strict=True
    ):
        place = seen.page.evaluate(MIDDLE, [row, column])
        wanted = picture[SIDE * row + SIDE // 2, SIDE * column + SIDE // 2]
        assert np.abs(np.subtract(seen.page.evaluate(COLOUR, place), wanted.astype(int))).max() <= 2
        seen.page.mouse.move(*place)
        assert told(seen.page) == f"{name} · {label} · row {row}, column {column}"
    assert seen.page.evaluate("() => window.hacked") is None
    assert (seen.requests, seen.complaints) == ([], [])


def test_map_page_names_nothing_at_empty_nodes_and_margins(layout: pipeline.Layout, opened: Callable[..., Any]) -> None:
    page = opened().page
    taken = set(map(tuple, layout.nodes.tolist()))
    empty = next((r, c) for r in range(SHAPE[0]) for c in range(SHAPE[1]) if (r, c) not in taken)
    page.mouse.move(*page.evaluate(MIDDLE, layout.nodes[1].tolist()))
    assert told(page)
    for place in (empty, (-0.9, 2), (2, SHAPE[1] + 0.1)):
        page.mouse.move(*page.evaluate(MIDDLE, list(place)))
        assert told(page) == ""


def test_map_page_zooms_by_wheel_and_moves_by_drag(layout: pipeline.Layout, opened: Callable[..., Any]) -> None:
    page = opened().page
    node = layout.nodes[3].tolist()
    place = page.evaluate(MIDDLE, node)
    before = view(page)
    page.mouse.move(*place)
    page.mouse.wheel(0, -400)
    page.wait_for_function("(scale) => view.scale > 1.5 * scale", arg=before["scale"])
    page.mouse.move(place[0] + 1, place[1])
    assert told(page).startswith("thing 3 ·"), "what was under the pointer still is"
    nearer = view(page)
    page.mouse.down()
    page.mouse.move(place[0] + 31, place[1] + 20, steps=4)
    page.mouse.up()
    moved = view(page)
    assert moved["scale"] == nearer["scale"]
    for axis, way in (("x", 30), ("y", 20)):
        assert min(nearer[axis] + way, 0) == pytest.approx(moved[axis], abs=1)
    for _ in range(8):
        page.mouse.wheel(0, 2000)
    page.wait_for_function("(scale) => view.scale === scale", arg=before["scale"])
    assert view(page) == before, "farther than all of it there is nothing to see"


def test_map_page_zooms_by_buttons_and_keys(opened: Callable[..., Any]) -> None:
    page = opened().page
    whole = view(page)
    page.get_by_role("button", name="Nearer").click()
    assert view(page)["scale"] == pytest.approx(2 * whole["scale"])
    page.get_by_role("button", name="Farther").click()
    assert view(page) == whole
    page.keyboard.press("Tab")
    page.locator("#map").focus()
    for _ in range(3):
        page.keyboard.press("+")
    near = view(page)
    assert near["scale"] > 2 * whole["scale"]
    assert "row 2, column" in told(page), "the keyboard points at the middle"
    page.keyboard.press("ArrowRight")
    assert view(page)["x"] == pytest.approx(near["x"] - 80)
    page.keyboard.press("0")
    assert view(page) == whole
    for _ in range(40):
        page.keyboard.press("+")
    assert 0.7 * 600 < SIDE * view(page)["scale"] < 800, "until a cell fills most of the window"


def test_map_page_legend_shows_one_label_only(layout: pipeline.Layout, opened: Callable[..., Any]) -> None:
    page = opened().page
    labels = np.array(layout.collection.labels)
    ours, others = (layout.nodes[labels == label][0].tolist() for label in ("upper", "<i>lower</i>"))

    def colours() -> list[list[int]]:
        page.evaluate(DRAWN)
        return [page.evaluate(COLOUR, page.evaluate(MIDDLE, node)) for node in (ours, others)]

    before = colours()
    button = page.get_by_role("button", name="upper")
    button.click()
    assert button.get_attribute("aria-pressed") == "true"
    after = colours()
    assert after[0] == before[0]
    assert sum(after[1]) < 0.4 * sum(before[1])
    button.click()
    assert button.get_attribute("aria-pressed") == "false"
    assert colours() == before


def test_map_page_on_a_phone_zooms_by_two_fingers_and_names_on_tap(
    layout: pipeline.Layout, opened: Callable[..., Any]
) -> None:
    seen = opened(**PHONE)
    page = seen.page
    assert page.evaluate("() => document.documentElement.scrollWidth") == 390
    place = page.evaluate(MIDDLE, layout.nodes[2].tolist())
    page.touchscreen.tap(*place)
    page.wait_for_function("() => document.getElementById('told').textContent.startsWith('thing 2 ·')")
    before = view(page)
    fingers = page.context.new_cdp_session(page)
    for kind, apart in (("Start", 20), ("Move", 30), ("Move", 45), ("Move", 60), ("End", 0)):
        points = [{"x": 195 - apart, "y": 450, "id": 0}, {"x": 195 + apart, "y": 450, "id": 1}]
        fingers.send("Input.dispatchTouchEvent", {"type": f"touch{kind}", "touchPoints": points if apart else []})
    page.wait_for_function("(scale) => view.scale > 2.2 * scale", arg=before["scale"])
    assert view(page)["scale"] < 3.8 * before["scale"]
    assert (seen.requests, seen.complaints) == ([], [])


def test_map_page_follows_the_window_size(opened: Callable[..., Any]) -> None:
    page = opened(viewport={"width": 1200, "height": 900}).page
    wide = view(page)
    page.set_viewport_size({"width": 500, "height": 400})
    page.wait_for_function("(scale) => view.scale < scale", arg=wide["scale"])
    assert page.evaluate("() => document.getElementById('map').clientWidth") == 500


def test_map_page_without_scripts_is_a_picture(file: Path, visit: Callable[..., Any]) -> None:
    page = visit(file, java_script_enabled=False).page
    assert page.locator("#picture").is_visible()
    assert not page.locator("#map").is_visible()


def test_map_page_search_shows_what_it_finds_and_goes_there(
    layout: pipeline.Layout, opened: Callable[..., Any]
) -> None:
    page = opened().page
    ours, others = layout.nodes[12].tolist(), layout.nodes[4].tolist()
    field = page.get_by_role("searchbox")
    field.fill("THING 1")
    assert told(page) == "11 of 30 found"
    page.evaluate(DRAWN)
    picture = Map(layout, SIDE, "").picture
    for node, is_found in ((ours, True), (others, False)):
        wanted = picture[SIDE * node[0] + SIDE // 2, SIDE * node[1] + SIDE // 2].astype(int)
        seen = np.array(page.evaluate(COLOUR, page.evaluate(MIDDLE, node)))
        assert (np.abs(seen - wanted).max() <= 2) == is_found
    page.evaluate("() => zoom(3)")
    field.press("Enter")
    assert told(page).startswith("thing 1 ·")
    middle, box = page.evaluate(MIDDLE, layout.nodes[1].tolist()), page.locator("#map").bounding_box()
    assert box["x"] < middle[0] < box["x"] + box["width"], "it is in the window"
    assert box["y"] < middle[1] < box["y"] + box["height"]
    field.press("Enter")
    assert told(page).startswith("thing 10 ·")
    field.fill("lower")
    assert told(page) == f"{(layout.collection.labels or ()).count('<i>lower</i>')} of 30 found", "labels count, too"
    field.press("0")
    assert told(page) == "0 of 30 found", "keys are text here"
    field.fill("")
    assert told(page) == ""


def test_map_page_of_hexagons_names_the_cell_below_the_pointer(visit: Callable[..., Any], tmp_path: Path) -> None:
    points = np.random.default_rng(1).random((40, 2))
    read = collection.Collection(points, tuple(f"thing {i}" for i in range(40)))
    layout = pipeline.lay(read, lattice.lattice(40, lattice.Wanted(outline="hexagon", nodes="hexagonal")))
    drawn = Map(layout, SIDE, "", Look(gap=6))
    (tmp_path / "map.html").write_bytes(drawn.html())
    page = visit(tmp_path / "map.html").page
    page.wait_for_selector("#map", state="visible")
    page.evaluate(DRAWN)
    box = page.locator("#map").bounding_box()
    at = view(page)
    for k, (y, x) in enumerate(drawn.cells.centres(layout.nodes).tolist()):
        for across, down in ((0, 0), (0, 0.45 * drawn.cells.size[0]), (0.4 * SIDE, 0)):
            page.mouse.move(
                box["x"] + at["x"] + (x + across) * at["scale"], box["y"] + at["y"] + (y + down) * at["scale"]
            )
            assert told(page).startswith(f"thing {k} ·")


def test_map_page_opens_originals(visit: Callable[..., Any], tmp_path: Path) -> None:
    names = ["a b.png", "50% #1?.png", "javascript:alert(1).png"]
    for k, name in enumerate(names):
        Image.new("L", (8, 8), 60 * k).save(tmp_path / name)
    layout = pipeline.lay(collection.read(tmp_path), method="pca")
    (tmp_path / "maps").mkdir()
    file = write_map(layout, tmp_path / "maps" / "map.html", "mine", SIDE)
    page = visit(file).page
    page.wait_for_selector("#map", state="visible")
    page.evaluate(DRAWN)
    for name, node in zip(layout.collection.names, layout.nodes.tolist(), strict=True):
        with page.context.expect_page() as opened:
            page.mouse.click(*page.evaluate(MIDDLE, node))
        opened.value.wait_for_load_state()
        assert unquote(urlsplit(opened.value.url).path) == str(tmp_path / name)
        assert opened.value.evaluate("() => document.images[0].naturalWidth") == 8
        opened.value.close()
    link = page.locator("#told a")
    assert link.get_attribute("href").startswith("../")
    root = ET.fromstring(Map(layout, SIDE, "").svg(file.parent))
    assert sorted(a.get("href", "") for a in root.iter("{http://www.w3.org/2000/svg}a")) == sorted(
        f"../{quote(name)}" for name in names
    )
