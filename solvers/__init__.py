"""Solvers of the linear assignment problem and of optimal transport behind one face, with proofs of their answers."""

from .batch import BatchMatching, solve_batch
from .certificate import Certificate
from .certify import certify
from .costs import DenseCost, GridCost, PointCost, SparseCost
from .emd import emd, emd_plans
from .errors import Infeasible, TimeLimit, Unsupported
from .grid_layout import fitting_shape, grid_layout, grid_problem
from .linear_sum_assignment import linear_sum_assignment
from .loss import Loss, carry, loss
from .min_weight_full_bipartite_matching import min_weight_full_bipartite_matching
from .problem import Assignment, Transport
from .registry import Capabilities, names, register
from .result import Matching, Plan
from .solve import solve

__all__ = [
    "Assignment",
    "BatchMatching",
    "Capabilities",
    "Certificate",
    "DenseCost",
    "GridCost",
    "Infeasible",
    "Loss",
    "Matching",
    "Plan",
    "PointCost",
    "SparseCost",
    "TimeLimit",
    "Transport",
    "Unsupported",
    "carry",
    "certify",
    "emd",
    "emd_plans",
    "fitting_shape",
    "grid_layout",
    "grid_problem",
    "linear_sum_assignment",
    "loss",
    "min_weight_full_bipartite_matching",
    "names",
    "register",
    "solve",
    "solve_batch",
]
