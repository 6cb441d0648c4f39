"""The page of a history: what it says, and that it works in a browser, on a telephone and in the dark."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from browsers import CONTRASTS, HOSTILE, PHONE

from lapmark.bench.history.history_store import History
from lapmark.bench.history.measurement import Commit, Measurement, Snapshot
from lapmark.bench.history.series import timeline
from lapmark.bench.history.standing import standing
from lapmark.reports.history.history_page import render
from lapmark.reports.history.page_data import data, sparkline

COUNT = 20


def snapshots(count: int = COUNT, names: tuple[str, ...] = ("jv on uniform n=500", *HOSTILE)) -> list[Snapshot]:
    """Return a history in which the first cell is slower from the 12th commit on, and does more work from the 5th."""
    random = np.random.default_rng(0)
    found = []
    for place in range(count):
        cells = []
        for number, name in enumerate(names):
            time = np.exp(random.normal(0, 0.02)) * 1e-3 * (2.0 if number == 0 and place >= 12 else 1.0)
            spread = {"median": time, "lower": 0.97 * time, "upper": 1.04 * time, "samples": 30, "rounds": 3}
            counters = {"scans": 100 + (number == 0 and place >= 5)}
            cells.append(
                Measurement(name=name, certified=number == 0, **spread, counters=counters, peak_memory=1 << 20)
            )
        cells.append(Measurement(name="broken", status="wrong", message=HOSTILE[0]))
        hash = f"{place:02x}" * 20
        commit = Commit(hash=hash, time=f"2026-01-{place + 1:02}T12:00:00+00:00", subject=HOSTILE[place % len(HOSTILE)])
        machine = {"cpu": f"CPU {HOSTILE[2]}", "cores": 2}
        versions = {"numpy": "2.4", "x": HOSTILE[1]}
        found.append(Snapshot(commit=commit, source="lapmark", machine=machine, versions=versions, measurements=cells))
    return found


def page(found: list[Snapshot], url: str = "") -> str:
    state = standing(timeline(found))
    return render(state, History(tuple(found), (f"damaged {HOSTILE[0]}",)), url)


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("history") / "index.html"
    path.write_text(page(snapshots(), "https://github.com/some/project/commit/"), encoding="utf-8")
    return path


def test_page_lists_changes_with_their_commits_the_worst_first() -> None:
    text = page(snapshots(), "https://example.com/commit/")
    rows = re.findall(r"<tr>\s*<td><span class=\"verdict (\w+)\">([\w ]+)</span>.*?</tr>", text, re.DOTALL)
    assert rows == [("worse", "slower"), ("worse", "more work")]
    assert f'href="https://example.com/commit/{"0c" * 20}"' in text
    assert "100 → 101" in text
    assert "1.01×" in text


def test_page_without_an_address_has_no_links_to_commits() -> None:
    assert "http" not in page(snapshots()).replace("http-equiv", "").replace("http://www.w3.org/2000/svg", "")


def test_data_has_the_exact_counters_and_the_levels_of_the_times() -> None:
    state = standing(timeline(snapshots()))
    found = json.loads(json.dumps(data(state, "")))
    series = found["series"][[cell.series.name for cell in state.cells].index("jv on uniform n=500")]
    assert series["quantities"][0] == {"name": "scans", "unit": "count", "steps": [[0, 100], [5, 101]]}
    assert [place for place, _ in series["levels"]] == [0, 12]
    assert series["below"] == [30] * COUNT
    assert series["above"] == [40] * COUNT
    assert found["places"][series["at"]] == list(range(COUNT))


def test_data_of_a_long_history_is_small() -> None:
    state = standing(timeline(snapshots(28, tuple(f"cell {k}" for k in range(100)))))
    content = json.dumps(data(state, ""), separators=(",", ":"))
    assert len(content) < 28 * 100 * 30


def test_sparkline_of_a_constant_is_flat_and_of_one_commit_none() -> None:
    def line(*times: float) -> Any:
        cells = [Measurement(name="a", median=time, lower=time, upper=time) for time in times]
        found = [
            Snapshot(
                commit=Commit(hash=f"{place:02x}" * 20, time=f"2026-01-{place + 1:02}T12:00:00+00:00"),
                source="lapmark",
                machine={},
                measurements=[cell],
            )
            for place, cell in enumerate(cells)
        ]
        (series,) = timeline(found).series
        return sparkline(series, len(times))

    assert line(1.0) is None
    assert line(1.0, 1.0, 1.0) == {"line": "1,12.0 60,12.0 119,12.0", "worse": "", "better": ""}
    assert line(1e-300, 0.0) is not None


def test_page_in_a_browser_runs_nothing_of_the_data(file: Path, visit: Callable[..., Any]) -> None:
    seen = visit(file)
    assert seen.page.evaluate("() => window.hacked") is None
    assert seen.page.locator("summary .name").all_inner_texts()[1] == "jv on uniform n=500"
    assert {HOSTILE[0], HOSTILE[1]} <= set(seen.page.locator("summary .name").all_text_contents())
    assert (seen.requests, seen.complaints) == ([], [])


def test_page_opens_a_cell_by_its_address_and_draws_its_charts(file: Path, visit: Callable[..., Any]) -> None:
    seen = visit(file, "#cell-1")
    cell = seen.page.locator("#cell-1")
    cell.locator("svg.chart").nth(1).wait_for()
    assert cell.locator("svg.chart").count() == 2
    assert cell.locator("h4").all_inner_texts() == ["scans"]
    assert cell.locator("text.worse").all_text_contents() == ["0c0c0c0", "0505050"]
    assert cell.locator(".level").count() == 2
    assert "ms" in cell.locator("svg.chart text").first.text_content()
    box = cell.locator("svg.chart").first.bounding_box()
    seen.page.mouse.move(box["x"] + 80, box["y"] + 50)
    reading = cell.locator("output").text_content()
    assert reading.startswith("0000000000 2026-01-01")
    assert re.search(r"(0\.9|1)\d* ms \(.* – .*, 30 samples\), scans 100, memory 1 MiB", reading)
    assert cell.locator("output a").get_attribute("href") == "https://github.com/some/project/commit/0000000000"
    assert (seen.requests, seen.complaints) == ([], [])


def test_page_filters_sorts_and_keeps_that_in_its_address(file: Path, visit: Callable[..., Any]) -> None:
    seen = visit(file)
    seen.page.get_by_label("state").select_option("worse")
    assert seen.page.locator("#filters output").inner_text() == "1 of 7"
    assert seen.page.evaluate("() => location.hash") == "#state=worse"
    seen.page.get_by_role("button", name="clear").click()
    seen.page.get_by_label("sort").select_option("name")
    seen.page.wait_for_function("() => location.hash === '#sort=name'")
    names = seen.page.locator("#list summary .name").all_text_contents()
    assert names.index("broken") < names.index("jv on uniform n=500")
    seen.page.get_by_label("text").fill("UNIFORM")
    assert seen.page.locator("details.cell:visible").count() == 1
    again = visit(file, "#state=failing")
    assert again.page.locator("details.cell:visible .name").all_inner_texts() == ["broken"]
    assert (seen.complaints, again.complaints) == ([], [])


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_page_on_a_telephone_fits_and_can_be_read(file: Path, visit: Callable[..., Any], scheme: str) -> None:
    seen = visit(file, "#cell-1", **PHONE, color_scheme=scheme)
    seen.page.locator("#cell-1 svg.chart").first.wait_for()
    assert seen.page.evaluate("() => document.documentElement.scrollWidth <= innerWidth")
    assert [each for each in seen.page.evaluate(CONTRASTS) if each[0] < 4.5 and each[1] != "text"] == []
    assert (seen.requests, seen.complaints) == ([], [])
