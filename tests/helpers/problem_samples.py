"""A problem of each kind of cost and setting, all of them small."""

from __future__ import annotations

import numpy as np
import scipy.sparse

from lapmark import Assignment, DenseCost, GridCost, PointCost, SparseCost, Transport
from lapmark.solvers.problem import Problem

RNG = np.random.default_rng(0)
POINTS = RNG.random((20, 2)), RNG.random((30, 2))

PROBLEMS: dict[str, Problem] = {
    "float32": Assignment(DenseCost(RNG.random((20, 30), dtype=np.float32))),
    "column-major": Assignment(DenseCost(np.asfortranarray(RNG.random((30, 20))))),
    "integers, forbidden nothing": Assignment(DenseCost(RNG.integers(0, 9, (5, 5), dtype=np.int16))),
    "forbidden pairs": Assignment(DenseCost(np.where(RNG.random((9, 9)) < 0.3, np.inf, 1.0))),
    "a limit of 0": Assignment(DenseCost(RNG.normal(size=(20, 30))), limit=0.0),
    "maximising": Assignment(DenseCost(RNG.random((20, 20))), limit=0.5, maximize=True),
    "points": Assignment(PointCost(*POINTS, p=1.5, scale=3.0)),
    "sparse": Assignment(SparseCost(scipy.sparse.random_array((20, 20), density=0.5, rng=1).tocsr())),
    "nearly empty": Assignment(SparseCost(scipy.sparse.csr_array(np.fliplr(np.eye(40, dtype=np.int32))))),
    "empty": Assignment(DenseCost(np.zeros((0, 0)))),
    "transport": Transport(PointCost(*POINTS), blur=0.1, reach=2.0),
    "transport of given masses": Transport(
        DenseCost(np.eye(2)), a=np.array([0.2, 0.8]), b=np.array([0.5, 0.5]), blur=0.05
    ),
    "transport on a grid": Transport(GridCost((2, 3), (1.0, 0.5)), RNG.random(6) + 1, np.full(6, 1.5), partial=True),
    "transport that could be partial": Transport(DenseCost(np.eye(2)), [0.2, 0.8], [0.5, 0.5], blur=0.05, partial=True),
    "transport of sums that differ": Transport(DenseCost(np.eye(2)), [1, 2], [0.5, 0.5], blur=0, partial=True),
}
