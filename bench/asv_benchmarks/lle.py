"""Locally linear embedding, compared with scikit-learn: time, and the largest difference of the two embeddings.

python -m lapmark.bench.asv_benchmarks.lle --data DIR     prints a table, measured on the cores of this process
"""

import functools
import os
from pathlib import Path
from typing import Annotated

import numpy as np
import typer

from lapmark.bench import embeddings
from lapmark.bench.data import datasets

from .side_by_side import Table, shortest_times

#: Numbers of images from the start of the MNIST test set, and of neighbours.
SIZES, NEIGHBOURS = (1000, 2000, 5000, 10_000), 5

#: Calls of each; the shortest counts.
ROUNDS = 5


class LocallyLinear:
    """Embedding of the first n digits of scikit-learn in the plane."""

    params = ([500, 1797],)
    param_names = ("n",)

    def setup(self, n: int) -> None:
        images = datasets.digits().pixels
        self.vectors = images.reshape(len(images), -1)[:n] / 255
        self.time_fit(n)  # compiles

    def time_fit(self, n: int) -> None:
        embeddings.LocallyLinearEmbedding(n_neighbors=10).fit(self.vectors)


def main(
    data: Annotated[Path | None, typer.Option(help="Folder with the MNIST test set as IDX files.")] = None,
) -> None:
    """Compare with scikit-learn on MNIST."""
    from sklearn.manifold import LocallyLinearEmbedding as Peer

    if data is not None:
        os.environ[datasets.VARIABLE] = str(data)
    pixels = datasets.mnist().pixels
    vectors = pixels.reshape(len(pixels), -1) / 255
    table = Table({"n": "7,", "s, lapmark": "13.3f", "s, scikit-learn": "18.3f", "lead": "8.1f", "apart": "10.1e"})
    table.print_heading()
    for n in SIZES:
        mine, peer = embeddings.LocallyLinearEmbedding(n_neighbors=NEIGHBOURS), Peer(n_neighbors=NEIGHBOURS)
        one, other = mine.fit_transform(vectors[:n]), peer.fit_transform(vectors[:n])
        apart = np.abs(one - other * np.sign((one * other).sum(axis=0))).max()
        calls = {each: functools.partial(model.fit, vectors[:n]) for each, model in (("mine", mine), ("peer", peer))}
        seconds = shortest_times(calls, ROUNDS)
        ours, theirs = seconds["mine"], seconds["peer"]
        table.print_row(n, ours, theirs, theirs / ours, apart)


if __name__ == "__main__":
    typer.run(main)
