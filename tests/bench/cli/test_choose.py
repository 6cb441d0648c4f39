"""`lapmark choose`, and the files that it reads."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import scipy.sparse
from command import unwrapped
from scipy.optimize import linear_sum_assignment
from typer.testing import CliRunner

from lapmark import Assignment, PointCost, SparseCost, Transport, recording
from lapmark.bench.advice import candidates
from lapmark.bench.cli import app
from lapmark.bench.data import cost_file
from lapmark.bench.results.store import Store
from lapmark.solvers import plugins

RNG = np.random.default_rng(0)
X, Y = RNG.random((2, 200, 2))


def lapmark(*arguments: object) -> tuple[int, str]:
    result = CliRunner().invoke(app, [str(argument) for argument in arguments], env={"COLUMNS": "400"})
    assert result.exception is None or isinstance(result.exception, SystemExit), result.output
    return result.exit_code, result.output


@pytest.fixture
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working directory without results."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_choose_a_family_names_a_solver_and_its_source(elsewhere: Path) -> None:
    code, output = lapmark("choose", "-p", "uniform", "-n", 900)
    assert code == 0, output
    first = output.split()[0]
    assert candidates.available(first).missing is None
    assert "next: " in output or "Near tie, either will do: " in output
    for part in (
        "Measured on this family, uniform",
        "ship with",
    ):
        assert part in output


def test_choose_with_minus_one_thread_uses_all_cores(elsewhere: Path) -> None:
    cores = len(os.sched_getaffinity(0))
    asked = ["choose", "-p", "uniform", "-n", 900, "--format", "json", "--threads"]
    assert lapmark(*asked, -1) == lapmark(*asked, cores)


def test_choose_as_json_gives_the_same(elsewhere: Path) -> None:
    code, output = lapmark("choose", "-p", "low-rank:rank=2", "-n", 2000, "--format", "json")
    assert code == 0, output
    found = json.loads(output)
    assert found["chosen"]["low"] <= found["chosen"]["seconds"] <= found["chosen"]["high"]
    shares = [each["share"] for each in found["neighbours"]]
    assert shares == sorted(shares, reverse=True)
    assert 0 < sum(shares) <= 1
    assert found["rows"]
    assert {row["status"] for row in found["rows"]} <= {"ok", "unproven", "timeout"}
    assert all(each["failure"] or each["gap"] is None or each["gap"] > 0 for each in found["rejected"])


def test_files_are_placed_among_the_families(elsewhere: Path) -> None:
    np.save("dense.npy", RNG.random((300, 400)))
    np.savetxt("dense.csv", RNG.random((50, 50)), delimiter=",")
    pairs = scipy.sparse.csr_array(np.where(RNG.random((300, 300)) < 0.05, RNG.random((300, 300)), 0) + np.eye(300))
    scipy.sparse.save_npz("sparse.npz", pairs)
    np.savez("points.npz", x=X, y=Y)
    np.savez("masses.npz", x=X, y=Y, a=np.ones(200), b=np.ones(200), p=1)
    np.savez("blurred.npz", x=X, y=Y, blur=0.05)
    kinds = {
        "dense.npy": "assignment, dense",
        "dense.csv": "assignment, dense",
        "sparse.npz": "assignment, sparse",
        "points.npz": "assignment, points",
        "masses.npz": "transport, points",
        "blurred.npz": "blurred transport, points",
    }
    for name, kind in kinds.items():
        code, output = lapmark("choose", name, "--format", "json")
        assert code == 0, output
        found = json.loads(output)
        assert found["kind"] == kind
        assert "seconds" in found["chosen"]


def test_files_are_read_as_what_they_are(elsewhere: Path) -> None:
    np.savez("points.npz", x=X, y=Y, p=1, scale=0.5)
    points = cost_file.read("points.npz")
    assert isinstance(points, Assignment)
    assert isinstance(points.cost, PointCost)
    assert (points.cost.p, points.cost.scale) == (1, 0.5)
    np.savez("masses.npz", x=X, y=Y, a=2 * np.ones(200), b=2 * np.ones(200))
    transport = cost_file.read("masses.npz")
    assert isinstance(transport, Transport)
    assert transport.a is not None
    assert (transport.a.sum(), transport.blur) == (400, 0)
    for more, message in (({"blur": 0.1}, "give a reach"), ({}, "give partial=True")):
        masses = {"x": X, "y": Y, "b": np.ones(200), **more}
        np.savez("masses.npz", **masses)
        with pytest.raises(ValueError, match=message):
            cost_file.read("masses.npz")
        np.savez("masses.npz", **masses, **({"reach": 1} if more else {"partial": True}))
        assert isinstance(cost_file.read("masses.npz"), Transport)
    scipy.sparse.save_npz("sparse.npz", scipy.sparse.coo_array(np.eye(3)))
    assert isinstance(cost_file.read("sparse.npz").cost, SparseCost)
    Path("costs.csv").write_text("1,inf\n2.5,3\n")
    np.testing.assert_array_equal(cost_file.read("costs.csv").cost.dense(), [[1, np.inf], [2.5, 3]])


@pytest.mark.parametrize(
    ("name", "content", "fault"),
    [
        ("costs.csv", b"1,2\n3,four\n", "row 2 of column '2' is 'four', not a number"),
        ("costs.csv", b"task 1,task 2\n1,2\n3,four\n", "row 2 of column 'task 2' is 'four', not a number"),
        ("costs.csv", b"x,y\n", "a problem of shape (0, 2) is empty"),
        ("costs.csv", b"1,\xe9\n", "byte 0xe9 is not UTF-8; save the table as UTF-8"),
        ("costs.csv.gz", b"\x1f\x8b1,2\n", "it is damaged"),
        ("costs.csv", b"1,2\n3\n", "row 2 of column '2' is missing; write inf for a forbidden pair; detected layout: "),
        ("costs.csv", b"", "it is empty"),
        ("costs.npy", b"no array", "its first bytes are not those of a .npy file"),
        ("costs.npz", b"no archive", "its first bytes are not those of a .npz file"),
    ],
)
def test_choose_a_bad_file_names_it_and_the_fault(elsewhere: Path, name: str, content: bytes, fault: str) -> None:
    Path(name).write_bytes(content)
    code, output = lapmark("choose", name)
    assert code == 2
    assert name in output
    assert fault in output


@pytest.mark.parametrize("form", ["csr", "csc", "bsr", "coo"])
def test_choose_a_sparse_matrix_without_an_array_names_that(elsewhere: Path, form: str) -> None:
    scipy.sparse.save_npz("whole.npz", scipy.sparse.csr_array(np.eye(3)).asformat(form))
    whole = dict(np.load("whole.npz"))
    for name in whole.keys() - {"_is_array", "indptr", "row"}:  # the last two mark it as a sparse matrix
        np.savez("part.npz", **{key: value for key, value in whole.items() if key != name})
        code, output = lapmark("choose", "part.npz")
        assert code == 2
        assert f"the sparse matrix lacks {name}; write it with" in unwrapped(output)
    np.savez("other.npz", **{**whole, "format": b"lil"})
    with pytest.raises(ValueError, match="is 'lil'; it must be one of bsr"):
        cost_file.read("other.npz")


TASKS = pd.DataFrame([[4, 1, 3], [2, 0, 5]], index=["Ann", "Bob"], columns=["sweep", "mop", "dust"])


@pytest.mark.parametrize(
    ("frame", "settings"),
    [
        (TASKS, {}),
        (TASKS, {"index_label": "worker"}),
        (TASKS, {"header": False}),
        (TASKS.set_axis([7, 9]), {"index_label": "id"}),
        (TASKS / 2, {"sep": ";", "decimal": ","}),
        (TASKS.set_axis(range(3), axis=1).reset_index(drop=True), {}),
        (TASKS.set_axis(range(3), axis=1) / 2, {"sep": "\t", "index": False}),
        (TASKS, {"header": False, "index": False}),
    ],
)
def test_read_cost_table_ignores_names_of_rows_and_columns(
    elsewhere: Path, frame: pd.DataFrame, settings: dict[str, Any]
) -> None:
    frame.to_csv("costs.csv", **settings)
    problem, layout = cost_file.read_with_layout("costs.csv")
    np.testing.assert_array_equal(problem.cost.dense(), frame)
    assert layout.startswith("2 rows, 3 numeric columns, separator ")
    assert ("rows named by column 1" in layout) == settings.get("index", True)


def test_choose_a_table_shows_its_layout_and_accepts_no_header(elsewhere: Path) -> None:
    pd.DataFrame(RNG.random((40, 40))).to_csv("costs.csv", index=False)
    code, output = lapmark("choose", "costs.csv")
    assert code == 0, output
    layout = "40 rows, 40 numeric columns, separator ,, heading 0, 1, 2, … (--no-header reads it as data)"
    assert f"costs.csv: {layout}" in output
    assert json.loads(lapmark("choose", "costs.csv", "--format", "json")[1])["file"] == layout
    assert json.loads(lapmark("choose", "costs.csv", "--no-header", "--format", "json")[1])["n"] == 41
    assert json.loads(lapmark("choose", "-p", "uniform", "-n", 900, "--format", "json")[1])["file"] is None
    np.save("costs.npy", X)
    for arguments in (["costs.npy"], ["-p", "uniform", "-n", 900]):
        code, output = lapmark("choose", *arguments, "--header")
        assert code == 2
        assert re.search("--header and --no-header are (only )?for", output)


def test_choose_an_archive_of_other_arrays_names_them(elsewhere: Path) -> None:
    np.savez("other.npz", weights=X, heights=X)
    code, output = lapmark("choose", "other.npz")
    assert code == 2
    assert "it holds weights (200×2), heights (200×2); call the matrix of costs cost" in output


@pytest.mark.parametrize(
    ("arguments", "fault"),
    [
        ([], "give either a cost file, or a problem"),
        (["costs.npy", "-p", "uniform"], "give either a cost file, or a problem"),
        (["costs.npy"], "no such file"),
        (["-p", "uniform"], "-p uniform has 3 cases; choose one"),
        (["-p", "unform", "-n", 100], "did you mean uniform?"),
        (["-p", "uniform", "-n", 400_000], "lapmark run -p uniform -n 100000 -n 400000 --to results"),
        (["-p", "uniform", "-n", 900, "--budget", "1us"], "without the budget of 1 µs: "),
        (["-p", "uniform", "-n", 900, "--from", "nowhere"], "no results in nowhere"),
    ],
)
def test_choose_without_an_answer_names_the_reason(elsewhere: Path, arguments: list[object], fault: str) -> None:
    code, output = lapmark("choose", *arguments)
    assert code == 2
    assert fault in output


def test_choose_from_an_empty_folder_fails(elsewhere: Path) -> None:
    Store.open("results").close()
    code, output = lapmark("choose", "-p", "uniform", "-n", 40, "--from", "results")
    assert code == 2
    assert "no problem of this kind was measured (assignment, dense), only: nothing" in output
    assert lapmark("choose", "-p", "uniform", "-n", 40)[0] == 0


def test_choose_prefers_own_measurements(elsewhere: Path) -> None:
    sizes = ["-n", 20, "-n", 60]
    run = ["run", "-s", "jv", "-s", "hungarian", "-p", "uniform", *sizes, "--budget", "10ms", "--to"]
    assert lapmark(*run, "results")[0] == 0
    code, output = lapmark("choose", "-p", "uniform", "-n", 40, "--format", "json")
    assert code == 0, output
    found = json.loads(output)
    assert found["from"] == "measurements in results"
    assert {found["chosen"]["solver"], *(each["solver"] for each in found["others"])} == {"jv", "hungarian"}
    # They have no other problems, so the shipped measurements are used for these.
    code, output = lapmark("choose", "-p", "masses:layout=uniform", "-n", 100)
    assert code == 0, output
    assert "ship with" in output
    code, output = lapmark("choose", "-p", "masses:layout=uniform", "-n", 100, "--from", "results")
    assert code == 2
    assert "no problem of this kind was measured" in output


def test_choose_for_a_folder_takes_the_solver_of_least_total_time(elsewhere: Path) -> None:
    with recording("tracker", most=3):
        for n in (40, 41, 42, 43, 300):
            linear_sum_assignment(RNG.random((n, n)))
    command = ("choose", "recordings/tracker", "--format", "json")
    code, output = lapmark(*command)
    assert code == 0, output
    found = json.loads(output)
    assert (found["problems"], found["calls"]) == (3, 5)  # two files stand for four calls
    seconds = [each["seconds"] for each in found["solvers"] if each["problems"] == 3]
    assert seconds == sorted(seconds)
    assert sum(each["first"] for each in found["solvers"]) == 3
    assert lapmark("choose", "-p", "recordings/tracker", "--format", "json") == (0, output)
    code, output = lapmark("choose", "recordings/tracker")
    assert output.startswith(f"{found['solvers'][0]['solver']} — ")
    assert "3 problems, which stand for 5 calls" in output
    code, output = lapmark("choose", "recordings/tracker", "--budget", "1us")
    assert code == 2
    assert "no measured solver meets the requirements on all 3 problems" in unwrapped(output)
    code, output = lapmark("choose", "recordings/tracker", "-n", 5)
    assert code == 2
    assert "-n 5: recordings/tracker is a folder of problems; leave it out" in unwrapped(output)


def test_choose_for_a_folder_unlike_what_was_measured_says_how_to_measure_it(elsewhere: Path) -> None:
    Path("small").mkdir()
    for n in (1, 2):
        np.save(f"small/{n}.npy", RNG.random((n, n)))
    run = ["run", "-s", "jv", "-p", "uniform", "-n", 20, "-n", 60, "--budget", "10ms", "--to", "mine"]
    assert lapmark(*run)[0] == 0
    code, output = lapmark("choose", "small", "--from", "mine")
    assert code == 2
    assert "nothing similar to small/1.npy was measured. To measure it: lapmark run small --to mine" in unwrapped(
        output
    )


def test_choose_for_a_family_of_a_plugin_gives_advice(elsewhere: Path) -> None:
    Path("mine.py").write_text(
        "import lapmark, numpy as np\n@lapmark.family('steps')\n"
        "def build(n: int, seed: int) -> lapmark.Assignment:\n"
        "    return lapmark.Assignment(lapmark.DenseCost(np.random.default_rng(seed).integers(0, 9, (n, n))))\n"
    )
    code, output = lapmark("choose", "--plugin", "mine.py", "-p", "steps", "-n", 500)
    plugins.forget()
    assert code == 0, output
    assert "Measured on " in output


def test_choose_shows_lines_that_solve_the_problem(elsewhere: Path) -> None:
    code, output = lapmark("choose", "-p", "tracking", "-n", 60)
    assert code == 0, output
    lines = [line[2:] for line in output.split("\n\n")[1].splitlines()]
    namespace = {"costs": RNG.random((60, 60))}
    exec("\n".join(lines), namespace)
    assert "answer" in namespace
    assert json.loads(lapmark("choose", "-p", "tracking", "-n", 60, "--format", "json")[1])["lines"] == "\n".join(lines)


def test_choose_a_size_that_a_family_does_not_take_uses_the_nearest(elsewhere: Path) -> None:
    code, output = lapmark("choose", "-p", "grid:layout=uniform", "-n", 900 + 10)
    assert code == 0, output
    assert "grid:layout=uniform has no size 910: this is for n = 900" in unwrapped(output)


def test_choose_with_a_budget_within_the_interval_says_so(elsewhere: Path) -> None:
    others = ["--from", "mine"]
    run = ["run", "-s", "jv", "-p", "uniform", "-n", 20, "-n", 60, "--budget", "10ms", "--to", "mine"]
    assert lapmark(*run)[0] == 0
    chosen = json.loads(lapmark("choose", "-p", "uniform", "-n", 40, "--format", "json", *others)[1])["chosen"]
    budget = f"{1e6 * (chosen['seconds'] + chosen['high']) / 2:.2f}us"
    code, output = lapmark("choose", "-p", "uniform", "-n", 40, "--budget", budget, *others)
    assert code == 2
    assert "jv is expected to take" in unwrapped(output)
    assert "but its interval ends at" in unwrapped(output)


def test_choose_evaluate_shows_a_table_per_portfolio(elsewhere: Path) -> None:
    code, output = lapmark("choose", "--evaluate")
    assert code == 0, output
    for heading in ("everything", "without ours", "ours only"):
        assert f"\n{heading} " in f"\n{output}"
    table = output.partition("\n\n")[0]
    assert max(map(len, table.splitlines())) <= 80
    found = json.loads(lapmark("choose", "--evaluate", "--format", "json")[1])
    assert {"portfolio", "label", "n", "chosen", "best", "single"} <= found[0].keys()
    assert lapmark("choose", "--evaluate", "-p", "uniform")[0] == 2
