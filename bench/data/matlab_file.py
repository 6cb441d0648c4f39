"""Files of MATLAB, version 7 and older: their numeric matrices, by name."""

from __future__ import annotations

import math
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import psutil

from lapmark.bench.util.units import show_size

from . import bounded_reading

#: Beginnings of the header, by version.
SIGNATURES = (b"MATLAB 5.0 MAT-file",)

#: Classes of variables that are numbers.
NUMERIC = (*(f"{sign}int{bits}" for sign in ("", "u") for bits in (8, 16, 32, 64)), "double", "single", "logical")


def read(path: Path) -> dict[str, Any]:
    """Return the numeric and sparse variables of a file by name, as arrays and sparse arrays of two dimensions or more.

    Raise a ValueError for a damaged file, and for variables that declare more than the free memory.
    """
    import scipy.io

    with _damaged():
        variables = scipy.io.whosmat(path)
    wanted = {name: shape for name, shape, kind in variables if kind in (*NUMERIC, "sparse")}
    if not wanted:
        others = ", ".join(f"{name} ({kind})" for name, _, kind in variables) or "nothing"
        raise ValueError(f"it holds no numeric matrix; has {others}")
    dense = {name: shape for name, shape, kind in variables if kind in NUMERIC}
    _check_size(dense, {name: shape for name, shape in wanted.items() if name not in dense})
    with _damaged(), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # repeated names: the last is taken, as in MATLAB
        found = scipy.io.loadmat(path, variable_names=list(wanted))
    return {name: found[name] for name in wanted if name in found}


def _check_size(dense: dict[str, tuple[int, ...]], sparse: dict[str, tuple[int, ...]]) -> None:
    """Raise a ValueError if the variables declare more than the bound of a compressed file or the free memory."""
    most = min(bounded_reading.MOST_UNPACKED, psutil.virtual_memory().available)
    sizes = {name: math.prod(shape) for name, shape in dense.items()} | {name: sum(s) for name, s in sparse.items()}
    for name, size in sizes.items():
        if size * np.dtype(float).itemsize > most:
            shape = "×".join(map(str, dense.get(name) or sparse[name]))
            raise ValueError(f"its header declares {name} as {shape}, more than {show_size(most)}; is that right?")


@contextmanager
def _damaged() -> Iterator[None]:
    """Turn every error of SciPy into a ValueError: it does not say which errors damaged bytes may cause."""
    try:
        yield
    except NotImplementedError:
        raise ValueError(HDF5) from None
    except Exception as error:
        if isinstance(error, OSError) and error.errno is not None:
            raise
        raise ValueError(f"it is damaged, or no file of MATLAB: {error or type(error).__name__}") from None


#: Message for files that SciPy does not read.
HDF5 = "it is an HDF5 file, such as MATLAB writes with -v7.3; write it with save -v7 in MATLAB, or with np.save"
