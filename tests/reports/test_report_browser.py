"""The page of a report in a browser: that it works, asks for nothing, runs nothing of the data, and can be read."""

from __future__ import annotations

import io
import urllib.parse
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from browsers import CONTRASTS, HOSTILE, PHONE
from PIL import Image
from report_records import blurred, make_record

from lapmark.bench.problems import Case
from lapmark.bench.results.record import Record
from lapmark.reports.page.gallery_page import write_gallery
from lapmark.reports.pictures import albums, page_copy
from lapmark.reports.pictures.canvas import save_animation
from lapmark.reports.report import write_report_of

#: The lines of the large table that are shown: what they are filtered by, and their time.
ROWS = """() => {
  const time = document.querySelector("#cells th[data-column=seconds]").cellIndex;
  const shown = [...document.querySelectorAll("#cells tbody tr")].filter((row) => !row.hidden);
  return shown.map((row) => ({ ...row.dataset, seconds: row.cells[time].dataset.value }));
}"""

#: Headings without a link to themselves, and links to what is not there.
LOST = """() => [
  ...[...document.querySelectorAll("h2[id], figure h3")].filter((one) => !one.querySelector(`a[href="#${one.id}"]`)),
  ...[...document.querySelectorAll("a[href^='#']")].filter((one) => !document.querySelector(one.getAttribute("href"))),
].map((each) => each.outerHTML)"""

#: Tables outside of a frame that scrolls and that the keyboard reaches.
UNFRAMED = (
    """() => [...document.querySelectorAll("table")].filter((each) => !each.closest(".scroll[tabindex]")).length"""
)

OPEN_ALL = """() => document.querySelectorAll("details").forEach((each) => { each.open = true; })"""


