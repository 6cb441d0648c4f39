"""Compare, prove and choose solvers of the linear assignment problem and of optimal transport.

Everything public is here. Solving needs NumPy and SciPy only; what `_LAZY` lists is loaded on first use, since it needs
the dependencies of the harness.
"""

from importlib import import_module
from typing import TYPE_CHECKING

from lapmark import solvers
from lapmark.solvers import *  # noqa: F403

if TYPE_CHECKING:
    from lapmark.bench.embeddings import LocallyLinearEmbedding, embed
    from lapmark.bench.mixtures import flow as gmm_flow
    from lapmark.bench.problems.applied.images_emd import distances as image_distances
    from lapmark.bench.problems.applied.words import distance as word_movers_distance
    from lapmark.bench.problems.applied.words import nearest as nearest_texts

__all__ = ["LocallyLinearEmbedding", "embed", "gmm_flow", "image_distances", "nearest_texts", "word_movers_distance"]
__all__ += solvers.__all__

#: Where each public name of the harness is defined, and what it is called there.
_LAZY = {
    "LocallyLinearEmbedding": ("embeddings", "LocallyLinearEmbedding"),
    "embed": ("embeddings", "embed"),
    "gmm_flow": ("mixtures", "flow"),
    "image_distances": ("problems.applied.images_emd", "distances"),
    "nearest_texts": ("problems.applied.words", "nearest"),
    "word_movers_distance": ("problems.applied.words", "distance"),
}


def __getattr__(name: str) -> object:
    if name not in _LAZY:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    module, there = _LAZY[name]
    return getattr(import_module(f"lapmark.bench.{module}"), there)


def __dir__() -> list[str]:
    return sorted({*globals(), *_LAZY})
