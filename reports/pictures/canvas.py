"""What the pictures of applications share: their colours, and how they are saved, as PNG and SVG, or as animations.

Plots are matplotlib's, on figures of their own, so that nothing global changes. The background is black, on which all
ten colours of the palette stand out.
"""

from __future__ import annotations

import base64
import io
import warnings
from collections.abc import Iterable
from pathlib import Path

import matplotlib as mpl
import numpy as np
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine
from PIL import Image
from PIL.Image import Quantize

from lapmark.bench.util.atomic_write import write_atomically
from lapmark.solvers import Plan
from lapmark.solvers.result import Result

#: A plot of more marks than this is pixels in its SVG too: a browser would be slow to draw them one by one.
MOST_VECTOR_MARKS = 3000

BACKGROUND = "black"
INK = "white"
SOFT = "#9aa4af"

#: Inches around what a figure shows.
PADDING = 0.12

#: How far a square figure reaches beyond the unit square.
MARGIN = 0.02

#: Pixels in an inch, and where there are more than MOST_VECTOR_MARKS.
DPI, FINE_DPI = 200, 300

#: Where a palette has most of its colours: in large areas, which keep theirs exactly; or evenly, so that small marks of
#: two colours beside much else do not become one.
BY_AREA, BY_COLOUR = Quantize.MEDIANCUT, Quantize.FASTOCTREE

#: Ten colours that the colour-blind can tell apart.
PALETTE = np.array(sns.color_palette("colorblind", 10))

#: The two sides of a transport: what is moved, and where it is wanted.
FROM, TO = "#56B4E9", "#E69F00"


def amid(points: np.ndarray) -> int:
    """Which of points (n, d) is the nearest to the middle of all, the median of each coordinate."""
    return int(((points - np.median(points, axis=0)) ** 2).sum(axis=1).argmin())


def plan_of(result: Result) -> Plan | None:
    """Return an answer that says what moves where; None, with a warning, for one that has potentials only."""
    assert isinstance(result, Plan)
    if result.mass is None:
        warnings.warn("the picture of what moves where is left out: the answer is potentials, no plan", stacklevel=2)
        return None
    return result


def figure(width: float, height: float) -> Figure:
    """An empty figure, in inches."""
    layout = ConstrainedLayoutEngine(w_pad=PADDING, h_pad=PADDING)
    return Figure(figsize=(width, height), dpi=DPI, facecolor=BACKGROUND, layout=layout)


def square_figure(title: str, marks: int) -> tuple[Figure, Axes]:
    """A figure of the unit square, without ticks or frame, for so many marks."""
    plot = figure(8, 8.4)
    plot.set_dpi(DPI if marks <= MOST_VECTOR_MARKS else FINE_DPI)
    axes = plot.add_subplot()
    axes.set_title(title, fontsize=13, color=INK)
    axes.set_facecolor(BACKGROUND)
    axes.set(xlim=(-MARGIN, 1 + MARGIN), ylim=(-MARGIN, 1 + MARGIN), aspect="equal", xticks=[], yticks=[])
    axes.spines[:].set_visible(False)
    return plot, axes


def save_figure(figure: Figure, stem: Path, marks: int, palette: Quantize = BY_AREA) -> list[Path]:
    """A plot of so many marks."""
    # Ten colours and their shades: a palette holds them at a third of the size.
    paths = save_image(_pixels(figure).quantize(256, palette), stem)
    if marks <= MOST_VECTOR_MARKS:
        figure.set_layout_engine("none")  # what is laid out once needs not be again
        with mpl.rc_context({"svg.hashsalt": "lapmark"}):  # equal figures give equal bytes
            figure.savefig(stem.with_suffix(".svg"), metadata={"Date": None, "Creator": None})
    return paths


def save_animation(
    frames: Iterable[Figure | Image.Image],
    stem: Path,
    seconds: float = 0.06,
    hold: float = 2.0,
    palette: Quantize = BY_AREA,
) -> list[Path]:
    """Frames of one size as a GIF that runs for ever; equal frames give equal bytes.

    Parameters
    ----------
    frames : iterable of Figure or Image
        Taken one by one. Colours are reduced to those of the first and the last frame together, 255 at most.
    stem : Path
        The name of the file without `.gif`; it appears whole or not at all.
    seconds, hold : float
        How long a frame is shown, and the last one.
    palette : BY_AREA or BY_COLOUR
    """
    images = [frame if isinstance(frame, Image.Image) else _pixels(frame) for frame in frames]
    both = Image.new("RGB", (images[0].width, 2 * images[0].height))
    for place, image in enumerate((images[0], images[-1])):
        both.paste(image, (0, place * image.height))
    colours = both.quantize(255, palette)
    first, *others = (image.convert("RGB").quantize(palette=colours, dither=Image.Dither.NONE) for image in images)
    times = [round(1000 * seconds)] * len(others) + [round(1000 * hold)]
    buffer = io.BytesIO()
    first.save(buffer, "GIF", save_all=True, append_images=others, duration=times, loop=0)
    return [write_atomically(stem.with_suffix(".gif"), buffer.getvalue())]


def save_image(image: Image.Image, stem: Path) -> list[Path]:
    """As PNG, and as an SVG around the same PNG, whose pixels stay sharp when it is enlarged."""
    buffer = io.BytesIO()
    image.save(buffer, "PNG", optimize=True)
    size = f'width="{image.width}" height="{image.height}"'
    data = base64.b64encode(buffer.getvalue()).decode()
    drawn = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {image.width} {image.height}" {size}>\n'
        f'<image {size} style="image-rendering: pixelated" href="data:image/png;base64,{data}"/>\n</svg>\n'
    )
    return [
        write_atomically(stem.with_suffix(".png"), buffer.getvalue()),
        write_atomically(stem.with_suffix(".svg"), drawn.encode()),
    ]


def _pixels(figure: Figure) -> Image.Image:
    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    return Image.fromarray(np.asarray(canvas.buffer_rgba())[..., :3])
