"""`lapmark export`: what is written, that other programs read it, and what it says where it cannot be written."""

from __future__ import annotations

import importlib.util
import io
import json
from pathlib import Path

import pandas as pd
import pytest
from report_records import blurred, failed, make_record
from typer.testing import CliRunner

from lapmark.bench.cli import app
from lapmark.bench.problems import Case
from lapmark.bench.results.record import Record
from lapmark.bench.results.store import NAME, Store
from lapmark.reports import tables
from lapmark.reports.export import formats

needs_benchopt = pytest.mark.skipif(
    importlib.util.find_spec("benchopt") is None, reason="benchopt is not installed (pip install '.[benchopt]')"
)


@pytest.fixture(scope="module")
def results(records: list[Record], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store with a cell of every kind."""
    folder = tmp_path_factory.mktemp("results")
    with Store.open(folder) as store:
        for record in [*records, *blurred()]:
            store.add(record)
    return folder


def lapmark(*arguments: str | Path) -> tuple[int, str]:
    done = CliRunner().invoke(app, ["export", *map(str, arguments)])
    return done.exit_code, " ".join(done.output.replace("│", " ").split())


@pytest.mark.parametrize("name", ["cells.csv", "cells.parquet", "deeper/cells.PQ"])
def test_export_to_a_file_writes_a_row_per_cell(name: str, results: Path, tmp_path: Path) -> None:
    path = tmp_path / name
    assert lapmark(results, "--to", path)[0] == 0
    read = pd.read_csv if name.endswith("csv") else pd.read_parquet
    with Store.open(results) as store:
        cells = tables.frame(store.records())
    found = read(path)
    assert found.columns.tolist() == cells.columns.tolist()
    assert found["seconds"].tolist() == pytest.approx(cells["seconds"].tolist(), nan_ok=True)
    assert found["status"].tolist() == cells["status"].tolist()
    assert [each.name for each in path.parent.iterdir()] == [path.name]


def test_export_to_standard_output_writes_csv(results: Path) -> None:
    done = CliRunner().invoke(app, ["export", str(results)])
    assert done.exit_code == 0
    with Store.open(results) as store:
        assert done.output == tables.csv(tables.frame(store.records()))
    assert len(pd.read_csv(io.StringIO(done.output))) > 20


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--to", "{tmp}/cells.xls"], "has an unknown ending: use .csv or .parquet"),
        (["--to", "{tmp}/cells.csv", "--format", "excel"], "no format 'excel'; choose from csv, parquet, benchopt"),
        (["--format", "parquet"], "parquet is not text for the standard output"),
        (["--to", "{tmp}/runs.csv", "--format", "benchopt"], "must end in .parquet"),
    ],
)
def test_export_with_an_invalid_format_names_the_choices(
    arguments: list[str], message: str, results: Path, tmp_path: Path
) -> None:
    status, said = lapmark(results, *(argument.format(tmp=tmp_path) for argument in arguments))
    assert status == 2
    assert message in said
    assert not list(tmp_path.iterdir())


def test_export_of_a_missing_store_names_it(tmp_path: Path) -> None:
    status, said = lapmark(tmp_path / "none", "--to", tmp_path / "cells.csv")
    assert (status, "no results in" in said) == (2, True)
    with Store.open(tmp_path / "empty"):
        pass
    status, said = lapmark(tmp_path / "empty", "--to", tmp_path / "cells.csv")
    assert (status, "holds no results yet; fill it with: lapmark run --to" in said) == (2, True)
    damaged = tmp_path / "damaged" / NAME
    damaged.parent.mkdir()
    damaged.write_bytes(b"no database")
    status, said = lapmark(damaged.parent, "--to", tmp_path / "cells.csv")
    assert (status, "is not a Lapmark store, or is damaged" in said) == (2, True)
    assert damaged.read_bytes() == b"no database"
    assert not (tmp_path / "cells.csv").exists()


def test_benchopt_has_a_row_per_timed_call_of_a_certified_answer(records: list[Record]) -> None:
    runs = formats.benchopt([*records, *blurred()])
    answers = [record for record in [*records, *blurred()] if record.status == "ok"]
    assert len(runs) == sum(len(record.samples) for record in answers)
    assert sorted(runs["time"]) == sorted(seconds for record in answers for seconds in record.samples)
    whose = ["objective_name", "dataset_name", "solver_name", "stop_val", "idx_rep"]
    assert not runs.duplicated(whose).any(), "what benchopt takes for one point is one point"
    assert {"objective_value", "objective_gap", "p_solver_blur", "p_dataset_n", "run_date", "version-numpy"} <= set(
        runs
    )
    assert set(runs["objective_name"]) == {"Assignment", "Transport with a blur"}


def test_benchopt_sorts_accuracy_settings_into_one_curve() -> None:
    case = Case("uniform", 8)
    gaps = {0.1: 0.2, 0.01: 0.001, 0.03: 0.05}
    curve = [
        make_record(f"sinkhorn:blur={blur}", case, exact=False, samples=(1.0, 2.0), cost=3.0, gap=gap)
        for blur, gap in gaps.items()
    ]
    other = make_record("sinkhorn:blur=0.1", case, exact=False, samples=(9.0,), cost=3.0, gap=0.2, threads=2)
    runs = formats.benchopt([*curve, other, make_record("jv:x=1", case, samples=(4.0,), cost=2.0, gap=0.0)])
    points = runs.drop_duplicates(["solver_name", "stop_val"]).set_index(["solver_name", "stop_val"])["p_solver_blur"]
    assert points.loc["sinkhorn"].to_dict() == {1: 0.1, 2: 0.03, 3: 0.01}
    assert points.loc["sinkhorn[threads=2]"].to_dict() == {1: 0.1}
    assert "jv[x=1]" in points.index
    assert set(runs["dataset_name"]) == {"uniform[n=8,seed=0]"}


def test_benchopt_leaves_out_superseded_cells() -> None:
    old, new = (make_record("jv", Case("uniform", 8), samples=(seconds,), gap=0.0) for seconds in (1.0, 2.0))
    assert formats.benchopt([old, new])["time"].tolist() == [2.0]


def test_benchopt_without_certified_answers_raises_value_error() -> None:
    with pytest.raises(ValueError, match="no cell has a certified answer"):
        formats.benchopt(failed())


def test_benchopt_with_a_setting_of_two_types_is_written() -> None:
    mixed = [
        make_record(f"plugin:mode={mode}", Case("uniform", 8), samples=(1.0,), gap=0.0)
        for mode in ("fast", "7", "true")
    ]
    runs = pd.read_parquet(io.BytesIO(formats.content(mixed, "benchopt")))
    assert set(runs["p_solver_mode"]) == {"fast", "7", "True"}


@needs_benchopt
def test_benchopt_reads_and_draws_an_export(results: Path, tmp_path: Path) -> None:
    from benchopt.benchmark import Benchmark
    from benchopt.plotting.generate_html import plot_benchmark_html
    from benchopt.results import read_results

    path = tmp_path / "outputs" / "runs.parquet"
    assert lapmark(results, "--to", path, "--format", "benchopt")[0] == 0
    with Store.open(results) as store:
        expected = formats.benchopt(store.records())
    runs = read_results(path)
    assert runs["time"].tolist() == expected["time"].tolist()
    (tmp_path / "benchmark_meta.json").write_text(json.dumps({"pretty_name": "Lapmark"}))
    benchmark = Benchmark(tmp_path, allow_meta_from_json=True)
    data, options = benchmark.get_plot_data(runs, benchmark.get_plot_names())
    assert options["objective_curve"]["dataset"] == runs["dataset_name"].unique().tolist()
    drawn = {curve["label"] for plot in data["objective_curve"].values() for curve in plot["data"]}
    assert drawn == set(runs["solver_name"])
    plot_benchmark_html(path, benchmark, display=False)
    (page,) = (tmp_path / "outputs").glob("*_runs.html")
    assert "sinkhorn" in page.read_text(encoding="utf-8")
