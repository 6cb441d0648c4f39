"""Recording of the problems that a program solves."""

from __future__ import annotations

import asyncio
import json
import multiprocessing
import os
import subprocess
import sys
import textwrap
import threading
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import scipy.optimize
import scipy.sparse
from scipy.optimize import linear_sum_assignment
from scipy.sparse.csgraph import min_weight_full_bipartite_matching

import lapmark
from lapmark import Assignment, DenseCost, PointCost, SparseCost, Transport
from lapmark.bench.data import cost_file, interception, recorder
from lapmark.bench.data.recorded_sample import Entry, Sample
from lapmark.bench.data.recorder import INDEX, RecordingWarning

#: SciPy's function itself, where no recording looks for it.
SCIPY = (linear_sum_assignment,)

RNG = np.random.default_rng(0)
MATRIX = RNG.random((6, 8))


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(recorder, "_recorders", {})
    yield tmp_path
    assert linear_sum_assignment is SCIPY[0] is scipy.optimize.linear_sum_assignment
    assert not interception._listeners
    assert not [hook for hook in sys.meta_path if hook is interception._HOOK]


def index(folder: str = "recordings/test") -> dict[str, Any]:
    return json.loads(Path(folder, INDEX).read_text())


def files(folder: str = "recordings/test") -> list[Path]:
    return sorted(path for path in Path(folder).iterdir() if path.suffix != ".json" and path.name[0] != ".")


def record(name: str, *matrices: np.ndarray, to: str | None = None) -> None:
    with lapmark.recording(name, to):
        for matrix in matrices:
            assert np.array_equal(linear_sum_assignment(matrix), SCIPY[0](matrix))


def test_recording_keeps_each_matrix_once_and_changes_no_answer() -> None:
    expected = SCIPY[0](MATRIX)
    with lapmark.recording("test") as made:
        assert linear_sum_assignment is not SCIPY[0]  # although it was imported by name before
        for function in (linear_sum_assignment, scipy.optimize.linear_sum_assignment, lapmark.linear_sum_assignment):
            assert np.array_equal(function(MATRIX), expected)
        linear_sum_assignment(cost_matrix=MATRIX.tolist())
        linear_sum_assignment(np.asfortranarray(MATRIX[::-1]))
        with pytest.raises(ValueError, match="infeasible"):
            linear_sum_assignment([[np.inf]])
        with pytest.raises(ValueError, match="2-D array"):
            linear_sum_assignment([1, 2])
        linear_sum_assignment(np.empty((0, 3)))
    assert made.folder == Path("recordings/test").resolve()
    found = index()
    assert (found["calls"], found["distinct"], found["distinct_is_exact"]) == (8, 2, True)
    assert found["unrecorded"] == {"the call raised an error": 2, "an empty matrix": 1}
    assert sorted(entry["calls"] for entry in found["problems"]) == [1, 4]
    assert [path.name for path in files()] == [entry["file"] for entry in found["problems"]]
    kept = [np.load(path) for path in files()]
    assert any(np.array_equal(each, MATRIX) for each in kept)
    assert any(np.array_equal(each, MATRIX[::-1]) for each in kept)
    linear_sum_assignment(np.eye(3))
    assert index() == found


@pytest.mark.parametrize(
    ("matrix", "dtype"),
    [
        (np.array([[0, 200], [255, 3]], np.uint8), np.int64),
        (np.array([[-128, 5], [7, 127]], np.int8), np.int64),
        (np.array([[True, False], [False, True]]), np.int64),
        (np.array([[2**63, 0], [1, 2]], np.uint64), np.float64),
        (MATRIX.astype(np.float32), np.float32),
        (MATRIX.astype(">f8"), np.float64),
    ],
)
def test_recording_of_a_maximising_call_keeps_the_negated_costs(matrix: np.ndarray, dtype: type) -> None:
    with lapmark.recording("test"):
        rows, cols = linear_sum_assignment(matrix, maximize=True)
        linear_sum_assignment(matrix, True)
    (path,) = files()
    kept = np.load(path)
    assert (kept.dtype, len(index()["problems"])) == (dtype, 1)
    assert np.array_equal(kept, -matrix.astype(dtype))
    assert kept[SCIPY[0](kept)].sum() == -matrix[rows, cols].astype(dtype).sum()


def test_recording_of_problems_is_read_back_as_the_same_problems() -> None:
    x, y, a = RNG.random((5, 2)), RNG.random((5, 2)), np.full(5, 0.2)
    sparse = scipy.sparse.csr_array(np.array([[1.0, 2, 0], [0, 3, 4], [5, 0, 6]]))
    posed = [
        Assignment(PointCost(x, y, p=1)),
        Assignment(SparseCost(sparse)),
        Assignment(DenseCost(MATRIX), maximize=True),
        Transport(PointCost(x, y), a, a[::-1].copy(), blur=0.1),
        Transport(DenseCost(MATRIX), np.full(6, 1 / 6), np.full(8, 1 / 8)),
    ]
    for number, problem in enumerate(posed):
        with lapmark.recording(str(number)):
            lapmark.solve(problem)
        (path,) = files(f"recordings/{number}")
        read = cost_file.read(path)
        assert type(read) is type(problem)
        expected = problem.minimizing if isinstance(problem, Assignment) else problem
        assert read.cost.kind == expected.cost.kind
        assert np.array_equal(read.cost.dense(), expected.cost.dense())
        if isinstance(read, Transport) and isinstance(expected, Transport):
            assert np.array_equal(read.masses, expected.masses, equal_nan=True) or read.shape[0] != read.shape[1]
            assert (read.blur, read.reach) == (expected.blur, expected.reach)
    with lapmark.recording("graph"):
        min_weight_full_bipartite_matching(sparse)
    assert np.array_equal(cost_file.read(*files("recordings/graph")).cost.dense(), SparseCost(sparse).dense())


