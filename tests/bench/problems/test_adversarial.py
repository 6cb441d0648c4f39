"""The hostile inputs: problems like any other, which our own exact solvers all answer, and some others do not."""

from __future__ import annotations

import numpy as np
import pytest

from lapmark import Assignment, Infeasible, certify, solve
from lapmark.bench.problems import Case, get
from lapmark.bench.problems.hard import adversarial, adversarial_transport
from lapmark.bench.run.cells import expand_case, plan
from lapmark.bench.worker.problem_digest import digest_problem
from lapmark.solvers import registry
from lapmark.solvers.certificate.hall_proof import fault_of_proof
from lapmark.solvers.problem import Problem

OURS = ("cascade", "jv", "jv-avx2", "auction", "hungarian")
ENTROPIC = ("sinkhorn", "sinkhorn-multilevel")
FAMILIES = {"adversarial": adversarial.INPUTS, "adversarial-transport": adversarial_transport.INPUTS}
EVERY = [(name, input) for name, inputs in FAMILIES.items() for input in inputs]


def instance(family: str, input: str, seed: int = 0) -> Problem:
    return Case(family, FAMILIES[family][input].n, seed, {"input": input}).build()


@pytest.mark.parametrize(("family", "input"), EVERY)
def test_adversarial_input_is_answered_by_our_solvers(family: str, input: str) -> None:
    problem = instance(family, input)
    blurred = not isinstance(problem, Assignment) and problem.blur > 0
    solvers = OURS if isinstance(problem, Assignment) else ENTROPIC if blurred else ("transport",)
    for name in solvers:
        if registry.get(name).missing:
            continue
        if not FAMILIES[family][input].feasible:
            with pytest.raises(Infeasible) as caught:
                solve(problem, name)
            assert fault_of_proof(problem, caught.value) is None
            continue
        found = certify(problem, solve(problem, name))
        assert found.valid, (name, found.fault)
        assert found.marginal_error <= 1e-3 if blurred else found.optimal, name


@pytest.mark.parametrize(("family", "input"), EVERY)
def test_adversarial_input_is_a_function_of_its_seed(family: str, input: str) -> None:
    assert digest_problem(instance(family, input)) == digest_problem(instance(family, input))
    if FAMILIES[family][input].random:
        assert digest_problem(instance(family, input)) != digest_problem(instance(family, input, 1))
    else:
        with pytest.raises(ValueError, match="seed = 1: there is one instance"):
            instance(family, input, 1)


@pytest.mark.parametrize(("family", "input"), EVERY)
def test_adversarial_input_exists_at_other_sizes(family: str, input: str) -> None:
    about = FAMILIES[family][input]
    case = Case(family, 24 if about.any_size else about.n, 0, {"input": input})
    assert min(case.build().shape) == case.n


def test_expand_case_of_an_input_gives_its_own_size() -> None:
    cases = expand_case("adversarial")
    assert {str(case.params["input"]): case.n for case in cases} == {
        name: each.n for name, each in adversarial.INPUTS.items()
    }
    assert [case.n for case in expand_case("adversarial:input=rank-one")] == [150]
    assert [case.n for case in expand_case("adversarial:input=rank-one", [30])] == [30]
    assert [case.n for case in expand_case("adversarial:input=rank-one,n=40")] == [40]


def test_build_of_an_unknown_input_raises_value_error() -> None:
    with pytest.raises(ValueError, match="input = 'nonsense'; it must be sentinel or big-m or"):
        plan(["jv"], ["adversarial:input=nonsense"])
    with pytest.raises(ValueError, match="this input exists at n = 1 only"):
        Case("adversarial", 2, 0, {"input": "one-by-one"}).build()


@pytest.mark.parametrize("name", FAMILIES)
def test_sizes_of_the_families_are_those_of_their_inputs(name: str) -> None:
    assert get(name).sizes == tuple(sorted({each.n for each in FAMILIES[name].values()}))


def test_lap_on_costs_above_its_sentinel_answers_wrongly() -> None:
    pytest.importorskip("lap")
    if reason := registry.get("lap").missing:
        pytest.skip(reason)
    problem = instance("adversarial", "sentinel")
    best = solve(problem, "jv")
    assert solve(problem, "lap").cost > best.cost
    assert np.array_equal(problem.cost.dense(), problem.cost.dense().astype(int))
