"""The page of the gallery: every application drawn in a folder, with the command that draws it."""

from __future__ import annotations

import inspect
from collections.abc import Sequence

from bench import gallery, problems
from bench.problems import Case

from .page import fill, shown_pictures
from .pictures import Album


def render(albums: Sequence[Album]) -> str:
    """The page as HTML, which holds all it shows."""
    return fill("gallery.html", exhibits=[_exhibit(album) for album in albums])


def _exhibit(album: Album) -> dict[str, object]:
    case = Case.read(album.case)
    family = problems.get(case.problem)
    return {
        "label": f"{case.label}, n = {case.n:,}",
        # What the module of a family is for is what its first paragraph says.
        "about": (inspect.getdoc(inspect.getmodule(family.build)) or "").split("\n\n")[0],
        "source": family.source,
        "command": gallery.command(case),
        "album": album,
        "pictures": shown_pictures(album),
    }
