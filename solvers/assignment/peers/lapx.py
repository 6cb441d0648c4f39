"""The package `lapx`: Jonker–Volgenant in five codes, of C++, of Rust and of both, with one solver for each.

It is imported as `lap`, and its files replace those of the package of that name. A folder of packages has one or the
other; where there are several such folders, as in an environment laid over another, the first is what is imported.
"""

from __future__ import annotations

import importlib.metadata
import importlib.util
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import numpy as np

from lapmark.solvers.errors import Infeasible
from lapmark.solvers.problem import Assignment
from lapmark.solvers.registry import Capabilities, register, version
from lapmark.solvers.result import Matching

Pairs = tuple[np.ndarray, np.ndarray]


def in_place_of(own: str, other: str) -> Callable[[], str | None]:
    """A condition: the module `lap` is not that of another package, even if both are installed."""

    def reason() -> str | None:
        if version(other) is None or (version(own) is not None and _beside_lap() == {own}):
            return None
        return f"{other} is installed in its place: both are imported as lap"

    return reason


def _beside_lap() -> set[str]:
    """Which of the two packages lie in the folder that `lap` would be imported from."""
    spec = importlib.util.find_spec("lap")
    if spec is None or spec.origin is None:
        return set()
    folder = Path(spec.origin).parent.parent
    found = {distribution.name for distribution in importlib.metadata.distributions(path=[str(folder)])}
    return found & {"lap", "lapx"}


def add(function: str, call: Callable[[ModuleType, np.ndarray], Pairs], about: str) -> None:
    """Register a function of the package."""

    @register(
        f"lapx-{function}",
        Capabilities(
            exact=True,
            rectangular=True,
            forbidden=True,
            dtypes={"float32", "float64"},
            family="shortest augmenting path",
            source="https://github.com/rathaROG/lapx",
        ),
        requires=("lapx",),
        condition=in_place_of("lapx", "lap"),
    )
    def solve(problem: Assignment) -> Matching:
        import lap

        try:
            rows, cols = call(lap, problem.cost.dense())
        except ValueError as error:
            # The problem was validated when it was made, so this is the only objection left.
            raise Infeasible(str(error)) from None
        matching = Matching.from_pairs(problem, rows, cols)
        if len(rows) < min(problem.shape) or np.isinf(matching.cost):
            raise Infeasible(f"{function} found no matching of finite cost")
        return matching

    solve.__doc__ = about


def lapjvs(lap: ModuleType, matrix: np.ndarray) -> Pairs:
    single = matrix.dtype == np.float32
    matrix = matrix if single else matrix.astype(np.float64, copy=False)
    return lap.lapjvs(matrix, return_cost=False, prefer_float32=single)


add(
    "lapjv",
    # The same code as `lap.lapjv`; only the answer has another form.
    lambda lap, matrix: lap.lapjvx(matrix, extend_cost=True, return_cost=False),
    "C++, in float64; a rectangular matrix is padded to a square by the package.",
)
add(
    "lapjvr",
    lambda lap, matrix: lap.lapjvr(matrix, extend_cost=True, return_cost=False),
    "Rust; float32 is read as it is, and solved in float64 where the matrix is square.",
)
add(
    "lapjvh",
    lambda lap, matrix: lap.lapjvh(matrix, extend_cost=True, return_cost=False),
    "Reduction in Rust, augmentation in C++ where the matrix is square; types as `lapx-lapjvr`.",
)
add(
    "lapjvs",
    lapjvs,
    "Solves float32 as float32, and every other type in float64, which the package does only when it is asked to.",
)
add(
    "lapjvc",
    lambda lap, matrix: lap.lapjvc(matrix, return_cost=False),
    "The classic dense code; a rectangular matrix is padded to a square by the package.",
)