def test_recording_sees_a_package_that_is_imported_later() -> None:
    pytest.importorskip("lap")
    code = """
        import lapmark, numpy as np, sys
        assert "lap" not in sys.modules and "scipy.optimize" not in sys.modules
        with lapmark.recording("test"):
            import lap
            from scipy.optimize import linear_sum_assignment
            lap.lapjv(np.eye(4))
            linear_sum_assignment(np.eye(5))
        import scipy.optimize
        assert lap.lapjv.__module__ != "lapmark.bench.data.interception" and not hasattr(lap.lapjv, "__wrapped__")
        assert linear_sum_assignment is scipy.optimize._lsap.linear_sum_assignment
        assert not hasattr(linear_sum_assignment, "__wrapped__")
        assert type(lap.__spec__.loader).__name__ == "SourceFileLoader"
    """
    subprocess.run([sys.executable, "-c", textwrap.dedent(code)], check=True)
    assert index()["functions"] == {"lap.lapjv": 1, "scipy.optimize.linear_sum_assignment": 1}


def test_recording_leaves_no_trace_in_modules_that_are_imported_meanwhile() -> None:
    Path("late.py").write_text(
        "import lapmark\nfrom scipy.optimize import linear_sum_assignment\n"
        "def more():\n    global again\n    from scipy.optimize import linear_sum_assignment as again\n"
    )
    code = """
        import sys, lapmark
        sys.path.insert(0, "")
        with lapmark.recording("test"):
            import late
            assert hasattr(late.linear_sum_assignment, "__wrapped__")
            late.more()
            lapmark.solve(lapmark.Assignment(lapmark.DenseCost([[1.0]])))
        names = [late.linear_sum_assignment, late.again, lapmark.solve, lapmark.solvers.solve]
        assert not [name for name in names if hasattr(name, "__wrapped__")]
    """
    subprocess.run([sys.executable, "-c", textwrap.dedent(code)], check=True)


def test_recording_of_a_limit_keeps_it() -> None:
    lap = pytest.importorskip("lap")
    with lapmark.recording("test"):
        lap.lapjv(MATRIX, True, 0.5)
        lap.lapjv(MATRIX, extend_cost=True, cost_limit=np.inf)
        lapmark.solve(Assignment(DenseCost(MATRIX), limit=0.5))
    limits = [problem.limit for problem in map(cost_file.read, files()) if isinstance(problem, Assignment)]
    assert sorted(limits, key=str) == [0.5, None]


def test_recording_counts_a_call_within_another_once() -> None:
    with lapmark.recording("outer"), lapmark.recording("test"), lapmark.recording("test"):
        lapmark.solve(Assignment(DenseCost(MATRIX)), "scipy")
    for name in ("test", "outer"):
        assert index(f"recordings/{name}")["functions"] == {"lapmark.solvers.solve": 1}


def test_recording_of_a_second_run_adds_to_the_first() -> None:
    for number in (1, 2):
        recorder._recorders.clear()  # as in another process
        with lapmark.recording("test"):
            linear_sum_assignment(MATRIX)
            linear_sum_assignment(MATRIX + number)
    found = index()
    assert (found["calls"], found["distinct"]) == (4, 3)
    assert sorted(entry["calls"] for entry in found["problems"]) == [1, 1, 2]


def sizes_kept(order: list[int]) -> list[tuple[str, int]]:
    """Record many small matrices and few large ones; return the kept files."""
    recorder._recorders.clear()
    name = f"of-{order[0]}"
    matrices = [np.random.default_rng(k).random((4, 4) if k % 10 else (20, 30)) for k in range(100)]
    with lapmark.recording(name, most=20):
        for k in order:
            linear_sum_assignment(matrices[k])
    assert index(f"recordings/{name}")["calls"] == 100
    return [(path.name, path.stat().st_size) for path in files(f"recordings/{name}")]


def test_recording_of_too_many_problems_keeps_as_many_of_each_size_in_any_order() -> None:
    kept = sizes_kept(list(range(100)))
    assert [sum(name.startswith(size) for name, _ in kept) for size in ("4x4-", "20x30-")] == [10, 10]
    assert kept == sizes_kept(list(range(99, -1, -1)))
    found = index("recordings/of-0")
    assert not found["distinct_is_exact"]
    assert 40 < found["distinct"] < 250


