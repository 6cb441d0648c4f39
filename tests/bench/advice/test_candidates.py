"""Candidates: lines that run as they are shown, and that are certified optimal."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.sparse import csr_array

from lapmark import Assignment, DenseCost, GridCost, PointCost, SparseCost, Transport, certify
from lapmark.bench.advice import candidates
from lapmark.solvers.problem import Problem

RNG = np.random.default_rng(0)
MATRIX, X, Y = RNG.random((6, 9)), *RNG.random((2, 7, 2))
DENSE = Assignment(DenseCost(MATRIX))
PROBLEMS: dict[str, Problem] = {
    "dense": DENSE,
    "points": Assignment(PointCost(X, Y, p=1)),
    "scaled": Assignment(PointCost(X, Y, scale=1 / 3)),
    "sparse": Assignment(SparseCost(csr_array(np.where(np.eye(5) + (RNG.random((5, 5)) < 0.4) > 0, 0.5, 0)))),
    "most": Assignment(DenseCost(MATRIX), maximize=True),
    "grid": Transport(GridCost((3, 3)), RNG.dirichlet(np.ones(9)), RNG.dirichlet(np.ones(9))),
    "masses": Transport(PointCost(X, Y), RNG.dirichlet(np.ones(7)), RNG.dirichlet(np.ones(7))),
}


@pytest.mark.parametrize("kind", PROBLEMS)
def test_lines_run_and_their_answer_is_optimal(kind: str) -> None:
    problem = PROBLEMS[kind]
    names = ["auto", "linear_sum_assignment", "cascade", "scipy", "csgraph", "transport"]
    taken = [name for name in names if not candidates.refuses(name, problem, candidates.available(name).capabilities)]
    assert "auto" in taken
    for name in taken:
        lines = candidates.lines(name, problem)
        answer = candidates.read_answer(name, problem, lines.compiled(problem)())
        assert certify(problem, answer).optimal, lines.text
        namespace = candidates.variables(problem)
        exec(lines.text, namespace)  # a user's program
        assert "answer" in namespace


def test_lines_of_packages_call_them_directly() -> None:
    assert candidates.lines("scipy", DENSE).text.splitlines() == [
        "from scipy.optimize import linear_sum_assignment",
        "answer = linear_sum_assignment(costs)",
    ]
    assert candidates.lines("scipy", PROBLEMS["points"]).text.endswith("linear_sum_assignment(cdist(x, y))")
    assert candidates.lines("sinkhorn:blur=0.03", DENSE).expression == (
        'solve(Assignment(DenseCost(costs)), "sinkhorn", blur=0.03)'
    )
    assert "force_doubles" not in candidates.lines("lapjv", Assignment(DenseCost(np.float32(MATRIX)))).text


def test_lines_repeat_settings_to_the_last_digit() -> None:
    assert "scale=0.3333333333333333" in candidates.lines("cascade", PROBLEMS["scaled"]).text


def test_is_ours_tells_lapmark_from_packages() -> None:
    assert all(map(candidates.is_ours, ("linear_sum_assignment", "auto", "jv-avx2", "sinkhorn:blur=0.03")))
    assert not any(map(candidates.is_ours, ("scipy", "lap", "pot-emd", "gone")))
