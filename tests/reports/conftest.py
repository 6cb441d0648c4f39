from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import report_records

from lapmark.bench.results.record import Record


@pytest.fixture(scope="session")
def records() -> list[Record]:
    """Certified cells, an approximate curve, and a cell of every failing status."""
    return report_records.every_kind()


@dataclass
class Visit:
    """A page in the browser, what it has asked the network for, and what it has complained of."""

    page: Any
    requests: list[str] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)


@pytest.fixture
def visit(browser: Any) -> Iterator[Callable[..., Visit]]:
    """Opens a file at a fragment, with settings of the browser such as its colours and its size; nothing gets out."""
    contexts = []

    def go(path: Path, fragment: str = "", **settings: Any) -> Visit:
        contexts.append(browser.new_context(**settings))
        page = contexts[-1].new_page()
        visit = Visit(page)

        def refuse(route: Any) -> None:
            visit.requests.append(route.request.url)
            route.abort()

        page.route(lambda url: not url.startswith("file:"), refuse)
        page.on("console", lambda message: visit.complaints.append(message.text))
        page.on("pageerror", lambda error: visit.complaints.append(str(error)))
        page.goto(path.as_uri() + fragment)
        return visit

    yield go
    for context in contexts:
        context.close()
