"""Calibration: ratios of times on this machine, kept for this machine only."""

from __future__ import annotations

import json
from pathlib import Path

import pandas as pd
import pytest
from test_advisor import cell

from lapmark.bench.advice import calibration
from lapmark.bench.advice.calibration import Calibration

HERE = Calibration({"": 2.0, "jv": 3.0}, {"": 0.5})


@pytest.fixture(autouse=True)
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LAPMARK_CACHE", str(tmp_path))


def test_apply_multiplies_times_by_the_ratio_of_solver_and_size() -> None:
    cells = pd.DataFrame([cell(solver, "smooth", n, 1.0) for solver in ("jv", "lap") for n in (10, 1000)])
    found = HERE.apply(cells)
    assert found["seconds"].tolist() == [3, 0.5, 2, 0.5]
    assert found["seconds_max"].tolist() == pytest.approx([3.6, 0.6, 2.4, 0.6])


def test_load_returns_what_was_saved_on_this_machine_only() -> None:
    assert calibration.load() is None
    path = calibration.save(HERE)
    assert calibration.load() == Calibration(HERE.small, HERE.large, calibration.load().machine)  # type: ignore[union-attr]
    values = json.loads(path.read_text())
    path.write_text(json.dumps({**values, "machine": {"cpu": "another"}}))
    assert calibration.load() is None


@pytest.mark.parametrize("content", ["", "[]", '{"small": {"": "x"}, "large": {}, "machine": {}, "finished": ""}'])
def test_load_of_a_damaged_file_is_none(content: str) -> None:
    calibration.save(HERE).write_text(content)
    assert calibration.load() is None


def test_calibrate_compares_with_the_cells_of_the_same_case(monkeypatch: pytest.MonkeyPatch) -> None:
    label = "uniform:dtype=float64"
    monkeypatch.setattr(calibration, "REFERENCES", {label: (10,)})
    cells = pd.DataFrame([{**cell("scipy", "smooth", 10, seconds), "label": label} for seconds in (1e9,)])
    found = calibration.calibrate(cells, lambda case: None)
    assert found.small.keys() == {"", "scipy"}
    assert 0 < found.small["scipy"] < 1e-9
    assert found.large == {}
