"""Python files that register solvers of their own, as `--plugin` names them."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path


def load(path: str | Path) -> None:
    """Run a file that registers solvers; a ValueError that names it where it cannot be run."""
    path = Path(path).resolve()
    name = f"lapmark_plugin_{path.stem}"
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None or not path.is_file():
        raise ValueError(f"plugin {path}: not a Python file")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module  # dataclasses and numba look their module up while it runs
    try:
        spec.loader.exec_module(module)
    except Exception as error:
        raise ValueError(f"plugin {path} failed: {type(error).__name__}: {error}") from error
