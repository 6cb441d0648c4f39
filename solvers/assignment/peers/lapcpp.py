"""The packages `lapcpp` and `laprust`, lapx's successors: one Jonker–Volgenant code, in C++ and in Rust.

Both take rectangles without padding and a limit on the cost of a pair, and keep potentials in float64 for either type.
"""

import importlib

from lapmark.solvers.errors import Infeasible
from lapmark.solvers.problem import Assignment
from lapmark.solvers.registry import Capabilities, register
from lapmark.solvers.result import Matching


def add(package: str, about: str) -> None:
    """Register one of the two packages."""

    @register(
        package,
        Capabilities(
            exact=True,
            rectangular=True,
            forbidden=True,
            limit=True,
            dtypes={"float32", "float64"},
            family="shortest augmenting path",
            source=f"https://github.com/rathaROG/{package}",
        ),
        requires=(package,),
    )
    def solve(problem: Assignment) -> Matching:
        lapjv = importlib.import_module(package).lapjv
        given = {"extend_cost": True} if problem.limit is None else {"cost_limit": problem.limit}
        try:
            rows, cols = lapjv(problem.cost.dense(), return_cost=False, **given)
        except ValueError as error:
            # It raises the same error where its reduced costs overflow.
            if not problem.cost.forbids:
                raise
            raise Infeasible(str(error)) from None
        return Matching.from_pairs(problem, rows, cols)

    solve.__doc__ = about


add("lapcpp", "Solve in C++, float32 costs as they are and all others in float64.")
add("laprust", "Solve in Rust, float32 costs as they are and all others in float64.")