@pytest.fixture(scope="module")
def page(records: list[Record], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A report of every status and chart, of busy cells, and of hostile names."""
    case = Case("uniform", 64, 0, {"dtype": "float32"})
    odd = [
        make_record(HOSTILE[0], case, status="error", message=HOSTILE[1], commit=HOSTILE[2], environment=HOSTILE[3]),
        make_record("mine", Case(HOSTILE[2], 8, 0, {"x": HOSTILE[4]}), samples=(1.0,), gap=0.0),
        make_record(HOSTILE[3], case, samples=(2.0,), gap=0.0, machine={"cpu": HOSTILE[1]}, versions={"x": HOSTILE[0]}),
        *(make_record(HOSTILE[4], Case("uniform", n), samples=(n * 1.0,), gap=0.0) for n in (16, 32, 64)),
    ]
    busy = [
        make_record("jv-avx2", Case("uniform", n), samples=(n * 1e-6,), conditions={"others": 0.25}, threads=threads)
        for n in (16, 32, 64)
        for threads in (1, 2)
    ]
    return write_report_of([*records, *blurred(), *odd, *busy], tmp_path_factory.mktemp("browser"))


def rows(page: Any) -> list[dict[str, str]]:
    """What the lines of the large table that are shown say of themselves, in order."""
    return page.evaluate(ROWS)


def fragment(page: Any) -> str:
    return page.evaluate("() => decodeURIComponent(location.hash.slice(1))")


def test_report_page_opens_without_requests_or_errors(page: Path, visit: Callable[..., Any]) -> None:
    seen = visit(page)
    total = seen.page.evaluate("() => document.querySelectorAll('#cells tbody tr').length")
    assert seen.page.locator("#filters output").text_content() == f"{total} of {total} rows"
    assert total > 30
    broken = "() => [...document.images].filter((each) => !each.complete || !each.naturalWidth).length"
    assert seen.page.evaluate(broken) == 0
    assert seen.page.locator("figure[data-chart] .canvas canvas").count() >= 10
    assert (seen.requests, seen.complaints) == ([], [])


def test_report_page_policy_blocks_requests(page: Path, tmp_path: Path, visit: Callable[..., Any]) -> None:
    text = page.read_text(encoding="utf-8")
    leaky = tmp_path / "index.html"
    leaky.write_text(text.replace("</main>", '<img src="https://example.invalid/a.png"></main>'), encoding="utf-8")
    seen = visit(leaky)
    assert seen.requests == []
    assert "Content Security Policy" in " ".join(seen.complaints)


def test_report_page_shows_names_from_data_as_text(page: Path, visit: Callable[..., Any]) -> None:
    seen = visit(page)
    for name in HOSTILE:
        assert seen.page.get_by_text(name, exact=False).count(), f"{name} is shown as it is"
    seen.page.locator("#cells tbody tr").first.hover()
    seen.page.select_option("[name=solver]", HOSTILE[0])
    assert [row["solver"] for row in rows(seen.page)] == [HOSTILE[0]]
    again = visit(page, "#" + seen.page.evaluate("() => location.hash.slice(1)"))
    assert [row["solver"] for row in rows(again.page)] == [HOSTILE[0]]
    for each in (seen, again):
        assert each.page.evaluate("() => window.hacked") is None
        assert each.page.locator("[onerror], [onload], [onmouseover]").count() == 0
        assert (each.requests, each.complaints) == ([], [])


def test_report_page_link_restores_filters_sorting_and_place(page: Path, visit: Callable[..., Any]) -> None:
    seen = visit(page, "#at=status&solver=jv&problem=uniform&n=64&sort=-seconds")
    found = rows(seen.page)
    assert {(row["solver"], row["problem"], row["n"]) for row in found} == {("jv", "uniform", "64")}
    assert len(found) == 2
    assert float(found[0]["seconds"]) >= float(found[1]["seconds"])
    assert seen.page.locator("th[data-column=seconds]").get_attribute("aria-sort") == "descending"
    assert seen.page.input_value("[name=solver]") == "jv"
    assert seen.page.locator("#status").bounding_box()["y"] < 200
    # The tables of verdicts and charts show the same choice.
    shown = seen.page.locator("article tr[data-solver]:not([hidden]), figure tr[data-solver]:not([hidden])")
    assert {row.get_attribute("data-solver") for row in shown.all()} == {"jv"}


def test_report_page_writes_its_state_to_the_address(page: Path, visit: Callable[..., Any]) -> None:
    seen = visit(page)
    seen.page.select_option("[name=status]", "ok")
    seen.page.fill("[name=text]", "scipy")
    seen.page.get_by_role("button", name="Time", exact=True).click()
    assert fragment(seen.page) == "status=ok&text=scipy&sort=seconds"
    found = rows(seen.page)
    assert {(row["solver"], row["status"]) for row in found} == {("scipy", "ok")}
    assert [float(row["seconds"]) for row in found] == sorted(float(row["seconds"]) for row in found)
    seen.page.click("nav a[href='#scaling']")
    seen.page.wait_for_function("() => location.hash.startsWith('#at=')")
    assert fragment(seen.page) == "at=scaling&status=ok&text=scipy&sort=seconds"
    assert len(rows(seen.page)) == len(found), "going elsewhere keeps what is chosen"
    seen.page.get_by_role("button", name="clear").click()
    seen.page.wait_for_function("() => !location.hash.includes('status')")
    assert len(rows(seen.page)) > len(found)


#: The names of the curves that a chart of the page draws, panel by panel.
CURVES = """(name) => [...document.querySelectorAll(`figure[data-chart=${name}] .canvas canvas`)]
  .filter((canvas) => !canvas.closest(".panel").hidden)
  .map((canvas) => Chart.getChart(canvas)?.data.datasets.map(({ label }) => label) ?? [])"""


def curves(page: Any, chart: str) -> set[str]:
    """The names of the curves that are drawn in a chart, after scrolling to it."""
    page.locator(f"#{chart}").scroll_into_view_if_needed()
    page.wait_for_function(f"() => ({CURVES})('{chart}').flat().length > 0")
    return {name for panel in page.evaluate(CURVES, chart) for name in panel}


def test_report_page_filters_act_on_charts(page: Path, visit: Callable[..., Any]) -> None:
    seen = visit(page).page
    assert {"jv", "scipy"} <= curves(seen, "time")
    seen.select_option("[name=solver]", "jv")
    assert curves(seen, "time") == {"jv"}
    seen.select_option("[name=problem]", "masses")
    assert seen.evaluate(CURVES, "time") == [], "there is no cell of both"


def test_report_page_legend_hides_a_solver_everywhere_and_shows_it_alone(page: Path, visit: Callable[..., Any]) -> None:
    seen = visit(page)
    chip = seen.page.locator("figure[data-chart=time] .legend [data-key=scipy]")
    chip.click()
    assert fragment(seen.page) == "hide=scipy"
    assert "scipy" not in {row["solver"] for row in rows(seen.page)}
    assert "scipy" not in curves(seen.page, "time") | curves(seen.page, "memory")
    assert chip.get_attribute("aria-pressed") == "false"
    again = visit(page, "#hide=scipy")
    assert "scipy" not in curves(again.page, "time")
    seen.page.get_by_role("button", name="clear").click()
    seen.page.wait_for_function("() => !location.hash")
    chip.dblclick()
    assert fragment(seen.page) == "solver=scipy"
    assert curves(seen.page, "time") == {"scipy"} == {row["solver"] for row in rows(seen.page)}
    assert (seen.complaints, again.complaints) == ([], [])


def test_report_page_axes_are_logarithmic_or_linear(page: Path, visit: Callable[..., Any]) -> None:
    scale = "() => Chart.getChart(document.querySelector('figure[data-chart=time] .canvas canvas')).scales.y.type"
    seen = visit(page).page
    assert curves(seen, "time")
    assert seen.evaluate(scale) == "logarithmic"
    seen.select_option("[name=scale]", "linear")
    assert seen.evaluate(scale) == "linear"
    assert fragment(seen) == "scale=linear"


def test_report_page_point_under_the_pointer_tells_its_numbers(page: Path, visit: Callable[..., Any]) -> None:
    seen = visit(page).page
    assert curves(seen, "time")
    text = seen.evaluate(
        """() => {
          const chart = Chart.getChart(document.querySelector("figure[data-chart=time] .canvas canvas"));
          chart.tooltip.setActiveElements([{ datasetIndex: 0, index: 0 }], { x: 0, y: 0 });
          chart.update();
          return [...chart.tooltip.title, ...chart.tooltip.body.flatMap(({ lines }) => lines)].join("; ");
        }"""
    )
    assert "rows n: 16; time of a solve: " in text
    assert "; from " in text


@pytest.mark.parametrize("settings", [PHONE, {"viewport": {"width": 1280, "height": 800}}], ids=["phone", "desk"])
def test_pages_of_solvers_and_problems_draw_their_charts(
    settings: dict[str, Any], page: Path, visit: Callable[..., Any]
) -> None:
    for path in (page.parent / "solvers" / "jv.html", page.parent / "problems" / "uniform.html"):
        seen = visit(path, **settings)
        seen.page.locator(".canvas").first.scroll_into_view_if_needed()
        seen.page.wait_for_function("() => Chart.getChart(document.querySelector('.canvas canvas'))")
        assert seen.page.evaluate(LOST) == []
        assert seen.page.evaluate("() => document.documentElement.scrollWidth") == settings["viewport"]["width"]
        assert [each for each in seen.page.evaluate(CONTRASTS) if each[0] < 4.5] == []
        seen.page.click("a[href='../index.html']")
        seen.page.wait_for_selector("#cells")
        assert (seen.requests, seen.complaints) == ([], [])


def test_report_page_without_scripts_shows_pictures_of_the_charts(page: Path, visit: Callable[..., Any]) -> None:
    seen = visit(page, java_script_enabled=False).page
    assert seen.locator("figure noscript img").count() >= 5
    assert seen.locator("#cells tbody tr").count() > 30


def test_report_page_link_with_unknown_values_shows_all(page: Path, visit: Callable[..., Any]) -> None:
    seen = visit(page, "#at=nowhere&solver=nobody&sort=nothing&x=%E0%A4%A")
    assert len(rows(seen.page)) == len(rows(visit(page).page))
    assert seen.complaints == []


def test_report_page_sections_and_charts_link_to_themselves(page: Path, visit: Callable[..., Any]) -> None:
    seen = visit(page)
    assert seen.page.evaluate(LOST) == []
    identities = seen.page.evaluate("() => [...document.querySelectorAll('[id]')].map((each) => each.id)")
    assert len(identities) == len(set(identities))
    assert {"profile", "time-to-gap", "scaling", "threads", "results"} <= set(identities)


def test_report_page_sorts_every_column_by_keyboard(page: Path, visit: Callable[..., Any]) -> None:
    seen = visit(page)
    headings = seen.page.locator("#cells th")
    for place in range(headings.count()):
        headings.nth(place).locator("button").focus()
        seen.page.keyboard.press("Enter")
        assert headings.nth(place).get_attribute("aria-sort") == "ascending"
        seen.page.keyboard.press("Space")
        assert headings.nth(place).get_attribute("aria-sort") == "descending"
    seen.page.locator("th[data-column=seconds] button").click()
    values = [row["seconds"] for row in rows(seen.page)]
    known = [float(value) for value in values if value]
    assert known == sorted(known)
    assert values.index("") == len(known), "what is not known comes last"


def test_report_page_warns_of_cells_under_load(page: Path, visit: Callable[..., Any]) -> None:
    seen = visit(page).page
    assert seen.locator(".facts").first.get_by_text("25% to 25% of the cores").count() == 1
    warnings = " ".join(seen.locator(".warning").all_text_contents())
    assert "6 of" in warnings
    assert "up to 25% of their cores" in warnings


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_report_page_texts_have_enough_contrast(scheme: str, page: Path, visit: Callable[..., Any]) -> None:
    seen = visit(page, color_scheme=scheme)
    seen.page.evaluate(OPEN_ALL)
    contrasts = seen.page.evaluate(CONTRASTS)
    assert len(contrasts) > 300
    faint = [each for each in contrasts if each[0] < 4.5]
    assert not faint, faint[:5]


def test_report_page_in_dark_mode_has_dark_charts(page: Path, visit: Callable[..., Any]) -> None:
    shades = {}
    for scheme in ("light", "dark"):
        seen = visit(page, "#status", color_scheme=scheme)
        for what, picture in (
            ("page", seen.page.screenshot()),
            ("chart", seen.page.locator("figure img").first.screenshot()),
        ):
            with Image.open(io.BytesIO(picture)) as image:
                shades[what, scheme] = image.convert("L").getpixel((2, 2))
    assert shades["page", "light"] > 240 > 40 > shades["page", "dark"]
    assert shades["chart", "light"] > 240 > 40 > shades["chart", "dark"]


@pytest.mark.parametrize("settings", [PHONE, {"viewport": {"width": 1280, "height": 800}}], ids=["phone", "desk"])
def test_report_page_never_scrolls_sideways(settings: dict[str, Any], page: Path, visit: Callable[..., Any]) -> None:
    seen = visit(page, **settings)
    seen.page.evaluate(OPEN_ALL)
    width = settings["viewport"]["width"]
    assert seen.page.evaluate("() => document.documentElement.scrollWidth") == width
    assert seen.page.evaluate("() => document.documentElement.clientWidth") == width
    # What is wider scrolls in its own frame.
    assert seen.page.evaluate(UNFRAMED) == 0


#: The files that the page links to, and how many pictures are no link.
LINKS = """() => {
  const links = [...document.querySelectorAll("main a[href]:not([href^='#'])")];
  const bare = [...document.images].filter((each) => !each.closest("a[href]"));
  return { files: links.map((each) => each.href), bare: bare.length };
}"""


@pytest.fixture(scope="module")
def gallery(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A page of the gallery with pictures, long names, and an animation."""
    folder = tmp_path_factory.mktemp("gallery")
    albums.album(Case("images-emd", 16), "auto", folder)
    albums.album(Case("tsne-grid", 16, 0, {"source": "digits", "rows": "points"}), "auto", folder)
    moving = folder / "gmm-flow-n3-0"
    moving.mkdir()
    frames = [Image.new("RGB", (60, 40), colour) for colour in ("red", "green", "blue")]
    page_copy.write(*save_animation(frames, moving / "flow"))
    pictures = (albums.Picture(moving / "flow.gif", "Three colours", "Red, green, blue."),)
    albums.write_about(albums.Album("gmm-flow:n=3", "Flow", pictures=pictures, seconds=3.0), moving)
    return write_gallery(folder)


def pictures_below(page: Path) -> list[Path]:
    """The pictures of the albums of a gallery, without the cards."""
    return [path for path in page.parent.glob("*/*") if path.suffix in albums.SHOWN and path.name != albums.CARD]


def test_gallery_page_opens_on_images_on_a_grid_and_describes_every_picture(
    gallery: Path, visit: Callable[..., Any]
) -> None:
    seen = visit(gallery, viewport={"width": 1280, "height": 800}, java_script_enabled=False)
    first = seen.page.locator("main img").first
    box = first.bounding_box()
    assert box["width"] > 700
    assert box["y"] < 200
    assert first.get_attribute("alt").startswith("A square filled with 16 small images")
    assert seen.page.locator("img[alt='']").count() == 0


def test_gallery_pages_of_one_application_show_it_alone(gallery: Path, visit: Callable[..., Any]) -> None:
    for page in gallery.parent.glob("*/index.html"):
        seen = visit(page, **PHONE)
        assert seen.page.locator("section").count() == 1
        assert seen.page.evaluate("() => document.documentElement.scrollWidth") == 390
        assert (seen.requests, seen.complaints) == ([], [])


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_gallery_page_fits_a_phone_and_loads_nothing(scheme: str, gallery: Path, visit: Callable[..., Any]) -> None:
    seen = visit(gallery, "#gmm-flow-n3-0", color_scheme=scheme, **PHONE)
    assert seen.page.evaluate("() => document.documentElement.scrollWidth") == 390
    shown = pictures_below(gallery)
    assert seen.page.evaluate("() => document.images.length") == len(shown) >= 6
    assert seen.page.evaluate("() => [...document.images].every((each) => each.complete && each.naturalWidth)")
    assert seen.page.evaluate(LOST) == []
    assert [each for each in seen.page.evaluate(CONTRASTS) if each[0] < 4.5] == []
    assert (seen.requests, seen.complaints) == ([], [])


def test_gallery_page_pictures_link_to_their_files(gallery: Path, visit: Callable[..., Any]) -> None:
    seen = visit(gallery)
    found = seen.page.evaluate(LINKS)
    assert found["bare"] == 0
    files = [Path(urllib.parse.unquote(urllib.parse.urlparse(link).path)) for link in found["files"]]
    more = [path for path in gallery.parent.glob("*/*") if path.name in ("index.html", albums.CARD)]
    assert sorted(files) == sorted([*pictures_below(gallery), *more])
    seen.page.locator("main figure a[href$='.gif']").click()
    seen.page.wait_for_url("**/flow.gif")
    assert (seen.requests, seen.complaints) == ([], [])


def test_gallery_page_without_files_shows_its_pictures(
    gallery: Path, tmp_path: Path, visit: Callable[..., Any]
) -> None:
    alone = tmp_path / "index.html"
    alone.write_bytes(gallery.read_bytes())
    seen = visit(alone)
    assert seen.page.evaluate("() => [...document.images].every((each) => each.complete && each.naturalWidth)")


@pytest.mark.parametrize(("wish", "kind"), [("no-preference", "image/gif"), ("reduce", "image/webp")])
def test_gallery_page_with_reduced_motion_shows_still_images(
    wish: str, kind: str, gallery: Path, visit: Callable[..., Any]
) -> None:
    seen = visit(gallery, reduced_motion=wish)
    flow = seen.page.locator("figure:has(a[href$='.gif']) img")
    assert flow.evaluate("(image) => image.currentSrc").startswith(f"data:{kind};")
    with Image.open(io.BytesIO(flow.screenshot())) as shown:
        colour = shown.convert("RGB").getpixel((shown.width // 2, shown.height // 2))
    if wish == "reduce":
        assert colour == (0, 0, 255), "the last frame"
