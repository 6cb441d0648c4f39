"""What turns data into points of the plane: embeddings, computed and cached, one that is shipped, and more of it."""

from .reference import reference
from .resample import resample
from .tsne import tsne

__all__ = ["reference", "resample", "tsne"]
