"""The shipped embedding: the same points, to the bit, on every machine.

t-SNE, and with it the work of a solver on its points, differs between processors and libraries. So measurements that
are compared between machines use this embedding. `python -m lapmark.bench.applications.make_reference_embedding` makes
such a file.
"""

import hashlib
import io
from importlib.resources import files

import numpy as np

FILE = "mnist_tsne_10000.npz"
SHA256 = "8bdee9ec708456086b4e2e44a0fd3b5cf82818cafafbae26b3dfc2b3566d3eeb"


def reference() -> tuple[np.ndarray, np.ndarray]:
    """Return t-SNE of the 10 000 images of the MNIST test set, in file order.

    Returns
    -------
    points : (10000, 2) float32
    label : (10000,) uint8
        The digit of each image.

    Raises
    ------
    ValueError
        The file differs from the one that was shipped.
    """
    content = files(__package__).joinpath("data", FILE).read_bytes()
    found = hashlib.sha256(content).hexdigest()
    if found != SHA256:
        raise ValueError(f"the shipped {FILE} is damaged: SHA-256 {found}, not {SHA256}; install Lapmark again")
    with np.load(io.BytesIO(content), allow_pickle=False) as arrays:
        return arrays["points"], arrays["label"]
