"""Make the shipped embedding anew: `python -m bench.embeddings.make_reference --data DIR`; takes some minutes.

Writes a file and says how it compares with what is shipped, which was made with scikit-learn 1.9.1 and two threads.
Another processor rounds otherwise, t-SNE magnifies that, and a picture of the same quality but of other points comes
out: which is why the reference is shipped at all.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

import numpy as np
import typer

from .. import datasets
from .reference import FILE, reference
from .tsne import tsne

THREADS = 2


def main(
    data: Annotated[Path, typer.Option(help="Folder that has the MNIST test set as IDX files.")],
    to: Annotated[Path, typer.Option(help="File to write.")] = Path(FILE),
) -> None:
    """Embed the MNIST test set and compare the outcome with what is shipped."""
    os.environ[datasets.VARIABLE] = str(data)
    images = datasets.mnist(download=False)
    points = tsne(images.pixels, threads=THREADS)
    np.savez_compressed(to, points=points, label=images.label)
    shipped, label = reference()
    if not np.array_equal(label, images.label):
        verdict = "its labels differ: these are not the images of the shipped embedding"
    elif np.array_equal(points, shipped):
        verdict = "it is the shipped embedding, to the bit"
    else:
        verdict = f"it differs from the shipped embedding by up to {np.abs(points - shipped).max():.3g}"
    print(f"{to}: {verdict}")


if __name__ == "__main__":
    typer.run(main)