def test_recording_keeps_no_more_bytes_than_allowed() -> None:
    with lapmark.recording("test", most_bytes=20_000):
        for n in range(10, 40):
            linear_sum_assignment(RNG.random((n, n)))
        linear_sum_assignment(RNG.random((60, 60)))
    assert 10_000 < sum(path.stat().st_size for path in files()) <= 20_000
    assert index()["unrecorded"] == {"larger than most_bytes=20000": 1}
    assert {path.name for path in files()} == {entry["file"] for entry in index()["problems"]}


def test_sample_keeps_the_last_problem_of_a_size_until_no_other_has_two() -> None:
    sample = Sample()
    for n, size in ((2, 10), (100, 1000), (101, 1000)):
        sample.keep(Entry(f"{n}.npy", str(n), (n, n), "float64", size, 1, 0.0))
    (gone,) = sample.trim(3, 1500)
    assert gone.shape[0] > 99
    assert Sample.read(sample.dump("x")) == sample


def test_recording_sees_all_threads() -> None:
    matrices = RNG.random((40, 5, 5))

    def work(k: int) -> None:
        for each in matrices[k::4]:
            linear_sum_assignment(each)

    with lapmark.recording("test"):
        threads = [threading.Thread(target=work, args=(k,)) for k in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert (index()["calls"], len(files())) == (40, 40)


def _solve(seed: int) -> int:
    return int(linear_sum_assignment(np.random.default_rng(seed).random((7, 7)))[1][0])


@pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")
def test_recording_sees_forked_processes_even_if_they_are_terminated() -> None:
    with lapmark.recording("test"):
        linear_sum_assignment(MATRIX)
        with multiprocessing.get_context("fork").Pool(2) as pool:
            pool.map(_solve, range(6))
    assert (index()["calls"], index()["distinct"], len(files())) == (7, 7, 7)


def test_recording_as_a_decorator_takes_functions_of_every_kind() -> None:
    @lapmark.recording("test")
    def plain(n: int, *, more: int = 0) -> int:
        """Solve it."""
        linear_sum_assignment(np.eye(n + more))
        return n

    @lapmark.recording("test")
    def generator(n: int) -> Iterator[int]:
        for k in range(n):
            linear_sum_assignment(np.eye(k + 10))
            yield k

    @lapmark.recording("test")
    async def coroutine(n: int) -> int:
        await asyncio.sleep(0)
        linear_sum_assignment(np.eye(n))
        return n

    @lapmark.recording("test")
    async def stream(n: int) -> Any:
        linear_sum_assignment(np.eye(n))
        yield n

    async def all_of_it() -> list[int]:
        return [await coroutine(20), *[each async for each in stream(21)]]

    assert (plain(3, more=1), plain.__name__, plain.__doc__) == (3, "plain", "Solve it.")
    assert list(generator(2)) == [0, 1]
    assert asyncio.run(all_of_it()) == [20, 21]
    with lapmark.recording("test"):
        pass  # the index is written at once
    assert sorted(entry["shape"][0] for entry in index()["problems"]) == [4, 10, 11, 20, 21]


def test_recording_that_fails_warns_once_and_lets_the_program_go_on(monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*given: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(recorder, "write", full)
    with pytest.warns(RecordingWarning) as caught:
        record("test", np.eye(3), np.eye(4))
    assert len(caught) == 1
    assert "recording 'test' ends here: OSError: [Errno 28] No space left on device" in str(caught[0].message)


def test_recording_that_fails_under_warnings_as_errors_does_not_raise() -> None:
    Path("recordings").write_text("in the way")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        record("test", MATRIX)


def test_recording_into_a_folder_with_other_files_leaves_it_alone() -> None:
    Path("data").mkdir()
    np.save("data/mine.npy", MATRIX)
    with pytest.warns(RecordingWarning, match="data has other files; name another folder with to="):
        record("test", MATRIX, to="data")
    Path("data/index.json").write_text("{}")
    with pytest.warns(RecordingWarning, match=r"data/index.json is not the index of a recording; remove it"):
        record("test", MATRIX, to="data")
    assert sorted(os.listdir("data")) == ["index.json", "mine.npy"]


@pytest.mark.parametrize(
    ("given", "error", "message"),
    [
        ({"name": ""}, ValueError, "recording '': use a name without slashes"),
        ({"name": "a/b"}, ValueError, "use a name without slashes"),
        ({"name": 3}, TypeError, "is a text, not int"),
        ({"name": "x", "most": 0}, ValueError, "most = 0; it must be a whole number of at least 1"),
        ({"name": "x", "most_bytes": 1e9}, ValueError, "most_bytes = 1000000000.0; it must be a whole number"),
        ({"name": "x", "seed": "a"}, ValueError, "seed = 'a'; it must be a whole number"),
    ],
)
def test_recording_of_wrong_arguments_is_refused(given: dict[str, Any], error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        lapmark.recording(**given)


def test_recording_ends_when_the_program_raises() -> None:
    with pytest.raises(TypeError, match="complex"):
        record("test", MATRIX, MATRIX.astype(complex))
    assert index()["calls"] == 2
