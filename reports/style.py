"""Style of all charts, in pictures and in pages: colours, marks and lines of each solver."""

from dataclasses import dataclass, replace
from functools import cache

from lapmark.bench.util import spec
from lapmark.solvers import registry

from . import tables
from .format import printable

#: Colours of everything but data, and their replacements in dark mode.
INK, SOFT, RULE, PAPER = "#1c2128", "#5f6771", "#d8dee4", "#fefefe"
DARK = {INK: "#e6edf3", SOFT: "#9aa4af", RULE: "#30363d", PAPER: "#0d1117"}

#: Okabe and Ito's palette, safe for the colour-blind. A brown and a grey replace its black and its yellow, so that each
#: colour is legible on light and dark ground.
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#A0703C", "#8A8F98")
MARKERS = ("o", "s", "^", "D", "v", "P", "X", "<", ">", "h", "p")

#: Line styles: ours, ours without vector instructions, other packages.
Dashes = tuple[float, tuple[float, ...] | None]
SOLID, DOTTED, DASHED = (0.0, None), (0.0, (1.2, 1.2)), (0.0, (4.0, 1.5))
DASH_DOTTED = (0.0, (4.0, 1.2, 1.2, 1.2))


@dataclass(frozen=True)
class Style:
    """The style of one solver."""

    colour: str
    marker: str
    dashes: Dashes
    width: float
    weight: str


@cache
def style(solver: str) -> Style:
    """Return the style of a solver: ours thick, dotted if a build with vectors exists; others thin, dashed."""
    name, whose = spec.parse(solver)[0], tables.group(solver)
    if whose == "harness":
        return Style(SOFT, "|", DASHED, 1.1, "normal")
    # A plugin gets a place by its name, which is the same in every report.
    numbered = numbered_style(_places().get(tables.plain_build(name), sum(name.encode())))
    if whose != "ours":
        return replace(numbered, dashes=DASHED, width=1.1)
    plain = tables.plain_build(name)
    variants = [other for other, known in registry.solvers().items() if known.capabilities.variant_of == plain]
    dashes: Dashes = DOTTED if variants else SOLID
    if name in variants:
        dashes = SOLID if name == variants[0] else DASH_DOTTED
    return replace(numbered, dashes=dashes, width=2.0, weight="bold")


def numbered_style(place: int) -> Style:
    """Return the style of the curve with a number; the first 88 are all different."""
    return Style(COLOURS[place % len(COLOURS)], MARKERS[place % len(MARKERS)], SOLID, 1.4, "normal")


@cache
def _places() -> dict[str, int]:
    """Return a number for each algorithm, ours first, the same in every report."""
    known = [name for name, solver in registry.solvers().items() if not solver.capabilities.variant_of]
    known.sort(key=lambda name: (tables.group(name) != "ours", name))
    return {name: place for place, name in enumerate(known)}


def plain(text: str, longest: int = 40) -> str:
    """Return a name from data as one line of bounded length that Matplotlib does not take for a formula."""
    return printable(text, longest).replace("$", r"\$")
