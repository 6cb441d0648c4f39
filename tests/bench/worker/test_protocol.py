from __future__ import annotations

import contextlib
import io
import zipfile
from types import SimpleNamespace

import numpy as np
import pytest
import scipy.sparse
from mutation import mutated
from problem_samples import PROBLEMS

from lapmark import Assignment, DenseCost, GridCost, Infeasible, Matching, Plan, PointCost
from lapmark.bench.util.plain_text import plain
from lapmark.bench.worker import protocol, warm_up_problems
from lapmark.bench.worker.problem_digest import digest_matrix, digest_problem
from lapmark.bench.worker.protocol import BadAnswer
from lapmark.solvers.problem import Problem

RNG = np.random.default_rng(0)
MOST = 1 << 20


@pytest.mark.parametrize("problem", PROBLEMS.values(), ids=PROBLEMS)
def test_read_problem_gives_what_was_written(problem: Problem) -> None:
    file = io.BytesIO()
    protocol.write_problem(problem, file)
    arrived = protocol.read_problem(file)
    assert type(arrived) is type(problem)
    assert type(arrived.cost) is type(problem.cost)
    assert arrived.cost.dtype == problem.cost.dtype
    for order in ("C_CONTIGUOUS", "F_CONTIGUOUS"):
        assert arrived.cost.dense().flags[order] == problem.cost.dense().flags[order]
    assert digest_problem(arrived) == digest_problem(problem)


def test_digest_of_different_problems_differs() -> None:
    assert len({digest_problem(problem) for problem in PROBLEMS.values()}) == len(PROBLEMS)
    matrix = np.arange(6.0).reshape(2, 3)
    alike = [matrix, matrix.astype(np.float32), matrix.reshape(3, 2), matrix + (matrix == 5)]
    assert len({digest_problem(Assignment(DenseCost(other))) for other in alike}) == 4
    cost = DenseCost(matrix)
    settings = [{}, {"limit": 0.0}, {"limit": 0.1}, {"maximize": True}, {"limit": 0.0, "maximize": True}]
    assert len({digest_problem(Assignment(cost, **setting)) for setting in settings}) == len(settings)
    assert digest_problem(Assignment(DenseCost(np.asfortranarray(matrix)))) == digest_problem(
        Assignment(DenseCost(matrix))
    )


def test_digest_matrix_of_points_equals_that_of_their_matrix() -> None:
    cost = PointCost(RNG.random((1100, 2)), RNG.random((1100, 2)), p=1)  # more than one block
    assert digest_matrix(cost) == digest_matrix(DenseCost(cost.dense()))


@pytest.mark.parametrize("problem", PROBLEMS.values(), ids=PROBLEMS)
def test_small_keeps_kind_and_types(problem: Problem) -> None:
    small = warm_up_problems.small(problem, 6)
    n, m = problem.shape
    assert type(small) is type(problem)
    assert type(small.cost) is type(problem.cost)
    assert small.cost.dtype == problem.cost.dtype
    assert min(small.shape) == min(n, m, 6)
    assert np.sign(small.shape[0] - small.shape[1]) == np.sign(n - m)
    matrix, whole = small.cost.dense(), problem.cost.dense()[: small.shape[0], : small.shape[1]]
    assert np.isfinite(np.diagonal(matrix)).all()
    allowed_anew = np.eye(*matrix.shape, dtype=bool) & np.isinf(whole)
    np.testing.assert_array_equal(np.where(allowed_anew, np.inf, matrix), whole)


@pytest.mark.parametrize("problem", PROBLEMS.values(), ids=PROBLEMS)
def test_blank_keeps_shapes_and_types(problem: Problem) -> None:
    blank = warm_up_problems.blank(problem)
    assert type(blank) is type(problem)
    assert type(blank.cost) is type(problem.cost)
    assert blank.shape == problem.shape
    assert blank.cost.dtype == problem.cost.dtype
    entries = blank.cost.dense()
    to_move = np.eye(*entries.shape) if isinstance(problem.cost, GridCost) else np.isfinite(entries)
    assert (entries[to_move > 0] == 0).all()


def test_read_answer_gives_the_written_matching() -> None:
    file = io.BytesIO()
    protocol.write_answer(Matching(np.array([1, 0]), 3.5, np.array([1.0, 2.0]), None), file, MOST)
    file.seek(0)
    answer = protocol.read_answer(file, 1 << 20)
    assert isinstance(answer, Matching)
    np.testing.assert_array_equal(answer.row_to_col, [1, 0])
    np.testing.assert_array_equal(answer.u, [1.0, 2.0])
    assert (answer.cost, answer.v) == (3.5, None)


def test_read_answer_gives_the_written_plan() -> None:
    file = io.BytesIO()
    mass = scipy.sparse.csr_array(np.diag([0.25, 0.75]))
    protocol.write_answer(Plan(1.0, 0.0, np.ones(2), np.zeros(2), mass), file, MOST)
    file.seek(0)
    answer = protocol.read_answer(file, 1 << 20)
    assert isinstance(answer, Plan)
    assert answer.mass is not None
    assert (answer.cost, answer.marginal_error) == (1.0, 0.0)
    np.testing.assert_array_equal(answer.mass.toarray(), mass.toarray())


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        ([0, 1], "answered with a list, not a Matching or a Plan"),
        (Matching(None, 1.0), "row_to_col holds object, not numbers"),  # type: ignore[arg-type]
        (Matching(np.array([0]), "cheap"), "cost holds <U5, not numbers"),  # type: ignore[arg-type]
        (Matching(np.array([0]), np.ones(2)), r"cost is an array of shape \(2,\), not a number"),  # type: ignore[arg-type]
        (Matching([[0], [1, 2]], 1.0), "row_to_col is not an array"),  # type: ignore[arg-type]
        (Matching(np.array([0j]), 1.0), "row_to_col holds complex128, not numbers"),
    ],
)
def test_write_answer_of_something_else_names_it(answer: object, message: str) -> None:
    with pytest.raises(BadAnswer, match=message):
        protocol.write_answer(answer, io.BytesIO(), MOST)  # type: ignore[arg-type]


