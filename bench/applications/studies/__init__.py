"""The studies of the gallery, one file each: pictures of data, where there is no assignment to solve.

A file registers its study by calling `study`. What it draws is a function of its arguments and of the data alone.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from lapmark.bench.problems.application import Application, Settings, import_modules

Draw = Callable[..., tuple[str, list[Path]]]


@dataclass(frozen=True, kw_only=True)
class Study(Application):
    """Pictures of data.

    Attributes
    ----------
    draw : callable
        `draw(folder, n, seed=0, **settings) -> (text, paths)`: a sentence of what is known, and the pictures, as PNG,
        SVG and GIF. A warning says why one is left out; ValueError, ImportError or OSError why there is none.
    """

    draw: Draw
    positional: ClassVar[int] = 3

    @property
    def function(self) -> Draw:
        return self.draw


_studies: dict[str, Study] = {}


def study(
    name: str,
    *,
    source: str,
    sizes: tuple[int, ...],
    variants: tuple[Settings, ...] = ({},),
    captions: Mapping[str, str] | None = None,
    exhibits: Mapping[str, tuple[Settings, ...]] | None = None,
) -> Callable[[Draw], Draw]:
    """Decorate a function that draws to make it the study `name`; the settings are those of `Application`."""

    def add(draw: Draw) -> Draw:
        _studies[name] = Study(
            name=name,
            draw=draw,
            source=source,
            sizes=sizes,
            variants=variants,
            captions=captions or {},
            exhibits=exhibits or {},
        )
        return draw

    return add


def studies() -> dict[str, Study]:
    """Every study by name."""
    _load()
    return dict(sorted(_studies.items()))


@functools.cache
def _load() -> None:
    import_modules(__name__, __path__)
