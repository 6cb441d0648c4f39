"""NETGEN's problems: the arcs of the original program, and optima that other solvers find as well."""

import hashlib
import operator

import numpy as np
import pytest
import scipy.optimize
import scipy.sparse

from lapmark import Assignment, SparseCost, Transport, certify, solve
from lapmark.bench.problems import Case

#: Number of arcs, and digest of arcs and masses, in the output of the C version for the DIMACS challenge: by n and
#: degree for seed 13502460. The first ten problems are NETGEN's standard ones, and the last has nearly all pairs.
TRANSPORT = {
    (100, 13): (1308, "fbde6395202e7146"),
    (100, 15): (1511, "f22a676afc62fbe5"),
    (100, 20): (2000, "1d4dcba5a15f31c3"),
    (100, 22): (2200, "d9b09f34db62f893"),
    (100, 29): (2900, "1b8e2a915c9e81c5"),
    (150, 21): (3174, "1af06d65d91ad395"),
    (150, 30): (4519, "ee4c0e1e2a2b8e58"),
    (150, 34.366): (5169, "718c01c7a270d8ae"),
    (150, 40.5): (6075, "6cd17eb9013407f7"),
    (150, 42): (6320, "7945e008ed0e6c86"),
    (20, 20): (380, "550be9b87701a180"),
}
ASSIGNMENT = {
    (200, 7.5): (1500, "35eb8630f80edf05"),
    (200, 11.25): (2250, "e5fe02a2a0640ca7"),
    (200, 15): (3000, "8b47ab3fe12a1382"),
    (200, 18.75): (3750, "c7bb8108ead58d5c"),
    (200, 22.5): (4500, "7e884cfbe357ca4c"),
    (10, 10): (100, "575596ac652f166c"),
}
PROBLEMS = {("netgen-transport", *key): found for key, found in TRANSPORT.items()} | {
    ("netgen-assignment", *key): found for key, found in ASSIGNMENT.items()
}


def build(name: str, n: int, degree: float) -> Transport | Assignment:
    return Case(name, n, 0, {"degree": degree}).build()


def arcs(problem: Transport | Assignment) -> scipy.sparse.coo_array:
    assert isinstance(problem.cost, SparseCost)
    return problem.cost.csr.tocoo()


@pytest.mark.parametrize(("name", "n", "degree"), PROBLEMS)
def test_netgen_problem_has_the_arcs_and_masses_of_the_original(name: str, n: int, degree: float) -> None:
    problem = build(name, n, degree)
    found = arcs(problem)
    listed = sorted(zip(found.row.tolist(), found.col.tolist(), found.data.tolist(), strict=True))
    text = "".join(f"{row} {col} {cost}\n" for row, col, cost in listed)
    if isinstance(problem, Transport):
        text += "".join(f"{mass:.0f}\n" for mass in [*problem.a, *(-problem.b)])
    assert (len(listed), hashlib.sha256(text.encode()).hexdigest()[:16]) == PROBLEMS[name, n, degree]


@pytest.mark.parametrize(("name", "n", "degree"), PROBLEMS)
def test_netgen_problem_has_the_optimum_of_a_linear_program(name: str, n: int, degree: float) -> None:
    problem = build(name, n, degree)
    found = arcs(problem)
    ends = scipy.sparse.coo_array(
        (np.ones(2 * found.nnz), (np.r_[found.row, n + found.col], np.tile(np.arange(found.nnz), 2)))
    )
    masses = np.r_[problem.a, problem.b] if isinstance(problem, Transport) else np.ones(2 * n)
    best = scipy.optimize.linprog(found.data, A_eq=ends.tocsr(), b_eq=masses)
    certificate = certify(problem, solve(problem))
    assert certificate.optimal
    assert certificate.cost == pytest.approx(best.fun, rel=1e-9)


def test_netgen_transport_costs_are_whole_numbers_up_to_100_and_masses_are_whole() -> None:
    problem = Case("netgen-transport", 60, 3).build()
    assert isinstance(problem, Transport)
    costs = arcs(problem).data
    assert costs.dtype == np.int32
    assert 1 <= costs.min() <= costs.max() <= 100
    assert problem.a.sum() == problem.b.sum() == 60_000
    assert (problem.a == np.rint(problem.a)).all()
    assert (problem.a > 0).all()


@pytest.mark.parametrize("name", ["netgen-transport", "netgen-assignment"])
def test_netgen_of_a_degree_below_2_raises_value_error(name: str) -> None:
    with pytest.raises(ValueError, match="degree = 1; give a number of arcs for each row, at least 2"):
        build(name, 10, 1)


def test_netgen_seeds_are_those_of_the_original_in_order() -> None:
    first, second = (arcs(Case("netgen-assignment", 30, seed).build()).data.tolist() for seed in (0, 1))
    assert not all(map(operator.eq, first, second))
    assert arcs(Case("netgen-assignment", 30, 2**31 - 2).build()).data.tolist() == first  # the period of all seeds
