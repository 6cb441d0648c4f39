"""Locally linear embedding, drawn: images in the plane, as scikit-learn puts them, and the way there and back.

Images that take no part in the fit are put among those that do, and come back from the plane; what stays of them is
measured for several numbers of neighbours and components. Two images are blended pixel by pixel and along the
embedding, and a 6 and an 8 are turned through a full circle over it.

Digits have few shades, and many of them are as far from each other as others are: which are their neighbours, and with
it the embedding, would be a matter of chance. So noise too faint to be seen is added to the images of the fit.
"""

from __future__ import annotations

from pathlib import Path

from lapmark.bench.problems.applied.images_emd import Source
from lapmark.bench.util.status_line import doing

from . import study


@study(
    "lle",
    source="S. Roweis, L. Saul, Science 290 (2000) 2323–2326; beside scikit-learn’s LocallyLinearEmbedding",
    sizes=(1500,),
    exhibits={"mnist": ({"n": 5000, "source": "mnist"},)},
    captions={
        "beside": "Ours and scikit-learn’s, of images with noise of 0.0001 grey levels, which makes neighbours unique",
        "unseen": "Images that took no part in the fit, where the embedding puts them",
        "reconstructed": "One unseen image of each digit, and what comes back of it from the plane",
        "errors": "How much of an image is lost on the way there and back, by neighbours and components",
        "matrix": "The matrix whose lowest eigenvectors are the embedding, by label, then from left to right",
        "spectrum": "Its eigenvalues",
        "between": "From one image to another, in a straight line between their pixels and along the embedding",
        "turned": "A 6 and an 8 turned through a full circle, over the embedding",
        "turning": "The same, moving",
    },
)
def draw(
    folder: Path, n: int, seed: int = 0, source: Source = "digits", neighbours: int = 10, components: int = 2
) -> tuple[str, list[Path]]:
    """Eight figures and an animation.

    Parameters
    ----------
    folder : Path
    n : int
        Images of the fit: the first of `numpy.random.default_rng(seed).permutation`. Those that follow are unseen.
    seed : int
        Selects the images.
    source : {"digits", "mnist"}
    neighbours, components : int
        Of the embedding; the pictures of the plane show the first two components.
    """
    # Imported here: a list of studies should not wait for scikit-learn and matplotlib.
    from . import _lle_numbers as numbers
    from . import _lle_pictures as pictures
    from . import _lle_ways as ways

    with doing("embedding") as say:
        of = numbers.embed(n, seed, source, neighbours, components)
        say("drawing the embedding")
        made = pictures.beside(of, folder) + pictures.unseen(of, folder) + pictures.reconstructed(of, folder)
        say("embedding with other numbers of neighbours")
        made += pictures.errors(of, numbers.errors(of), folder)
        say("drawing the matrix and its eigenvalues")
        made += pictures.matrix(of, folder) + pictures.spectrum(of, numbers.spectrum(of), folder)
        say("drawing ways through the embedding")
        turns = numbers.turns(of)
        made += ways.between(of, numbers.blends(of), folder) + ways.turned(of, turns, folder)
        say("drawing the animation")
        made += ways.turning(of, turns, folder)
    return numbers.said(of), made
