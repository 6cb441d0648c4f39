"""Recording: the problems that a user's program solves, kept as files to measure and choose solvers on.

A recording is a folder with a file for each problem that is kept (`recorded_sample`), and `index.json`, which counts
all calls. It never raises an error into the program: what goes wrong is a warning, once, and ends the recording.
"""

from __future__ import annotations

import functools
import inspect
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, Self, TypeVar

from .recorded_sample import Sample
from .recorder import MOST, MOST_BYTES, recorder_of

Function = TypeVar("Function", bound=Callable[..., Any])


class recording:
    """Record the problems that the assignment functions of the usual packages are called with.

    A context manager and a decorator. Meanwhile every call of `scipy.optimize.linear_sum_assignment`,
    `scipy.sparse.csgraph.min_weight_full_bipartite_matching`, `lapmark.linear_sum_assignment`, `lapmark.solve`, and of
    the functions of lap (or lapx), lapjv and lapsolver goes through unchanged, in all threads, also where the function
    was imported by name before. Its costs are kept as a file: each distinct matrix once, the negated costs where the
    call maximises. `lapmark run`, `choose` and `gate` take the folder as they take the name of a family.

    A program that is run again adds to the recording. Forked processes are recorded too, but not spawned ones.

    Parameters
    ----------
    name : str
        Name of the workload.
    to : path, optional
        Folder of the files; by default `recordings/NAME` in the current folder.
    most : int
        Most problems to keep. If there are more, an equal share of them is kept for each power of two of the size, and
        within that a uniform sample of the distinct ones.
    most_bytes : int
        Most bytes of their files. A larger problem is not kept.
    seed : int
        Decides, together with the problems, which are kept: the same calls leave the same files.

    Raises
    ------
    ValueError, TypeError
        For an invalid argument. Nothing else: a full disk, say, ends the recording with a warning.

    Examples
    --------
    >>> import lapmark
    >>> with lapmark.recording("tracker"):
    ...     run_tracker()
    >>> @lapmark.recording("tracker")
    ... def step(frame): ...
    """

    def __init__(
        self,
        name: str,
        to: str | os.PathLike[str] | None = None,
        *,
        most: int = MOST,
        most_bytes: int = MOST_BYTES,
        seed: int = 0,
    ) -> None:
        if not isinstance(name, str):
            raise TypeError(f"the name of a recording is a text, not {type(name).__name__}")
        if not name.strip() or set(name) & set("/\\\0") or name.startswith("."):
            raise ValueError(f"recording {name!r}: use a name without slashes and without a dot in front")
        for label, value in (("most", most), ("most_bytes", most_bytes)):
            if isinstance(value, bool) or not isinstance(value, int) or value < 1:
                raise ValueError(f"{label} = {value!r}; it must be a whole number of at least 1")
        if isinstance(seed, bool) or not isinstance(seed, int):
            raise ValueError(f"seed = {seed!r}; it must be a whole number")
        folder = Path(os.path.abspath(Path("recordings", name) if to is None else to))
        self._recorder = recorder_of(folder, name, most, most_bytes, seed)

    @property
    def folder(self) -> Path:
        """The folder of the files."""
        return self._recorder.folder

    @property
    def sample(self) -> Sample:
        """The problems that are kept and the counts of all calls, of earlier runs too, as of now."""
        return self._recorder.sample

    def __enter__(self) -> Self:
        self._recorder.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._recorder.stop(at_once=True)

    def __call__(self, function: Function) -> Function:
        """Decorate a function, a generator, or an asynchronous one: it is recorded while it runs."""
        wrapper: Any
        if inspect.iscoroutinefunction(function):

            async def wrapper(*args: Any, **given: Any) -> Any:
                with self._recorder.running():
                    return await function(*args, **given)

        elif inspect.isasyncgenfunction(function):

            async def wrapper(*args: Any, **given: Any) -> Any:
                with self._recorder.running():
                    async for each in function(*args, **given):
                        yield each

        elif inspect.isgeneratorfunction(function):

            def wrapper(*args: Any, **given: Any) -> Any:
                with self._recorder.running():
                    return (yield from function(*args, **given))

        else:

            def wrapper(*args: Any, **given: Any) -> Any:
                with self._recorder.running():
                    return function(*args, **given)

        return functools.wraps(function)(wrapper)  # type: ignore[return-value]
