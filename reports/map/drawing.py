"""A map of items on the nodes of a grid: a picture, an SVG with names of cells, or a page to zoom into."""

import io
import os
import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any
from urllib.parse import quote

import matplotlib.font_manager
import numpy as np
from PIL import Image, ImageDraw, ImageFont

from lapmark.bench.applications.grid_map.pipeline import Layout
from lapmark.bench.problems.applied.square_grid import unit_square
from lapmark.bench.util.atomic_write import write_atomically
from lapmark.reports.format import printable
from lapmark.reports.page.html import data_url, fill, template
from lapmark.reports.pictures.class_marks import PALETTE, amid

from . import legend, painting
from .cells import Cells
from .painting import Look

#: Colours of the corners bottom left, bottom right, top left and top right, in linear light. Without images and labels,
#: a cell's colour shows the point of its item in the plane: dark to light upwards, blue to yellow across, which most
#: colour-blind people see best.
CORNERS = np.array([[[0.01, 0.06, 0.42], [0.42, 0.10, 0.0]], [[0.42, 0.75, 1.0], [1.0, 0.80, 0.18]]])

#: Smallest side of a cell with a line between cells of one colour.
LINED = 6

#: Most labels that are written on the map and listed below it, most that a page lists, and most letters of one.
MOST_LABELS, MOST_LISTED, LETTERS = 40, 400, 24

#: Colours of the legend below a picture, on a dark background and on a light one.
LEGEND_DARK, LEGEND_LIGHT = ("#1c1c1c", "#f0f0f0"), ("#ffffff", "#1c1c1c")

#: Shades of the ten colours, for labels 1 to 10, 11 to 20, …: parts of white, or of black if negative.
SHADES = (0.0, -0.6, 0.55, -0.35)

#: Characters that XML does not allow.
NOT_IN_XML = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")


def write_map(layout: Layout, path: Path, title: str, side: int, look: Look = Look()) -> Path:  # noqa: B008 (frozen)
    """Draw a collection on its grid, in cells of so many pixels a side; the name ends in `.png`, `.svg` or `.html`."""
    return write_atomically(path, Map(layout, side, title, look).render(path.suffix.lower(), path.parent))


