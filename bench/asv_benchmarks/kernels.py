"""Time of the native kernels, by instruction set: an upper bound on the speed-up of a solver."""

import numpy as np

from lapmark.bench.problems import Case
from lapmark.solvers.native import InstructionSet, _matrix
from lapmark.solvers.native._kernels import INSTRUCTION_SETS


class Kernels:
    """A pass over all rows of the cost matrix of a t-SNE grid."""

    params = (list(INSTRUCTION_SETS), ["float32", "float64"], [2500, 4900])
    param_names = ("build", "dtype", "n")

    def setup(self, build: InstructionSet, dtype: str, n: int) -> None:
        case = Case("tsne-grid", n, params={"source": "mnist-reference", "rows": "nodes", "dtype": dtype})
        self.matrix = case.build().cost.dense()
        self.v = self.matrix.min(axis=0).astype(np.float64)

    def time_two_minima(self, build: InstructionSet, dtype: str, n: int) -> None:
        _matrix.two_minima(self.matrix, self.v, isa=build)

    def time_row_minima(self, build: InstructionSet, dtype: str, n: int) -> None:
        _matrix.row_minima(self.matrix, self.v, isa=build)

    def time_column_minima(self, build: InstructionSet, dtype: str, n: int) -> None:
        _matrix.column_minima(self.matrix, self.v, isa=build)
