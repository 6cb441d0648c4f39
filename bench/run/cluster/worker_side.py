"""Functions that run at the workers of a cluster: describe the host, and measure one round of a cell.

Each takes plain values and returns a text (`messages`), errors included: the client loads no pickled exceptions.
"""

import atexit
import contextlib
import functools
import shutil
import socket
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from lapmark.bench.problems import Case
from lapmark.bench.run import built_case
from lapmark.bench.run.built_case import BuiltCase
from lapmark.bench.run.cells import resolve
from lapmark.bench.run.certify_answer import Certifier, KnownBounds
from lapmark.bench.run.measure import RunSettings, measure
from lapmark.bench.system import host_lock, process_tree, scratch_folders
from lapmark.bench.system.machine import machine, source
from lapmark.solvers import plugins

from . import cluster_messages
from .cluster_messages import Answer, Place

#: The texts of each plugin file and of the files beside it that it imports, by name; its own comes first.
Files = Sequence[Mapping[str, str]]


def describe(cells: Sequence[tuple[str, str]], files: Files) -> str:
    """Return the host, and the versions with which it would measure these cells (`cluster_messages.Place`).

    A cell is given by the specs of its solver and case; `files` has the texts of each plugin.
    """
    try:
        _load(tuple(tuple(texts.items()) for texts in files))
        versions = {solver: resolve(solver, Case.read(case)).versions for solver, case in cells}
        place = Place(socket.gethostname(), str(host_lock.lock_file()), machine(), source(), versions)
        return cluster_messages.write_place(place)
    except Exception as error:
        return cluster_messages.write_failure(error)


def run_round(
    solver: str,
    case: str,
    threads: int,
    settings: RunSettings,
    files: Files,
    known: Mapping[str, float],
    is_first: bool,
) -> str:
    """Measure one round of a cell, alone on the host (`cluster_messages.Answer`).

    `files` has the texts of each plugin; `known` are certified bounds, by problem digest.
    """
    try:
        settings = replace(settings, plugins=_load(tuple(tuple(texts.items()) for texts in files)))
        bounds = KnownBounds(known)
        cell = resolve(solver, Case.read(case), threads)
        with host_lock.hold():
            build = functools.partial(_build, case)
            record = measure(cell, build, settings, Certifier(bounds, settings.limits), is_first)
        return cluster_messages.write_answer(Answer(record, bounds.bound(record.digest or "")))
    except Exception as error:
        return cluster_messages.write_failure(error)


def end_round() -> str:
    """End the solver that runs."""
    process_tree.stop_all()
    return ""


@functools.lru_cache(maxsize=1)
def _build(case: str) -> BuiltCase | str:
    """Build a case; it is kept for the next solver's round."""
    return built_case.build(Case.read(case))


@functools.lru_cache(maxsize=1)
def _load(files: tuple[tuple[tuple[str, str], ...], ...]) -> tuple[str, ...]:
    """Write plugins to files and load them, in place of those of an earlier run; return the paths."""
    plugins.forget()
    paths = []
    for number, texts in enumerate(files):
        folder = _folder() / str(number)
        shutil.rmtree(folder, ignore_errors=True)
        for name, text in texts:
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_text(text, encoding="utf-8")
        paths.append(str(folder / texts[0][0]))
    for path in paths:
        plugins.load(path)
    return tuple(paths)


@functools.cache
def _folder() -> Path:
    """Make the folder for plugins; it is removed when this worker ends or, if it is killed, when another starts."""
    stack = contextlib.ExitStack()
    atexit.register(stack.close)
    return stack.enter_context(scratch_folders.folder())
