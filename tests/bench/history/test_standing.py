"""The standing of a history since a commit, in words and as a badge."""

from __future__ import annotations

import json
import xml.etree.ElementTree as ElementTree
from collections.abc import Sequence

import pytest
from rich.console import Console

from lapmark.bench.history.badge import Badge, badge
from lapmark.bench.history.measurement import Commit, Measurement, Snapshot
from lapmark.bench.history.rendering import MOST_SHOWN, text
from lapmark.bench.history.series import timeline
from lapmark.bench.history.standing import Standing, place_of, standing, summary


def commit(place: int) -> Commit:
    return Commit(hash=f"{place:02x}" * 20, time=f"2026-01-{place + 1:02}T12:00:00+00:00", subject=f"Number {place}")


def state(cells: dict[str, Sequence[dict]], since: int = 0, **machine: object) -> Standing:
    """Return the standing of cells by name, with what is known of each at each commit; None where not measured."""
    count = max(map(len, cells.values()))
    snapshots = [
        Snapshot(
            commit=commit(place),
            source="lapmark",
            machine={"cpu": "EPYC", "cores": 2, **machine},
            measurements=[
                Measurement(**{"name": name, "certified": True, **each[place]})
                for name, each in cells.items()
                if place < len(each) and each[place] is not None
            ],
        )
        for place in range(count)
    ]
    return standing(timeline(snapshots), since)


def times(*seconds: float) -> list[dict]:
    return [{"median": each, "lower": each, "upper": each} for each in seconds]


def scans(*counts: int) -> list[dict]:
    return [{"counters": {"scans": count}} for count in counts]


SLOWER = times(1, 1, 1, 1, 2, 2, 2, 2)
STEADY = times(*[1] * 8)


def test_standing_lists_the_worst_first_and_counts_each_state() -> None:
    found = state(
        {
            "steady": STEADY,
            "faster": times(4, 4, 4, 4, 1, 1, 1, 1),
            "slower": SLOWER,
            "much slower": times(1, 1, 1, 1, 9, 9, 9, 9),
            "gone": times(1, 1, 1),
            "broken": [*times(*[1] * 7), {"status": "wrong", "message": "no permutation", "certified": False}],
        }
    )
    names = ["broken", "much slower", "slower", "faster", "steady", "gone"]
    assert [cell.series.name for cell in found.cells] == names
    assert [round(cell.ratio, 2) for cell in found.cells] == [1, 9, 2, 0.25, 1, 1]
    assert (found.total, found.certified) == (5, 4)
    assert summary(found) == (
        "5 cells (4 certified) on 8 commits, 2026-01-01 to 2026-01-08. "
        "Since 0000000000 (2026-01-01): 1 failing, 2 worse, 1 better."
    )


def test_standing_since_a_later_commit_forgets_what_changed_before() -> None:
    cells = {"slower": SLOWER, "more": scans(1, 1, 2, 2, 2, 2, 2, 2)}
    assert [cell.state for cell in state(cells).cells] == ["worse", "worse"]
    assert [cell.state for cell in state(cells, since=5).cells] == ["steady", "steady"]


def test_standing_of_a_counter_that_came_back_is_steady() -> None:
    assert [cell.state for cell in state({"a": scans(5, 9, 5)}).cells] == ["steady"]
    assert [cell.state for cell in state({"a": scans(0, 3)}).cells] == ["worse"]


def test_place_of_a_commit_is_that_of_the_last_one_measured_before_it() -> None:
    commits = [commit(0), commit(2)]
    assert place_of(commits, commit(2)) == 1
    assert place_of(commits, commit(1)) == 0
    early = Commit(hash="ee" * 20, time="2025-01-01T00:00:00+00:00")
    with pytest.raises(ValueError, match="has neither eeeeeeeeee nor a commit before it"):
        place_of(commits, early)


@pytest.mark.parametrize(
    ("cells", "message"),
    [
        ({"a": STEADY}, "1 cell certified"),
        ({"a": STEADY, "b": STEADY}, "2 cells certified"),
        ({"a": [{"certified": False, **each} for each in STEADY]}, "1 cell"),
        ({"a": SLOWER, "b": STEADY}, "1 slower since 2026-01-01"),
        ({"a": SLOWER, "b": scans(*[1] * 7, 2)}, "2 worse since 2026-01-01"),
        ({"a": SLOWER, "b": [{"status": "crash", "certified": False}] * 8}, "1 failing"),
    ],
)
def test_badge_says_the_worst(cells: dict[str, Sequence[dict]], message: str) -> None:
    assert badge(state(cells)).message == message


def test_badge_names_the_commit_that_it_compares_with() -> None:
    assert badge(state({"a": SLOWER}), "v1.0").message == "1 slower since v1.0"


def test_badge_is_valid_svg_and_an_endpoint_for_shields() -> None:
    made = Badge("1 slower since <v1&2>", "#a65b00")
    root = ElementTree.fromstring(made.svg())
    assert root.find("{*}title").text == "lapmark: 1 slower since <v1&2>"
    assert json.loads(made.json()) == {
        "schemaVersion": 1,
        "label": "lapmark",
        "message": "1 slower since <v1&2>",
        "color": "a65b00",
    }


def shown(found: Standing, width: int, is_terminal: bool = True) -> str:
    console = Console(width=width, force_terminal=is_terminal, color_system=None, highlight=False)
    with console.capture() as capture:
        for part in text(found, ["h/x.json is damaged: it is not JSON; restore or delete it"]):
            console.print(part, soft_wrap=not is_terminal)
    return capture.get()


def test_text_lists_changes_by_commit_and_fits_the_width() -> None:
    cells = {"a solver with a name on a problem with a long name n=1000": SLOWER, "b[0]": scans(*[1000] * 7, 1001)}
    output = shown(state(cells), 60)
    assert max(map(len, output.splitlines())) <= 60
    assert "damaged h/x.json is damaged" in output
    assert "0404040404 2026-01-05 Number 4\n  slower  a solver with" in output
    assert "more work  b[0]: scans 1,000 → 1,001 (1.001×)" in output


def test_text_in_a_pipe_has_a_line_for_each_change() -> None:
    output = shown(state({"a" * 100: SLOWER}), 60, is_terminal=False)
    assert f"  slower  {'a' * 100}: time 1 s → 2 s (2×)" in output.splitlines()


def test_text_of_many_changes_says_how_many_are_left() -> None:
    output = shown(state({f"cell {k}": scans(1, 2) for k in range(MOST_SHOWN + 3)}), 80)
    assert output.count("more work") == MOST_SHOWN
    assert "3 more changes are on the page" in output
