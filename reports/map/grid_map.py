"""`lapmark.map`: a map of data in memory, as an object that a notebook shows and that can be saved."""

from __future__ import annotations

import io
import math
import os
import re
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from PIL import Image

from lapmark.bench import embeddings
from lapmark.bench.applications.grid_map import from_memory, lattice, picture_size, pipeline
from lapmark.bench.applications.grid_map.columns import Choice
from lapmark.bench.applications.grid_map.file_endings import PICTURES, TABLES
from lapmark.bench.applications.grid_map.lattice import Lattice, Nodes, Wanted
from lapmark.bench.applications.grid_map.pipeline import Layout
from lapmark.bench.applications.grid_map.scaling import SCALES, Scale
from lapmark.bench.util.units import show_count_of
from lapmark.solvers.grid_layout import checked_shape
from lapmark.solvers.validation import check_number

from . import assignment_table
from .drawing import Map, write_map
from .painting import BACKGROUND, Caption, Fit, Look

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

    from lapmark.solvers import Certificate

#: Longest side of the picture in a notebook, in pixels.
SHOWN = 1000

#: An option of the command in a message, which has the same name as a parameter.
OPTION = re.compile(r"--([a-z]+)")


@dataclass(frozen=True, eq=False, repr=False)
class GridMap:
    """A map: items on the nodes of a grid. A notebook shows it as a picture.

    Attributes
    ----------
    layout : Layout
        The items, their points in the plane, and their nodes.
    picture : Map
        How it is drawn.
    """

    layout: Layout
    picture: Map

    @property
    def nodes(self) -> np.ndarray:
        """Row, from the top, and column of each item, (n, 2) intp."""
        return self.layout.nodes

    @property
    def points(self) -> np.ndarray:
        """The items in the plane, (n, 2): as given, or as embedded."""
        return self.layout.points

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns."""
        return self.layout.shape

    @property
    def certificate(self) -> Certificate:
        """The proof that the total distance is the least."""
        return self.layout.certificate

    def table(self) -> pd.DataFrame:
        """Return a row per item: name, row, column, x, y and, if there are labels, label."""
        return self.layout.table()

    @cached_property
    def image(self) -> Image.Image:
        """The picture."""
        return self.picture.image()

    def figure(self) -> Figure:
        """Return the picture as a figure of Matplotlib, to which more can be added."""
        from matplotlib.figure import Figure

        width, height = self.image.size
        inches = 8 / max(width, height)
        figure = Figure(figsize=(width * inches, height * inches))
        axes = figure.add_axes((0, 0, 1, 1))
        axes.imshow(np.asarray(self.image), cmap="gray", vmin=0, vmax=255, interpolation="antialiased")
        axes.set_axis_off()
        return figure

    def save(self, path: str | os.PathLike[str]) -> Path:
        """Write the map as `.png`, `.svg` or `.html`, or the table of `table` as `.csv`, `.json`, `.npy` or `.parquet`.

        Return the path. A ValueError names the endings if there is another.
        """
        path = Path(path)
        if path.suffix.lower() in TABLES:
            return assignment_table.write_assignment(self.layout, path)
        if path.suffix.lower() not in PICTURES:
            raise ValueError(f"{path}: the name must end in {', '.join((*PICTURES, *TABLES))}")
        picture = self.picture
        picture_size.check_size(math.prod(self.shape), picture.side + picture.look.gap, path.suffix.lower())
        return write_map(self.layout, path, picture.title, picture.side, picture.look)

    def __repr__(self) -> str:
        collection = self.layout.collection
        kind = "image" if collection.images else "point" if collection.are_points else "vector"
        labels = f", {show_count_of(len(collection.classes), 'label')}" if collection.labels is not None else ""
        return f"Map of {show_count_of(len(collection), kind)}{labels}\n{self.layout.times}"

    def _repr_png_(self) -> bytes:
        image = self.image
        if max(image.size) > SHOWN:
            image = image.copy()
            image.thumbnail((SHOWN, SHOWN), Image.Resampling.BOX)
        with io.BytesIO() as file:
            image.save(file, "PNG")
            return file.getvalue()


def map(
    data: Any,
    *,
    images: Any = None,
    labels: Any = None,
    names: Any = None,
    grid: tuple[int, int] | None = None,
    shape: str | os.PathLike[str] | np.ndarray | None = None,
    nodes: Nodes = "square",
    pitch: float | None = None,
    spare: float = 0.0,
    method: str | None = None,
    scale: Scale | None = None,
    features: Sequence[str] | None = None,
    label: str | None = None,
    name: str | None = None,
    sprite: int | None = None,
    fit: Fit = "contain",
    gap: int = 0,
    background: str = BACKGROUND,
    caption: Caption = "none",
    title: str = "",
    seed: int = embeddings.SEED,
    threads: int | None = None,
) -> GridMap:
    """Lay images, points or vectors on a grid, at the least total distance, which is proven.

    Parameters
    ----------
    data : array_like, data frame, sequence of images, or path
        Points (n, 2), vectors (n, d) or images (n, height, width), also with 1, 3 or 4 channels; a list of images as
        paths, as Pillow's images or as arrays; a table, whose columns of numbers are features; or what `lapmark map`
        reads. n ≥ 2. Brightnesses are bytes, or real numbers up to 1 or else up to the largest.
    images : sequence of images, optional
        What is drawn for points or vectors, one for each.
    labels, names : array_like of n, optional
        Labels colour cells without images.
    grid : (int, int), optional
        Rows and columns; default: the squarest grid that fits.
    shape : "circle", "hexagon", path of an image, or (rows, columns) bool, optional
        Outline to fill: that of an image is its dark or opaque part; of a mask each true cell is a node.
    nodes : "square" or "hexagonal"
        Lattice of the nodes.
    pitch : float, optional
        Distance between nodes in pixels of the image, or as a share of the width of the circle or the hexagon.
    spare : float
        Least share of nodes that stay empty, from 0 to below 1.
    method : str, optional
        Method to embed vectors, as in `embed`; default: "tsne", or "none" for points.
    scale : "standard", "minmax" or "none", optional
        What is done to each feature before it is embedded: mean 0 and standard deviation 1; 0 to 1; or nothing.
        Default: "standard" for columns of a table with names of their own, else "none".
    features, label, name
        Columns of a table; default: found by their names and contents. Columns that hold identifiers, dates,
        constants or classes are no features.
    sprite : int, optional
        Side of a cell in pixels.
    fit : "contain", "crop" or "cover"
        Show whole images, their middle squares, or fill cells.
    gap : int
        Pixels between cells.
    background : str
        Colour between cells and in empty ones.
    caption : "none", "name" or "label"
        What is written below each image.
    title : str
        Heading of the page.
    seed, threads : int, optional
        Of the embedding; default: one thread per core.

    Returns
    -------
    GridMap
        With `.nodes`, (n, 2) row and column of each item, `.figure()`, `.save(path)`, `.points`, `.table()`,
        `.image` and `.certificate`. A notebook shows it. Its text says how long the embedding took, or that it comes
        from the cache.

    Raises
    ------
    ValueError, TypeError
        The data cannot be used, or a parameter is none of these; the message names the value.

    Examples
    --------
    >>> import lapmark
    >>> made = lapmark.map([[0, 0], [1, 0], [0, 5], [1, 5]], labels=["a", "a", "b", "b"])
    >>> made.nodes.tolist()
    [[1, 0], [1, 1], [0, 0], [0, 1]]
    """
    for what, value, known in (
        ("nodes", nodes, ("square", "hexagonal")),
        ("scale", scale, (*SCALES, None)),
        ("fit", fit, ("contain", "crop", "cover")),
        ("caption", caption, ("none", "name", "label")),
    ):
        if value not in known:
            raise ValueError(f"{what} = {value!r}; it is one of {', '.join(repr(each) for each in known)}")
    _check_whole("gap", gap, 0)
    if sprite is not None:
        _check_whole("sprite", sprite, 1)
    with _messages_for_python():
        look = Look(fit, gap, background, caption)
        choice = Choice(tuple([features] if isinstance(features, str) else features or ()) or None, label, name)
        read = from_memory.collect(
            data, images, labels, names, side=sprite, crop=look.is_cropped, threads=threads, choice=choice
        )
        place = _lattice(len(read), grid, shape, pitch, spare, nodes)
        side = sprite or picture_size.cell_side(read.images, place.shape)
        picture_size.check_size(math.prod(place.shape), side + gap, ".png")
        layout = pipeline.lay(read, place, method, seed, threads, scale)
        look.check(layout, side)
    return GridMap(layout, Map(layout, side, title or _title(data), look))


def _lattice(n: int, grid: Any, shape: Any, pitch: float | None, spare: float, nodes: Nodes) -> Lattice:
    spare = check_number(spare, "spare")
    if not 0 <= spare < 1:
        raise ValueError(f"spare = {spare:g}; a share is from 0 to below 1")
    if isinstance(shape, np.ndarray):
        return _of_mask(shape, n)
    if grid is not None:
        grid = checked_shape(grid, "grid")
    outline = None if shape is None else os.fspath(shape)
    return lattice.lattice(n, Wanted(grid, outline, pitch, spare, nodes))


def _of_mask(mask: np.ndarray, n: int) -> Lattice:
    if mask.dtype != bool or mask.ndim != 2:
        raise ValueError(
            f"shape is an array of type {mask.dtype} and shape {mask.shape}; a mask is (rows, columns) bool"
        )
    cells = np.argwhere(mask)
    if len(cells) < n:
        raise ValueError(f"shape has {len(cells):,} true cells for {n:,} items; give at least as many")
    return Lattice(cells, (mask.shape[0], mask.shape[1]), outline="a mask")


def _check_whole(what: str, value: Any, least: int) -> None:
    if isinstance(value, bool) or not isinstance(value, int | np.integer) or value < least:
        raise ValueError(f"{what} = {value!r}; it is a whole number of pixels, at least {least}")


def _title(data: Any) -> str:
    return Path(data).resolve().name if isinstance(data, str | os.PathLike) else "map"


@contextmanager
def _messages_for_python() -> Iterator[None]:
    """Name parameters, not options of the command, in errors and warnings."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            yield
        except (ValueError, TypeError) as error:
            raise type(error)(OPTION.sub(r"\1", str(error))) from None
    for each in caught:
        if each.category is UserWarning:
            warnings.warn(OPTION.sub(r"\1", str(each.message)), UserWarning, stacklevel=4)
