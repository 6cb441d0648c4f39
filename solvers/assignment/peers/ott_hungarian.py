"""OTT-JAX's `unreg.hungarian`: the Hungarian method of Optax, compiled for each size."""

import functools
from collections.abc import Callable
from typing import Any

import numpy as np

from lapmark.solvers.problem import Assignment
from lapmark.solvers.registry import Capabilities, register
from lapmark.solvers.result import Matching


@register(
    "ott-hungarian",
    Capabilities(
        exact=True,
        dtypes={"float32", "float64"},
        compiles=True,
        family="shortest augmenting path",
        source="https://github.com/ott-jax/ott",
    ),
    requires=("ott-jax", "jax"),
)
def ott_hungarian(problem: Assignment) -> Matching:
    """Solve float32 costs in float32, and all others in float64."""
    import jax

    matrix = problem.cost.dense()
    dtype = np.float32 if matrix.dtype == np.float32 else np.float64
    with jax.enable_x64(dtype is np.float64):
        rows, cols = np.asarray(_compiled()(np.asarray(matrix, dtype)))
    return Matching.from_pairs(problem, rows, cols)


@functools.cache
def _compiled() -> Callable[[np.ndarray], Any]:
    import jax
    from ott.geometry.geometry import Geometry
    from ott.tools.unreg import hungarian

    return jax.jit(lambda matrix: hungarian(Geometry(matrix))[1].paired_indices)
