"""Loading of plugin files and of entry points."""

import contextlib
import hashlib
import importlib
import importlib.util
import re
import sys
import threading
from collections.abc import Iterator
from importlib.abc import Loader
from importlib.machinery import ModuleSpec
from pathlib import Path
from types import ModuleType

from . import source_files
from .fault_message import fault
from .registration import Load, PluginError, new_load, under_way, warn
from .source_files import digest, files_of, shown, sources

_PREFIX = "lapmark_plugin_"

#: Digest of each plugin file, and its load, in the order of loading.
_loaded: dict[Path, tuple[str, Load]] = {}

#: Files are loaded one at a time: each changes `sys.path`, `sys.modules` and `sys.stdout`.
_loading = threading.RLock()


def load(path: str | Path) -> None:
    """Run a file that registers solvers or families; a PluginError names the file and the line if that fails."""
    file = Path(path).resolve()
    spec = importlib.util.spec_from_file_location(_module_name(file), file)
    if not file.exists():
        raise PluginError(f"plugin {shown(file)}: no such file")
    if spec is None or spec.loader is None or not file.is_file():
        raise PluginError(f"plugin {shown(file)}: not a Python file")
    with _loading:
        current = digest(file)
        if file not in _loaded or _loaded[file][0] != current:
            _load(file, spec, spec.loader, current)


def _load(file: Path, spec: ModuleSpec, loader: Loader, current: str) -> None:
    """Run a file whose digest is `current`; what it registered before is taken back."""
    again = file in _loaded
    if again:
        _loaded.pop(file)[1].undo()
    before = set(sys.modules)
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # dataclasses and numba look their module up while it runs
    made = new_load(plugin=str(file))
    with _importable(file, again), contextlib.redirect_stdout(sys.stderr):
        try:
            with under_way(made):
                loader.exec_module(module)
        except KeyboardInterrupt:
            raise
        except BaseException as error:  # a file may raise anything, SystemExit included
            for name in set(sys.modules) - before:
                if name == spec.name or _is_beside(name, sys.modules[name], file.parent):
                    del sys.modules[name]
            raise PluginError(fault(f"plugin {shown(file)}", error, sources(file), "loaded")) from error
    _loaded[file] = current, made
    if not made.entries:
        warn(
            f"plugin {shown(file)} registers nothing; put @lapmark.register(…) before a solver, or @lapmark.family(…) "
            "before a function that builds problems"
        )


def load_entry_points(group: str) -> None:
    """Import the modules of an entry point group; a PluginWarning names each that fails, and the others still work."""
    import importlib.metadata  # on use: see `registry.version`

    found = importlib.metadata.entry_points(group=group)
    for entry in sorted(found, key=lambda entry: (entry.dist.name if entry.dist else "", entry.name)):
        package = f"{entry.dist.name} {entry.dist.version}" if entry.dist else entry.name
        made = new_load(package=package, distribution=entry.dist.name if entry.dist else "")
        try:
            with under_way(made):
                entry.load()
        except KeyboardInterrupt:
            raise
        except BaseException as error:  # a broken package must not disable all others
            where = f"package {package}, entry point {entry.name} of {group}"
            if isinstance(error, ModuleNotFoundError) and error.name == entry.module:
                message = f"{where}: no module is called {entry.module!r}; correct its pyproject.toml"
            else:
                message = fault(where, error, files_of(entry.module), "imported")
            warn(f"{message}. What it registers is left out")


def forget() -> None:
    """Take back what plugin files have registered, and all that makes them importable."""
    with _loading:
        for _, made in reversed(_loaded.values()):
            made.undo()
        for name, module in list(sys.modules.items()):
            if any(_is_beside(name, module, file.parent) for file in _loaded):
                del sys.modules[name]
        sys.path[:] = [entry for entry in sys.path if entry not in source_files.folders]
        source_files.folders.clear()
        _loaded.clear()


def loaded() -> tuple[str, ...]:
    """Return the plugin files that were loaded into this process."""
    return tuple(map(str, _loaded))


def _module_name(path: Path) -> str:
    """Return a module name that no other file has: two folders may have files of the same name."""
    return _PREFIX + re.sub(r"\W", "_", path.stem) + "_" + hashlib.sha256(str(path).encode()).hexdigest()[:8]


@contextlib.contextmanager
def _importable(file: Path, again: bool) -> Iterator[None]:
    """Make the files beside a plugin importable, from now on unless it fails.

    Their folder is the last of `sys.path` but comes before those of earlier plugins, whose modules of the same names
    are forgotten: the earlier plugins have imported them. So are its own if it is loaded `again`.
    """
    folder, path, modules = str(file.parent), list(sys.path), dict[str, ModuleType]()
    beside = {each.relative_to(file.parent).parts[0].removesuffix(".py") for each in sources(file)[1:]}
    others = [Path(other) for other in source_files.folders if other != folder or again]
    for name, module in list(sys.modules.items()):
        if name.partition(".")[0] in beside and any(_is_beside(name, module, other) for other in others):
            modules[name] = sys.modules.pop(name)
    if folder not in sys.path:
        sys.path.insert(len(sys.path) - sum(entry in source_files.folders for entry in sys.path), folder)
        source_files.folders.append(folder)
        importlib.invalidate_caches()
    elif folder in source_files.folders:
        sys.path.remove(folder)
        sys.path.insert(len(sys.path) - sum(entry in source_files.folders for entry in sys.path), folder)
    try:
        yield
    except BaseException:
        sys.path[:] = path
        if folder not in path:
            source_files.folders.remove(folder)
        sys.modules.update(modules)
        raise


def _is_beside(name: str, module: ModuleType, folder: Path) -> bool:
    """Return whether a module is a file of a folder, or in a package there."""
    file = getattr(module, "__file__", None)
    depth = name.count(".") + 1
    return bool(file) and folder in list(Path(str(file)).parents)[: depth + 1]
