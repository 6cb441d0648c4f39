"""Interception of functions: every module that has one of them by name calls a stand-in while it is watched.

The stand-in calls the function with the same arguments, returns what it returns and raises what it raises. Of calls
within each other only the outermost is reported, in each thread.
"""

from __future__ import annotations

import functools
import importlib.abc
import importlib.machinery
import importlib.util
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from types import ModuleType
from typing import Any

from .recorded_calls import TARGETS, Target

#: Facts of each call: the function, its arguments, the seconds, and whether it returned.
Listener = Callable[[Target, tuple[Any, ...], Mapping[str, Any], float, bool], None]

_lock = threading.RLock()
_listeners: list[Listener] = []
_stand_ins: dict[int, tuple[Any, Any]] = {}  # by the id of each function: the function and its stand-in
_sites: set[tuple[str, str]] = set()  # names of modules, and of their attributes that are stand-ins
_scanned: set[str] = set()
_thread = threading.local()


def add(listener: Listener) -> None:
    """Tell a listener of every call from now on."""
    with _lock:
        _listeners.append(listener)
        if len(_listeners) == 1:
            sys.meta_path.insert(0, _HOOK)
            _watch()


def remove(listener: Listener, thoroughly: bool = True) -> None:
    """Tell a listener no longer; the last one that goes leaves every module as it would be without.

    Unless that is done `thoroughly`, in some milliseconds, a module that has got a stand-in since may keep it: it does
    nothing but call the function.
    """
    with _lock:
        _listeners.remove(listener)
        if not _listeners:
            sys.meta_path.remove(_HOOK)
            if thoroughly:
                _scanned.clear()
            _restore()


def after_fork() -> None:
    """Make the lock anew: in a forked process a thread that does not exist there may hold it."""
    global _lock
    _lock = threading.RLock()


def _watch() -> None:
    """Make stand-ins for the functions of loaded modules, and put them wherever a function is."""
    for target in TARGETS:
        function = getattr(sys.modules.get(target.module), target.name, None)
        is_ours = any(stand_in is function for _, stand_in in _stand_ins.values())
        if function is not None and not is_ours and id(function) not in _stand_ins:
            _stand_ins[id(function)] = function, _stand_in(function, target)
            _scanned.clear()
    stand_ins = {id(function): stand_in for function, stand_in in _stand_ins.values()}
    for name, attribute in list(_sites):
        _exchange(name, attribute, stand_ins)
    for name, attribute in _found(stand_ins):
        _exchange(name, attribute, stand_ins)
        _sites.add((name, attribute))


def _restore() -> None:
    """Put every function back, also where a stand-in was imported by name meanwhile."""
    functions = {id(stand_in): function for function, stand_in in _stand_ins.values()}
    _sites.update(_found(functions))
    for name, attribute in _sites:
        _exchange(name, attribute, functions)


def _exchange(name: str, attribute: str, others: Mapping[int, Any]) -> None:
    module = sys.modules.get(name)
    value = getattr(module, "__dict__", {}).get(attribute)
    if id(value) in others:
        setattr(module, attribute, others[id(value)])


def _found(wanted: Mapping[int, Any]) -> Iterator[tuple[str, str]]:
    """Yield modules not scanned before and their attributes whose values have these ids.

    The main module and Lapmark itself, whose names come when they are first used, are scanned each time.
    Lapmark's other modules keep their functions: what a solver or a proof calls is no call of the user's.
    """
    for name in {*(sys.modules.keys() - _scanned), "__main__", "lapmark"}:
        _scanned.add(name)
        if name.startswith("lapmark.") and name != "lapmark.solvers":
            continue
        attributes = getattr(sys.modules.get(name), "__dict__", None)
        if isinstance(attributes, dict):
            yield from [(name, key) for key, value in list(attributes.items()) if id(value) in wanted]


def _stand_in(function: Callable[..., Any], target: Target) -> Callable[..., Any]:
    @functools.wraps(function)
    def stand_in(*args: Any, **given: Any) -> Any:
        if not _listeners or getattr(_thread, "is_inside", False):
            return function(*args, **given)
        _thread.is_inside = True
        start = time.perf_counter()
        try:
            answer = function(*args, **given)
        except BaseException:
            _tell(target, args, given, time.perf_counter() - start, False)
            raise
        else:
            _tell(target, args, given, time.perf_counter() - start, True)
            return answer
        finally:
            _thread.is_inside = False

    return stand_in


def _tell(target: Target, args: tuple[Any, ...], given: Mapping[str, Any], seconds: float, returned: bool) -> None:
    for listener in list(_listeners):
        listener(target, args, given, seconds, returned)


class _Hook(importlib.abc.MetaPathFinder):
    """Finder of the modules with functions to watch: their functions are watched from their loading on."""

    def find_spec(
        self, name: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        if name not in _MODULES or getattr(_thread, "is_finding", False):
            return None
        _thread.is_finding = True
        try:
            spec = importlib.util.find_spec(name)
        finally:
            _thread.is_finding = False
        if spec is not None and hasattr(spec.loader, "exec_module"):
            spec.loader = _Loader(spec.loader)
        return spec


class _Loader(importlib.abc.Loader):
    """Loader that watches functions after another loader has run the module, and leaves that one in its place."""

    def __init__(self, loader: Any) -> None:
        self._loader = loader

    def create_module(self, spec: importlib.machinery.ModuleSpec) -> ModuleType | None:
        return self._loader.create_module(spec)

    def exec_module(self, module: ModuleType) -> None:
        module.__loader__ = self._loader
        if module.__spec__ is not None:
            module.__spec__.loader = self._loader
        self._loader.exec_module(module)
        with _lock:
            if _listeners:
                _watch()


_MODULES = frozenset(target.module for target in TARGETS)
_HOOK = _Hook()
