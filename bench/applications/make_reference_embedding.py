"""The script that makes the shipped embedding; it takes some minutes.

    python -m lapmark.bench.applications.make_reference_embedding --data DIR

It writes a file and compares it with the shipped one, which was made with scikit-learn 1.9.1 and two threads. The
points will differ, since t-SNE amplifies rounding differences between libraries and processors; that is why the
reference is shipped. The quality of the two should agree.
"""

import os
from pathlib import Path
from typing import Annotated

import numpy as np
import typer
from scipy.spatial import KDTree

from lapmark.bench.data import datasets
from lapmark.bench.embeddings import embed, reference
from lapmark.bench.embeddings.reference_embedding import FILE

THREADS = 2


def main(
    data: Annotated[Path, typer.Option(help="Folder that has the MNIST test set as IDX files.")],
    to: Annotated[Path, typer.Option(help="File to write.")] = Path(FILE),
) -> None:
    """Embed the MNIST test set and compare the result with the shipped embedding."""
    os.environ[datasets.VARIABLE] = str(data)
    images = datasets.mnist(download=False)
    shipped, label = reference()
    if not np.array_equal(label, images.label):
        raise SystemExit(f"the labels in {data} are not those of the shipped embedding: other images, or another order")
    points = embed(images.pixels, "tsne-sklearn", threads=THREADS)
    np.savez_compressed(to, points=points, label=label)
    same = "equal to the bit" if np.array_equal(points, shipped) else "other points"
    print(f"{to}: {same}; {agreement(points, label):.2%} of nearest neighbours show the same digit")
    print(f"shipped: {agreement(shipped, label):.2%}")


def agreement(points: np.ndarray, label: np.ndarray) -> float:
    """Return the share of points (n, 2) whose nearest other point has the same label (n,)."""
    _, nearest = KDTree(points).query(points, k=2)
    return float((label[nearest[:, 1]] == label).mean())


if __name__ == "__main__":
    typer.run(main)
