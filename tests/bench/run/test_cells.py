from __future__ import annotations

import pytest

from lapmark import Assignment, Transport
from lapmark.bench.problems import Case, families
from lapmark.bench.run import cells as planning
from lapmark.bench.run import configuration
from lapmark.bench.run.cells import expand_case, expand_solver, plan, resolve
from lapmark.bench.worker.protocol import BUILD_MATRIX
from lapmark.solvers import registry
from lapmark.solvers.problem import Problem


def test_plan_of_the_demo_has_every_solver_and_size() -> None:
    demo = configuration.load("demo")
    cells = plan(demo.solvers, demo.problems)
    assert {cell.case.problem for cell in cells} == {"tsne-grid"}
    assert {cell.name for cell in cells} == {*solvers_of(Assignment), BUILD_MATRIX}
    assert {cell.case.n for cell in cells} == set(families()["tsne-grid"].sizes)


def solvers_of(kind: type[Problem]) -> set[str]:
    return {name for name, solver in registry.solvers().items() if solver.capabilities.solves(kind)}


def test_plan_of_solvers_of_another_kind_has_them_only_if_named() -> None:
    assert solvers_of(Transport) - solvers_of(Assignment)
    assert solvers_of(Assignment) - solvers_of(Transport)
    assert {cell.name for cell in plan([], cases=["masses"], sizes=[8])} == solvers_of(Transport)
    assert {cell.name for cell in plan([], cases=["uniform"], sizes=[8])} == solvers_of(Assignment)
    assert {cell.name for cell in plan(["jv", "transport"], ["masses"], [8])} == {"jv", "transport"}


def test_families_all_state_their_kind_of_problem() -> None:
    for name, family in families().items():
        assert family.kind in (Assignment, Transport), name


def test_plan_of_several_cases_puts_small_ones_first_and_keeps_each_together() -> None:
    cells = plan(["jv", "scipy"], ["uniform", "product"], [64, 8])
    assert [(cell.solver, cell.case.problem, cell.case.n) for cell in cells] == [
        (solver, problem, n) for n in (8, 64) for problem in ("uniform", "product") for solver in ("jv", "scipy")
    ]


def test_plan_of_several_solvers_puts_those_with_duals_first() -> None:
    assert [cell.solver for cell in plan(["scipy", "hungarian", "jv", "jv-avx2"], ["uniform"], [8])] == [
        "jv-avx2",
        "jv",
        "hungarian",
        "scipy",
    ]


def test_plan_of_repeated_specs_has_each_cell_once() -> None:
    assert len(plan(["jv", "jv"], ["uniform", "uniform:n=8", "uniform:seed=0"], [8])) == 1


def test_expand_solver_of_a_name_gives_the_whole_curve() -> None:
    curve = registry.get("sinkhorn").capabilities.curve["blur"]
    assert expand_solver("sinkhorn") == [f"sinkhorn:blur={value}" for value in curve]
    assert expand_solver("sinkhorn:blur=0.02") == ["sinkhorn:blur=0.02"]
    assert expand_solver("jv") == ["jv"]


def test_expand_solver_for_transport_leaves_the_blur_to_the_problem() -> None:
    assert expand_solver("sinkhorn", Transport) == ["sinkhorn"]
    assert [cell.solver for cell in plan(["sinkhorn", "pot-emd"], ["masses:p=2"], [8])] == ["pot-emd", "sinkhorn"]


def test_expand_case_with_a_setting_adds_it_to_every_variant() -> None:
    assert [case.params for case in expand_case("tsne-grid:dtype=float64", [9])] == [
        {"rows": "nodes", "dtype": "float64"},
        {"rows": "points", "dtype": "float64"},
    ]
    assert {case.params["rows"] for case in expand_case("tsne-grid:rows=points")} == {"points"}
    assert [case.params for case in expand_case("grid:distinct=20", [9])] == [{"distinct": 20}]
    assert len(expand_case("grid:rows=nodes", [9])) == len(families()["grid"].variants)
    assert expand_case("uniform:n=12,seed=3") == [Case("uniform", 12, 3)]


@pytest.mark.parametrize("build", [lambda: plan(["jw"], ["uniform"]), lambda: plan([], ["unifrom"])])
def test_an_unknown_name_suggests_the_nearest(build: object) -> None:
    with pytest.raises(ValueError, match=r"did you mean (jv|uniform)"):
        build()  # type: ignore[operator]


@pytest.mark.parametrize(
    ("solvers", "cases", "message"),
    [
        (["sinkhorn:blurr=0.1"], [], "sinkhorn:blurr=0.1: no setting 'blurr'; there is"),
        (["lap:blur=0.1"], [], "lap:blur=0.1: no setting 'blur'; there is none"),
        ([], ["uniform:type=float64"], "uniform:type=float64: no setting 'type'; there is dtype"),
        (["sinkhorn:blur=wide"], [], "sinkhorn:blur=wide: blur = 'wide'; it must be a number"),
        (["lap1015:epsilon=1"], [], "lap1015:epsilon=1: epsilon = 1; it must be true or false"),
        ([], ["duplicates:distinct=true"], "distinct = True; it must be a whole number"),
        ([], ["uniform:dtype=int8"], "uniform:dtype=int8: dtype = 'int8'; it must be float32 or float64"),
        ([], ["uniform:n=many"], "uniform:n=many: n and seed must be whole numbers"),
        (["jv:"], [], "write it as name:key=value"),
    ],
)
def test_plan_with_a_wrong_setting_is_refused(solvers: list[str], cases: list[str], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        plan(solvers, cases or ["uniform"])


@pytest.mark.parametrize("case", ["tsne-grid:cost=points,rows=nodes", "grid:distinct=20", "sparse"])
def test_plan_of_points_and_sparse_costs_times_their_matrix_too(case: str) -> None:
    assert [cell.solver for cell in plan(["jv"], [case], [9])] == ["build-matrix", "jv"]


@pytest.mark.parametrize("written", ["true", "True"])
def test_expand_solver_reads_true_in_either_case(written: str) -> None:
    assert expand_solver(f"lap1015:epsilon={written}") == ["lap1015:epsilon=true"]


def test_key_differs_with_everything_that_decides_a_measurement(monkeypatch: pytest.MonkeyPatch) -> None:
    def keys(cpu: str = "this") -> list[str]:
        chosen = [("jv", Case("uniform", 8)), ("jv", Case("uniform", 8, 1)), ("scipy", Case("uniform", 8))]
        return [resolve(*each, threads).key({"cpu": cpu}) for each in chosen for threads in (1, 2)]

    before = keys()
    assert len(set(before)) == len(before)
    assert keys() == before
    with monkeypatch.context() as patch:
        patch.setattr(planning, "source", lambda: "another")
        assert not set(keys()) & set(before)
    assert not set(keys("another")) & set(before)
    monkeypatch.setattr(registry, "version", lambda name: "another")
    assert not set(keys()) & set(before)
