"""Panels of a chart, as plain data: `drawing` makes a picture of them, and the script of a page interactive charts."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from lapmark.bench.util import units
from lapmark.reports import format
from lapmark.reports.style import Style, numbered_style, style

#: How the values of an axis are written; the script of the pages knows the same names.
Unit = Literal["s", "B", "×", "share", "error", "count", "exponent"]

FORMS: dict[Unit, Callable[[float], str]] = {
    "s": units.show_duration,
    "B": units.show_size,
    "×": format.ratio,
    "share": lambda value: f"{100 * value:.0f} %",
    "error": format.gap,
    "count": lambda value: f"{value:,.0f}",
    "exponent": lambda value: f"{value:.2g}",
}


@dataclass(frozen=True)
class Axis:
    """An axis.

    Attributes
    ----------
    title : str
    unit : str
    low, high : float or None
        Ends of the axis; by default those of the data.
    is_log : bool
    base : int
        Of the powers at which a log axis has ticks.
    floor : float or None
        Values at most this large are drawn here and written as `floor_text`: a log axis has no 0.
    ceiling : float or None
        Values at least this large are drawn here and written as `ceiling_text`: an axis has no infinity.
    """

    title: str
    unit: Unit
    low: float | None = None
    high: float | None = None
    is_log: bool = True
    base: int = 10
    floor: float | None = None
    floor_text: str = ""
    ceiling: float | None = None
    ceiling_text: str = ""

    def write(self, value: float) -> str:
        """Return a value as text."""
        if self.floor is not None and value <= 2 * self.floor:
            return self.floor_text
        if self.ceiling is not None and value >= self.ceiling:
            return self.ceiling_text
        return FORMS[self.unit](value)


@dataclass(frozen=True)
class Point:
    """A point with its range: of y, or of x in a panel with rows. `note` is shown with it."""

    x: float
    y: float
    low: float | None = None
    high: float | None = None
    n: int | None = None
    note: str = ""


@dataclass(frozen=True)
class Curve:
    """Points of one solver.

    Attributes
    ----------
    name : str
        The solver's name as readers see it, or what else the curve is of.
    solver : str
        The spec that gives it its style; empty for a curve that is not of a solver.
    place : int
        The number that gives a curve without a solver its style.
    suffix : str
        Written after the name in its label.
    heading : float or None
        Height at which its label would best be; by default that of the last point.
    shape : "line", "steps" or "points"
    """

    name: str
    points: tuple[Point, ...]
    solver: str = ""
    place: int = 0
    suffix: str = ""
    heading: float | None = None
    shape: Literal["line", "steps", "points"] = "line"

    @property
    def label(self) -> str:
        """The name with the suffix."""
        return f"{self.name}  {self.suffix}" if self.suffix else self.name

    @property
    def look(self) -> Style:
        """Its style."""
        return style(self.solver) if self.solver else numbered_style(self.place)


@dataclass(frozen=True)
class Panel:
    """A panel of a chart.

    Attributes
    ----------
    title : str
    x, y : Axis
    curves : tuple of Curve
    problem : str
        The family that it is of; empty if it is of several.
    rows : tuple of str
        If there are any, y is not a quantity but the number of a row, from the top.
    level : float or None
        A line for comparison, at this y, or x in a panel with rows; `level_text` is written at it.
    guide : tuple of (x, y)
        A thick grey line for comparison.
    """

    title: str
    x: Axis
    y: Axis
    curves: tuple[Curve, ...]
    problem: str = ""
    rows: tuple[str, ...] = ()
    level: float | None = None
    level_text: str = ""
    guide: tuple[tuple[float, float], ...] = ()
