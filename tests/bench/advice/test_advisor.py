"""Advice: predictions under known laws, choices and their limits, and the regret of the shipped measurements."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from scipy.sparse import csr_array

from lapmark import Assignment, DenseCost, PointCost, SparseCost, Transport
from lapmark.bench.advice import advisor, evaluation, features, measurements, shipped_measurements
from lapmark.bench.advice.advisor import NoAdvice, Requirements, UnmetRequirements, choose
from lapmark.bench.advice.features import NAMES, Target
from lapmark.bench.advice.performance_model import PerformanceModel

SIZES = (100, 400, 1600)
KIND = "assignment, dense"
#: Families, and the value of their only feature that is not 0.
SPREADS = {"smooth": 0.0, "rough": 1.0, "rougher": 1.1}


def cell(solver: str, label: str, n: int, seconds: float, **others: object) -> dict[str, object]:
    known = {
        "solver": solver,
        "threads": 1,
        "exact": True,
        "problem": label,
        "label": label,
        "case": f"{label}:n={n},seed=0",
        "n": n,
        "m": n,
        "given": "dense",
        "status": "ok",
        "message": "",
        "seconds": seconds,
        "seconds_min": 0.9 * seconds,
        "seconds_max": 1.2 * seconds,
        "gap": 0.0,
        "marginal_error": math.nan,
        "peak_memory": 1 << 20,
        "kind": KIND,
        **{measurements.FEATURE_PREFIX + name: 0.0 for name in NAMES},
        measurements.FEATURE_PREFIX + "spread": SPREADS[label],
    }
    return known | others


def table(*more: dict[str, object]) -> pd.DataFrame:
    """`jv` takes time n³, `cascade` n² with a larger factor: they cross at n = 1000, except on rough families."""
    cells = [cell("jv", label, n, 1e-9 * n**3) for label in SPREADS for n in SIZES]
    cells += [
        cell("cascade", label, n, 1e-6 * n**2 * (1 if label == "smooth" else 0.01)) for label in SPREADS for n in SIZES
    ]
    return pd.DataFrame([*cells, *more])


def target(n: int, label: str = "", spread: float = 0.0, kind: str = KIND) -> Target:
    return Target(n, n, kind, {**dict.fromkeys(NAMES, 0.0), "spread": spread}, label)


def advise(cells: pd.DataFrame, about: Target, **required: object) -> advisor.Advice:
    return choose(PerformanceModel.of(cells), about, Requirements(**required))  # type: ignore[arg-type]


@pytest.mark.parametrize("n", [25, 100, 250, 1600, 6400])
def test_predict_between_and_beyond_sizes_follows_the_power_law(n: int) -> None:
    found = {each.solver: each for each in PerformanceModel.of(table()).predict(target(n, "smooth"))}
    assert found["jv"].seconds == pytest.approx(1e-9 * n**3)
    assert found["cascade"].seconds == pytest.approx(1e-6 * n**2)
    assert found["jv"].low <= found["jv"].seconds <= found["jv"].high


def test_predict_at_a_measured_size_returns_the_range_of_its_samples() -> None:
    chosen = advise(table(), target(400, "smooth")).chosen
    assert (chosen.low, chosen.high) == pytest.approx((0.9 * chosen.seconds, 1.2 * chosen.seconds))


def test_predict_with_noisy_measurements_widens_the_interval() -> None:
    steady = advise(table(), target(250, "smooth")).chosen
    assert steady.high / steady.low == pytest.approx(1)
    cells = table()
    rng = np.random.default_rng(0)
    cells["seconds"] *= np.exp(rng.normal(size=len(cells)))
    shaken = advise(cells, target(250, "smooth")).chosen
    assert shaken.high / shaken.low > 2


def test_choose_near_a_crossing_returns_the_fastest_and_names_the_crossing() -> None:
    few, many = (advise(table(), target(n, "smooth")) for n in (200, 1500))
    assert (few.chosen.solver, few.others[0].solver) == ("jv", "cascade")
    assert (many.chosen.solver, many.others[0].solver) == ("cascade", "jv")
    for advice, word, other in ((few, "from", "cascade"), (many, "below", "jv")):
        (change,) = advice.changes
        assert change.startswith(f"{word} n ≈ ")
        assert change.endswith(other)
        assert 800 <= int(change.split()[3][:-1]) <= 1250


def test_choose_for_an_unknown_family_uses_the_nearest_families() -> None:
    advice = advise(table(), target(200, spread=1.05))
    assert {label for label, _ in advice.neighbours} == set(SPREADS)
    assert advice.neighbours[0][0] != "smooth"
    assert advice.chosen.solver == "cascade"
    assert set(advice.rows["label"]) == set(SPREADS)
    assert set(advice.rows["solver"]) == {"cascade"}


@pytest.mark.parametrize("status", ["wrong", "crash", "error", "timeout", "memory"])
def test_choose_after_a_failure_avoids_that_solver(status: str) -> None:
    cells = table()
    cells.loc[(cells["solver"] == "jv") & (cells["label"] == "smooth") & (cells["n"] == 1600), "status"] = status
    assert advise(cells, target(6000, "smooth")).chosen.solver == "cascade"
    small = advise(cells, target(200, "smooth"))
    if status in ("timeout", "memory"):
        assert small.chosen.solver == "jv"  # below the size that was too much
    else:
        assert small.chosen.solver == "cascade"
        assert small.rejected[0].failure == f"{status} at n = 1600 on smooth"


def test_choose_with_requirements_meets_them_or_names_the_best_without() -> None:
    rough = [cell("sinkhorn", "smooth", n, 1e-8 * n**2, exact=False, gap=0.03, peak_memory=1 << 16) for n in SIZES]
    cells = table(*rough)
    about = target(200, "smooth")
    assert advise(cells, about).chosen.solver == "jv"
    assert any(change.startswith("with a gap of 5 % allowed: sinkhorn") for change in advise(cells, about).changes)
    assert advise(cells, about, gap=0.05).chosen.solver == "sinkhorn"
    assert advise(cells, about, gap=0.01).chosen.solver == "jv"
    assert advise(cells, about, solvers=frozenset({"cascade"})).chosen.solver == "cascade"
    absent = advise(cells, about, solvers=frozenset({"cascade"}), absent={"jv": "not installed"})
    assert "if it were available here: jv, 8 ms, 1 MiB (not installed)" in absent.changes
    with pytest.raises(UnmetRequirements, match=r"without the budget of 1 ms: jv, 8 ms, 1 MiB"):
        advise(cells, about, budget=1e-3)
    with pytest.raises(
        UnmetRequirements, match=r"without the memory limit of 100 KiB: jv, .*; without the limit of 0 % on the gap: "
    ):
        advise(cells, about, memory=100 << 10)


def test_choose_for_blurred_transport_limits_the_marginal_error() -> None:
    kind = {"kind": "blurred transport, points", "exact": False, "gap": 0.2}
    cells = pd.DataFrame(
        [cell("sinkhorn", "smooth", n, 1e-6 * n**2, marginal_error=9e-4, **kind) for n in SIZES]
        + [cell("hasty", "smooth", n, 1e-8 * n**2, marginal_error=0.2, **kind) for n in SIZES]
    )
    about = target(400, "smooth", kind=str(kind["kind"]))
    assert advise(cells, about).chosen.solver == "sinkhorn"
    assert advise(cells, about, gap=0.3).chosen.solver == "hasty"


def test_choose_for_points_adds_the_cost_of_building_the_matrix() -> None:
    points = {"kind": "assignment, points"}
    cells = pd.DataFrame(
        [cell("build-matrix", "smooth", n, 1e-6 * n**2, given="points", **points) for n in SIZES]
        + [cell("jv", "smooth", n, 1e-9 * n**2, **points) for n in SIZES]
        + [cell("cascade", "smooth", n, 1e-7 * n**2, given="points", **points) for n in SIZES]
    )
    advice = advise(cells, target(400, "smooth", kind=points["kind"]))
    (jv,) = advice.others
    assert advice.chosen.solver == "cascade"
    assert jv.seconds == pytest.approx(1.001e-6 * 400**2)
    assert jv.memory == pytest.approx((1 << 20) + 8 * 400**2)


def test_choose_with_two_threads_considers_runs_with_up_to_two() -> None:
    cells = table(*(cell("cascade", "smooth", n, 1e-7 * n, threads=2) for n in SIZES))
    model = PerformanceModel.of(cells)
    one, two = (choose(model, target(400, "smooth"), Requirements(), threads).chosen for threads in (1, 2))
    assert (one.solver, one.threads) == ("jv", 1)
    assert (two.solver, two.threads) == ("cascade", 2)


def test_requirements_for_problem_lists_available_and_absent_solvers() -> None:
    tall = Assignment(DenseCost(np.ones((3, 2))))
    requirements = Requirements().for_problem(["cascade", "lapjv", "pot-bsp", "of-a-plugin"], tall)
    assert requirements.solvers == {"cascade"}  # lapjv accepts only square problems, pot-bsp only points
    assert list(requirements.absent) == ["of-a-plugin"]


@pytest.mark.parametrize("n", [24, 6401])
def test_choose_far_from_measured_sizes_raises_no_advice(n: int) -> None:
    with pytest.raises(NoAdvice, match=rf"n = {n} is too far from what was measured: smooth at n = 100, 400, 1600"):
        advise(table(), target(n, "smooth"))


@pytest.mark.parametrize("n", [100, 200])
def test_choose_where_every_solver_failed_says_that_none_has_an_answer(n: int) -> None:
    cells = pd.DataFrame([cell("jv", "smooth", 100, math.nan, status="error")])
    with pytest.raises(NoAdvice, match=r"no solver has a certified answer to smooth at n = 100 \(jv: error at n = 100"):
        advise(cells, target(n, "smooth"))


def test_choose_near_a_single_measured_size_says_that_two_are_needed() -> None:
    cells = pd.DataFrame([cell("jv", "smooth", 100, 1e-3)])
    with pytest.raises(NoAdvice, match="n = 200 was not measured, and a prediction needs answers at two sizes: smooth"):
        advise(cells, target(200, "smooth"))


def test_choose_for_an_unmeasured_kind_raises_no_advice() -> None:
    with pytest.raises(
        NoAdvice, match=r"no problem of this kind was measured \(transport, dense\), only: assignment, d"
    ):
        advise(table(), target(100, kind="transport, dense"))


def test_regret_leaves_the_family_out() -> None:
    found = evaluation.regret(table()).set_index(["label", "n"])
    # It takes “smooth” for one of “rough” and “rougher”.
    assert found.loc[("smooth", 100), "chosen"] == "cascade"
    assert found.loc[("smooth", 100), "best"] == "jv"
    assert found.loc[("smooth", 100), "regret"] == pytest.approx(10)
    assert found.loc[("rough", 1600), "regret"] == pytest.approx(1, rel=0.01)  # features are charged


def test_regret_of_a_failing_choice_is_infinite() -> None:
    cells = table()
    cells.loc[(cells["solver"] == "cascade") & (cells["label"] == "rough"), "status"] = "wrong"
    found = evaluation.regret(cells).set_index(["label", "n"])
    assert math.isinf(found.loc[("rough", 1600), "regret"])


def test_regret_without_a_neighbour_is_nan() -> None:
    alone = table()
    alone = alone[alone["label"] == "smooth"]
    assert evaluation.regret(alone)["regret"].isna().all()


class TestShipped:
    """The measurements that ship with the package."""

    cells = shipped_measurements.load()

    def test_cells_name_machine_versions_and_date(self) -> None:
        for name in ("machine", "versions", "finished"):
            assert (self.cells[name].str.len() > 5).all()

    def test_median_regret_is_at_most_a_tenth(self) -> None:
        found = evaluation.regret(self.cells)
        assert found["label"].nunique() > 20
        assert found["regret"].notna().mean() > 0.8
        assert found["regret"].median() <= 1.1

    def test_advice_is_no_worse_than_one_solver_for_everything(self) -> None:
        total = evaluation.summary(evaluation.evaluate(self.cells))
        assert len(total) >= 12
        assert total["closed"].dropna().min() > -0.1
        assert total["covered"].min() > 0.7

    def test_intervals_of_left_out_sizes_cover_enough(self) -> None:
        """Predict each measured size between two others from a table without it."""
        covered = []
        sizes = self.cells.groupby("label")["n"].unique()
        for label, known in list(sizes.items())[::3]:
            if len(known) < 3:
                continue
            middle = int(sorted(known)[1])
            here = (self.cells["label"] == label) & (self.cells["n"] == middle)
            about = next(
                each for each in PerformanceModel.of(self.cells).targets() if (each.label, each.n) == (label, middle)
            )
            expected = {each.solver: each for each in PerformanceModel.of(self.cells[~here]).predict(about)}
            truth = self.cells[
                here & (self.cells["status"] == "ok") & (self.cells["given"] == self.cells["kind"].str.split().str[-1])
            ]
            covered += [
                expected[row.solver].low <= row.seconds <= expected[row.solver].high
                for row in truth.itertuples()
                if row.solver in expected and expected[row.solver].failure is None
            ]
        assert len(covered) > 50
        assert np.mean(covered) > 0.75


SQUARE = np.random.default_rng(0).random((60, 60))


@pytest.mark.parametrize(
    ("matrix", "expected"),
    [
        (np.ones((30, 30)), {"contested": 29 / 30, "left": 0.0}),
        (1.0 - np.eye(30), {"contested": 0.0, "left": 0.0}),
        (np.where(np.eye(60) == 1, SQUARE, np.inf), {"allowed": 1 / 60, "contested": 0.0}),
        (SQUARE[:, :30], {"proportion": 0.25, "distinct": 1.0}),
        (SQUARE.astype(np.float32), {"single": 0.25}),
        (np.full((4, 4), np.inf), {"allowed": 0.0}),
    ],
)
def test_features_of_structured_costs_have_the_expected_values(
    matrix: np.ndarray, expected: Mapping[str, float]
) -> None:
    found = features.features(Assignment(DenseCost(matrix)))
    assert found.keys() == NAMES.keys()
    assert all(0 <= value <= 1 + 1e-9 for value in found.values())
    for name, value in expected.items():
        assert found[name] == pytest.approx(value), name


def test_features_of_equal_costs_are_equal_for_every_kind_of_cost() -> None:
    points = PointCost(SQUARE[:, :2], SQUARE[:, 2:4])
    near = features.features(Assignment(points))
    same = features.features(Assignment(DenseCost(points.dense())))
    for name in NAMES.keys() - {"dimensions"}:
        assert near[name] == pytest.approx(same[name]), name
    pairs = SparseCost(csr_array(np.where(SQUARE < 0.2, SQUARE, 0)))
    listed = features.features(Assignment(pairs))
    sampled = features.features(Assignment(DenseCost(pairs.dense())))
    assert listed["allowed"] == pytest.approx(sampled["allowed"], abs=0.02)  # all pairs are counted, or some
    differ = {"allowed": 0, "left": 0, "searched": 0}  # a list of pairs is not solved
    assert listed | differ == pytest.approx(sampled | differ)


def test_features_of_many_points_build_no_matrix() -> None:
    points = np.random.default_rng(1).random((300_000, 2))
    found = features.features(Transport(PointCost(points, points), blur=0))
    assert found["unequal"] == pytest.approx(0)


def test_work_on_a_sample_tells_products_from_uniform_costs_whichever_sign_they_have() -> None:
    product, uniform = np.outer(SQUARE[0], SQUARE[1]), SQUARE
    for sign in (1, -1):
        hard, easy = (
            features.features(Assignment(DenseCost(sign * matrix), maximize=sign < 0)) for matrix in (product, uniform)
        )
        assert hard["left"] > 2 * easy["left"]
        assert hard["searched"] > 1.3 * easy["searched"]
    assert hard == features.features(Assignment(DenseCost(product)))


def test_features_of_scaled_costs_are_unchanged() -> None:
    here = features.features(Assignment(DenseCost(SQUARE)))
    there = features.features(Assignment(DenseCost(1e-20 * SQUARE)))
    assert here == pytest.approx(there, abs=1e-6)


def test_kind_names_problem_and_cost() -> None:
    points = PointCost(SQUARE[:, :2], SQUARE[:, 2:4])
    assert features.kind(Assignment(points)) == "assignment, points"
    assert features.kind(Transport(points)) == "transport, points"
    assert features.kind(Transport(points, blur=0.05)) == "blurred transport, points"
    assert features.kind(replace(Transport(points, blur=0), reach=1.0)) == "blurred transport, points"


def test_measured_label_finds_settings_that_are_defaults() -> None:
    cells = table().replace({"label": {"smooth": "uniform", "rough": "integers:high=99"}})
    model = PerformanceModel.of(cells)
    assert model.measured_label("uniform:dtype=float32") == "uniform"
    assert model.measured_label("integers") == "integers:high=99"
    assert model.measured_label("uniform:dtype=float64") == "uniform:dtype=float64"
    assert model.measured_label("") == ""


def test_choose_shows_the_measured_sizes_nearest_to_the_problem() -> None:
    cells = table(*(cell("jv", "smooth", n, 1e-9 * n**3) for n in (10, 25, 6400)))
    assert advise(cells, target(30, "smooth")).rows["n"].tolist() == [10, 25, 100]
