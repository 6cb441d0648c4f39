"""GOTO's problems: the arcs of the original generator, and the optimum of the flow that they stand for."""

import hashlib

import numpy as np
import pytest
import scipy.optimize
import scipy.sparse

from lapmark import Transport, certify, solve
from lapmark.bench.problems import Case
from lapmark.bench.problems.random import goto

#: Supply and digest of the arcs in the output of the DIMACS challenge's program, by its arguments: nodes, arcs, seed,
#: largest capacity and cost. Only the first has all nodes on the grid.
ORIGINAL = {
    (64, 512, 0, 1000, 10_000): (4105, "5afbbcf15fdd6c63"),
    (100, 600, 5, 16_384, 4096): (40_964, "42cb279cd000a186"),
    (256, 2048, 3, 1000, 10_000): (7317, "ef96d5cda8ae6ce1"),
}


@pytest.mark.parametrize("arguments", ORIGINAL)
def test_goto_network_is_that_of_the_original(arguments: tuple[int, int, int, int, int]) -> None:
    arcs, supply = goto.network(*arguments)
    assert len(arcs) == arguments[1]
    text = "".join(f"{arc.tail} {arc.head} {arc.capacity} {arc.cost}\n" for arc in arcs)
    assert (supply, hashlib.sha256(text.encode()).hexdigest()[:16]) == ORIGINAL[arguments]


@pytest.mark.parametrize("n", [15, 40, 64])
def test_goto_transport_has_the_optimum_of_the_flow(n: int) -> None:
    problem = Case("goto", n, 2).build()
    assert isinstance(problem, Transport)
    arcs, supply = goto.network(n, problem.shape[0], 2, 1000, 10_000)
    tail, head, capacity, cost = np.array(arcs).T
    every = np.arange(len(arcs))
    balance = scipy.sparse.coo_array((np.repeat([1.0, -1.0], len(arcs)), (np.r_[tail, head], np.tile(every, 2))))
    excess = np.zeros(n)
    excess[0], excess[goto.Torus.fitting(n, len(arcs)).nodes - 1] = supply, -supply
    flow = scipy.optimize.linprog(cost, A_eq=balance.tocsr(), b_eq=excess, bounds=np.c_[0 * capacity, capacity])
    certificate = certify(problem, solve(problem))
    assert certificate.optimal
    assert certificate.cost == pytest.approx(flow.fun, rel=1e-9)


def test_goto_masses_are_whole_and_balanced() -> None:
    problem = Case("goto", 100).build()
    assert isinstance(problem, Transport)
    assert problem.shape == (800, 100)
    assert problem.a.sum() == problem.b.sum()
    assert (problem.b >= 0).all()
    assert (problem.b == np.rint(problem.b)).all()


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("goto:n=14", "n = 14; GOTO has at least 15 nodes"),
        ("goto:n=20,degree=5", "at least 6 arcs for each node"),
        ("goto:n=20,cost=7", "cost = 7; both are at least 8"),
    ],
)
def test_goto_of_an_invalid_setting_raises_value_error(text: str, fault: str) -> None:
    with pytest.raises(ValueError, match=fault):
        Case.read(text).build()
