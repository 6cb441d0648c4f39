"""Evaluation of advice: single best and virtual best solver, closed gap and intervals, on tables of known times."""

from __future__ import annotations

import pandas as pd
import pytest
from test_advisor import KIND, SIZES, SPREADS, cell, table

from lapmark.bench.advice import evaluation, features
from lapmark.bench.advice.candidates import HAZARDS
from lapmark.bench.advice.run_matrix import CUTOFF, PENALTY, RunMatrix
from lapmark.bench.advice.similarity_model import SimilarityModel

GROUP = "dense assignment"


def two_kinds() -> pd.DataFrame:
    """On half of the families `scipy` is ten times as fast as `lap`, on the others the reverse."""
    rows = []
    for number, kind in enumerate(("smooth", "rough") * 4):
        for n in SIZES:
            label = f"{kind}-{number}"
            for solver in ("scipy", "lap"):
                fast = (solver == "scipy") == (kind == "smooth")
                known = cell(solver, kind, n, n**2 * (1e-7 if fast else 1e-6))
                rows.append(known | {"label": label, "problem": label})
    return pd.DataFrame(rows)


def test_evaluate_where_features_tell_closes_the_gap() -> None:
    found = evaluation.evaluate(two_kinds())
    total = evaluation.summary(found).loc[("everything", GROUP)]
    assert total["single"] == pytest.approx(10)  # with a family left out, most are of the other kind
    assert total["closed"] > 0.95
    assert total["advice"] < 1.1
    assert total["covered"] == 1
    assert set(found["portfolio"]) == {"everything", "without ours"}


def test_evaluate_where_features_tell_nothing_keeps_the_single_best() -> None:
    cells = two_kinds()
    cells["feature_spread"] = 0.0
    total = evaluation.summary(evaluation.evaluate(cells)).loc[("everything", GROUP)]
    assert total["closed"] == pytest.approx(0, abs=0.1)


def test_solver_that_may_never_end_is_not_advised_for_a_family_that_was_not_measured(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(HAZARDS, "scipy", "may never end")
    found = evaluation.evaluate(two_kinds(), {"everything": lambda name: True})
    assert set(found["chosen"]) == {"lap"}
    assert set(found["best"]) == {"lap", "scipy"}


def test_evaluate_charges_the_features_where_they_were_used() -> None:
    found = evaluation.evaluate(two_kinds()).set_index(["portfolio", "n"])
    large = found.loc[("everything", 1600)]
    assert (large["chosen_seconds"] - large["best_seconds"]).min() == pytest.approx(features.SECONDS)


def test_single_best_counts_a_failure_ten_times_the_cutoff() -> None:
    cells = two_kinds()
    (matrix,) = RunMatrix.of(cells).values()
    assert matrix.penalized.to_numpy().max() < CUTOFF
    cells.loc[(cells["solver"] == "scipy") & (cells["label"] == "smooth-0") & (cells["n"] == 100), "status"] = "wrong"
    (matrix,) = RunMatrix.of(cells).values()
    assert matrix.penalized.to_numpy().max() == CUTOFF * PENALTY
    assert matrix.single_best() == "lap"


def test_estimate_of_a_problem_unlike_all_others_is_not_near() -> None:
    model = SimilarityModel.of(RunMatrix.of(table())[GROUP])
    known = model.surfaces["smooth"].features[0]
    assert model.estimate(1600, 1600, known).nearness == pytest.approx(1)
    assert model.estimate(1600, 160_000, known).nearness < 0.01
    assert model.estimate(1600, 1600, known, hidden="smooth").weights["smooth"] == 0


def test_evaluate_auto_compares_it_with_the_best_of_ours() -> None:
    cells = table(*(cell("auto", label, n, 1e-9 * n**3) for label in SPREADS for n in SIZES))
    found = evaluation.evaluate_auto(cells).set_index(["label", "n"])
    assert found.loc[("smooth", 100), "ratio"] == pytest.approx(1)
    assert found.loc[("rough", 1600), "ratio"] == pytest.approx(160)
    assert found.loc[("rough", 1600), "best"] == "cascade"
    assert KIND == "assignment, dense"
