"""Which function draws the answers to which family of problems, and what each picture shows."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
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
        What a picture shows, in a sentence without its full stop, by the name of its file without the suffix.
    """

    draw: Callable[[Case, Any, Path], list[Path]]
    captions: Mapping[str, str]


#: By the name of the family or study.
PICTURES: dict[str, Pictures] = {
    "gmm-flow": Pictures(gmm_flow.draw, gmm_flow.CAPTIONS),
    "images-emd": Pictures(images_emd.draw, images_emd.CAPTIONS),
    "label-transfer": Pictures(label_transfer.draw, label_transfer.CAPTIONS),
    "lle": Pictures(lle.draw, lle.CAPTIONS),
    "lle-grid": Pictures(embedding_grid.draw, embedding_grid.CAPTIONS),
    "masses": Pictures(masses.draw, masses.CAPTIONS),
    "tsne-grid": Pictures(embedding_grid.draw, embedding_grid.CAPTIONS),
    "words": Pictures(words.draw, words.CAPTIONS),
}
