"""Solvers of the linear assignment problem and of optimal transport behind one face, with proofs of their answers."""

from .batch import BatchMatching, solve_batch
from .certificate import Certificate, certify
from .drop_in import linear_sum_assignment
from .histograms import emd, emd_plans
from .layout import fitting_shape, grid_layout, grid_problem
from .losses import Loss, carry, loss
from .problem import Assignment, DenseCost, Infeasible, PointCost, SparseCost, TimeLimit, Transport, Unsupported
from .registry import Capabilities, names, register, solve
from .result import Matching, Plan

__all__ = [
    "Assignment",
    "BatchMatching",
    "Capabilities",
    "Certificate",
    "DenseCost",
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
    "names",
    "register",
    "solve",
    "solve_batch",
]
