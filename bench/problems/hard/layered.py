"""A sparse graph in layers on which a matching by depth-first search takes exponential time, unless it marks dead ends.

Layer d has two rows, a and b, each allowed its own column and both columns of the next layer, so that the paths from
the first layer to the last are 2ᵈ many. No augmenting path leads through them: the only one follows a third row of each
layer, to a column after the last. SciPy's `maximum_bipartite_matching`, and with it the check of feasibility in its
`min_weight_full_bipartite_matching`, doubles its time with every layer.

The graph has one perfect matching, whose cost is the optimum.
"""

import numpy as np

from lapmark.bench.problems import family
from lapmark.solvers import Assignment, SparseCost

#: Largest of the whole costs, the smallest being 1.
LARGEST = 100


def optimum(n: int, seed: int) -> int:
    """Return the cost of the only perfect matching."""
    return int(build(n, seed).cost.entries(np.arange(n), _matching(n)).sum())


@family(
    "layered",
    source="the graph of issue 26147 of SciPy, maximum_bipartite_matching takes exponential time on layered graphs "
    "(2026), in a variant that has the same layers",
    sizes=(64, 256, 1024),
    optimum=optimum,
)
def build(n: int, seed: int = 0) -> Assignment:
    """Build the problem: (n − 1) / 3 layers, rounded down, with random whole costs from 1 to 100."""
    import scipy.sparse

    layers = _layers(n)
    a, third, b = np.arange(3 * layers).reshape(layers, 3).T
    pairs = [np.stack([np.arange(n), _matching(n)])]
    for row in (a, b):
        pairs += [np.stack([row[:-1], column[1:]]) for column in (a, b)]
    pairs.append(np.stack([third, third]))
    pairs.append(np.stack([np.full(2, 3 * layers), np.r_[a[:1], b[:1]]]) if layers else np.empty((2, 0), int))
    rows, cols = np.concatenate(pairs, axis=1)
    costs = np.random.default_rng(seed).integers(1, LARGEST, len(rows), np.int32, endpoint=True)
    return Assignment(SparseCost(scipy.sparse.coo_array((costs, (rows, cols)), shape=(n, n)).tocsr()))


def _layers(n: int) -> int:
    return (n - 1) // 3


def _matching(n: int) -> np.ndarray:
    """Return the columns of the perfect matching: each third row takes the next layer's column, all others their own.

    The row after the layers, from which the augmenting path starts, takes the first.
    """
    columns, last = np.arange(n), 3 * _layers(n)
    third = np.arange(1, last, 3)
    columns[third] = np.r_[third[1:], last][: len(third)]
    columns[last] = third[0] if len(third) else last
    return columns
