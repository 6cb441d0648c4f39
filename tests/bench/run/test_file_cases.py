"""A user's files as cases: of a run, a suite, and all that reads its results."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from command import lapmark, unwrapped

from lapmark.bench.problems import Case
from lapmark.bench.results.record import Record
from lapmark.bench.results.store import Store
from lapmark.bench.run import configuration
from lapmark.bench.run.cells import expand_case, plan
from lapmark.bench.worker.protocol import BUILD_MATRIX

RNG = np.random.default_rng(0)
QUICK = ("-s", "jv", "--budget", "1ms")


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current folder, with a matrix, and a folder of files."""
    monkeypatch.chdir(tmp_path)
    np.save("costs.npy", RNG.random((12, 12)))
    Path("data").mkdir()
    np.save("data/a, b=c:50%.npy", RNG.random((6, 9)))
    np.savez("data/points.npz", x=RNG.random((7, 2)), y=RNG.random((8, 2)))
    Path("data/README").write_text("words")
    return tmp_path


def run(*arguments: object, to: str = "results") -> str:
    code, output = lapmark("run", *arguments, *QUICK, "--to", to)
    assert code == 0, output
    return output


def records(place: str = "results") -> dict[str, Record]:
    with Store.open(Path(place), create=False) as store:
        return {record.case: record for record in store.records() if record.solver != BUILD_MATRIX}


def test_run_of_files_folders_and_families_together() -> None:
    output = run("costs.npy", "-p", "data", "-p", "uniform", "-n", 5)
    assert "data: ignored, since not a cost file: README" in output
    for part in ("costs.npy n=12  ", "data/a, b=c%3A50%25.npy 6×9  ", "data/points.npz 7×8  ", "uniform n=5"):
        assert part in output
    found = records()
    assert {(record.problem, record.n, record.m) for record in found.values()} == {
        ("costs.npy", 12, 12),
        ("data/a, b=c%3A50%25.npy", 6, 9),
        ("data/points.npz", 7, 8),
        ("uniform", 5, 5),
    }
    assert all(record.status == "ok" and record.digest for record in found.values())
    assert set(found) == {str(Case.read(case)) for case in found}


def test_run_of_points_in_a_file_times_their_matrix_too() -> None:
    assert [cell.solver for cell in plan(["jv"], ["data/points.npz"])] == [BUILD_MATRIX, "jv"]


def test_run_again_measures_only_a_file_that_changed() -> None:
    run("costs.npy", "data")
    before = records()
    assert "4 cells in results/lapmark.sqlite, 4 from an earlier run" in run("costs.npy", "data")
    np.save("costs.npy", RNG.random((12, 12)))
    assert "4 cells in results/lapmark.sqlite, 3 from an earlier run" in run("costs.npy", "data")
    after = records()
    assert {case for case in after if after[case].digest != before[case].digest} == {"costs.npy:n=12,seed=0"}


