"""POT's `emd`: network simplex for exact transport, with assignment as the case of unit masses."""

import numpy as np

from lapmark.solvers.problem import Assignment, Problem, require_exact
from lapmark.solvers.registry import Capabilities, register
from lapmark.solvers.result import Matching, Plan, Result


@register(
    "pot-emd",
    Capabilities(
        exact=True,
        problem="both",
        dtypes={"float32", "float64"},
        duals=True,
        family="network simplex",
        source="N. Bonneel et al., ACM Trans. Graph. 30 (2011) article 158; https://github.com/PythonOT/POT",
    ),
    requires=("pot",),
)
def pot_emd(problem: Problem, max_pivots: int = 10**9) -> Result:
    """Solve in float64. The default `max_pivots` never ends a solve early, unlike the package's default of 10⁵."""
    from ot.lp import emd

    if isinstance(problem, Assignment):
        ones = np.ones(problem.shape[0])
        flow, log = emd(ones, ones, problem.cost.dense(), numItermax=max_pivots, log=True)
        return Matching.of(problem, flow.argmax(axis=1), log["u"], log["v"])
    require_exact(problem, "pot-emd")
    flow, log = emd(problem.a, problem.b, problem.cost.dense(), numItermax=max_pivots, log=True)
    from scipy.sparse import csr_array

    return Plan.of(problem, csr_array(flow), log["u"], log["v"])
