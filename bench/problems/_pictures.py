"""What the pictures of answers share: their colours, and how they are saved, as PNG and SVG.

Plots are matplotlib's, on figures of their own, so that nothing global changes. The background is black, on which all
ten colours of the palette stand out.
"""

from __future__ import annotations

import base64
import io
import warnings
from pathlib import Path

import matplotlib as mpl
import numpy as np
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from PIL import Image

from solvers import Plan

#: A plot of more marks than this is pixels in its SVG too: a browser would be slow to draw them one by one.
MOST_VECTOR_MARKS = 3000

BACKGROUND = "black"
INK = "white"
SOFT = "#9aa4af"
DPI = 200

#: Ten colours that the colour-blind can tell apart.
PALETTE = np.array(sns.color_palette("colorblind", 10))

#: The two sides of a transport: what is moved, and where it is wanted.
FROM, TO = "#56B4E9", "#E69F00"


def has_plan(plan: Plan) -> bool:
    """Whether an answer says what moves where; a warning that its picture is left out where it does not."""
    if plan.mass is None:
        warnings.warn("the picture of what moves where is left out: the answer is potentials, no plan", stacklevel=2)
    return plan.mass is not None


def figure(width: float, height: float) -> Figure:
    """An empty figure, in inches."""
    return Figure(figsize=(width, height), dpi=DPI, facecolor=BACKGROUND, layout="constrained")


def square_figure(title: str) -> tuple[Figure, Axes]:
    """A figure of the unit square, without ticks or frame."""
    plot = figure(8, 8.4)
    axes = plot.add_subplot()
    axes.set_title(title, fontsize=13, color=INK)
    axes.set_facecolor(BACKGROUND)
    axes.set(xlim=(-0.02, 1.02), ylim=(-0.02, 1.02), aspect="equal", xticks=[], yticks=[])
    axes.spines[:].set_visible(False)
    return plot, axes


def save_figure(figure: Figure, stem: Path, marks: int) -> list[Path]:
    """A plot of so many marks."""
    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    # Ten colours and their shades: a palette holds them at a third of the size.
    paths = save_image(Image.fromarray(np.asarray(canvas.buffer_rgba())[..., :3]).quantize(256), stem)
    if marks <= MOST_VECTOR_MARKS:
        with mpl.rc_context({"svg.hashsalt": "lapmark"}):  # equal figures give equal bytes
            figure.savefig(stem.with_suffix(".svg"), metadata={"Date": None, "Creator": None})
    return paths


def save_image(image: Image.Image, stem: Path) -> list[Path]:
    """As PNG, and as an SVG around the same PNG, whose pixels stay sharp when it is enlarged."""
    buffer = io.BytesIO()
    image.save(buffer, "PNG", optimize=True)
    stem.parent.mkdir(parents=True, exist_ok=True)
    png, svg = stem.with_suffix(".png"), stem.with_suffix(".svg")
    png.write_bytes(buffer.getvalue())
    size = f'width="{image.width}" height="{image.height}"'
    data = base64.b64encode(buffer.getvalue()).decode()
    svg.write_text(
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {image.width} {image.height}" {size}>\n'
        f'<image {size} style="image-rendering: pixelated" href="data:image/png;base64,{data}"/>\n</svg>\n',
        encoding="utf-8",
    )
    return [png, svg]
