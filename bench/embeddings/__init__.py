"""What turns data into points of the plane: embeddings, computed once and cached, and one that is shipped."""

from .reference import reference
from .tsne import tsne

__all__ = ["reference", "tsne"]
