"""The line that says what is being done."""

from __future__ import annotations

import pytest

from lapmark.bench.util import status_line
from lapmark.bench.util.status_line import doing


def test_status_line_of_nested_tasks_shows_each_and_the_seconds() -> None:
    def line() -> str:
        return status_line._CurrentText().__rich__().plain

    with doing("one [1] of two"):
        with doing("building") as say:
            assert line().startswith("one [1] of two: building (")
            assert line().endswith(" s)")
            say("drawing")
            assert line().startswith("one [1] of two: drawing (")
        assert line().startswith("one [1] of two (")
    assert line() == ""


def test_status_line_with_a_listener_gives_it_every_text(monkeypatch: pytest.MonkeyPatch) -> None:
    said: list[str] = []
    monkeypatch.setattr(status_line, "_listener", None)
    status_line.pass_on(said.append)
    with doing("one"), doing("building") as say:
        say("drawing")
    assert said == ["one", "one: building", "one: drawing"]
