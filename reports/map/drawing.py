"""A map of items on the nodes of a grid: a picture, an SVG with names of cells, or a page to zoom into."""

import io
import re
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import matplotlib.font_manager
import numpy as np
from PIL import Image, ImageDraw, ImageFont

from lapmark.bench.applications.grid_map.pipeline import Layout
from lapmark.bench.problems.applied.square_grid import unit_square
from lapmark.bench.util.atomic_write import write_atomically
from lapmark.reports.format import printable
from lapmark.reports.page.html import data_url, fill, template
from lapmark.reports.pictures.class_marks import PALETTE, amid
from lapmark.reports.pictures.mosaic import mosaic

#: Colours of the corners bottom left, bottom right, top left and top right, in linear light. Without images and labels,
#: a cell's colour shows the point of its item in the plane: dark to light upwards, blue to yellow across, which most
#: colour-blind people see best.
CORNERS = np.array([[[0.01, 0.06, 0.42], [0.42, 0.10, 0.0]], [[0.42, 0.75, 1.0], [1.0, 0.80, 0.18]]])

#: Smallest side of a cell with a black line between cells of one colour.
LINED = 6

#: Most labels that are written on the map and listed beside it, and most letters of one.
MOST_LABELS, LETTERS = 40, 24

#: Characters that XML does not allow.
NOT_IN_XML = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")


def write_map(layout: Layout, path: Path, title: str, side: int) -> Path:
    """Draw a collection on its grid, in cells of so many pixels a side; the name ends in `.png`, `.svg` or `.html`."""
    return write_atomically(path, Map(layout, side, title).render(path.suffix.lower()))


@dataclass(frozen=True)
class Word:
    """A label on the picture: its text, and the pixel of its middle."""

    text: str
    x: float
    y: float


