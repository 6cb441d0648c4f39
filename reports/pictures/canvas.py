"""Colours, figures and files of the pictures of answers: plots as PNG and SVG, and animations as GIF.

Plots use figures of their own, so that no global setting of Matplotlib changes. All colours of `class_marks.PALETTE`
stand out on the black background.
"""

import base64
import io
import warnings
from collections.abc import Iterable
from pathlib import Path

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine
from PIL import Image
from PIL.Image import Quantize

from lapmark.bench.util.atomic_write import write_atomically
from lapmark.solvers import Plan
from lapmark.solvers.result import Result

#: Most marks that an SVG holds as shapes; with more it holds pixels, since a browser would draw shapes slowly.
MOST_VECTOR_MARKS = 3000

BACKGROUND = "black"
INK = "white"
SOFT = "#9aa4af"

#: Margin around the contents of a figure, in inches.
PADDING = 0.12

#: Margin of a square figure around the unit square.
MARGIN = 0.02

#: Pixels per inch, and with more than MOST_VECTOR_MARKS marks.
DPI, FINE_DPI = 200, 300

#: How colours are reduced to a palette: by area, which keeps those of large areas exactly, or by colour, which keeps
#: small marks of different colours apart.
BY_AREA, BY_COLOUR = Quantize.MEDIANCUT, Quantize.FASTOCTREE

#: Colours of the two sides of a transport.
FROM, TO = "#56B4E9", "#E69F00"


def plan_of(result: Result) -> Plan | None:
    """Return an answer with its plan; None, with a warning, for one that has potentials only."""
    assert isinstance(result, Plan)
    if result.mass is None:
        warnings.warn(
            "the picture of what moves where is left out: the answer has no plan, only potentials", stacklevel=2
        )
        return None
    return result


def figure(width: float, height: float) -> Figure:
    """Return an empty figure; sizes in inches."""
    layout = ConstrainedLayoutEngine(w_pad=PADDING, h_pad=PADDING)
    return Figure(figsize=(width, height), dpi=DPI, facecolor=BACKGROUND, layout=layout)


def square_figure(title: str, marks: int) -> tuple[Figure, Axes]:
    """Return a figure of the unit square, without ticks or frame, for a number of marks."""
    plot = figure(8, 8.4)
    plot.set_dpi(DPI if marks <= MOST_VECTOR_MARKS else FINE_DPI)
    axes = plot.add_subplot()
    axes.set_title(title, fontsize=13, color=INK)
    axes.set_facecolor(BACKGROUND)
    axes.set(xlim=(-MARGIN, 1 + MARGIN), ylim=(-MARGIN, 1 + MARGIN), aspect="equal", xticks=[], yticks=[])
    axes.spines[:].set_visible(False)
    return plot, axes


def save_figure(figure: Figure, stem: Path, marks: int, palette: Quantize = BY_AREA) -> list[Path]:
    """Save a figure with a number of marks as PNG and SVG."""
    # A palette holds ten colours and their shades at a third of the size.
    paths = save_image(_pixels(figure).quantize(256, palette), stem)
    if marks <= MOST_VECTOR_MARKS:
        figure.set_layout_engine("none")  # it is laid out already
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
    """Save frames of one size as a GIF that repeats forever; equal frames give equal bytes.

    Parameters
    ----------
    frames : iterable of Figure or Image
        Consumed one by one. Colours are reduced to at most 255 of the first and the last frame.
    stem : Path
        The path without `.gif`.
    seconds, hold : float
        How long a frame, and the last frame, is shown.
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
    """Save an image as PNG, and as SVG around the same PNG, whose pixels stay sharp when enlarged."""
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
