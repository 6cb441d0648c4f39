"""Handover of problems: read-only, and varied so that no answer fits the next problem."""

from __future__ import annotations

import os
import sys

import numpy as np
import pytest
from problem_samples import PROBLEMS

from lapmark import Assignment, Infeasible, certify, solve
from lapmark.bench.run.certify_answer import CostCheck
from lapmark.bench.worker import protocol
from lapmark.bench.worker.problem_digest import digest_problem
from lapmark.bench.worker.problem_handover import Handover
from lapmark.solvers.problem import Problem

SOLVED = {name: problem for name, problem in PROBLEMS.items() if name != "empty"}


def read(handed: Handover) -> Problem:
    with os.fdopen(os.dup(handed.descriptor), "rb") as file:
        return protocol.read_problem(file)


@pytest.mark.parametrize("problem", SOLVED.values(), ids=SOLVED)
def test_map_back_of_answers_to_varied_problems_gives_answers_to_the_original(problem: Problem) -> None:
    with Handover(problem, seed=0) as handed:
        assert digest_problem(read(handed)) == digest_problem(problem)
        digests = {digest_problem(problem)}
        for _ in range(5):
            handed.vary()
            other = read(handed)
            digests.add(digest_problem(other))
            answer = handed.map_back(solve(other))
            found = certify(problem, answer)
            assert found.valid, found.fault
            assert found.optimal or not isinstance(problem, Assignment)
            best = solve(problem)
            cost_of = CostCheck(problem, exact=True)
            assert cost_of(answer) == pytest.approx(cost_of(best), rel=1e-9, abs=1e-12)
        assert len(digests) > 3 or min(problem.shape) < 3


def test_vary_keeps_the_layout_of_arrays() -> None:
    for name in ("column-major", "integers, forbidden nothing"):
        with Handover(PROBLEMS[name]) as handed:
            handed.vary()
            here, there = PROBLEMS[name].cost.dense(), read(handed).cost.dense()
            assert (here.flags.c_contiguous, here.dtype) == (there.flags.c_contiguous, there.dtype)
            np.testing.assert_array_equal(np.sort(here, axis=None), np.sort(there, axis=None))


def test_map_back_of_an_infeasibility_proof_stays_valid() -> None:
    costs = np.random.default_rng(1).random((9, 9))
    costs[[2, 4, 7], 2:] = np.inf
    problem = Assignment(type(PROBLEMS["float32"].cost)(costs))
    with Handover(problem, seed=3) as handed:
        for _ in range(8):
            handed.vary()
            with pytest.raises(Infeasible) as caught:
                solve(read(handed))
            refusal = handed.map_back(caught.value)
            assert isinstance(refusal, Infeasible)
            assert refusal.rows is not None
            assert set(refusal.rows) <= {2, 4, 7}


@pytest.mark.skipif(sys.platform != "linux", reason="memory can be sealed on Linux alone")
def test_descriptor_cannot_be_written_to() -> None:
    problem = PROBLEMS["float32"]
    with Handover(problem) as handed:
        for mode in (os.O_RDONLY, os.O_RDWR, os.O_WRONLY):
            number = os.open(f"/proc/self/fd/{handed.descriptor}", mode)
            with pytest.raises(OSError, match=r"Bad file descriptor|Operation not permitted"):
                os.pwrite(number, bytes(64), 512)
            os.close(number)
        assert digest_problem(read(handed)) == digest_problem(problem)