def test_read_counters_drops_all_if_one_is_no_integer() -> None:
    assert protocol.read_counters({"scans": np.int64(3)}) == {"scans": 3}
    for nonsense in (None, 3, "scans", {"scans": "many"}, SimpleNamespace()):
        assert protocol.read_counters(nonsense) == {}


def read_mutations(count: int) -> None:
    rng = np.random.default_rng(7)
    mass = scipy.sparse.random_array((20, 30), density=0.1, rng=2).tocsr()
    answers = [
        Matching(np.arange(20), 1.5, np.zeros(20), np.zeros(30)),
        Plan(1.0, 0.0, np.zeros(20), np.zeros(30), mass),
        Plan(1.0, 0.0, np.zeros(20), np.zeros(30)),
        Infeasible.hall(np.arange(2), np.arange(1)),
    ]
    for number in range(count):
        file = io.BytesIO()
        protocol.write_answer(answers[number % len(answers)], file, MOST)
        damaged = io.BytesIO(mutated(file.getvalue(), rng))
        with contextlib.suppress(Exception):
            answer = protocol.read_answer(damaged, 1 << 16)
            if isinstance(answer, Plan) and answer.mass is not None:
                answer.mass.sum(axis=0)  # walks through all indices


def test_read_answer_of_damaged_files_never_crashes() -> None:
    read_mutations(3000)


@pytest.mark.slow
def test_read_answer_of_a_hundred_thousand_damaged_files_never_crashes() -> None:
    read_mutations(100_000)


def test_read_answer_with_overlapping_or_unknown_parts_is_refused() -> None:
    whole = io.BytesIO()
    protocol.write_answer(Matching(np.arange(5000), 1.5), whole, MOST)
    overlapping = bytearray(whole.getvalue())
    with zipfile.ZipFile(whole) as archive:
        first, *others = (member.filename.encode() for member in archive.infolist())
        largest = next(member for member in archive.infolist() if member.filename == "row_to_col.npy")
    with zipfile.ZipFile(strange := io.BytesIO(), "w") as archive:
        archive.writestr("kind.npy", b"")
        archive.writestr("strange.npy", b"")
    with pytest.raises(ValueError, match="holds kind, strange"):
        protocol.read_answer(strange, MOST)
    # Each entry of the directory at the end says where its part begins: all of them where the largest one does.
    for name in (first, *others):
        entry = overlapping.rindex(name) - 46
        overlapping[entry + 20 : entry + 28] = 2 * largest.file_size.to_bytes(4, "little")
    with pytest.raises(ValueError, match="overlap"):
        protocol.read_answer(io.BytesIO(overlapping), MOST)


def test_write_answer_of_long_doubles_writes_doubles() -> None:
    mass = scipy.sparse.csr_array(np.diag([0.25, 0.75]))
    mass.data = mass.data.astype(np.longdouble)
    file = io.BytesIO()
    protocol.write_answer(Plan(1.0, 0.0, np.ones(2, np.longdouble), np.zeros(2), mass), file, MOST)
    answer = protocol.read_answer(file, MOST)
    assert isinstance(answer, Plan)
    assert answer.mass is not None
    assert {answer.mass.dtype, answer.f.dtype} == {np.dtype(np.float64)}  # type: ignore[union-attr]


def test_read_answer_does_not_allocate_what_a_header_claims() -> None:
    file = io.BytesIO()
    protocol.write_answer(Matching(np.arange(20), 1.5), file, MOST)
    with pytest.raises(ValueError, match="takes at most 100"):
        protocol.read_answer(file, 100)
    forged = io.BytesIO(file.getvalue().replace(b"(20,)", b"(9e9)").replace(b"(9e9)", b"(99,)"))
    with pytest.raises(Exception, match=r"claims shape|Bad CRC"):
        protocol.read_answer(forged, 1 << 16)
    np.savez_compressed(small := io.BytesIO(), kind=np.array("Matching"), row_to_col=np.zeros(1 << 20), cost=0.0)
    with pytest.raises(ValueError, match="is compressed"):
        protocol.read_answer(small, 1 << 16)
    forged = io.BytesIO()
    np.savez(
        forged,
        kind=np.array("Plan"),
        cost=1.0,
        marginal_error=0.0,
        data=np.ones(2),
        indices=np.array([0, 9]),
        indptr=np.array([0, 9, 2]),
        shape=np.array([2, 2]),
    )
    with pytest.raises(ValueError, match="ind"):
        protocol.read_answer(forged, 1 << 16)


@pytest.mark.parametrize("junk", [None, [], "bids", {"bids": float("inf")}, {"bids": 10**400}, {"bids": "many"}])
def test_read_counters_of_junk_is_empty(junk: object) -> None:
    assert protocol.read_counters(junk) == {}


def test_plain_text_has_no_terminal_control_sequences() -> None:
    assert plain("a\x1b[2Jb\ud800c\n") == "a\N{REPLACEMENT CHARACTER}[2Jb\N{REPLACEMENT CHARACTER}c\n"
