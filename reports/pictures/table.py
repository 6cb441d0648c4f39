"""Which function draws the answers to which family of problems, and what each picture shows."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from lapmark.bench.problems import Case

from . import embedding_grid, gmm_flow, images_emd, label_transfer, lle, masses, words


@dataclass(frozen=True)
class Pictures:
    """The pictures of an application.

    Attributes
    ----------
    draw : callable
        `draw(case, solved, folder) -> list of paths`: draws a `SolvedCase`, or the study of a case that has one, as
        PNG, SVG and GIF. A warning gives the reason for a picture that is left out.
    captions : mapping of str to str
        What a picture shows, in a sentence without its full stop, by the name of its file without the suffix. Pages
        show the pictures in this order.
    alts : mapping of str to str
        What a reader who does not see a picture should know, by the same names; `{n}` stands for the size.
    title, what : str
        The application in a few words, and what was solved in a sentence without its full stop; `{n}` as before.
    is_mosaic : bool
        Whether a part of the first picture is as good as the whole, where there is little space.
    """

    draw: Callable[[Case, Any, Path], list[Path]]
    captions: Mapping[str, str]
    alts: Mapping[str, str] = field(default_factory=dict)
    title: str = ""
    what: str = ""
    is_mosaic: bool = False


#: By the name of the family or study.
PICTURES: dict[str, Pictures] = {
    "tsne-grid": Pictures(
        draw=embedding_grid.draw,
        captions=embedding_grid.CAPTIONS,
        alts=embedding_grid.ALTS,
        is_mosaic=True,
        title="Images on a grid",
        what="{n} images move from their t-SNE embedding to the nodes of a grid, by the least sum of squared distances",
    ),
    "lle-grid": Pictures(
        draw=embedding_grid.draw,
        captions=embedding_grid.CAPTIONS,
        alts=embedding_grid.ALTS,
        is_mosaic=True,
        title="Images on a grid, by LLE",
        what="{n} images move from their locally linear embedding to the nodes of a grid, by the least sum of squared "
        "distances",
    ),
    "images-emd": Pictures(
        draw=images_emd.draw,
        captions=images_emd.CAPTIONS,
        alts=images_emd.ALTS,
        title="One digit becomes another",
        what="The light of {n} pixels of one image moves to those of another, with the least work",
    ),
    "words": Pictures(
        draw=words.draw,
        captions=words.CAPTIONS,
        alts=words.ALTS,
        title="One text becomes another",
        what="{n} words of one text move to {n} of another, by the least distance in meaning",
    ),
    "label-transfer": Pictures(
        draw=label_transfer.draw,
        captions=label_transfer.CAPTIONS,
        alts=label_transfer.ALTS,
        title="Labels carried to another cloud",
        what="{n} points receive the labels of {n} others by entropic transport",
    ),
    "gmm-flow": Pictures(
        draw=gmm_flow.draw,
        captions=gmm_flow.CAPTIONS,
        alts=gmm_flow.ALTS,
        title="A mixture flows to another",
        what="{n} Gaussians follow the gradient of their transport distance to the target",
    ),
    "masses": Pictures(
        draw=masses.draw,
        captions=masses.CAPTIONS,
        alts=masses.ALTS,
        title="A transport plan",
        what="{n} unequal masses move to {n} others at the least cost",
    ),
    "lle": Pictures(
        draw=lle.draw,
        captions=lle.CAPTIONS,
        alts=lle.ALTS,
        title="Locally linear embedding",
        what="{n} images embedded in the plane by their neighbours, and the way back",
    ),
}
