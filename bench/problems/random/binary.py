"""Costs 0 and 1: maximum matching in a bipartite graph, as an assignment problem.

All zeros of a row tie. With 2 % of zeros there is nearly always a matching of zeros only. With two zeros per row there
is none, and many long searches for another zero fail.
"""

import numpy as np

from lapmark.bench.problems import family
from lapmark.solvers import Assignment, DenseCost


@family(
    "binary",
    source="maximum cardinality matching as an assignment problem: R. Burkard, M. Dell’Amico, S. Martello, "
    "Assignment Problems (SIAM 2009), § 3",
    sizes=(256, 1024, 2048),
    variants=({"zeros": 0.02}, {"zeros": 2}),
)
def build(n: int, seed: int = 0, zeros: float = 0.02) -> Assignment:
    """Build the problem, an int32 matrix; `zeros`: share of pairs that cost 0 if below 1, else their number per row."""
    rng = np.random.default_rng(seed)
    if 0 <= zeros < 1:
        return Assignment(DenseCost((rng.random((n, n)) >= zeros).astype(np.int32)))
    if not 1 <= zeros <= n or zeros != int(zeros):
        raise ValueError(f"zeros = {zeros} at n = {n}; give a share below 1, or a whole number up to n")
    costs = np.ones((n, n), dtype=np.int32)
    for row in costs:
        row[rng.choice(n, int(zeros), replace=False)] = 0
    return Assignment(DenseCost(costs))