@dataclass(frozen=True)
class Word:
    """A text on the picture, and the pixel of its middle."""

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
    look: Look = Look()  # noqa: RUF009 (frozen)

    def render(self, suffix: str, folder: Path | None = None) -> bytes:
        """Return the map in the format of an ending: `.png`, `.svg` or `.html`; links go out from a folder."""
        return {".png": self.png, ".svg": lambda: self.svg(folder), ".html": lambda: self.html(folder)}[suffix]()

    def png(self) -> bytes:
        """Return the picture with the labels of its colours."""
        return _png(self.image())

    def image(self) -> Image.Image:
        """Return the picture with captions, the labels of its colours, and the legend."""
        image = self._captioned()
        ground, ink = self._legend_colours
        if self.legend.height:
            whole = Image.new(image.mode, (self.width, self.full_height), ground)
            whole.paste(image)
            image = whole
        draw = ImageDraw.Draw(image)
        for word in self.words:
            outline: dict[str, Any] = {"stroke_width": self.font.size / 8, "stroke_fill": "black"}
            draw.text((word.x, word.y), word.text, "white", self.font, "mm", **outline)
        for entry in self.legend.entries:
            box = (entry.x, entry.y - self.legend.side / 2, entry.x + self.legend.side, entry.y + self.legend.side / 2)
            draw.rectangle(box, entry.colour)
            draw.text((entry.x + 1.5 * self.legend.side, entry.y), entry.text, ink, self.legend_font, "lm")
        return image

    def svg(self, folder: Path | None = None) -> bytes:
        """Return the picture with a name for each cell; cells without images are shapes."""
        drawing = template("map.svg").render(
            title=self.title,
            width=self.width,
            height=self.height,
            full_height=self.full_height,
            background=_hex(np.array(self.look.ground, np.uint8)),
            side=self.cells.size[1],
            # Programs that know rectangles only show a square map.
            polygon=" ".join(f"{x:g},{y:g}" for x, y in self.cells.polygon) if self.layout.lattice.is_hexagonal else "",
            picture=data_url("image/png", _png(Image.fromarray(self.picture))) if self._has_images else "",
            dots=[] if self._has_images else self.cells.centres(self.layout.empty)[:, ::-1].tolist(),
            radius=painting.DOT / 2 * self.side,
            mark=_hex(np.array(self.look.mark, np.uint8)),
            cells=zip(
                self.cells.corners(self.layout.nodes)[:, ::-1].tolist(),
                ["transparent"] * len(self.layout.nodes) if self._has_images else map(_hex, self.colours),
                self._names(),
                self.links(folder) or [""] * len(self.layout.nodes),
                strict=True,
            ),
            size=self.font.size,
            words=self.words,
            captions=self.captions,
            caption_size=self.caption_font.size if self.captions else 0,
            ink=self.look.ink,
            legend=self.legend,
            legend_size=self.legend_font.size,
            legend_colours=self._legend_colours,
        )
        return NOT_IN_XML.sub("�", drawing).encode()

    def html(self, folder: Path | None = None) -> bytes:
        """Return a self-contained page to zoom into, which names the item below the pointer."""
        collection = self.layout.collection
        classes = collection.classes
        swatches = [""] * len(classes) if self._has_images else map(_hex, palette(len(classes)))
        counts = np.bincount(self._numbers, minlength=len(classes)).tolist() if classes else []
        page = fill(
            "map.html",
            scripts=("map.js",),
            looks=("map.css",),
            heading=self.title,
            facts=self.layout.facts,
            picture=data_url("image/png", _png(self._captioned())),
            width=self.width,
            height=self.height,
            legend=list(zip(classes, swatches, counts, strict=True)) if len(classes) <= MOST_LISTED else [],
            data={
                "shape": self.layout.shape,
                "size": [self.width, self.height],
                "pitch": self.cells.pitch,
                "step": self.cells.step,
                "moved": self.cells.moved,
                "gap": self.look.gap,
                "polygon": self.cells.polygon,
                "background": _hex(np.array(self.look.ground, np.uint8)),
                "nodes": (self.layout.nodes @ [self.layout.shape[1], 1]).tolist(),
                "names": collection.names,
                "classes": classes,
                "labels": self._numbers.tolist(),
                "links": self.links(folder),
            },
        )
        return page.encode()

    def links(self, folder: Path | None = None) -> list[str] | None:
        """Return addresses of the original images, relative to a folder; None without originals."""
        originals = self.layout.collection.originals
        if originals is None:
            return None
        base = os.path.realpath(folder or ".")
        return [_link(original, base) for original in originals]

    @cached_property
    def cells(self) -> Cells:
        """Where the cells are."""
        return Cells(self.layout.lattice, self.side, self.look.gap, self._line)

    @property
    def width(self) -> int:
        """Of the picture, in pixels."""
        return self.cells.width

    @property
    def height(self) -> int:
        """Of the cells, in pixels."""
        return self.cells.height

    @property
    def full_height(self) -> int:
        """Of the picture with its legend, in pixels."""
        return self.height + self.legend.height

    @cached_property
    def picture(self) -> np.ndarray:
        """All cells, (height, width) or (height, width, 3) uint8."""
        images, nodes = self.layout.collection.images, self.layout.nodes
        if images is not None:
            return painting.paint_images(self.cells, nodes, images, self.look, self._caption_texts)
        return painting.paint_colours(self.cells, nodes, self.colours, self.look)

    @property
    def colours(self) -> np.ndarray:
        """Colours of cells without images, (n, 3) uint8: by label, or else by point in the plane."""
        if self.layout.collection.labels is None:
            return by_place(self.layout.points)
        return palette(len(self.layout.collection.classes))[self._numbers]

    @cached_property
    def font(self) -> ImageFont.FreeTypeFont:
        """The font of the labels, in proportion to the picture."""
        return _font(max(10.0, 0.03 * max(self.width, self.height)), "bold")

    @cached_property
    def legend_font(self) -> ImageFont.FreeTypeFont:
        """The font of the legend."""
        return _font(max(10.0, 0.02 * max(self.width, self.height)))

    @cached_property
    def caption_font(self) -> ImageFont.FreeTypeFont:
        """The font of captions."""
        return _font(0.75 * painting.caption_height(self.cells))

    @cached_property
    def legend(self) -> legend.Legend:
        """The labels beside their colours; nothing where cells show images, or there are too many labels."""
        classes = self.layout.collection.classes
        if self._has_images or not 1 < len(classes) <= MOST_LABELS:
            return legend.Legend()
        shades = palette(len(classes))
        labels = [(_one_line(label) or "(none)", _hex(shade)) for label, shade in zip(classes, shades, strict=True)]
        return legend.arrange(labels, self.legend_font, self.width, self.height)

    @cached_property
    def captions(self) -> list[Word]:
        """The texts below images."""
        texts = self._caption_texts
        if texts is None:
            return []
        room, places = 0.96 * self.cells.inner, painting.caption_places(self.cells, self.layout.nodes).round(1)
        shown = (painting.shortened(text, self.caption_font, room) for text in texts)
        return [Word(text, x, y) for text, (x, y) in zip(shown, places.tolist(), strict=True)]

    @cached_property
    def words(self) -> list[Word]:
        """The labels of the colours, each in the middle of its cells; none covers a more frequent one."""
        classes = self.layout.collection.classes
        if self._has_images or len(classes) > MOST_LABELS:
            return []
        words: list[Word] = []
        for k in np.argsort(-np.bincount(self._numbers, minlength=len(classes)), kind="stable"):
            nodes = self.layout.nodes[self._numbers == k]
            text = _one_line(classes[k])
            middle = self.cells.centres(nodes[[amid(nodes)]])[0, ::-1]
            room = np.array([self._half(text), self.font.size])
            size = np.array([self.width, self.height])
            x, y = np.clip(middle, room, np.maximum(size - room, size / 2)).round(1).tolist()
            word = Word(text, x, y)
            if not any(self._covers(word, other) for other in words):
                words.append(word)
        return words

    def _captioned(self) -> Image.Image:
        """Return the picture with its captions."""
        image = Image.fromarray(self.picture)
        draw = ImageDraw.Draw(image)
        for word in self.captions:
            draw.text((word.x, word.y), word.text, self.look.ink, self.caption_font, "mm")
        return image

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
        return int(not self._has_images and self.look.gap == 0 and self.side >= LINED)

    @property
    def _legend_colours(self) -> tuple[str, str]:
        """The ground and the ink of the legend."""
        return LEGEND_LIGHT if self.look.is_light else LEGEND_DARK

    @property
    def _caption_texts(self) -> Sequence[str] | None:
        collection = self.layout.collection
        return {"none": None, "name": collection.names, "label": collection.labels}[self.look.caption]

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


