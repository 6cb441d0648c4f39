"""What the adapters of other people's packages do besides calling them; the contract suite judges the answers."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.sparse

from lapmark import Assignment, DenseCost, Matching, PointCost, SparseCost, certify, solve
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
    @pytest.mark.parametrize(
        "solver", [pytest.param(name, marks=needs(name)) for name in ("csgraph", "lapmod", "fastlap-sparse", "pot-emd")]
    )
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

    @pytest.mark.parametrize("solver", ["csgraph", pytest.param("fastlap-sparse", marks=needs("fastlap-sparse"))])
    def test_what_cannot_be_matched_is_infeasible(self, solver: str) -> None:
        matrix = np.ones((4, 4))
        matrix[:3, 1:] = np.inf
        with pytest.raises(Infeasible):
            solve(listed(matrix), solver)


@pytest.mark.parametrize("solver", ["lapcpp", "laprust"])
@pytest.mark.parametrize("shape", [(40, 40), (20, 60), (60, 20)])
class TestSuccessorsOfLapx:
    def test_lapx_successors_solve_float32_exactly(self, solver: str, shape: tuple[int, int]) -> None:
        if reason := registry.get(solver).missing:
            pytest.skip(reason)
        cost = 1e6 + np.random.default_rng(0).random(shape, dtype="float32")
        problem = Assignment(DenseCost(cost.astype("float32")))
        assert proven(problem, solve(problem, solver))

    def test_lapx_successors_leave_rows_above_a_limit(self, solver: str, shape: tuple[int, int]) -> None:
        if reason := registry.get(solver).missing:
            pytest.skip(reason)
        cost = np.random.default_rng(1).normal(size=shape)
        problem = Assignment(DenseCost(cost), limit=-2.2)
        matching = solve(problem, solver)
        assert 0 < np.count_nonzero(matching.row_to_col >= 0) < min(shape)
        assert proven(problem, matching)


class TestGrid:
    """Points and the nodes of a grid, in any order, by shufflesnap."""

    def problem(self, dtype: str = "float64", rows: str = "points", fewer: int = 0) -> Assignment:
        rng = np.random.default_rng(0)
        axes = np.meshgrid(np.linspace(-1, 2, 9), np.linspace(5, 6, 7))
        nodes = rng.permutation(np.stack(axes, axis=-1).reshape(-1, 2)).astype(dtype)
        points = rng.normal((0, 5), size=(len(nodes) - fewer, 2)).astype(dtype)
        x, y = (points, nodes) if rows == "points" else (nodes, points)
        return Assignment(PointCost(x, y, scale=3.0))

    @needs("shufflesnap-exact")
    @pytest.mark.parametrize("dtype", ["float32", "float64"])
    @pytest.mark.parametrize("rows", ["points", "nodes"])
    @pytest.mark.parametrize("fewer", [0, 10])
    def test_shufflesnap_exact_is_proven(self, dtype: str, rows: str, fewer: int) -> None:
        problem = self.problem(dtype, rows, fewer)
        assert proven(problem, solve(problem, "shufflesnap-exact"))

    @needs("shufflesnap")
    def test_shufflesnap_with_wider_windows_is_nearer_to_the_optimum(self) -> None:
        nodes = np.stack(np.meshgrid(np.arange(40), np.arange(40)), axis=-1).reshape(-1, 2) / 39
        problem = Assignment(PointCost(np.random.default_rng(1).random((1600, 2)), nodes))
        optimum = solve(problem).cost
        costs = [solve(problem, "shufflesnap", window=window).cost for window in (5, 8, 12)]
        assert 1.2 * optimum > costs[0] > costs[1] > costs[2] >= optimum

    @needs("shufflesnap")
    def test_shufflesnap_uses_holes_and_steps_as_they_are(self) -> None:
        problem = self.problem()
        kept = problem.cost.y[:50]
        holed = Assignment(PointCost(problem.cost.x[:50], kept))
        assert certify(holed, solve(holed, "shufflesnap", window=12)).gap < 0.05

    @needs("shufflesnap")
    @pytest.mark.parametrize(
        "cost",
        [
            PointCost(np.random.default_rng(0).random((9, 2)), np.random.default_rng(1).random((9, 2))),
            PointCost(np.zeros((3, 2)), np.array([[0.0, 0.0], [1.0, 0.0]])),  # more points than nodes
            PointCost(np.zeros((2, 2)), np.zeros((2, 2))),  # a node twice
        ],
    )
    def test_shufflesnap_refuses_what_is_no_grid(self, cost: PointCost) -> None:
        with pytest.raises(Unsupported, match="at least as many nodes of a grid"):
            solve(Assignment(cost), "shufflesnap")

    @needs("shufflesnap")
    @pytest.mark.parametrize(("p", "d"), [(1, 2), (2, 3)])
    def test_shufflesnap_refuses_other_costs(self, p: float, d: int) -> None:
        with pytest.raises(Unsupported, match=f"not p = {p} in {d} dimensions"):
            solve(Assignment(PointCost(np.zeros((1, d)), np.zeros((1, d)), p)), "shufflesnap")


def test_lap_and_lapx_do_not_stand_in_for_each_other() -> None:
    solvers = {"lap": ("lap", "lapmod"), "lapx": ("lapx-lapjv", "lapx-lapjvc")}
    module = pytest.importorskip("lap")
    own, other = ("lapx", "lap") if hasattr(module, "lapjvr") else ("lap", "lapx")
    for name in solvers[own]:
        assert registry.get(name).missing is None
    for name in solvers[other]:
        reason = f"{own} is installed in its place; both are imported as lap, so uninstall {own}"
        assert registry.get(name).missing == reason
