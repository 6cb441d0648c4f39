"""Rounding by maximum flow: a feasible plan near that of potentials, if pairs are forbidden.

A product of the missing masses could use forbidden pairs. A flow along allowed pairs, and back along those that hold
mass, exists if some plan meets the marginals (L. R. Ford, D. R. Fulkerson, 1956).
"""

import numpy as np
import scipy.sparse
from scipy.sparse.csgraph import maximum_flow

from lapmark.solvers.problem import Transport

from .plan_bounds import MET

#: Flows are integers, in units of this part of the missing mass; another round sends what rounding left.
PARTS, ROUNDS = 2**30, 2


def rerouted(problem: Transport, f: np.ndarray, g: np.ndarray) -> tuple[float, float]:
    """Return the cost of a feasible plan near that of f (n,) and g (m,), and ε KL of it from theirs.

    Both are inf if there is none. Takes O(n m) memory.
    """
    (a, b), cost = problem.masses, problem.cost.dense()
    i, j = np.nonzero(np.isfinite(cost) & (a > 0)[:, None] & (b > 0))
    cost = cost[i, j].astype(np.float64)
    exponent = (f[i] + g[j] - cost) / problem.epsilon
    given = a[i] * b[j] * np.exp(exponent)
    plan = _at_most(_at_most(given, a, i), b, j)
    for _ in range(ROUNDS):
        plan = np.maximum(plan + _sent(a - _sums(plan, a, i), b - _sums(plan, b, j), i, j, plan), 0.0)
    if np.abs(a - _sums(plan, a, i)).sum() > MET * a.sum() + abs(a.sum() - b.sum()):
        return np.inf, np.inf
    some = plan > 0
    moved = plan[some]
    divergence = moved @ (np.log(moved) - np.log(a[i[some]]) - np.log(b[j[some]]) - exponent[some])
    return float(plan @ cost), problem.epsilon * float(divergence + given.sum() - moved.sum())


def _sums(plan: np.ndarray, masses: np.ndarray, index: np.ndarray) -> np.ndarray:
    return np.bincount(index, plan, len(masses))


def _at_most(plan: np.ndarray, masses: np.ndarray, index: np.ndarray) -> np.ndarray:
    """Return the plan with rows, or columns, above their masses scaled down."""
    sums = _sums(plan, masses, index)
    return plan * np.divide(masses, sums, out=np.ones(len(masses)), where=sums > masses)[index]


def _sent(e: np.ndarray, d: np.ndarray, i: np.ndarray, j: np.ndarray, plan: np.ndarray) -> np.ndarray:
    """Return the change of each pair's mass by which rows send e (n,) more and columns take d (m,) more."""
    n, m = len(e), len(d)
    unit = min(np.maximum(e, 0).sum(), np.maximum(d, 0).sum()) / PARTS
    if unit <= 0:
        return np.zeros(len(plan))
    source, sink, rows, cols = n + m, n + m + 1, np.arange(n), np.arange(n, n + m)
    tails = np.concatenate([np.full(n, source), cols, i, n + j])
    heads = np.concatenate([rows, np.full(m, sink), n + j, i])
    room = np.concatenate([e / unit, d / unit, np.full(len(i), PARTS), plan / unit])
    capacities = np.clip(room, 0, PARTS).astype(np.int32)
    graph = scipy.sparse.csr_array((capacities, (tails, heads)), shape=(n + m + 2, n + m + 2))
    flow = scipy.sparse.csr_array(maximum_flow(graph, source, sink).flow)
    return unit * np.asarray(flow[i, n + j]).ravel()
