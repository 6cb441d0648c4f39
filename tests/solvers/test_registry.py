"""The table of solvers."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest

from lapmark import Assignment, Capabilities, DenseCost, Infeasible, Transport, Unsupported, names, register, solve
from lapmark.solvers import registry


@pytest.fixture(autouse=True)
def restored(monkeypatch):
    registry.solvers()
    monkeypatch.setattr(registry, "_solvers", dict(registry._solvers))


def problem(*shape: int) -> Assignment:
    return Assignment(DenseCost(np.ones(shape or (2, 2))))


@pytest.mark.parametrize("size", [3, 40])
@pytest.mark.parametrize("kind", [Assignment, Transport])
def test_auto_takes_threads_whatever_it_chooses(size, kind):
    posed = kind(DenseCost(np.random.default_rng(0).random((size, size))), **({"blur": 0} if kind is Transport else {}))
    assert solve(posed, threads=-1).cost == solve(posed, threads=2).cost == solve(posed).cost
    with pytest.raises(ValueError, match=r"threads = 0; it must be a whole number of at least 1, or -1 for all cores"):
        solve(posed, threads=0)


def test_registry_of_every_solver_says_what_it_is():
    for name, solver in registry.solvers().items():
        assert solver.name == name
        assert solver.capabilities.family, name
        assert solver.capabilities.source, name
        assert solver.versions, name
        assert callable(solver.function)


def test_importing_the_library_loads_no_wrapped_package():
    packages = "{'lap', 'lapjv', 'ot', 'ortools', 'py_lap_solver'}"
    code = f"import sys, lapmark; lapmark.names(); print(*{packages} & set(sys.modules))"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.strip() == ""


def test_names_of_a_problem_are_those_that_take_it():
    assert {"jv", "scipy"} <= set(names(problem(2, 3)))
    assert "lapjv" not in names(problem(2, 3))
    assert set(names(problem(2, 3))) < set(names())


def test_unknown_name_suggests_the_nearest():
    with pytest.raises(ValueError, match="no solver is called 'jvv'; did you mean jv"):
        solve(problem(), "jvv")
    with pytest.raises(ValueError, match="known: auction"):
        solve(problem(), "zzzzzz")


@pytest.mark.parametrize(
    ("name", "given", "reason"),
    [
        ("lapjv", problem(1, 2), "takes square problems only, not 1×2"),
        ("lapjv", Assignment(DenseCost([[np.inf]])), "takes no forbidden pairs"),
        ("pot-bsp", problem(), "takes points costs, not dense"),
        ("jv", Transport(DenseCost([[1]])), "does not solve transport problems"),
    ],
)
def test_solve_of_what_is_not_taken_is_refused_with_the_reason(name, given, reason):
    if missing := registry.get(name).missing:
        pytest.skip(missing)
    with pytest.raises(Unsupported, match=reason):
        solve(given, name)


def test_solve_by_a_solver_with_a_missing_package_names_it():
    @register("wrapper", Capabilities(exact=True), requires=("no-such-distribution",))
    def wrapper(problem):
        raise AssertionError("must not be called")

    assert "wrapper" not in names()
    assert registry.get("wrapper").versions == {"no-such-distribution": "missing"}
    with pytest.raises(ImportError, match="pip install no-such-distribution"):
        solve(problem(), "wrapper")


def test_solve_by_a_solver_with_an_unmet_condition_names_it():
    register("gpu", Capabilities(exact=True), condition=lambda: "no device")(lambda problem: None)
    with pytest.raises(ImportError, match="solver gpu cannot run here: no device"):
        solve(problem(), "gpu")


@pytest.mark.parametrize("name", ["", "Mine", "a b", "a:b", "a,b", "a=b", "a/b", "a@b"])
def test_register_of_a_bad_name_is_refused(name):
    with pytest.raises(ValueError, match="use lower case"):
        register(name, Capabilities(exact=True))


def test_register_of_a_name_twice_is_refused():
    with pytest.raises(ValueError, match=r"'jv' at .*test_registry.py, line .*: Lapmark has a solver of this name"):
        register("jv", Capabilities(exact=True))(lambda problem: None)


def test_capabilities_of_bad_options_are_refused():
    assert Capabilities(exact=True, costs="points").costs == {"points"}
    for options, message in (
        ({"costs": {"dens"}}, "choose from"),
        ({"costs": ()}, "choose from"),
        ({"problem": "both of them"}, "choose from"),
        ({"dtypes": {"float16", "double"}}, r"dtypes = \['double', 'float16'\]; choose from \['bool', 'float32', "),
        ({"dtypes": ()}, "dtypes = \\[\\]; choose from"),
        ({"exact": "no"}, "exact = 'no'; it must be True or False"),
        ({"threads": 4}, "threads = 4; it must be True or False"),
        ({"costs": 3}, "costs = 3; it must be a set of words"),
        ({"counters": {"scans": 1}}, "counters = .*; it must be a set of words"),
        ({"curve": {"blur": 0.1}}, "curve = {'blur': 0.1}; it must be a mapping of options to numbers"),
        ({"source": None}, "source = None; it must be a text"),
    ):
        with pytest.raises(ValueError, match=message):
            Capabilities(**{"exact": True, **options})
    with pytest.raises(ValueError, match=r"solver 'mine': True is no Capabilities\(exact="):
        register("mine", True)


def test_solve_of_an_empty_problem_never_reaches_a_solver():
    @register("crashes", Capabilities(exact=True, rectangular=True))
    def crashes(problem):
        raise AssertionError("must not be called")

    assert solve(problem(3, 0), "crashes").row_to_col.tolist() == [-1, -1, -1]


def test_solve_of_an_infeasible_problem_names_a_row():
    with pytest.raises(Infeasible, match="row 1 cannot be matched"):
        solve(Assignment(DenseCost([[1, 2], [np.inf, np.inf]])))


def test_solve_of_costs_without_a_problem_takes_a_matrix_and_refuses_the_rest():
    assert solve([[4, 1], [2, 8]]).cost == 3
    with pytest.raises(TypeError, match=r"as Assignment\(DenseCost"):
        solve(DenseCost(np.ones((2, 2))))
