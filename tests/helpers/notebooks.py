"""Run the notebooks in `examples`. As a program, keep in each what it prints and draws: `make examples`."""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path

import ipykernel  # noqa: F401  the kernel that runs them
import nbformat
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError

__all__ = ["NOTEBOOKS", "CellExecutionError", "executed", "printed", "read"]

NOTEBOOKS = sorted((Path(__file__).parents[2] / "examples").glob("*.ipynb"))

#: Longest time of a cell, in seconds.
LONGEST_CELL = 120


def read(path: Path) -> nbformat.NotebookNode:
    """Return the kept form of a notebook."""
    return nbformat.read(path, as_version=4)


def executed(path: Path, folder: Path, environ: Mapping[str, str]) -> nbformat.NotebookNode:
    """Return a notebook after its cells have run in a folder. Raise a CellExecutionError where one of them raises.

    Nothing is kept that differs from machine to machine, such as times of execution and the version of Python.
    """
    notebook = read(path)
    client = NotebookClient(
        notebook,
        timeout=LONGEST_CELL,
        kernel_name="python3",
        resources={"metadata": {"path": str(folder)}},
        record_timing=False,
        coalesce_streams=True,
    )
    programs = f"{Path(sys.executable).parent}{os.pathsep}{environ['PATH']}"  # those of this environment come first
    client.execute(env={**environ, "PATH": programs})
    notebook.metadata = {
        "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
        "language_info": {"name": "python"},
    }
    return notebook


def printed(notebook: nbformat.NotebookNode) -> str:
    """Return what all cells print or show as text."""
    outputs = [output for cell in notebook.cells for output in cell.get("outputs", ())]
    texts = [output["text"] if "text" in output else output["data"].get("text/plain", "") for output in outputs]
    return "\n".join(texts)


if __name__ == "__main__":
    for path in map(Path, sys.argv[1:] or NOTEBOOKS):
        print(path, flush=True)
        with tempfile.TemporaryDirectory() as folder:
            # Without the user's data sets, as in the tests.
            notebook = executed(path, Path(folder), {**os.environ, "LAPMARK_DATA": ""})
        nbformat.write(notebook, path)
