"""GeomLoss's `SamplesLoss`: entropic transport of points, ε from their diameter down to the blur, on three backends.

The package follows its schedule without testing convergence, and does not report the remaining error. It returns only
potentials, so that a plan states neither cost nor error; a certificate sums both.
"""

import os
import shutil
import sys

import numpy as np

from lapmark.solvers.costs import PointCost
from lapmark.solvers.errors import Unsupported
from lapmark.solvers.problem import Transport, require_blur
from lapmark.solvers.registry import Capabilities, register
from lapmark.solvers.result import Plan


def without_compiler() -> str | None:
    """Return why KeOps, which compiles each formula on first use, cannot run; None if it can."""
    usual = ("clang++", "g++") if sys.platform == "darwin" else ("g++",)
    if any(shutil.which(name) for name in (os.environ.get("CXX") or "g++", *usual)):
        return None
    return "KeOps compiles its formulas and finds no C++ compiler: install g++, or name one in CXX"


def add(
    backend: str,
    about: str,
    keops: bool = False,
    dimensions: float = np.inf,
) -> None:
    """Register one of the package's backends, for points of at most `dimensions` dimensions."""
    name = f"geomloss-{backend}"

    @register(
        name,
        Capabilities(
            exact=False,
            problem="transport",
            costs={"points"},
            dtypes={"float32", "float64"},
            family="entropic",
            source="J. Feydy, thesis (2020), section 3.3; https://github.com/jeanfeydy/geomloss",
            curve={"scaling": (0.5, 0.9)},
        ),
        requires=("geomloss", "torch", "pykeops") if keops else ("geomloss", "torch"),
        condition=without_compiler if keops else None,
    )
    def solve(problem: Transport, scaling: float = 0.9) -> Plan:
        cost = problem.cost
        assert isinstance(cost, PointCost)
        if cost.p not in (1, 2):
            raise Unsupported(f"{name} takes distances (p = 1) and their squares (p = 2), not p = {cost.p:g}")
        require_blur(problem.blur, name)
        if cost.x.shape[1] > dimensions:
            raise Unsupported(f"{name} takes points of up to {dimensions} coordinates, not {cost.x.shape[1]}")
        if not 0 < scaling < 1:
            raise ValueError(f"scaling = {scaling!r}; it must lie between 0 and 1")
        import torch

        if keops:
            import pykeops.torch  # noqa: F401  GeomLoss would hide its errors, and fail without a reason
        from geomloss import SamplesLoss

        # Its cost is |x − y|^p / p. Ours is `unit` times that, and our lengths are multiplied by `length` for it.
        p, unit = int(cost.p), cost.scale * cost.p
        length = unit ** (-1 / p)
        # Its schedule starts at the logarithm of the diameter, which is 0 if all points coincide.
        one_place = (cost.x == cost.x[0]).all() and (cost.y == cost.x[0]).all()
        loss = SamplesLoss(
            loss="sinkhorn",
            p=p,
            blur=problem.blur * length,
            reach=None if problem.reach is None else problem.reach * length,
            scaling=scaling,
            diameter=problem.blur * length if one_place else None,
            debias=False,
            potentials=True,
            backend=backend,
        )
        dtype = np.result_type(cost.x, cost.y)
        given = (problem.a, cost.x, problem.b, cost.y)
        potentials = loss(*(torch.from_numpy(np.array(each, dtype, order="C")) for each in given))
        f, g = (unit * each.numpy().ravel().astype(np.float64) for each in potentials)
        return Plan(np.nan, np.nan, f, g)

    solve.__doc__ = about


add("tensorized", "Solve on a matrix of costs: O(n m) memory, and many times that of the matrix.")
add("online", "Solve by KeOps, which compiles the sums over pairs and stores no matrix: O(n + m) memory.", keops=True)
add(
    "multiscale",
    "Solve by KeOps, first on centroids of grid cells, then on the pairs of cells that these do not exclude.",
    keops=True,
    dimensions=3,
)