def test_run_does_not_join_rounds_of_two_contents() -> None:
    run("costs.npy", "--rounds", 1)
    np.save("costs.npy", RNG.random((12, 12)))
    run("costs.npy", "--rounds", 2)
    (record,) = records().values()
    assert len(record.rounds) <= 2
    before = record.digest
    run("costs.npy", "--rounds", 2)
    (record,) = records().values()
    assert record.digest == before


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["costs.npy", "-n", 20], "-n 20: costs.npy has its own size; leave it out"),
        (["costs.npy:n=20"], "costs.npy has 12 rows, not 20: a file has its own size; leave n out"),
        (["costs.npy:seed=1"], "costs.npy:seed=1: a file has no seed; leave it out"),
        (["costs.npy:header=true"], "costs.npy: it has no first line"),
        (["costs.npy:type=dense"], "costs.npy: no setting 'type'; a file has only header"),
        (
            ["costs.npy", "bad.npy"],
            "bad.npy: the header of the array declares 8,000,000,000,000 bytes, but the file has",
        ),
        (["costs.npy", "nan.csv"], "nan.csv: row 2 of column '1' is missing"),
        (["absent.npy"], "absent.npy: no such file or folder"),
        (["data/absent"], "data/absent: no such file or folder"),
        (["empty"], "empty: no cost file in this folder"),
        (["unifrom"], "no problem is called 'unifrom'; did you mean uniform"),
        (["nosuchdir"], "(there is no such file or folder either)"),
        (["README.md"], "README.md: "),
    ],
)
def test_run_of_a_wrong_file_measures_nothing_and_names_it(arguments: list[object], message: str) -> None:
    with open("bad.npy", "wb") as file:
        header = {"descr": "<f8", "fortran_order": False, "shape": (10**6, 10**6)}
        np.lib.format.write_array_header_1_0(file, header)
    Path("nan.csv").write_text("1,2\n,3\n")
    Path("README.md").write_text("# About\n\nthis, and that.\n")
    Path("empty").mkdir()
    code, output = lapmark("run", *arguments, *QUICK)
    assert code == 2
    assert message in unwrapped(output)
    assert not Path("results").exists()


def test_suite_finds_files_beside_it(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    Path("mine.toml").write_text('problems = ["costs.npy", "data", "uniform"]\nn = [5]\nsolvers = ["jv"]\n')
    Path("elsewhere").mkdir()
    monkeypatch.chdir("elsewhere")
    given = configuration.load("../mine.toml")
    assert given.problems == (str(folder / "costs.npy"), str(folder / "data"), "uniform")
    assert given.sized(given.problems)[-1] == "uniform:n=5"
    assert [cell.case.n for cell in plan(given.solvers, given.sized(given.problems)) if cell.solver == "jv"] == [
        5,
        6,
        7,
        12,
    ]
    run("--config", "../mine.toml")
    assert len(records()) == 4


def test_suite_with_a_wrong_file_names_the_line(folder: Path) -> None:
    Path("mine.toml").write_text('problems = [\n  "costs.npy",\n  "absent.npy",\n]\n')
    with pytest.raises(ValueError, match=r"mine\.toml, line 3: problems: absent\.npy: no such file"):
        configuration.load("mine.toml")


def test_results_of_files_are_reported_exported_compared_and_advised() -> None:
    np.savez("masses.npz", x=RNG.random((4, 2)), y=RNG.random((5, 2)), a=np.ones(4), b=np.full(5, 0.8))
    run("data", "masses.npz", "-s", "transport")
    run("data", "masses.npz", to="again")
    for arguments in (
        ("report", "results"),
        ("export", "results", "--to", "runs.csv"),
        ("export", "results", "--to", "runs.parquet", "--format", "benchopt"),
        ("compare", "results", "again", "--all"),
    ):
        code, output = lapmark(*arguments)
        assert code in ((0, 1) if arguments[0] == "compare" else (0,)), (arguments, output)
    assert "data/points.npz n=7" in unwrapped(output)
    assert "data/a, b=c%3A50%25.npy" in Path("results/index.html").read_text()
    for file in ("data/points.npz", "masses.npz"):
        code, output = lapmark("choose", file, "--from", "results", "--format", "json")
        assert code == 0, output
        assert json.loads(output)["neighbours"][0]["label"] == file


def test_choose_leaves_out_measurements_of_a_file_that_changed() -> None:
    run("costs.npy")
    assert "Measured on this family, costs.npy" in lapmark("choose", "costs.npy", "--from", "results")[1]
    np.save("costs.npy", RNG.random((12, 12)))
    code, output = lapmark("choose", "costs.npy", "--from", "results")
    assert code == 2
    assert "To measure it: lapmark run costs.npy --to results" in unwrapped(output)


def test_expand_case_of_a_spec_from_a_record_is_that_case() -> None:
    for text in ("costs.npy", "data"):
        for case in expand_case(text):
            assert expand_case(str(case)) == [case]
