"""OR-tools' linear assignment: Goldberg and Kennedy's cost-scaling push-relabel method, on integer costs."""

import numpy as np

from lapmark.solvers.errors import Infeasible
from lapmark.solvers.problem import Assignment
from lapmark.solvers.registry import Capabilities, register
from lapmark.solvers.result import Matching


@register(
    "ortools",
    Capabilities(
        exact=True,
        forbidden=True,
        dtypes={"float32", "float64"},
        family="cost-scaling push-relabel",
        source="A. V. Goldberg, R. Kennedy, Mathematical Programming 71 (1995) 153–177",
    ),
    requires=("ortools",),
)
def ortools(problem: Assignment) -> Matching:
    """Solve in int64: integral costs exactly, others rounded to the finest step that cannot overflow.

    The step is about (n + 1)² 2⁻⁶⁰ of the range of the costs, 2⁻⁴⁰ of it at n = 1000; the answer is optimal up to n
    steps.
    """
    from ortools.graph.python.linear_sum_assignment import SimpleLinearSumAssignment

    matrix = problem.cost.dense()
    allowed = np.isfinite(matrix)
    rows, cols = np.nonzero(allowed)
    solver = SimpleLinearSumAssignment()
    solver.add_arcs_with_cost(
        rows.astype(np.int32), cols.astype(np.int32), integral(matrix[allowed].astype(np.float64), len(matrix))
    )
    status = solver.solve()
    if status == solver.INFEASIBLE or solver.num_nodes() < len(matrix):
        raise Infeasible("ortools found no perfect matching of the allowed pairs")
    if status != solver.OPTIMAL:
        raise RuntimeError(f"ortools stopped with {status}")
    return Matching.of(problem, np.array([solver.right_mate(i) for i in range(len(matrix))]))


def integral(costs: np.ndarray, n: int) -> np.ndarray:
    """Return costs of a square problem, minus their minimum and times a power of two, as int64.

    The package multiplies costs by n + 1, and its prices grow to a multiple of n such costs: 2⁶⁰ leaves room for both.
    """
    if not costs.size:
        return costs.astype(np.int64)
    costs = costs - costs.min()
    _, exponent = np.frexp(costs.max())
    room = 60 - 2 * int(np.frexp(n + 1)[1]) - int(exponent)
    exact = room >= 0 and np.array_equal(costs, np.rint(costs))
    return np.rint(costs if exact else np.ldexp(costs, room)).astype(np.int64)
