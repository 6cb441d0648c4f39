"""Plugin files: Python files that register solvers when `--plugin` loads them."""

import hashlib
import importlib.util
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

_PREFIX = "lapmark_plugin_"


def load(path: str | Path) -> None:
    """Run a file that registers solvers; a ValueError names it if it fails."""
    path = Path(path).resolve()
    name = _PREFIX + path.stem
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None or not path.is_file():
        raise ValueError(f"plugin {path}: not a Python file")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module  # dataclasses and numba look their module up while it runs
    try:
        spec.loader.exec_module(module)
    except Exception as error:
        del sys.modules[name]
        raise ValueError(f"plugin {path} failed: {type(error).__name__}: {error}") from error


def loaded() -> tuple[str, ...]:
    """Return the files that were loaded into this process."""
    return tuple(str(module.__file__) for name, module in sys.modules.items() if name.startswith(_PREFIX))


def file(function: Callable[..., Any]) -> Path | None:
    """Return the plugin file that a solver comes from, or None."""
    module = sys.modules.get(function.__module__)
    if module is None or not module.__name__.startswith(_PREFIX) or module.__file__ is None:
        return None
    return Path(module.__file__)


def version(function: Callable[..., Any]) -> dict[str, str]:
    """Return {name: digest} of the plugin file that a solver comes from, empty if there is none."""
    path = file(function)
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest()[:12]} if path else {}
