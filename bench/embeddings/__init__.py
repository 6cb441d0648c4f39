"""What turns data into points of the plane: embeddings, computed and cached, one that is shipped, and more of it."""

from .embed import embed, methods
from .reference import reference
from .resample import resample

__all__ = ["embed", "methods", "reference", "resample"]
