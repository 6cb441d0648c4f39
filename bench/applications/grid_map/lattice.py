"""The nodes of a map: a square or hexagonal lattice in a rectangle, circle, hexagon or the dark part of an image."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Literal

import numpy as np

from lapmark.bench.util.units import show_count_of
from lapmark.solvers.grid_layout import fitting_shape, grid_shape

Nodes = Literal["square", "hexagonal"]

#: Outlines with a name; others are image files.
OUTLINES = ("circle", "hexagon")

#: Distance between the rows of a hexagonal lattice, relative to that between the nodes of a row.
ROW_STEP = math.sqrt(3) / 2

#: Pixels of an image that are darker or more opaque than this are inside.
THRESHOLD = 128

#: Most nodes of a lattice, as in the largest picture.
MOST_NODES = 2**26


@dataclass(frozen=True)
class Wanted:
    """The nodes that a user asks for.

    Attributes
    ----------
    grid : (int, int), optional
        Rows and columns.
    outline : str, optional
        One of `OUTLINES`, or the path of an image, whose dark part is filled, or the opaque part if it has
        transparency; default: the whole rectangle.
    pitch : float, optional
        Distance between nodes in pixels of the image, or as a share of the width of a circle or a hexagon; default:
        the largest that leaves enough nodes.
    spare : float
        Least share of nodes that stay empty.
    nodes : "square" or "hexagonal"
    """

    grid: tuple[int, int] | None = None
    outline: str | None = None
    pitch: float | None = None
    spare: float = 0.0
    nodes: Nodes = "square"


@dataclass(frozen=True, eq=False)
class Lattice:
    """Nodes in reading order.

    Attributes
    ----------
    cells : (k, 2) intp
        Row, from the top, and column of each node. Odd rows of a hexagonal lattice are moved right by half a node.
    shape : (int, int)
        Rows and columns.
    outline : str
        As text; empty for a rectangle.
    """

    cells: np.ndarray
    shape: tuple[int, int]
    is_hexagonal: bool = False
    outline: str = ""

    @property
    def is_grid(self) -> bool:
        """Whether the nodes are all those of a square lattice in a rectangle."""
        return not self.is_hexagonal and len(self.cells) == math.prod(self.shape)

    @cached_property
    def places(self) -> np.ndarray:
        """The nodes in the plane, (k, 2), x and y upwards, in units of the distance between neighbours."""
        row, column = self.cells.T
        if not self.is_hexagonal:
            return np.column_stack([column, -row]).astype(np.float64)
        return np.column_stack([column + 0.5 * (row % 2), -ROW_STEP * row])

    def without(self, nodes: np.ndarray) -> np.ndarray:
        """Return the cells (k, 2) that are not among some of them (n, 2)."""
        columns = self.shape[1]
        return self.cells[~np.isin(self.cells @ [columns, 1], nodes @ [columns, 1])]

    def __str__(self) -> str:
        size = "×".join(map(str, self.shape))
        kind = "hexagonal " if self.is_hexagonal else ""
        return f"{len(self.cells):,} {kind}nodes in {self.outline}" if self.outline else f"{size} {kind}grid"


def check(wanted: Wanted) -> None:
    """Raise a ValueError for nodes that cannot be, whatever the number of items; reads the image of an outline."""
    if wanted.grid is not None and wanted.pitch is not None:
        raise ValueError("--grid and --pitch both set the number of nodes; give one of them")
    if wanted.pitch is not None and wanted.outline is None:
        raise ValueError("--pitch is for --shape; for a rectangle use --grid ROWSxCOLUMNS")
    if wanted.pitch is not None and not 0 < wanted.pitch < math.inf:
        raise ValueError(f"--pitch {wanted.pitch:g} must be above 0")
    if wanted.outline is not None:
        _outline(wanted.outline)


def lattice(n: int, wanted: Wanted = Wanted()) -> Lattice:
    """Return the nodes for n items; a ValueError if they are too few, or the image cannot be used."""
    check(wanted)
    needed = math.ceil(n / (1 - wanted.spare) - 1e-9)
    if wanted.outline is None:
        return _rectangle(n, needed, wanted)
    outline = _outline(wanted.outline)
    is_hexagonal = wanted.nodes == "hexagonal"
    if wanted.grid is not None:
        found = _within(outline, wanted.grid, is_hexagonal)
        if len(found.cells) < needed:
            fits = "×".join(map(str, _least(outline, needed, is_hexagonal).shape))
            raise ValueError(f"{_too_few(wanted.grid, found, n, needed)}; --grid {fits.replace('×', 'x')} has enough")
        return found
    if wanted.pitch is None:
        return _least(outline, needed, is_hexagonal)
    across = outline.width / wanted.pitch
    if not across * across * max(outline.aspect, 1) < MOST_NODES:
        raise ValueError(f"--pitch {wanted.pitch:g} makes more than {MOST_NODES:,} nodes; give a larger one")
    found = _across(outline, across, is_hexagonal)
    if len(found.cells) < needed:
        largest = outline.width / _widest(outline, needed, is_hexagonal)
        raise ValueError(
            f"--pitch {wanted.pitch:g} leaves {show_count_of(len(found.cells), 'node')} for {n:,} items; "
            f"{math.floor(largest * 1e4) / 1e4 or largest:g} leaves enough"
        )
    return found


@dataclass(frozen=True, eq=False)
class _Outline:
    """A region of the plane, one wide and `aspect` high, with y downwards.

    Attributes
    ----------
    width : float
        What a pitch of the whole width is called: 1, or the width of an image in pixels.
    holds : function
        Whether the region holds the points x and y, arrays of one shape, of its rectangle.
    """

    name: str
    aspect: float
    width: float
    holds: Callable[[np.ndarray, np.ndarray], np.ndarray]


def _rectangle(n: int, needed: int, wanted: Wanted) -> Lattice:
    is_hexagonal = wanted.nodes == "hexagonal"
    if wanted.grid is not None and math.prod(wanted.grid) > MOST_NODES:
        raise ValueError(f"{_too_many(wanted.grid)}")
    if wanted.grid is None:
        shape = fitting_shape(needed, ROW_STEP if is_hexagonal else 1.0)
    else:
        shape = grid_shape(n, wanted.grid)
        if math.prod(shape) < needed:
            raise ValueError(
                f"a {'×'.join(map(str, shape))} grid leaves fewer than {wanted.spare:.0%} of its nodes empty"
            )
    return Lattice(np.column_stack(np.divmod(np.arange(math.prod(shape)), shape[1])), shape, is_hexagonal)


def _outline(name: str) -> _Outline:
    if name == "circle":
        return _Outline("a circle", 1.0, 1.0, lambda x, y: (x - 0.5) ** 2 + (y - 0.5) ** 2 <= 0.25)
    if name == "hexagon":
        # With two horizontal sides, as hexagonal nodes fill it.
        return _Outline(
            "a hexagon",
            ROW_STEP,
            1.0,
            lambda x, y: np.abs(x - 0.5) + np.abs(y - ROW_STEP / 2) / math.sqrt(3) <= 0.5,
        )
    return _image_outline(Path(name))


def _image_outline(path: Path) -> _Outline:
    inside = read_mask(path)
    rows, columns = (np.flatnonzero(inside.any(axis=axis)) for axis in (1, 0))
    inside = inside[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    height, width = inside.shape

    def holds(x: np.ndarray, y: np.ndarray) -> np.ndarray:
        row, column = ((values * width).astype(np.intp) for values in (y, x))
        return inside[row.clip(0, height - 1), column.clip(0, width - 1)]

    return _Outline(path.name, height / width, float(width), holds)


def read_mask(path: Path) -> np.ndarray:
    """Return where an image is dark, or opaque if it has transparency, (height, width) bool."""
    from PIL import Image

    from lapmark.bench.data import bounded_reading

    if not path.exists():
        raise ValueError(f"--shape {path}: it is neither {' nor '.join(OUTLINES)}, nor an image file that exists")
    try:
        with Image.open(path) as image:
            bounded_reading.check_pixels(math.prod(image.size), bounded_reading.MOST_PIXELS)
            if image.has_transparency_data:
                inside = np.asarray(image.convert("RGBA"))[..., 3] >= THRESHOLD
            elif image.mode.startswith(("I", "F")):
                values = np.asarray(image).astype(np.float64)
                inside = values < (values.min() + values.max()) / 2
            else:
                inside = np.asarray(image.convert("L")) < THRESHOLD
    except Image.UnidentifiedImageError:
        raise ValueError(f"--shape {path} is not an image; give {', '.join(OUTLINES)} or an image file") from None
    except (OSError, SyntaxError, Image.DecompressionBombError) as error:
        raise ValueError(f"--shape {path} cannot be read: {error}") from None
    if not inside.any():
        raise ValueError(f"--shape {path} has no dark or opaque part to fill")
    return inside


def _least(outline: _Outline, needed: int, is_hexagonal: bool) -> Lattice:
    """Return the coarsest lattice with enough nodes."""
    return _across(outline, _widest(outline, needed, is_hexagonal), is_hexagonal)


def _widest(outline: _Outline, needed: int, is_hexagonal: bool) -> float:
    """Return the smallest number of nodes across an outline, in tenths, with enough nodes inside."""

    def count(across: float) -> int:
        return len(_across(outline, across, is_hexagonal).cells)

    low, high = 0, 1
    while count(high) < needed:
        if high * high * max(outline.aspect, 1) > MOST_NODES:
            raise ValueError(f"{outline.name} has too little room for {needed:,} nodes")
        low, high = high, 2 * high
    while high - low > 1:  # the count grows with few exceptions, so that this is nearly the smallest
        middle = (low + high) // 2
        low, high = (low, middle) if count(middle) >= needed else (middle, high)
    between = (low + tenth / 10 for tenth in range(1, 10))
    return next((across for across in between if across >= 1 and count(across) >= needed), float(high))


def _across(outline: _Outline, across: float, is_hexagonal: bool) -> Lattice:
    """Return the nodes inside an outline, a given number of them across."""
    pitch, step = 1 / across, (ROW_STEP if is_hexagonal else 1) / across
    columns = max(1, math.floor(across + 1e-9))
    rows = max(1, math.floor((outline.aspect - pitch) / step + 1e-9) + 1)
    return _inside(outline, (rows, columns), pitch, step, is_hexagonal)


def _within(outline: _Outline, shape: tuple[int, int], is_hexagonal: bool) -> Lattice:
    """Return the nodes inside an outline that is stretched to rows and columns."""
    rows, columns = shape
    if rows * columns > MOST_NODES:
        raise ValueError(f"{_too_many(shape)}")
    return _inside(outline, shape, 1 / (columns + 0.5 * is_hexagonal), outline.aspect / rows, is_hexagonal)


def _inside(outline: _Outline, shape: tuple[int, int], pitch: float, step: float, is_hexagonal: bool) -> Lattice:
    rows, columns = shape
    row, column = np.divmod(np.arange(rows * columns), columns)
    moved = 0.5 * (row % 2) - 0.25 if is_hexagonal and rows > 1 else 0.0
    x = 0.5 + (column + moved - (columns - 1) / 2) * pitch
    y = outline.aspect / 2 + (row - (rows - 1) / 2) * step
    inside = outline.holds(x, y)
    return Lattice(np.column_stack([row, column])[inside], shape, is_hexagonal, outline.name)


def _too_many(grid: tuple[int, int]) -> str:
    return f"a {grid[0]}×{grid[1]} grid has more than {MOST_NODES:,} nodes; take fewer rows and columns"


def _too_few(grid: tuple[int, int], found: Lattice, n: int, needed: int) -> str:
    empty = f" and {needed - n:,} to spare" if needed > n else ""
    count = show_count_of(len(found.cells), "node")
    return f"--grid {grid[0]}x{grid[1]} has {count} in {found.outline} for {n:,} items{empty}"
