"""Inventory of a project at one commit, taken by the interpreter of its build: what it has, and what to measure.

    python -m lapmark.bench.gate.project_inventory FILE REQUEST

writes it to a file as JSON. The project's code runs here, so that the harness itself need not import it.
"""

from __future__ import annotations

import dataclasses
import inspect
import json
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lapmark.bench.util.atomic_write import write_atomically

#: Sizes among which one is chosen, if nobody names any: each has up to 64 times the work of the one before.
LADDER = (16, 64, 256, 1024)

#: Problems for a solver whose project names none: random costs, distances, whole numbers, more columns than rows, and
#: masses on points. A solver gets those that it takes.
PROBLEMS = (
    "uniform:dtype=float64",
    "geometric:cost=dense,dtype=float64",
    "integers:high=99",
    "rectangular:dtype=float64,longer=columns,ratio=2",
    "masses:layout=uniform",
    "masses:blur=0.05,layout=uniform",
)


def read_json(text: str) -> dict[str, Any]:
    """Return the fields of a dataclass that was written as JSON, in which tuples became lists."""
    return {name: tuple(value) if isinstance(value, list) else value for name, value in json.loads(text).items()}


@dataclass(frozen=True, kw_only=True)
class Request:
    """A request for an inventory.

    `folder` is the build; empty `solvers`, `problems` and `sizes` stand for the project's own.
    """

    folder: str
    plugins: tuple[str, ...] = ()
    solvers: tuple[str, ...] = ()
    problems: tuple[str, ...] = ()
    sizes: tuple[int, ...] = ()

    @classmethod
    def read(cls, text: str) -> Request:
        """Read the text of `dump`."""
        return cls(**read_json(text))

    def dump(self) -> str:
        """Return the request as JSON."""
        return json.dumps(dataclasses.asdict(self))


@dataclass(frozen=True, kw_only=True)
class Inventory:
    """The names of the project's solvers and benchmarks, and cells: (solver, case, group).

    Cells of the same solver and group are one problem in several sizes, of which one is to be chosen; an empty group
    is a cell to measure in any case. `error` says what is wrong with the request. `faults` are plugins of any package
    that cannot be loaded.
    """

    solvers: tuple[str, ...] = ()
    benchmarks: tuple[str, ...] = ()
    cells: tuple[tuple[str, str, str], ...] = ()
    error: str = ""
    faults: tuple[str, ...] = ()

    @classmethod
    def read(cls, values: dict[str, Any]) -> Inventory:
        """Read the content of the file."""
        return cls(
            solvers=tuple(values["solvers"]),
            benchmarks=tuple(values["benchmarks"]),
            cells=tuple((solver, case, group) for solver, case, group in values["cells"]),
            error=values["error"],
            faults=tuple(values["faults"]),
        )


def take(request: Request) -> Inventory:
    """Return the inventory of the project that this interpreter imports."""
    from lapmark.bench.environments import available_solvers
    from lapmark.bench.problems import families
    from lapmark.solvers import plugins

    from .benchmarks import marked

    try:
        for plugin in request.plugins:
            plugins.load(plugin)
        is_own = _origin_check([request.folder, *request.plugins])
        known = available_solvers.solvers()
        solvers = [name for name, found in known.items() if found.solver and is_own(found.solver.function)]
        own_families = [name for name, family in families().items() if is_own(family.build)]
        cells = tuple(_cells(request, request.solvers or solvers, own_families))
    except ValueError as error:
        return Inventory(error=str(error))
    return Inventory(
        solvers=tuple(solvers),
        benchmarks=tuple(marked()),
        cells=cells,
        faults=tuple(available_solvers.faults()),
    )


def _origin_check(places: Iterable[str]) -> Callable[[Callable[..., Any]], bool]:
    """Return a check whether a function is defined in one of these files or folders."""
    roots = [Path(place).resolve() for place in places]

    def is_own(function: Callable[..., Any]) -> bool:
        # A compiled function has no source, but its module has a file.
        module = sys.modules.get(getattr(inspect.unwrap(function), "__module__", None) or "")
        file = Path(getattr(module, "__file__", None) or "/").resolve()
        return any(file.is_relative_to(root) for root in roots)

    return is_own


def _cells(request: Request, solvers: Sequence[str], families: Sequence[str]) -> Iterator[tuple[str, str, str]]:
    from lapmark.bench import problems
    from lapmark.bench.environments import available_solvers
    from lapmark.bench.run.cells import expand_case, plan
    from lapmark.bench.util import spec
    from lapmark.bench.worker.protocol import BUILD_MATRIX

    for text in request.problems or (*families, *PROBLEMS):
        name, settings = spec.parse(text)
        is_family = name in problems.families()
        has_choice = is_family and "n" not in settings and not request.sizes
        sizes = request.sizes if is_family and "n" not in settings else ()
        if has_choice:
            own = {case.n for case in expand_case(text)}
            sizes = tuple(sorted({*LADDER, *(n for n in own if n <= LADDER[-1])}))
        able = solvers
        if not request.problems:  # a default problem is for the solvers of its kind
            kind = problems.get(name).kind
            able = [one for one in solvers if available_solvers.get(spec.parse(one)[0]).capabilities.solves(kind)]
        if not able:
            continue
        for cell in plan(able, [text], sizes):
            if cell.solver != BUILD_MATRIX:  # a run on points always measures it too
                yield cell.solver, str(cell.case), cell.case.label if has_choice else ""


if __name__ == "__main__":
    found = take(Request.read(sys.argv[2]))
    write_atomically(Path(sys.argv[1]), json.dumps(dataclasses.asdict(found)).encode())