@dataclass(frozen=True, eq=False)
class Map:
    """A collection on its grid.

    Attributes
    ----------
    side : int
        Side of a cell in pixels.
    """

    layout: Layout
    side: int
    title: str

    def render(self, suffix: str) -> bytes:
        """Return the map in the format of an ending: `.png`, `.svg` or `.html`."""
        return {".png": self.png, ".svg": self.svg, ".html": self.html}[suffix]()

    def png(self) -> bytes:
        """Return the picture with the labels of its colours."""
        image = Image.fromarray(self.picture)
        draw = ImageDraw.Draw(image)
        for word in self.words:
            outline: dict[str, Any] = {"stroke_width": self.font.size / 8, "stroke_fill": "black"}
            draw.text((word.x, word.y), word.text, "white", self.font, "mm", **outline)
        return _png(image)

    def svg(self) -> bytes:
        """Return the picture with a name for each cell; cells without images are shapes."""
        drawing = template("map.svg").render(
            title=self.title,
            width=self.width,
            height=self.height,
            side=self.side - self._line,
            picture=data_url("image/png", _png(Image.fromarray(self.picture))) if self._has_images else "",
            cells=zip(
                (self.layout.nodes[:, ::-1] * self.side).tolist(),
                ["transparent"] * len(self.layout.nodes) if self._has_images else map(_hex, self.colours),
                self._names(),
                strict=True,
            ),
            size=self.font.size,
            words=self.words,
        )
        return NOT_IN_XML.sub("�", drawing).encode()

    def html(self) -> bytes:
        """Return a self-contained page to zoom into, which names the item below the pointer."""
        collection = self.layout.collection
        classes = collection.classes
        swatches = [""] * len(classes) if self._has_images else map(_hex, _palette(len(classes)))
        page = fill(
            "map.html",
            scripts=("map.js",),
            looks=("map.css",),
            heading=self.title,
            facts=self.layout.facts,
            picture=data_url("image/png", _png(Image.fromarray(self.picture))),
            width=self.width,
            height=self.height,
            legend=list(zip(classes, swatches, strict=True)) if len(classes) <= MOST_LABELS else [],
            data={
                "shape": self.layout.shape,
                "side": self.side,
                "nodes": (self.layout.nodes @ [self.layout.shape[1], 1]).tolist(),
                "names": collection.names,
                "classes": classes,
                "labels": self._numbers.tolist(),
            },
        )
        return page.encode()

    @property
    def width(self) -> int:
        """Of the picture, in pixels."""
        return self.layout.shape[1] * self.side

    @property
    def height(self) -> int:
        """Of the picture, in pixels."""
        return self.layout.shape[0] * self.side

    @cached_property
    def picture(self) -> np.ndarray:
        """All cells, (height, width) or (height, width, 3) uint8; empty cells are black."""
        if self.layout.collection.images is not None:
            return mosaic(self.layout.collection.images, self.layout.nodes, self.layout.shape, self.side)
        cells = np.zeros((*self.layout.shape, 3), np.uint8)
        cells[tuple(self.layout.nodes.T)] = self.colours
        picture = cells.repeat(self.side, axis=0).repeat(self.side, axis=1)
        if self._line:
            picture[self.side - 1 :: self.side] = 0
            picture[:, self.side - 1 :: self.side] = 0
        return picture

    @property
    def colours(self) -> np.ndarray:
        """Colours of cells without images, (n, 3) uint8: by label, or else by point in the plane."""
        if self.layout.collection.labels is None:
            return by_place(self.layout.points)
        return _palette(len(self.layout.collection.classes))[self._numbers]

    @cached_property
    def font(self) -> ImageFont.FreeTypeFont:
        """The font of the labels, in proportion to the picture."""
        size = max(10.0, 0.03 * max(self.width, self.height))
        return ImageFont.truetype(matplotlib.font_manager.findfont("DejaVu Sans:bold"), size)

    @cached_property
    def words(self) -> list[Word]:
        """The labels of the colours, each in the middle of its cells; none covers a more frequent one."""
        classes = self.layout.collection.classes
        if self._has_images or len(classes) > MOST_LABELS:
            return []
        words: list[Word] = []
        for k in np.argsort(-np.bincount(self._numbers, minlength=len(classes)), kind="stable"):
            nodes = self.layout.nodes[self._numbers == k]
            text = printable(" ".join(classes[k].split()), LETTERS)  # a font cannot draw line breaks
            middle = (nodes[amid(nodes)][::-1] + 0.5) * self.side
            room = np.array([self._half(text), self.font.size])
            size = np.array([self.width, self.height])
            x, y = np.clip(middle, room, np.maximum(size - room, size / 2)).round(1).tolist()
            word = Word(text, x, y)
            if not any(self._covers(word, other) for other in words):
                words.append(word)
        return words

    def _half(self, text: str) -> float:
        return self.font.getlength(text) / 2 + self.font.size / 8

    def _covers(self, word: Word, other: Word) -> bool:
        near = abs(word.y - other.y) < 1.3 * self.font.size
        return near and abs(word.x - other.x) < self._half(word.text) + self._half(other.text)

    @property
    def _has_images(self) -> bool:
        return self.layout.collection.images is not None

    @property
    def _line(self) -> int:
        """Width of the line between cells in pixels."""
        return int(not self._has_images and self.side >= LINED)

    @cached_property
    def _numbers(self) -> np.ndarray:
        """Index of each label among the classes, (n,); empty without labels."""
        number = {label: k for k, label in enumerate(self.layout.collection.classes)}
        return np.array([number[label] for label in self.layout.collection.labels or ()], np.intp)

    def _names(self) -> list[str]:
        """Return the name, label and position of each cell as text."""
        names, labels = self.layout.collection.names, self.layout.collection.labels
        things = names if labels is None else map(" · ".join, zip(names, labels, strict=True))
        nodes = self.layout.nodes.tolist()
        return [f"{thing} · row {row}, column {column}" for thing, (row, column) in zip(things, nodes, strict=True)]


def by_place(points: np.ndarray) -> np.ndarray:
    """Return a colour for each of points (n, 2), (n, 3) uint8, that changes evenly in both directions."""
    across, up = unit_square(points).T[..., None]
    linear = (1 - up) * ((1 - across) * CORNERS[0, 0] + across * CORNERS[0, 1])
    linear += up * ((1 - across) * CORNERS[1, 0] + across * CORNERS[1, 1])
    encoded = np.where(linear <= 0.0031308, 12.92 * linear, 1.055 * linear ** (1 / 2.4) - 0.055)  # IEC 61966-2-1, sRGB
    return np.rint(255 * encoded).astype(np.uint8)


def _palette(count: int) -> np.ndarray:
    """Return colours for `count` labels, (count, 3) uint8; they repeat after ten."""
    return np.rint(255 * PALETTE[np.arange(count) % len(PALETTE)]).astype(np.uint8)


def _hex(colour: np.ndarray) -> str:
    return "#" + bytes(colour).hex()


def _png(image: Image.Image) -> bytes:
    with io.BytesIO() as file:
        image.save(file, "PNG")
        return file.getvalue()
