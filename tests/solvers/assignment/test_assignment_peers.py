"""What the adapters of other people's packages do besides calling them; the contract suite judges the answers."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.sparse

from lapmark import Assignment, DenseCost, Matching, SparseCost, certify, solve
from lapmark.solvers import registry
from lapmark.solvers.errors import Infeasible, Unsupported


def needs(solver: str) -> pytest.MarkDecorator:
    reason = registry.get(solver).missing
    return pytest.mark.skipif(reason is not None, reason=f"{solver}: {reason}")


def uniform(n: int, dtype: str = "float64") -> Assignment:
    return Assignment(DenseCost(np.random.default_rng(n).random((n, n), dtype=dtype)))


def listed(matrix: np.ndarray) -> Assignment:
    pairs = np.nonzero(np.isfinite(matrix))
    return Assignment(SparseCost(scipy.sparse.coo_array((matrix[pairs], pairs), shape=matrix.shape)))


def proven(problem: Assignment, matching: Matching) -> bool:
    return certify(problem, matching, certify(problem, solve(problem, "jv")).dual_bound).optimal


@needs("lap1015")
class TestLap1015:
    @pytest.mark.parametrize("epsilon", [False, True])
    @pytest.mark.parametrize("dtype", ["float32", "float64"])
    @pytest.mark.parametrize("precision", ["given", "float64"])
    def test_the_optimum_of_the_costs_as_given(self, epsilon: bool, dtype: str, precision: str) -> None:
        problem = uniform(80, dtype)
        assert proven(problem, solve(problem, "lap1015", epsilon=epsilon, precision=precision))

    def test_float32_solves_the_costs_that_it_rounds_to(self) -> None:
        # In float32 all entries are 1, and any matching will do.
        n = 60
        problem = Assignment(DenseCost(1 + 1e-9 * uniform(n).cost.dense()))
        rounded = solve(problem, "lap1015", precision="float32", epsilon=False)
        assert certify(problem, rounded).valid
        assert rounded.cost > solve(problem, "lap1015", epsilon=False).cost

    @pytest.mark.parametrize("shape", [(30, 50), (50, 30)])
    def test_float32_of_a_rectangle(self, shape: tuple[int, int]) -> None:
        cost = np.random.default_rng(0).integers(0, 1000, shape)
        problem = Assignment(DenseCost(cost))
        assert proven(problem, solve(problem, "lap1015", precision="float32"))

    def test_what_float32_cannot_hold_is_refused(self) -> None:
        with pytest.raises(Unsupported, match="in the range of float32 only"):
            solve(Assignment(DenseCost(np.full((8, 8), 1e39))), "lap1015", precision="float32")

    def test_another_precision_is_refused(self) -> None:
        with pytest.raises(ValueError, match="precision = 'half'; choose from given, float64, float32"):
            solve(uniform(8), "lap1015", precision="half")


class TestSparse:
    @pytest.mark.parametrize("solver", ["csgraph", pytest.param("lapmod", marks=needs("lapmod"))])
    @pytest.mark.parametrize("dtype", ["float32", "float64", "int32"])
    def test_a_stored_zero_is_a_cost(self, solver: str, dtype: str) -> None:
        matrix = np.random.default_rng(0).integers(0, 3, (40, 40)).astype(float)
        matrix[np.random.default_rng(1).random(matrix.shape) < 0.5] = np.inf
        problem = listed(matrix)
        problem = Assignment(SparseCost(problem.cost.csr.astype(dtype)))
        before = problem.cost.csr.copy()
        assert proven(problem, solve(problem, solver))
        assert np.array_equal(problem.cost.csr.data, before.data)

    @pytest.mark.parametrize("shape", [(20, 30), (30, 20)])
    @pytest.mark.parametrize("offset", [-5.0, 0.0, 5.0])
    def test_csgraph_takes_any_shape_and_sign(self, shape: tuple[int, int], offset: float) -> None:
        problem = listed(np.random.default_rng(0).integers(0, 10, shape) + offset)
        assert proven(problem, solve(problem, "csgraph"))

    @pytest.mark.parametrize("value", [0.0, -3.0, 1e300])
    def test_csgraph_on_equal_costs(self, value: float) -> None:
        problem = Assignment(DenseCost(np.full((6, 6), value)))
        assert certify(problem, solve(problem, "csgraph")).valid

    def test_csgraph_finds_what_cannot_be_matched(self) -> None:
        matrix = np.ones((4, 4))
        matrix[:3, 1:] = np.inf
        with pytest.raises(Infeasible):
            solve(listed(matrix), "csgraph")


def test_lap_and_lapx_do_not_stand_in_for_each_other() -> None:
    solvers = {"lap": ("lap", "lapmod"), "lapx": ("lapx-lapjv", "lapx-lapjvc")}
    module = pytest.importorskip("lap")
    own, other = ("lapx", "lap") if hasattr(module, "lapjvr") else ("lap", "lapx")
    for name in solvers[own]:
        assert registry.get(name).missing is None
    for name in solvers[other]:
        reason = f"{own} is installed in its place; both are imported as lap, so uninstall {own}"
        assert registry.get(name).missing == reason
