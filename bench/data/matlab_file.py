"""Files of MATLAB, version 7 and older: their numeric matrices, by name.

They are read in a process of their own, since damaged bytes can crash SciPy's native reader. That process is

    python -m lapmark.bench.data.matlab_file FILE FOLDER

It writes each matrix to the folder, and their names, or the fault, as JSON to its output.
"""

from __future__ import annotations

import json
import math
import subprocess
import sys
import tempfile
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import psutil

from lapmark.bench.util.units import show_size

from . import bounded_reading

#: Message for files that SciPy does not read.
HDF5 = "it is an HDF5 file, such as MATLAB writes with -v7.3; write it with save -v7 in MATLAB, or with np.save"

#: Classes of variables that are numbers.
NUMERIC = (*(f"{sign}int{bits}" for sign in ("", "u") for bits in (8, 16, 32, 64)), "double", "single", "logical")

DAMAGED = "it is damaged, or no file of MATLAB"


def read(path: Path) -> dict[str, Any]:
    """Return the numeric and sparse variables of a file by name, as arrays and sparse arrays of two dimensions or more.

    Raise a ValueError for a damaged file, and for variables that declare more than the free memory.
    """
    import scipy.sparse

    path.open("rb").close()  # an error of the system is that of this process
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-P", "-m", "lapmark.bench.data.matlab_file", str(path.absolute()), folder]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            raise ValueError(f"{DAMAGED}: its reader ended with exit status {done.returncode}")
        result = json.loads(done.stdout)
        if fault := result.get("fault"):
            raise ValueError(fault)
        files = {name: Path(folder) / file for name, file in result["files"].items()}
        return {
            name: bounded_reading.read_npy(file) if file.suffix == ".npy" else scipy.sparse.load_npz(file)
            for name, file in files.items()
        }


def _main(path: str, folder: str) -> None:
    import scipy.sparse

    try:
        found = _read(path)
    except ValueError as error:
        print(json.dumps({"fault": str(error)}))
        return
    files = {}
    for place, (name, array) in enumerate(found.items()):
        files[name] = f"{place}.npz" if scipy.sparse.issparse(array) else f"{place}.npy"
        save = scipy.sparse.save_npz if scipy.sparse.issparse(array) else np.save
        save(Path(folder) / files[name], array)
    print(json.dumps({"files": files}))


def _read(path: str) -> dict[str, Any]:
    import scipy.io

    try:
        variables = scipy.io.whosmat(path)
        names = _checked(variables)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # repeated names: the last is taken, as in MATLAB
            found = scipy.io.loadmat(path, variable_names=names)
    except NotImplementedError:
        raise ValueError(HDF5) from None
    except _Refused as error:
        raise ValueError(str(error)) from None
    except Exception as error:  # SciPy does not say what damaged bytes may raise
        raise ValueError(f"{DAMAGED}: {error or type(error).__name__}") from None
    return {name: found[name] for name in names if name in found}


class _Refused(ValueError):
    """The variables cannot be read; the message says why."""


def _checked(variables: list[tuple[str, tuple[int, ...], str]]) -> list[str]:
    """Return the names of the variables that are numbers, if they fit into the memory."""
    kinds = {name: kind for name, _, kind in variables if kind in (*NUMERIC, "sparse")}
    if not kinds:
        others = ", ".join(f"{name} ({kind})" for name, _, kind in variables) or "nothing"
        raise _Refused(f"it holds no numeric matrix; has {others}")
    most = min(bounded_reading.MOST_UNPACKED, psutil.virtual_memory().available)
    for name, shape, _ in variables:
        if name in kinds:
            size = sum(shape) if kinds[name] == "sparse" else math.prod(shape)
            if size * np.dtype(float).itemsize > most:
                declared = "×".join(map(str, shape))
                raise _Refused(f"its header declares {name} as {declared}, more than {show_size(most)}; is that right?")
    return list(kinds)


if __name__ == "__main__":
    _main(*sys.argv[1:])
