"""What turns data into points of the plane: embeddings, computed and cached, one that is shipped, and more of it."""

from typing import TYPE_CHECKING

from .embed import SEED, embed, methods
from .reference_embedding import reference
from .resample import resample

if TYPE_CHECKING:
    from .lle import LocallyLinearEmbedding

__all__ = ["SEED", "LocallyLinearEmbedding", "embed", "methods", "reference", "resample"]


def __getattr__(name: str) -> object:
    """The estimator, once it is asked for: scikit-learn, which it is built on, takes a second to load."""
    if name == "LocallyLinearEmbedding":
        from .lle import LocallyLinearEmbedding

        return LocallyLinearEmbedding
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
