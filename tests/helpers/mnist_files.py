"""Files like those of MNIST, with other images."""

from __future__ import annotations

import struct
from pathlib import Path

import numpy as np


def write_mnist(folder: Path, pixels: np.ndarray, label: np.ndarray) -> None:
    """Write images (n, height, width) and labels (n,), both uint8, as the IDX files of the test set."""
    for name, array in (("t10k-images-idx3-ubyte", pixels), ("t10k-labels-idx1-ubyte", label)):
        header = bytes((0, 0, 8, array.ndim)) + struct.pack(f">{array.ndim}I", *array.shape)
        (folder / name).write_bytes(header + array.tobytes())
