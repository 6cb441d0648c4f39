"""The package `lapx`: five Jonker–Volgenant codes in C++ and Rust, each a solver.

It is imported as `lap`, and its files replace those of the package `lap`, so that a site-packages folder has one or the
other. If there are several such folders, as in an environment on top of another, the first one is imported.
"""

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
    """Return a condition for `register`: the module `lap` belongs to `own`, even if both packages are installed."""

    def reason() -> str | None:
        if version(other) is None or (version(own) is not None and _beside_lap() == {own}):
            return None
        return f"{other} is installed in its place; both are imported as lap, so uninstall {other}"

    return reason


def _beside_lap() -> set[str]:
    """Return which of the two packages are in the folder from which `lap` would be imported."""
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
            # The problem is already validated, so that only an infeasible one is left.
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
    # The same code as `lap.lapjv` with another form of answer.
    lambda lap, matrix: lap.lapjvx(matrix, extend_cost=True, return_cost=False),
    "Solve in float64, in C++; a rectangular matrix is padded to a square by the package.",
)
add(
    "lapjvr",
    lambda lap, matrix: lap.lapjvr(matrix, extend_cost=True, return_cost=False),
    "Solve in Rust; float32 is read directly, and solved in float64 if the matrix is square.",
)
add(
    "lapjvh",
    lambda lap, matrix: lap.lapjvh(matrix, extend_cost=True, return_cost=False),
    "Solve by reduction in Rust and augmentation in C++, if the matrix is square; types as for `lapx-lapjvr`.",
)
add(
    "lapjvs",
    lapjvs,
    "Solve float32 costs in float32 and all others in float64, which the package only does on request.",
)
add(
    "lapjvc",
    lambda lap, matrix: lap.lapjvc(matrix, return_cost=False),
    "Solve by the classic dense code; a rectangular matrix is padded to a square by the package.",
)
