"""The card of an album, to share: a picture, the application, what was solved and what is proven, as one PNG."""

import io
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import matplotlib as mpl
from PIL import Image, ImageDraw, ImageFont
from PIL.ImageFont import FreeTypeFont

from lapmark.bench.util.atomic_write import write_atomically

from .albums import CARD, Album
from .canvas import INK, SOFT, TO

#: Width and height in pixels: what sites show of a shared link.
SIZE = WIDTH, HEIGHT = 1200, 630

GROUND = "#0d1117"

#: Distance of texts from the edges, and height of the strip with the name.
EDGE, STRIP = 44, 70

#: A picture wider than this ratio is above the text, in this share of the height; others are left of it.
WIDE, UPPER = 1.35, 0.56

#: How many pixels of a mosaic become one; more would hide its images.
MOST_REDUCED = 2.5

NAME = "Lapmark"

#: A longer text, such as the name of a file, is cut.
MOST_LETTERS = 500

#: Sizes of the texts are reduced by these factors, until all fit.
SCALES = (1.0, 0.92, 0.84, 0.76, 0.68, 0.6, 0.52)


@dataclass(frozen=True)
class _Text:
    text: str
    size: int
    colour: str
    bold: bool = False


def write(album: Album, is_mosaic: bool = False) -> Path:
    """Write the card of an album with pictures into its folder; of a mosaic it may show a part."""
    still = next((each for each in album.pictures if each.path.suffix == ".png"), album.pictures[0])
    card = Image.new("RGB", SIZE, GROUND)
    with Image.open(still.path) as image:
        is_wide = image.width > WIDE * image.height
        space = (WIDTH, round(UPPER * HEIGHT)) if is_wide else (HEIGHT, HEIGHT)
        card.paste("black", (0, 0, *space))
        picture = image.convert("RGB")
    if is_mosaic:
        picture = _middle(picture, round(MOST_REDUCED * space[1]))
    picture.thumbnail(space, Image.Resampling.LANCZOS)
    card.paste(picture, ((space[0] - picture.width) // 2, (space[1] - picture.height) // 2))
    left, top = (EDGE, space[1] + EDGE // 2) if is_wide else (space[0] + EDGE, EDGE)
    _write_texts(ImageDraw.Draw(card), album, (left, top, WIDTH - EDGE, HEIGHT - STRIP))
    with io.BytesIO() as file:
        card.save(file, "PNG", optimize=True)
        return write_atomically(album.folder / CARD, file.getvalue())


def _middle(image: Image.Image, side: int) -> Image.Image:
    """Return the square in the middle of an image, of a side in pixels; all of a smaller image."""
    left, top = max(0, image.width - side) // 2, max(0, image.height - side) // 2
    return image.crop((left, top, image.width - left, image.height - top))


def _write_texts(pen: ImageDraw.ImageDraw, album: Album, box: tuple[int, int, int, int]) -> None:
    """Write the texts of an album into a box, and the name below it."""
    left, top, right, bottom = box
    texts = [_Text(album.title, 46, INK, bold=True)]
    texts += [_Text(f"{album.what}.", 28, INK)] if album.what else []
    texts += [_Text(album.text, 22, SOFT)] if album.text else []
    for scale in SCALES:
        lines = [line for text in texts for line in _lines(text, scale, right - left)]
        if sum(height for *_, height in lines) <= bottom - top:
            break
    for line, font, colour, height in lines:
        if top + height > bottom:
            break
        pen.text((left, top), line, font=font, fill=colour)
        top += height
    pen.rectangle((left, HEIGHT - STRIP + 18, left + 8, HEIGHT - STRIP + 44), fill=TO)
    pen.text((left + 20, HEIGHT - STRIP + 14), NAME, font=_font(28, bold=True), fill=INK)


def _lines(text: _Text, scale: float, width: int) -> Iterator[tuple[str, FreeTypeFont, str, int]]:
    """Yield the lines of a text: what is written, its font and colour, and its height with the space below."""
    size = round(scale * text.size)
    font = _font(size, text.bold)
    shown = text.text if len(text.text) <= MOST_LETTERS else text.text[: MOST_LETTERS - 1] + "…"
    lines = list(_wrapped(shown, font, width))
    for k, line in enumerate(lines, 1):
        yield line, font, text.colour, round(size * (1.3 if k < len(lines) else 1.9))


def _wrapped(text: str, font: FreeTypeFont, width: int) -> Iterator[str]:
    """Yield lines of a text that are at most so wide; a word that is too wide is cut."""
    line = ""
    for word in text.split(" "):
        longer = f"{line} {word}".lstrip()
        if font.getlength(longer) <= width:
            line = longer
            continue
        if line:
            yield line
        line = word
        while font.getlength(line) > width:
            fits = next(k for k in range(1, len(line)) if font.getlength(line[: k + 1]) > width)
            yield line[:fits]
            line = line[fits:]
    if line:
        yield line


def _font(size: int, bold: bool = False) -> FreeTypeFont:
    """Return DejaVu Sans, which comes with Matplotlib."""
    name = "DejaVuSans-Bold.ttf" if bold else "DejaVuSans.ttf"
    return ImageFont.truetype(Path(mpl.get_data_path()) / "fonts" / "ttf" / name, size)
