"""Source files of a plugin: the file itself, and those beside it that it imports."""

import ast
import contextlib
import hashlib
import importlib.machinery
import importlib.util
import os
import sys
from collections.abc import Sequence
from pathlib import Path

#: Folders of the plugin files that were loaded; at the end of `sys.path`.
folders: list[str] = []


def sources(path: str | Path) -> list[Path]:
    """Return a plugin file, and the files beside it that it imports, directly or through each other."""
    path = Path(path)
    found, left = {path: None}, [path]
    while left:
        for root in sorted(_imported_roots(left.pop())):
            module, package = path.parent / f"{root}.py", path.parent / root
            if (package / "__init__.py").is_file():
                files = sorted(package.rglob("*.py"))
            else:
                files = [module] if module.is_file() else []
            if files and not _is_installed(root):
                new = [file for file in files if file not in found]
                found.update(dict.fromkeys(new))
                left += new
    return list(found)


def version(path: str | None) -> dict[str, str]:
    """Return {name: digest} of a plugin file with all that it imports from beside it, empty for None."""
    return {Path(path).name: digest(Path(path))} if path else {}


def texts(path: str | Path) -> dict[str, str]:
    """Return the texts of a plugin file, the first, and of all that it imports from beside it, by name."""
    folder = Path(path).parent
    return {str(file.relative_to(folder)): file.read_text(encoding="utf-8") for file in sources(path)}


def source_digest(module: str) -> str:
    """Return the digest of an installed module, with all modules of its package; empty if it has no files."""
    files = files_of(module)
    return _digest(files, files[0].parent) if files else ""


def files_of(module: str) -> list[Path]:
    """Return the file of a module and, if it is in a package, all modules of that package; those found, if any."""
    try:
        spec = importlib.util.find_spec(module.partition(".")[0])
    except (ImportError, ValueError):  # __main__ has no spec
        return []
    if spec is None or spec.origin is None:
        return []
    if not spec.submodule_search_locations:
        return [Path(spec.origin)]
    endings = (".py", *importlib.machinery.EXTENSION_SUFFIXES)
    folder = Path(spec.origin).parent
    found = sorted(path for path in folder.rglob("*") if path.name.endswith(endings))
    return sorted(found, key=lambda path: path.parent != folder)


def shown(path: str | Path) -> str:
    """Return a path for messages: relative to the current folder where it is in there."""
    path = os.path.abspath(path)
    with contextlib.suppress(OSError):
        here = os.path.join(os.path.realpath(os.getcwd()), "")
        return path.removeprefix(here)
    return path


def digest(path: Path) -> str:
    """Return the digest of a plugin file and of all that it imports from beside it."""
    return _digest(sources(path), path.parent)


def _digest(files: Sequence[Path], folder: Path) -> str:
    state = hashlib.sha256()
    for file in files:
        if len(files) > 1:
            state.update(f"{file.relative_to(folder)}\0{file.stat().st_size}\0".encode())
        state.update(file.read_bytes())
    return state.hexdigest()[:12]


def _imported_roots(file: Path) -> set[str]:
    """Return the first parts of the names of all modules that a file imports; none if it cannot be read."""
    try:
        tree = ast.parse(file.read_bytes())
    except (OSError, SyntaxError, ValueError, RecursionError):
        return set()
    roots: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            roots |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and not node.level and node.module:
            roots.add(node.module.partition(".")[0])
    return roots


def _is_installed(root: str) -> bool:
    """Return whether a name is a module apart from those beside plugins."""
    if root in sys.stdlib_module_names or root == "lapmark":
        return True
    elsewhere = [entry for entry in sys.path if entry not in folders]
    return importlib.machinery.PathFinder.find_spec(root, elsewhere) is not None
