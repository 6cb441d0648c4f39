"""A collection laid on a grid: embedded in the plane, assigned, and proven."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from lapmark.bench import embeddings
from lapmark.bench.util.units import show_duration
from lapmark.solvers import Certificate, certify, registry, solve
from lapmark.solvers.auto import automatic
from lapmark.solvers.grid_layout import grid_problem, grid_shape

from .collection import Collection

if TYPE_CHECKING:
    import pandas as pd

#: What is no method: points of the plane as they are.
NONE = "none"


@dataclass(frozen=True, eq=False)
class Layout:
    """A collection on a grid.

    Attributes
    ----------
    collection : Collection
    points : (n, 2) float array
        Where the things lie in the plane.
    nodes : (n, 2) intp
        Row, from the top, and column of each.
    shape : (int, int)
        Rows and columns.
    method, solver : str
    embedding_seconds, solver_seconds : float
    certificate : Certificate
    """

    collection: Collection
    points: np.ndarray
    nodes: np.ndarray
    shape: tuple[int, int]
    method: str
    solver: str
    embedding_seconds: float
    solver_seconds: float
    certificate: Certificate

    @property
    def facts(self) -> str:
        """How it was made, and what is proven, in a line; the same for the same layout."""
        return self._told(self.method, self.solver)

    @property
    def times(self) -> str:
        """The same, and what it took; an embedding that was kept from another time takes next to nothing."""
        solved = f"{self.solver} in {show_duration(self.solver_seconds)}"
        return self._told(f"{self.method} in {show_duration(self.embedding_seconds)}", solved)

    def _told(self, method: str, solver: str) -> str:
        rows, columns = self.shape
        empty = rows * columns - len(self.nodes)
        proof = self.certificate
        parts = [
            "points as they are" if self.method == NONE else method,
            f"{rows}×{columns} grid",
            f"{empty:,} node{'s' * (empty > 1)} empty" if empty else "",
            solver,
            "certified optimal" if proof.optimal else f"not proven optimal: gap {proof.gap:.2g}",
        ]
        return ", ".join(filter(None, parts))

    def table(self) -> pd.DataFrame:
        """A row for each thing: name, row, column, x, y and, where there are labels, label."""
        import pandas as pd

        columns = {"row": self.nodes[:, 0], "column": self.nodes[:, 1], "x": self.points[:, 0], "y": self.points[:, 1]}
        labels = {} if self.collection.labels is None else {"label": self.collection.labels}
        return pd.DataFrame({"name": self.collection.names, **columns, **labels})


def methods() -> Mapping[str, str]:
    """Ways from vectors to points of the plane that can be used here, each with what it is."""
    known = {name: method.about for name, method in embeddings.methods().items() if not method.missing}
    return {**known, NONE: "points of the plane, as they are"}


def check_method(name: str) -> None:
    """A ValueError where there is no such method, or where its package is missing."""
    known = embeddings.methods()
    if name in known and known[name].missing:
        raise ValueError(f"{name}: {known[name].missing}")
    if name not in methods():
        raise registry.unknown("method", name, [*known, NONE])


def lay(
    collection: Collection,
    shape: tuple[int, int] | None = None,
    method: str | None = None,
    seed: int = embeddings.SEED,
    threads: int | None = None,
) -> Layout:
    """Lay a collection on a grid.

    Parameters
    ----------
    collection : Collection
    shape : (int, int), optional
        Rows and columns, with as many nodes or more; default: the nearest that fits.
    method : str, optional
        One of `methods`; default: "none" for points of the plane, else "tsne".
    seed : int
        Of the embedding.
    threads : int, optional
        Threads to embed with; default: one for each core.

    Raises
    ------
    ValueError
        Where the grid has too few nodes, the method cannot be used, or it is "none" and the vectors are not of the
        plane.
    """
    shape = grid_shape(len(collection), shape)
    method = method or (NONE if collection.are_points else "tsne")
    check_method(method)
    if method == NONE and not collection.are_points:
        count = collection.vectors.shape[1]
        raise ValueError(f"--method none takes points of the plane; these are vectors of {count:,} numbers")
    start = time.perf_counter()
    points = collection.vectors
    if method != NONE:
        points = embeddings.embed(points, method, seed=seed, threads=threads)
    embedded = time.perf_counter()
    problem, _ = grid_problem(points, shape)
    matching = solve(problem)
    solved = time.perf_counter()
    nodes = np.column_stack(np.divmod(matching.row_to_col, shape[1]))
    certificate, solver = certify(problem, matching), automatic(problem)
    return Layout(collection, points, nodes, shape, method, solver, embedded - start, solved - embedded, certificate)
