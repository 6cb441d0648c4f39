"""Files of other tools: what each says is in the history, and what cannot be read is named.

The files in `data` were written by pytest-benchmark 5.3, asv 0.6, Google Benchmark 1.9 and hyperfine 1.15.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from lapmark.bench.history.importers.import_file import files_of, snapshots
from lapmark.bench.history.importers.origin import Origin
from lapmark.bench.history.measurement import Commit, Measurement, Snapshot
from lapmark.bench.system.machine import machine

DATA = Path(__file__).parent / "data"
HEAD = Commit(hash="ab" * 20, time="2026-01-02T03:04:05+00:00", subject="Head", branch="main")
MEASURED = "89ed46021a70e3de0588558875f270f7c52991b4"


def read(path: Path, is_given: bool = False) -> Snapshot:
    ((_, snapshot),) = snapshots(files_of(path), Origin(lambda: HEAD, is_given))
    return snapshot


def cells(snapshot: Snapshot) -> dict[str, Measurement]:
    return {each.name: each for each in snapshot.measurements}


@pytest.fixture
def changed(tmp_path: Path) -> Callable[[str, Callable[[Any], object]], Path]:
    """Return a copy of a file of `data` after a change of its content."""

    def change(name: str, edit: Callable[[Any], object]) -> Path:
        content = json.loads((DATA / name).read_text())
        edit(content)
        path = tmp_path / Path(name).name
        path.write_text(json.dumps(content))
        return path

    return change


def test_pytest_benchmark_file_has_commit_machine_quartiles_and_counters() -> None:
    snapshot = read(DATA / "pytest_benchmark.json")
    assert (snapshot.source, snapshot.commit.hash, snapshot.commit.branch) == ("pytest-benchmark", MEASURED, "main")
    assert snapshot.commit.time == "2026-11-30T20:21:54+00:00"
    assert snapshot.machine["cpu"] == "Intel(R) Xeon(R) Processor"
    found = cells(snapshot)["test_sums.py::test_sum[100]"]
    assert found.counters == {"additions": 100}
    assert found.lower < found.median < found.upper < 1e-5
    assert (found.samples, found.certified) == (6866, False)


def test_google_benchmark_file_has_the_median_of_its_repetitions_in_seconds() -> None:
    snapshot = read(DATA / "google_benchmark.json")
    assert snapshot.commit == HEAD
    assert snapshot.machine == {"cores": 2, "host": "builder"}
    found = cells(snapshot)
    assert found.keys() == {"sum_range/1000", "sum_range/10000", "fails"}
    assert found["sum_range/1000"].median == pytest.approx(9.5376e-6, rel=1e-4)
    assert found["sum_range/1000"].samples == 5
    assert found["sum_range/1000"].counters == {"additions": 1000}
    assert (found["fails"].status, found["fails"].message) == ("error", "no data")


def test_google_benchmark_file_of_aggregates_has_the_median_and_quartiles_of_its_deviation() -> None:
    found = cells(read(DATA / "google_aggregates.json"))["sum_range/1000"]
    assert found.median == pytest.approx(9.4447e-6, rel=1e-4)
    assert found.upper - found.median == pytest.approx(0.6745 * 9.0849e-8, rel=1e-3)
    assert found.samples == 5


def test_hyperfine_file_has_a_cell_for_each_command_and_its_parameters() -> None:
    snapshot = read(DATA / "hyperfine.json")
    assert snapshot.commit == HEAD
    assert snapshot.machine["cpu"] == machine()["cpu"]
    assert cells(snapshot).keys() == {"sleep 0.01", "sleep 0.01 [n=1]", "sleep 0.01 [n=2]", "sleep 0.02"}
    assert cells(snapshot)["sleep 0.02"].median == pytest.approx(0.021, rel=0.1)


def test_asv_folder_has_times_memory_and_tracked_numbers_by_their_parameters() -> None:
    snapshot = read(DATA / "asv")
    assert (snapshot.source, snapshot.commit.hash) == ("asv", MEASURED)
    found = cells(snapshot)
    time = found["sums.Sums.time_sum(n=1000, kind='range')"]
    assert (time.unit, time.samples) == ("s", 6)
    assert time.lower < time.median < time.upper
    assert (found["sums.mem_list"].unit, found["sums.mem_list"].median) == ("B", 2104)
    assert found["sums.Sums.track_additions(n=100, kind='list')"].counters == {"additions": 100}
    assert found["sums.time_fails"].status == "error"


def test_asv_file_without_benchmarks_beside_it_has_values_for_names(tmp_path: Path) -> None:
    path = tmp_path / "vm" / "result.json"
    path.parent.mkdir()
    path.write_bytes(next((DATA / "asv" / "vm").glob("89ed*")).read_bytes())
    found = cells(read(path))
    assert found["sums.Sums.peakmem_sum(100, 'list')"].unit == "B"


def test_asv_result_that_was_skipped_is_left_out_and_one_of_an_environment_named(changed: Callable[..., Path]) -> None:
    def edit(content: Any) -> None:
        content["results"]["sums.Sums.time_sum"][0][0] = float("nan")
        content["env_name"] = "virtualenv-py3.11-numpy"

    found = cells(read(changed("asv/vm/89ed4602-existing-py_usr_bin_python3.json", edit)))
    assert "sums.Sums.time_sum(100, 'list') [virtualenv-py3.11-numpy]" not in found
    assert "sums.Sums.time_sum(100, 'range') [virtualenv-py3.11-numpy]" in found


def test_file_measured_with_changes_is_refused_unless_its_commit_is_named(changed: Callable[..., Path]) -> None:
    path = changed("pytest_benchmark.json", lambda content: content["commit_info"].update(dirty=True))
    with pytest.raises(
        ValueError, match=r"pytest_benchmark\.json cannot be imported: .* uncommitted changes on commit 89ed"
    ):
        read(path)
    assert read(path, is_given=True).commit == HEAD


def test_file_of_another_commit_than_the_named_one_is_refused() -> None:
    with pytest.raises(ValueError, match="it is of commit 89ed46021a, not ababababab: leave --commit out"):
        read(DATA / "pytest_benchmark.json", is_given=True)


def test_file_from_outside_of_a_repository_is_of_the_current_commit(changed: Callable[..., Path]) -> None:
    path = changed(
        "pytest_benchmark.json", lambda content: content.update(commit_info={"id": "unversioned", "dirty": False})
    )
    assert read(path).commit == HEAD


@pytest.mark.parametrize("content", ["{", "[]", "{}", '{"results": []}x', '{"benchmarks": []}', '"text"', "\xff"])
def test_unknown_file_lists_the_known_formats(tmp_path: Path, content: str) -> None:
    path = tmp_path / "bench.json"
    path.write_text(content, encoding="latin-1")
    with pytest.raises(
        ValueError, match=r"bench\.json cannot be imported: .*pytest-benchmark .*asv .*Google .*hyperfine"
    ):
        read(path)


@pytest.mark.parametrize(
    ("name", "edit", "message"),
    [
        (
            "pytest_benchmark.json",
            lambda c: c["benchmarks"][1]["stats"].pop("median"),
            r"benchmarks\[1\]\.stats\.median is missing",
        ),
        ("pytest_benchmark.json", lambda c: c.update(machine_info=3), r"machine_info is 3: it should be a mapping"),
        (
            "pytest_benchmark.json",
            lambda c: c["commit_info"].update(id="89ed"),
            "'89ed' is not the full hash of a commit",
        ),
        (
            "hyperfine.json",
            lambda c: c["results"][0].update(times=["1"]),
            r"results\[0\]\.times\[0\] is '1': it should be a finite",
        ),
        (
            "google_benchmark.json",
            lambda c: c["benchmarks"][0].update(time_unit="h"),
            r"time_unit is 'h': it should be one of ns",
        ),
        (
            "google_benchmark.json",
            lambda c: c["benchmarks"].append(3),
            r"benchmarks\[\d+\] is 3: it should be a mapping",
        ),
        (
            "asv/vm/89ed4602-existing-py_usr_bin_python3.json",
            lambda c: c.update(version=1),
            "version is 1, not 2: `asv update`",
        ),
        (
            "asv/vm/89ed4602-existing-py_usr_bin_python3.json",
            lambda c: c["results"].update(a=3),
            r"results\.a should be a list",
        ),
    ],
)
def test_file_with_a_wrong_field_is_refused_by_its_name(
    changed: Callable[..., Path], name: str, edit: Callable[[Any], object], message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        read(changed(name, edit))


def test_folder_without_results_says_what_could_be_imported(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"has no JSON file to import; the formats are"):
        files_of(tmp_path)
    with pytest.raises(FileNotFoundError):
        files_of(tmp_path / "none.json")