def palette(count: int) -> np.ndarray:
    """Return colours for `count` labels, (count, 3) uint8; they repeat after forty."""
    colours = np.concatenate([PALETTE + abs(part) * ((part > 0) - PALETTE) for part in SHADES])
    return np.rint(255 * colours[np.arange(count) % len(colours)]).astype(np.uint8)


def _font(size: float, weight: str = "normal") -> ImageFont.FreeTypeFont:
    return ImageFont.truetype(matplotlib.font_manager.findfont(f"DejaVu Sans:{weight}"), size)


def _one_line(label: str) -> str:
    return printable(" ".join(label.split()), LETTERS)  # a font cannot draw line breaks


def _link(original: Path, base: str) -> str:
    """Return the address of a file relative to a folder, or its own if there is no way from there."""
    path = os.path.abspath(original)
    try:
        path = os.path.relpath(path, base)
    except ValueError:  # another drive of Windows
        return Path(path).as_uri()
    # A colon would begin the name of a protocol.
    return quote(os.fsencode(Path(path).as_posix()), safe="/")


def _hex(colour: np.ndarray) -> str:
    return "#" + bytes(colour).hex()


def _png(image: Image.Image) -> bytes:
    with io.BytesIO() as file:
        image.save(file, "PNG")
        return file.getvalue()
