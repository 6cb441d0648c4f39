"""ASlib scenarios: files that other programs read, with the times, statuses and folds of the table."""

from __future__ import annotations

import io
from pathlib import Path

import pandas as pd
import pytest
from scipy.io import arff

from lapmark.bench.advice import shipped_measurements
from lapmark.bench.advice.evaluation import matrices
from lapmark.bench.cli import app
from lapmark.reports.export import aslib

CELLS = shipped_measurements.load()
FILES = aslib.scenarios(CELLS)
DENSE = "LAPMARK-DENSE-ASSIGNMENT"


def rows(file: str) -> pd.DataFrame:
    """The rows of a file; SciPy reads no texts, which are numbered here."""
    lines = FILES[f"{DENSE}/{file}"].decode().replace(" STRING", " NUMERIC").splitlines()
    start = lines.index("@DATA") + 1
    texts: dict[str, str] = {}

    def number(line: str) -> str:
        parts = line.split("'")
        parts[1::2] = [texts.setdefault(text, str(len(texts))) for text in parts[1::2]]
        return "".join(parts)

    data, _ = arff.loadarff(io.StringIO("\n".join([*lines[:start], *map(number, lines[start:])])))
    return pd.DataFrame(data)


def test_scenarios_hold_every_run() -> None:
    matrix = matrices(CELLS)["dense assignment"]
    runs = rows("algorithm_runs.arff")
    assert len(runs) == matrix.seconds.size
    assert (runs["runstatus"] == b"not_applicable").sum() == matrix.seconds.isna().to_numpy().sum()
    solved = runs[runs["runstatus"] == b"ok"]["runtime"]
    assert solved.sum() == pytest.approx(matrix.seconds[matrix.seconds <= aslib.CUTOFF].sum().sum())


def test_scenarios_have_a_fold_per_family_and_a_row_per_case() -> None:
    matrix = matrices(CELLS)["dense assignment"]
    assert rows("cv.arff")["fold"].nunique() == matrix.cases["family"].nunique()
    for file in ("feature_values.arff", "feature_costs.arff", "feature_runstatus.arff", "cv.arff"):
        assert len(rows(file)) == len(matrix.cases)


def test_export_to_a_folder_writes_a_scenario_per_group(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from typer.testing import CliRunner

    monkeypatch.chdir(tmp_path)
    result = CliRunner().invoke(app, ["export", "--format", "aslib", "--to", "scenarios"])
    assert result.exit_code == 0, result.output
    written = {str(path.relative_to("scenarios")) for path in Path("scenarios").rglob("*") if path.is_file()}
    assert written == FILES.keys()
    assert "measurements that ship with Lapmark" in result.output
    assert CliRunner().invoke(app, ["export", "--format", "aslib"]).exit_code == 2
