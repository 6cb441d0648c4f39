"""A collection laid on a grid: embedded in the plane, assigned to nodes, and certified."""

from __future__ import annotations

import dataclasses
import time
import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from lapmark.bench import embeddings
from lapmark.bench.util.units import show_duration
from lapmark.solvers import Certificate, certify, registry, solve
from lapmark.solvers.auto import automatic
from lapmark.solvers.grid_layout import grid_problem

from . import scaling
from .collection import Collection
from .lattice import Lattice, Wanted, lattice
from .scaling import Scale

if TYPE_CHECKING:
    import pandas as pd

#: The method for points of the plane, which need no embedding.
NONE = "none"


@dataclass(frozen=True, eq=False)
class Layout:
    """A collection on a grid.

    Attributes
    ----------
    points : (n, 2) float array
        Points of the items in the plane.
    nodes : (n, 2) intp
        Row, from the top, and column of each item.
    lattice : Lattice
        All nodes, those that stay empty included.
    """

    collection: Collection
    points: np.ndarray
    nodes: np.ndarray
    lattice: Lattice
    method: str
    scale: Scale
    solver: str
    embedding_seconds: float | None  # None for one from the cache, and for points of the plane
    solver_seconds: float
    certificate: Certificate

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns."""
        return self.lattice.shape

    @property
    def empty(self) -> np.ndarray:
        """Row and column of each node that stays empty, (k, 2)."""
        return self.lattice.without(self.nodes)

    @property
    def is_plane(self) -> bool:
        """Whether the points were given, not embedded."""
        return self.method == NONE

    @property
    def facts(self) -> str:
        """Method, grid, solver and certificate in one line, which is the same for equal layouts."""
        return ", ".join(self._summary(self.method, self.solver))

    @property
    def times(self) -> str:
        """The same with times, in two lines."""
        solved = f"{self.solver} in {show_duration(self.solver_seconds)}"
        seconds = self.embedding_seconds
        embedded = "from the cache" if seconds is None else f"in {show_duration(seconds)}"
        return "\n".join(self._summary(f"{self.method} {embedded}", solved))

    def _summary(self, method: str, solver: str) -> tuple[str, str]:
        empty = len(self.lattice.cells) - len(self.nodes)
        proof = self.certificate
        parts = [
            "points of the plane" if self.is_plane else method,
            f"{self.scale} scale" if self.scale != "none" else "",
            str(self.lattice),
            f"{empty:,} node{'s' * (empty > 1)} empty" if empty else "",
        ]
        verdict = "certified optimal" if proof.optimal else f"not proven optimal: gap {proof.gap:.2g}"
        return ", ".join(filter(None, parts)), f"{solver}, {verdict}"

    def table(self) -> pd.DataFrame:
        """Return a row per item: name, row, column, x, y and, if there are labels, label."""
        import pandas as pd

        columns = {"row": self.nodes[:, 0], "column": self.nodes[:, 1], "x": self.points[:, 0], "y": self.points[:, 1]}
        labels = {} if self.collection.labels is None else {"label": self.collection.labels}
        return pd.DataFrame({"name": self.collection.names, **columns, **labels})


def methods() -> Mapping[str, str]:
    """Return the methods of embedding that can be used here, each with a description."""
    known = {name: method.about for name, method in embeddings.methods().items() if not method.missing}
    return {**known, NONE: "points of the plane, unchanged"}


def check_method(name: str) -> None:
    """Raise a ValueError if there is no such method, or its package is missing."""
    known = embeddings.methods()
    if name in known and known[name].missing:
        raise ValueError(f"{name}: {known[name].missing}")
    if name not in methods():
        raise registry.unknown("method", name, [*known, NONE])


def lay(
    collection: Collection,
    nodes: Lattice | tuple[int, int] | None = None,
    method: str | None = None,
    seed: int = embeddings.SEED,
    threads: int | None = None,
    scale: Scale | None = None,
) -> Layout:
    """Lay a collection on a grid.

    Parameters
    ----------
    nodes : Lattice or (int, int), optional
        At least as many nodes as items, or rows and columns of a grid; default: the squarest grid that fits.
    method : str, optional
        One of `methods`; default: "none" for points of the plane, else "tsne".
    seed : int
        Seed of the embedding.
    threads : int, optional
        Threads of the embedding; default: one per core.
    scale : "standard", "minmax" or "none", optional
        What an embedding does to each feature first; default: "standard" for features with units of their own. If a
        feature that is not scaled drowns the others, a warning names it.

    Raises
    ------
    ValueError
        The grid has too few nodes, the method cannot be used, or it is "none" and the vectors are not points of the
        plane.
    """
    if not isinstance(nodes, Lattice):
        nodes = lattice(len(collection), Wanted(nodes))
    method = method or (NONE if collection.are_points else "tsne")
    check_method(method)
    if method == NONE and not collection.are_points:
        count = collection.vectors.shape[1]
        raise ValueError(f"--method none needs points of the plane; these are vectors of {count:,} numbers")
    # Points are stretched to the grid, whatever their scale.
    scale = "none" if method == NONE else scale or ("standard" if collection.have_units else "none")
    points, embedding_seconds = collection.vectors, None
    if method != NONE:
        if scale == "none" and (words := scaling.warning(points, collection.feature_names)):
            warnings.warn(words, UserWarning, stacklevel=2)
        points, embedding_seconds = _embedded(scaling.scaled(points, scale), method, seed, threads)
    target = {"shape": nodes.shape} if nodes.is_grid else {"nodes": nodes.places}
    problem, _ = grid_problem(points, **target)
    solver = automatic(problem)
    # Loads all that solvers need, which takes longer than a small problem.
    solve(grid_problem([[0, 0], [1, 1]])[0], solver)
    loaded = time.perf_counter()
    matching = solve(problem, solver)
    solved = time.perf_counter()
    certificate = certify(problem, matching)
    return Layout(
        collection,
        points,
        nodes.cells[matching.row_to_col],
        nodes,
        method,
        scale,
        solver,
        embedding_seconds,
        solved - loaded,
        certificate,
    )


def _embedded(vectors: np.ndarray, method: str, seed: int, threads: int | None) -> tuple[np.ndarray, float | None]:
    """Return points, and the seconds that they took; None if they come from the cache."""
    embedding = embeddings.embedding(vectors, method, seed=seed, threads=threads)
    seconds = None

    def compute() -> np.ndarray:  # also called where the cache has a damaged file
        nonlocal seconds
        start = time.perf_counter()
        points = embedding.compute()
        seconds = time.perf_counter() - start
        return points

    return dataclasses.replace(embedding, compute=compute).points(), seconds
