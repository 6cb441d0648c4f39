"""Where the cells of a map are in its picture, in pixels."""

import math
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from PIL import Image, ImageDraw

from lapmark.bench.applications.grid_map.lattice import ROW_STEP, Lattice

#: Side of the largest square in a hexagon with two vertical sides, relative to its width: 1 / (1 + 1/√3) · 2/√3.
INSCRIBED = 2 / (math.sqrt(3) + 1)


@dataclass(frozen=True, eq=False)
class Cells:
    """The cells of a lattice.

    Attributes
    ----------
    side : int
        Width of a cell; the height, too, of a square one.
    gap : int
        Between neighbours, and around all.
    line : int
        Part of the side that is left free between cells.
    """

    lattice: Lattice
    side: int
    gap: int = 0
    line: int = 0

    @property
    def pitch(self) -> int:
        """Distance between the cells of a row."""
        return self.side + self.gap

    @property
    def step(self) -> float:
        """Distance between rows."""
        return self.pitch * ROW_STEP if self.lattice.is_hexagonal else self.pitch

    @property
    def moved(self) -> float:
        """How far odd rows are moved right, relative to the pitch."""
        return 0.5 if self.lattice.is_hexagonal else 0.0

    @cached_property
    def size(self) -> tuple[int, int]:
        """Height and width of what is drawn of a cell."""
        width = self.side - self.line
        return (max(1, round(width / ROW_STEP)) if self.lattice.is_hexagonal else width), width

    @property
    def height(self) -> int:
        """Of all cells."""
        rows = self.lattice.shape[0]
        last = self.side / ROW_STEP if self.lattice.is_hexagonal else self.side
        return math.ceil(2 * self.gap + (rows - 1) * self.step + last)

    @property
    def width(self) -> int:
        """Of all cells."""
        rows, columns = self.lattice.shape
        return math.ceil(self.gap + columns * self.pitch + self.moved * self.pitch * (rows > 1))

    def corners(self, nodes: np.ndarray) -> np.ndarray:
        """Return the top and the left pixel of cells (n, 2), given by row and column."""
        row, column = nodes[:, 0], nodes[:, 1]
        top = np.rint(self.gap + row * self.step)
        left = np.rint(self.gap + (column + self.moved * (row % 2)) * self.pitch)
        return np.column_stack([top, left]).astype(np.intp)

    def centres(self, nodes: np.ndarray) -> np.ndarray:
        """Return y and x of the centres of cells, (n, 2)."""
        return self.corners(nodes) + np.array(self.size) / 2

    @cached_property
    def polygon(self) -> list[tuple[float, float]]:
        """The corners of a cell, as x and y from its top left."""
        height, width = self.size
        if not self.lattice.is_hexagonal:
            return [(0, 0), (width, 0), (width, height), (0, height)]
        high, low = height / 4, 3 * height / 4
        return [(width / 2, 0), (width, high), (width, low), (width / 2, height), (0, low), (0, high)]

    @cached_property
    def mask(self) -> np.ndarray:
        """The pixels of a cell, (height, width) bool."""
        height, width = self.size
        if not self.lattice.is_hexagonal:
            return np.ones((height, width), bool)
        # Drawn eight times as large, since a polygon's outline is one pixel wide whatever the scale.
        image = Image.new("L", (8 * width, 8 * height))
        ImageDraw.Draw(image).polygon([(8 * x, 8 * y) for x, y in self.polygon], fill=255)
        return np.asarray(image.resize((width, height), Image.Resampling.BOX)) >= 128

    @property
    def inner(self) -> int:
        """Side of the largest square in a cell."""
        width = self.size[1]
        return max(1, math.floor(INSCRIBED * width)) if self.lattice.is_hexagonal else width
