"""Embeddings of data in the plane: computed and cached, the one that is shipped, and resampled points of one."""

from typing import TYPE_CHECKING

from .embed import SEED, embed, embedding, methods
from .reference_embedding import reference
from .resample import resample

if TYPE_CHECKING:
    from .lle import LocallyLinearEmbedding

__all__ = ["SEED", "LocallyLinearEmbedding", "embed", "embedding", "methods", "reference", "resample"]


def __getattr__(name: str) -> object:
    """Import the estimator on first use: scikit-learn takes a second to load."""
    if name == "LocallyLinearEmbedding":
        from .lle import LocallyLinearEmbedding

        return LocallyLinearEmbedding
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
