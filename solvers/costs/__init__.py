"""Costs: the price of pairing row i with column j, and what can be computed from prices alone.

`DenseCost` is a matrix, `PointCost` a formula over points, `GridCost` one over the cells of a grid, `SparseCost` a list
of the allowed pairs. All answer the same questions (`Cost`), so solvers and certificates need not know which one they
hold. The other files compute with costs: their minima against duals (`c_transform`), the case of points on a line
(`one_dimension`), sums that round to the safe side (`exact_sums`), and the matrix that native code reads
(`float_matrix`).
"""

from .cost import Cost
from .dense import DenseCost
from .grid import GridCost
from .points import PointCost
from .sparse import SparseCost

__all__ = ["Cost", "DenseCost", "GridCost", "PointCost", "SparseCost"]
