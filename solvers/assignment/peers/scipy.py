"""SciPy's `linear_sum_assignment`: shortest augmenting paths, for rectangular problems too."""

from lapmark.solvers.errors import Infeasible
from lapmark.solvers.problem import Assignment
from lapmark.solvers.registry import Capabilities, register
from lapmark.solvers.result import Matching


@register(
    "scipy",
    Capabilities(
        exact=True,
        rectangular=True,
        forbidden=True,
        dtypes={"float32", "float64"},
        family="shortest augmenting path",
        source="D. F. Crouse, IEEE Trans. Aerosp. Electron. Syst. 52 (2016) 1679–1696",
    ),
    requires=("scipy",),
)
def scipy(problem: Assignment) -> Matching:
    """Solve in float64, for any type of cost."""
    from scipy.optimize import linear_sum_assignment

    try:
        rows, cols = linear_sum_assignment(problem.cost.dense())
    except ValueError as error:
        # The problem is already validated, so that only an infeasible one is left.
        raise Infeasible(str(error)) from None
    return Matching.from_pairs(problem, rows, cols)
