"""The progress of a long solve, and the best answer so far when the time is over."""

from __future__ import annotations

import dataclasses
import pickle
import threading
from collections.abc import Iterator

import numpy as np
import pytest
import scipy.sparse

from lapmark import (
    Assignment,
    DenseCost,
    GridCost,
    Matching,
    PointCost,
    SparseCost,
    TimeLimit,
    Transport,
    certify,
    solve,
)
from lapmark.solvers import progress, registry
from lapmark.solvers.problem import Problem
from lapmark.solvers.progress import Progress

RANDOM = np.random.default_rng(0)
MATRIX = RANDOM.random((900, 900))
X, Y = RANDOM.random((2, 4000, 2))

LONG: dict[str, tuple[str, Problem]] = {
    "cascade": ("cascade", Assignment(DenseCost(MATRIX))),
    "jv": ("jv", Assignment(DenseCost(MATRIX))),
    "auction": ("auction", Assignment(DenseCost(MATRIX))),
    "points": ("cascade", Assignment(PointCost(X, Y))),
    "transport": ("transport", Transport(PointCost(X[:2000], Y[:2000]))),
    "matrix": ("transport", Transport(DenseCost(MATRIX))),
    "grid": ("grid-flow", Transport(GridCost((48, 48)), *(each / each.sum() for each in RANDOM.random((2, 48 * 48))))),
    "sinkhorn": ("sinkhorn", Transport(PointCost(X[:1500], Y[:1500]), blur=0.02)),
}


@pytest.fixture(autouse=True)
def every_time(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Each look for Ctrl-C tells the callback, so that short solves do."""
    monkeypatch.setattr(progress, "EVERY", 0.0)
    yield
    assert not progress.is_active()


@pytest.mark.parametrize("name", LONG)
def test_progress_is_told_while_the_solver_runs(name: str) -> None:
    solver, problem = LONG[name]
    seen: list[Progress] = []
    answer = solve(problem, solver, progress=seen.append)
    assert seen
    assert [each.seconds for each in seen] == sorted(each.seconds for each in seen)
    assert seen[0].share is None
    assert solve(problem, solver).cost == answer.cost, "watching changes nothing"


def test_progress_knows_the_share_of_the_time_limit() -> None:
    seen: list[Progress] = []
    solve(LONG["jv"][1], "jv", time_limit=1000.0, progress=seen.append)
    assert all(each.share == pytest.approx(each.seconds / 1000) for each in seen)
    assert Progress(3.0, 2.0).share == 1.0


@pytest.mark.parametrize("name", LONG)
def test_what_a_callback_raises_ends_the_solve(name: str) -> None:
    def enough(state: Progress) -> None:
        raise LookupError("enough")

    with pytest.raises(LookupError, match="enough"):
        solve(LONG[name][1], LONG[name][0], progress=enough)


def test_progress_is_that_of_the_own_thread_and_of_the_outer_solve() -> None:
    seen: dict[str, int] = {"one": 0, "other": 0, "inner": 0}

    def count(name: str) -> None:
        def told(state: Progress) -> None:
            seen[name] += 1
            if name == "one" and not seen["inner"]:
                solve(LONG["jv"][1], "jv", progress=lambda _: seen.update(inner=seen["inner"] + 1))

        solve(LONG["jv"][1], "jv", progress=told)

    threads = [threading.Thread(target=count, args=(name,)) for name in ("one", "other")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert min(seen.values()) > 0


def test_progress_that_is_no_function_is_refused() -> None:
    with pytest.raises(TypeError, match="progress must be a function of a Progress, not 3"):
        solve(MATRIX, progress=3)  # type: ignore[call-overload]


def late(problem: Problem, solver: str) -> TimeLimit:
    with pytest.raises(TimeLimit) as caught:
        solve(problem, solver, time_limit=1e-9)
    return caught.value


@pytest.mark.parametrize("solver", ["cascade", "jv", "auction"])
@pytest.mark.parametrize("shape", [(300, 300), (200, 300), (300, 200)])
def test_best_answer_so_far_is_a_complete_matching(solver: str, shape: tuple[int, int]) -> None:
    problem = Assignment(DenseCost(np.random.default_rng(1).random(shape)))
    error = late(problem, solver)
    assert error.best is not None
    found = certify(problem, error.best, error.bound, search=False)
    assert found.valid
    assert found.cost >= solve(problem).cost - 1e-9
    assert f"the best answer so far (best) costs {error.best.cost:.12g}" in str(error)
    again = pickle.loads(pickle.dumps(error))
    assert again.best.row_to_col.tolist() == error.best.row_to_col.tolist()


def test_best_answer_so_far_of_a_maximum_is_turned_back() -> None:
    def stopped(problem: Assignment, **options: object) -> Matching:
        raise TimeLimit(1.0, problem.shape, -9.0, Matching.of(problem, np.array([1, 0])))

    problem = Assignment(DenseCost([[1.0, 4.0], [3.0, 2.0]]), maximize=True)
    with pytest.raises(TimeLimit) as caught:
        dataclasses.replace(registry.get("jv"), function=stopped).run(problem)
    assert caught.value.bound == 9.0
    assert caught.value.best.cost == 7.0


def test_best_answer_so_far_keeps_to_a_limit_and_to_the_allowed_pairs() -> None:
    random = np.random.default_rng(2)
    matrix = np.where(random.random((200, 200)) < 0.9, np.inf, random.random((200, 200)))
    np.fill_diagonal(matrix, 0.9)
    for problem in (
        Assignment(DenseCost(matrix), limit=0.3),
        Assignment(SparseCost(scipy.sparse.csr_array(np.where(np.isfinite(matrix), matrix, 0.0))), limit=0.3),
    ):
        best = late(problem, "cascade").best
        assert best is not None
        assert certify(problem, best, search=False).valid
    best = late(Assignment(DenseCost(matrix)), "cascade").best
    assert best is None or certify(Assignment(DenseCost(matrix)), best, search=False).valid


@pytest.mark.parametrize("reach", [None, 0.5])
def test_best_answer_so_far_of_a_plan_with_blur_is_its_potentials(reach: float | None) -> None:
    problem = Transport(DenseCost(MATRIX[:300, :200]), blur=0.01, reach=reach)
    best = late(problem, "sinkhorn").best
    assert best is not None
    assert np.isfinite(best.f).all()
    assert certify(problem, best).valid
