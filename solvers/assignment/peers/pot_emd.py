"""POT's `emd`: network simplex for unregularised transport, of which an assignment is the case of unit masses."""

from __future__ import annotations

import numpy as np

from lapmark.solvers.errors import Unsupported
from lapmark.solvers.problem import Assignment, Problem
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
    """Solves in float64. `max_pivots` is high enough never to stop an answer short; the package's own 10⁵ is not."""
    from ot.lp import emd

    if isinstance(problem, Assignment):
        ones = np.ones(problem.shape[0])
        flow, log = emd(ones, ones, problem.cost.dense(), numItermax=max_pivots, log=True)
        return Matching.of(problem, flow.argmax(axis=1), log["u"], log["v"])
    if problem.epsilon > 0 or problem.reach is not None:
        raise Unsupported("pot-emd solves balanced, unregularised transport only: ask for blur=0 and reach=None")
    flow, log = emd(problem.a, problem.b, problem.cost.dense(), numItermax=max_pivots, log=True)
    from scipy.sparse import csr_array

    return Plan.of(problem, csr_array(flow), log["u"], log["v"])
