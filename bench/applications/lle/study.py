"""Locally linear embedding of images, compared with scikit-learn's, and the way back from the plane to images.

Images that take no part in the fit are placed among those that do, and reconstructed from the plane; the error is
measured for several numbers of neighbours and components. Two images are blended pixel by pixel and along the
embedding, and a 6 and an 8 are turned through a full circle over it.

Digits have few shades, and many pairs of them are equally far apart, so that the choice of neighbours, and with it the
embedding, would be arbitrary. Noise too faint to be seen, added to the images of the fit, makes it unique.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from lapmark.bench.problems.applied.images_emd import Source
from lapmark.bench.util.status_line import doing

if TYPE_CHECKING:
    from .numbers import Blend, Embedded, Errors, Magnitudes, Turn

#: Largest side, in pixels, of the picture of the matrix.
MATRIX_SIDE = 1500


@dataclass(frozen=True, eq=False)
class Study:
    """Data that the pictures of the embedding show.

    Attributes
    ----------
    spectrum : (array, array)
        All eigenvalues of M, ascending, and those that the estimator found.
    text : str
        The main numbers in a few sentences.
    """

    embedded: Embedded
    errors: Errors
    magnitudes: Magnitudes
    spectrum: tuple[np.ndarray, np.ndarray]
    blends: list[Blend]
    turns: list[Turn]
    text: str


def study(n: int, seed: int = 0, source: Source = "digits", neighbours: int = 10, components: int = 2) -> Study:
    """Embed images and measure the embedding.

    Parameters
    ----------
    n : int
        Images of the fit: the first of `numpy.random.default_rng(seed).permutation`. Those that follow are unseen.
    seed : int
        Selects the images.
    source : {"digits", "mnist"}
    neighbours, components : int
        Of the embedding; pictures of the plane show the first two components.

    Raises
    ------
    ValueError
        The source has too few images for n, or a setting is out of range.
    """
    from . import numbers  # a list of applications should not wait for scikit-learn

    with doing("embedding") as say:
        embedded = numbers.embed(n, seed, source, neighbours, components)
        say("embedding with other numbers of neighbours")
        errors = numbers.errors(embedded)
        say("measuring the embedding")
        return Study(
            embedded=embedded,
            errors=errors,
            magnitudes=numbers.magnitudes(embedded, MATRIX_SIDE),
            spectrum=numbers.spectrum(embedded),
            blends=numbers.blends(embedded),
            turns=numbers.turns(embedded),
            text=numbers.summary(embedded),
        )
