"""The picture of a map: images or colours in its cells, empty cells, and captions."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from PIL import Image, ImageColor, ImageDraw, ImageFont

from lapmark.bench.applications.grid_map.pipeline import Layout
from lapmark.reports.format import printable
from lapmark.reports.pictures.mosaic import fit

from .cells import Cells

Fit = Literal["contain", "crop", "cover"]
Caption = Literal["none", "name", "label"]

#: What shows between cells and in empty ones: a grey that neither black nor white photographs have.
BACKGROUND = "#505050"

#: Smallest side of a cell with a caption, and the share of it that the caption takes.
LEAST_CAPTIONED, CAPTION = 40, 0.16

#: Diameter of the dot in an empty cell, relative to its side.
DOT = 0.14


@dataclass(frozen=True)
class Look:
    """How a map is drawn.

    Attributes
    ----------
    fit : "contain", "crop" or "cover"
        Show whole images with their proportions; or their middle squares; or fill cells, which differs from the
        squares in hexagonal cells.
    gap : int
        Pixels between cells.
    background : str
        Colour between cells, around images and in empty cells: a name, or #rrggbb.
    caption : "none", "name" or "label"
        What is written below each image.
    """

    fit: Fit = "contain"
    gap: int = 0
    background: str = BACKGROUND
    caption: Caption = "none"

    def check(self, layout: Layout, side: int) -> None:
        """Raise a ValueError for a background that is no colour, and for captions without room or texts."""
        colour(self.background)
        if self.caption == "none":
            return
        if layout.collection.images is None:
            raise ValueError(
                f"--caption {self.caption} is for images; these are {'points' if layout.is_plane else 'vectors'}"
            )
        if self.caption == "label" and layout.collection.labels is None:
            raise ValueError("--caption label: there are no labels; --caption name writes names")
        if side < LEAST_CAPTIONED:
            raise ValueError(
                f"--caption needs cells of {LEAST_CAPTIONED} pixels: --sprite {LEAST_CAPTIONED}, or larger"
            )

    @property
    def is_cropped(self) -> bool:
        """Whether only the middle squares of images are shown."""
        return self.fit != "contain"

    @property
    def ground(self) -> tuple[int, int, int]:
        """The background as red, green and blue."""
        return colour(self.background)

    @property
    def is_light(self) -> bool:
        """Whether dark marks are seen better on the background than light ones."""
        return sum(self.ground) > 384

    @property
    def ink(self) -> str:
        """The colour of captions."""
        return "black" if self.is_light else "white"

    @property
    def mark(self) -> tuple[int, int, int]:
        """The colour of the dot in an empty cell: lighter than a dark background, darker than a light one."""
        away = 0 if self.is_light else 255
        red, green, blue = (round(0.7 * part + 0.3 * away) for part in self.ground)
        return red, green, blue


def colour(text: str) -> tuple[int, int, int]:
    """Return a colour as red, green and blue; a ValueError if it is none."""
    try:
        return ImageColor.getrgb(text)[:3]
    except ValueError:
        raise ValueError(f"--background {text}: give a colour such as white, gray or #204060") from None


def paint_colours(cells: Cells, nodes: np.ndarray, colours: np.ndarray, look: Look) -> np.ndarray:
    """Return a picture (height, width, 3) with cells in colours (n, 3)."""
    picture = _ground(cells, nodes, look, is_grey=False)
    if cells.lattice.is_hexagonal:
        for (top, left), chosen in zip(cells.corners(nodes).tolist(), colours, strict=True):
            picture[top : top + cells.size[0], left : left + cells.size[1]][cells.mask] = chosen
        return picture
    # All cells at once: a view with axes for the rows and the pixels in one, and the same across.
    (rows, columns), pitch, (height, width) = cells.lattice.shape, cells.pitch, cells.size
    inner = picture[cells.gap :, cells.gap :] if cells.gap else picture
    view = inner.reshape(rows, pitch, columns, pitch, 3)[:, :height, :, :width]
    view[nodes[:, 0], :, nodes[:, 1]] = colours[:, None, None]
    return picture


def paint_images(
    cells: Cells, nodes: np.ndarray, images: Sequence[np.ndarray], look: Look, captions: Sequence[str] | None
) -> np.ndarray:
    """Return a picture (height, width), or (height, width, 3) if anything is coloured, with images in cells."""
    is_grey = all(image.ndim == 2 for image in images) and len(set(look.ground)) == 1
    picture = _ground(cells, nodes, look, is_grey)
    height, width = cells.size
    strip = caption_height(cells) if captions is not None else 0
    fills = look.fit == "cover" and cells.lattice.is_hexagonal
    side = max(1, cells.inner - strip)
    for (top, left), image in zip(cells.corners(nodes).tolist(), images, strict=True):
        if fills:
            shown = _filled(image, height)[:, (height - width) // 2 :][:, :width]
        else:
            shown = _filled(image, side) if look.is_cropped else fit(image, side)
        shown = shown if is_grey or shown.ndim == 3 else shown[..., None]
        cell = picture[top : top + height, left : left + width]
        if fills:
            cell[cells.mask] = np.broadcast_to(shown, cell.shape)[cells.mask]
        else:
            y, x = (height - strip - shown.shape[0]) // 2, (width - shown.shape[1]) // 2
            cell[y : y + shown.shape[0], x : x + shown.shape[1]] = shown
    return picture


def caption_height(cells: Cells) -> int:
    """Return the height of captions in pixels."""
    return math.ceil(CAPTION * cells.inner)


def caption_places(cells: Cells, nodes: np.ndarray) -> np.ndarray:
    """Return x and y of the middle of each caption, (n, 2)."""
    middle = cells.centres(nodes)[:, ::-1]
    return middle + np.array([0, (cells.inner - caption_height(cells)) / 2])


def shortened(text: str, font: ImageFont.FreeTypeFont, room: float) -> str:
    """Return the beginning of a text that fits into a number of pixels."""
    text = printable(" ".join(text.split()), 80)
    while text and font.getlength(text) > room:
        text = text[:-2].rstrip("…") + "…" if len(text) > 2 else ""
    return text


def _ground(cells: Cells, nodes: np.ndarray, look: Look, is_grey: bool) -> np.ndarray:
    """Return the background with a dot in each empty cell, so that it differs from a dark photograph."""
    image = Image.new(
        "L" if is_grey else "RGB", (cells.width, cells.height), look.ground[0] if is_grey else look.ground
    )
    draw, radius = ImageDraw.Draw(image), DOT / 2 * cells.side
    for y, x in cells.centres(cells.lattice.without(nodes)).tolist():
        draw.ellipse((x - radius, y - radius, x + radius, y + radius), look.mark[0] if is_grey else look.mark)
    return np.array(image)


def _filled(image: np.ndarray, side: int) -> np.ndarray:
    """Return the middle square of an image, scaled to a side."""
    height, width = image.shape[:2]
    least = min(height, width)
    square = image[(height - least) // 2 :, (width - least) // 2 :][:least, :least]
    if side % least == 0:
        return square.repeat(side // least, axis=0).repeat(side // least, axis=1)
    return np.asarray(Image.fromarray(square).resize((side, side), Image.Resampling.LANCZOS))
