"""The badge of a history: a few words, as an image or as the answer of a server for shields.io."""

from __future__ import annotations

import json
from dataclasses import dataclass
from xml.sax.saxutils import escape

from .standing import Standing

LABEL = "lapmark"

#: Colours of white text's ground: at least 4.5 to 1 in contrast.
GREEN, ORANGE, RED, BLUE, GREY = "#2a7d3f", "#a65b00", "#b3261e", "#1f6feb", "#555555"

#: Width of the letters of Verdana at 11 px, in pixels, by groups of letters of about the same width.
_WIDTHS = {"ijl.,:'|! ": 4.0, "ftrI()[]/-": 5.0, "mwMW%@": 10.5, "cksvxyz": 6.0}
_WIDTH = 7.2

_HEIGHT, _PADDING = 20, 6


@dataclass(frozen=True)
class Badge:
    """The text to the right of the label, and its colour."""

    message: str
    colour: str

    def svg(self) -> str:
        """Return the badge as an image."""
        left, right = (round(_width(text)) + 2 * _PADDING for text in (LABEL, self.message))
        message = escape(self.message)
        return (
            f'<svg xmlns="http://www.w3.org/2000/svg" width="{left + right}" height="{_HEIGHT}" role="img" '
            f'aria-label="{LABEL}: {message}"><title>{LABEL}: {message}</title>'
            f'<clipPath id="round"><rect width="{left + right}" height="{_HEIGHT}" rx="3"/></clipPath>'
            f'<g clip-path="url(#round)"><rect width="{left}" height="{_HEIGHT}" fill="{GREY}"/>'
            f'<rect x="{left}" width="{right}" height="{_HEIGHT}" fill="{self.colour}"/></g>'
            f'<g fill="#fff" text-anchor="middle" font-family="Verdana,DejaVu Sans,sans-serif" font-size="11">'
            f'<text x="{left / 2:g}" y="14" textLength="{left - 2 * _PADDING}">{LABEL}</text>'
            f'<text x="{left + right / 2:g}" y="14" textLength="{right - 2 * _PADDING}">{message}</text></g></svg>\n'
        )

    def json(self) -> str:
        """Return the badge in the format of an endpoint for shields.io."""
        content = {"schemaVersion": 1, "label": LABEL, "message": self.message, "color": self.colour.lstrip("#")}
        return json.dumps(content, ensure_ascii=False) + "\n"


def badge(standing: Standing, since: str = "") -> Badge:
    """Return the badge of a standing; `since` is the name of the commit that it is compared with, else its date."""
    failing, worse = standing.count("failing"), standing.count("worse")
    if failing:
        return Badge(f"{failing} failing", RED)
    if worse:
        slower = all(cell.is_slower for cell in standing.cells if cell.state == "worse")
        return Badge(f"{worse} {'slower' if slower else 'worse'} since {since or standing.since.time[:10]}", ORANGE)
    if standing.certified:
        return Badge(f"{standing.certified} cell{'s' * (standing.certified != 1)} certified", GREEN)
    return Badge(f"{standing.total} cell{'s' * (standing.total != 1)}", BLUE)


def _width(text: str) -> float:
    """Return the width of a text in pixels."""
    by_letter = {letter: width for letters, width in _WIDTHS.items() for letter in letters}
    return sum(by_letter.get(letter, _WIDTH) for letter in text)
