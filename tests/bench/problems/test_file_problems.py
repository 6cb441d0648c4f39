"""Files as problems: their names in specs, and what stands for them."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lapmark import Assignment, Transport
from lapmark.bench.problems import Case, file_problems
from lapmark.bench.results.record_check import fault
from lapmark.bench.run.cells import resolve
from lapmark.bench.run.measure import unmeasured

COSTS = np.arange(6.0).reshape(2, 3)

#: Names of files: anything but a slash and a zero, bytes that are no UTF-8 included.
NAMES = (
    st.binary(min_size=1, max_size=40)
    .map(lambda content: os.fsdecode(content.replace(b"/", b"-").replace(b"\0", b":")))
    .filter(lambda name: name not in (".", ".."))
) | st.text(st.sampled_from("a%:,=. é\n\t~\u00a0A2-"), min_size=1, max_size=12).filter(
    lambda name: name not in (".", "..")
)


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def save(name: str) -> Path:
    path = Path(name)
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("wb") as file:
        np.save(file, COSTS)
    return path


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(NAMES, st.sampled_from(["", "data/", "a:b/", "../here/"]), st.sampled_from(["", ".npy", ".CSV"]))
def test_case_of_a_file_survives_its_spec(folder: Path, name: str, parent: str, suffix: str) -> None:
    path = Path(parent + name + suffix)
    case = Case(file_problems.name_of(path), 2)
    assert Case.read(str(case)) == case
    assert case.file is not None
    assert os.path.abspath(case.file) == os.path.abspath(path)
    found = file_problems.find(str(case))
    assert found is not None
    assert (os.path.abspath(found[0]), found[1]) == (os.path.abspath(path), {"n": 2, "seed": 0})
    values = vars(unmeasured(resolve("jv", case), "skipped", "", {}))
    assert fault({**values, "params": dict(values["params"]), "finished": ""}) is None


@settings(max_examples=50, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(NAMES)
def test_find_takes_the_path_of_a_file_as_it_is(folder: Path, name: str) -> None:
    path = save(name)
    try:
        assert file_problems.find(name) == (Path(name), {})
        case = Case.of_file(Path(name), {})
        assert np.array_equal(case.build().cost.dense(), COSTS)
    finally:
        path.unlink()


def test_name_of_is_relative_below_the_current_folder(folder: Path) -> None:
    assert file_problems.name_of(folder / "data" / "costs.npy") == "data/costs.npy"
    assert file_problems.name_of(Path("data/../costs.npy")) == "costs.npy"
    assert file_problems.name_of(folder.parent / "costs.npy") == str(folder.parent / "costs.npy")
    assert file_problems.name_of(Path("uniform")) == "./uniform"


def test_find_prefers_a_family_to_a_file_of_its_name() -> None:
    save("uniform")
    assert file_problems.find("uniform") is None
    assert file_problems.find("uniform:n=3") is None
    assert file_problems.find("./uniform") == (Path("uniform"), {})
    assert file_problems.find("unifrom") is None


@pytest.mark.parametrize("text", ["absent.npy", "absent/costs", "absent.CSV"])
def test_find_of_a_path_that_does_not_exist_is_still_a_path(text: str) -> None:
    found = file_problems.find(text)
    assert found == (Path(text), {})
    with pytest.raises(ValueError, match=f"{text}: no such file or folder"):
        file_problems.contents(found[0])


def test_located_sees_a_path_from_the_current_folder(folder: Path) -> None:
    save("suite/data/a:b.npy")
    assert file_problems.located("data/a:b.npy", Path("suite")) == "suite/data/a%3Ab.npy"
    assert file_problems.located("../costs.csv:header=true", Path("suite")) == "costs.csv:header=true"
    assert file_problems.located("uniform:n=3", Path("suite")) == "uniform:n=3"
    assert file_problems.located("data", Path("suite")) == "suite/data"


def test_contents_of_a_folder_are_its_cost_files_in_order() -> None:
    for name in ("data/b.npy", "data/a.npy", "data/below/c.npy", "data/.hidden.npy"):
        save(name)
    Path("data/README").write_text("words")
    found = file_problems.contents(Path("data"))
    assert found.files == (Path("data/a.npy"), Path("data/b.npy"))
    assert found.ignored == ("README",)
    assert found.folders == ("below",)
    assert list(file_problems.notes(["data", "uniform"])) == [
        "data: ignored, since not a cost file: README",
        "data: ignored, since folders in a folder are not searched: below",
    ]
    Path("empty").mkdir()
    with pytest.raises(ValueError, match=r"no cost file in this folder; their names end in \.npy"):
        file_problems.contents(Path("empty"))


def test_contents_of_a_folder_of_folders_names_them() -> None:
    for place in range(4):
        save(f"data/{place}/a.npy")
    with pytest.raises(ValueError, match="the folders in it are not searched, give them: 0, 1, 2 and 1 more"):
        file_problems.contents(Path("data"))


def test_check_lists_the_files_that_cannot_be_read() -> None:
    save("data/good.npy")
    Path("data/0.csv").write_text("1,2\n2,x\n4,5\n")
    with pytest.raises(ValueError, match=r"^data/0\.csv: row 2 of column '2' is 'x', not a number"):
        file_problems.check(Path("data"), {})
    for place in range(1, 7):
        Path(f"data/{place}.csv").write_text("1,2\n3,\n")
    with pytest.raises(ValueError, match=r"^data: 7 files cannot be read\ndata/0\.csv: row 2") as error:
        file_problems.check(Path("data"), {})
    lines = str(error.value).splitlines()
    assert len(lines) == 1 + file_problems.SHOWN + 1
    assert lines[-1] == "and 2 more"
    with pytest.raises(ValueError, match=r"^data: no setting 'seed'"):
        file_problems.check(Path("data"), {"seed": 1})


def test_notes_and_errors_name_settings_that_every_command_takes() -> None:
    Path("costs.csv").write_text("0.5,2\n1.5,3.5\n")
    assert list(file_problems.notes(["costs.csv"])) == [
        "costs.csv: 2 rows, 2 numeric columns, separator ,, no heading (FILE:header=true reads the first line as one)"
    ]
    Path("hole.csv").write_text("0.5,2\n1.5,\n")
    with pytest.raises(ValueError, match=r"row 2 of column '2' is missing.*FILE:header=true reads"):
        file_problems.facts(Path("hole.csv"), {})


def test_read_with_the_setting_names_takes_or_keeps_the_first_column() -> None:
    Path("costs.csv").write_text("worker,a,b\n1,5,6\n2,7,8\n3,1,1\n")
    assert file_problems.facts(Path("costs.csv"), {}).shape == (3, 2)
    assert file_problems.facts(Path("costs.csv"), {"names": False}).shape == (3, 3)
    assert Case.of_file(Path("costs.csv"), {"names": False}).label == "costs.csv:names=false"


def test_case_of_a_file_has_its_size_and_kind() -> None:
    save("costs.npy")
    case = Case.of_file(Path("costs.npy"), {})
    assert (case.problem, case.n, case.kind, case.label) == ("costs.npy", 2, Assignment, "costs.npy")
    np.savez("points.npz", x=np.ones((2, 2)), y=np.ones((3, 2)), a=np.ones(2), b=np.ones(3) / 1.5)
    case = Case.of_file(Path("points.npz"), {})
    assert (case.kind, case.settings["cost"]) == (Transport, "points")


def test_case_of_a_file_that_changed_is_read_anew() -> None:
    save("costs.npy")
    case = Case.of_file(Path("costs.npy"), {})
    np.save("costs.npy", 2 * COSTS)
    os.utime("costs.npy", ns=(1, 1))
    assert np.array_equal(case.build().cost.dense(), 2 * COSTS)
    np.save("costs.npy", np.ones((4, 4)))
    with pytest.raises(ValueError, match=r"costs\.npy has 4 rows, not 2: a file has its own size"):
        case.build()


def test_read_of_a_setting_that_a_file_has_not_names_it() -> None:
    Path("costs.csv").write_text("1,2\n3,4\n5,6\n")
    assert Case.of_file(Path("costs.csv"), {"header": True}).n == 2
    read: Callable[..., object] = file_problems.read
    for values, message in (
        ({"seed": 1}, "no setting 'seed'"),
        ({"header": 1}, "header = 1; it must be true or false"),
        ({"names": "a"}, "names = 'a'; it must be true or false"),
    ):
        with pytest.raises(ValueError, match=message):
            read(Path("costs.csv"), values)


def test_read_of_a_pipe_does_not_wait_for_it() -> None:
    os.mkfifo("pipe.npy")
    with pytest.raises(ValueError, match=r"pipe\.npy is no regular file; save its content in one"):
        Case.of_file(Path("pipe.npy"), {})


def test_read_of_an_empty_problem_names_its_shape() -> None:
    np.save("costs.npy", np.empty((0, 3)))
    with pytest.raises(ValueError, match=r"costs\.npy: a problem of shape \(0, 3\) is empty"):
        Case.of_file(Path("costs.npy"), {})
