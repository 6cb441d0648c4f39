"""The legend of a picture: each label beside its colour, in rows below the cells."""

from collections.abc import Sequence
from dataclasses import dataclass

from PIL import ImageFont


@dataclass(frozen=True)
class Entry:
    """A label: its text, its colour, and the left and the middle of its swatch in pixels."""

    text: str
    colour: str
    x: float
    y: float


@dataclass(frozen=True)
class Legend:
    """Entries, the side of their swatches, and the height of all, in pixels."""

    entries: tuple[Entry, ...] = ()
    side: float = 0
    height: int = 0


def arrange(labels: Sequence[tuple[str, str]], font: ImageFont.FreeTypeFont, width: int, top: int) -> Legend:
    """Arrange labels, each with its colour, in columns of equal width below the pixel `top`."""
    if not labels:
        return Legend()
    side = 0.7 * font.size
    widest = max(font.getlength(text) for text, _ in labels) + 2.4 * side
    margin = min(0.6 * font.size, width / 20)
    columns = max(1, min(len(labels), int((width - 2 * margin) // widest)))
    rows = -(-len(labels) // columns)
    line = 1.5 * font.size
    entries = [
        # Down the columns, so that numbers are read as in a list.
        Entry(text, colour, margin + k // rows * widest, top + margin + (k % rows + 0.5) * line)
        for k, (text, colour) in enumerate(labels)
    ]
    return Legend(tuple(entries), side, round(2 * margin + rows * line))
