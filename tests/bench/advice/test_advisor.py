"""Advice: what is expected where times follow a law, what is never chosen, what would change, and what it is worth."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from scipy.sparse import csr_array

from lapmark import Assignment, DenseCost, PointCost, SparseCost, Transport
from lapmark.bench.advice import advisor, features, performance_model, shipped_measurements
from lapmark.bench.advice.advisor import NoAdvice, Unmet, Wanted, choose
from lapmark.bench.advice.features import NAMES
from lapmark.bench.advice.performance_model import Evidence, Target

SIZES = (100, 400, 1600)
KIND = "assignment, dense"
#: Families by a feature of theirs; all other features are 0.
PLACES = {"smooth": 0.0, "rough": 1.0, "rougher": 1.1}


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
        **{performance_model.PREFIX + name: 0.0 for name in NAMES},
        performance_model.PREFIX + "spread": PLACES[label],
    }
    return known | others


def table(*more: dict[str, object]) -> pd.DataFrame:
    """`jv` takes n³ on all, `cascade` n² from a later start: they cross at n = 1000. On rough ones it is first."""
    cells = [cell("jv", label, n, 1e-9 * n**3) for label in PLACES for n in SIZES]
    cells += [
        cell("cascade", label, n, 1e-6 * n**2 * (1 if label == "smooth" else 0.01)) for label in PLACES for n in SIZES
    ]
    return pd.DataFrame([*cells, *more])


def target(n: int, label: str = "", spread: float = 0.0, kind: str = KIND) -> Target:
    return Target(n, n, kind, {**dict.fromkeys(NAMES, 0.0), "spread": spread}, label)


def advise(cells: pd.DataFrame, about: Target, **wanted: object) -> advisor.Advice:
    return choose(Evidence.of(cells), about, Wanted(**wanted))  # type: ignore[arg-type]


@pytest.mark.parametrize("n", [25, 100, 250, 1600, 6400])
def test_a_power_law_is_followed(n: int) -> None:
    found = {each.solver: each for each in Evidence.of(table()).expected(target(n, "smooth"))}
    assert found["jv"].seconds == pytest.approx(1e-9 * n**3)
    assert found["cascade"].seconds == pytest.approx(1e-6 * n**2)
    assert found["jv"].low <= found["jv"].seconds <= found["jv"].high


def test_a_measured_size_has_the_interval_of_its_samples() -> None:
    chosen = advise(table(), target(400, "smooth")).chosen
    assert (chosen.low, chosen.high) == pytest.approx((0.9 * chosen.seconds, 1.2 * chosen.seconds))


def test_an_interval_is_as_wide_as_predictions_were_wrong() -> None:
    steady = advise(table(), target(250, "smooth")).chosen
    assert steady.high / steady.low == pytest.approx(1)
    cells = table()
    rng = np.random.default_rng(0)
    cells["seconds"] *= np.exp(rng.normal(size=len(cells)))
    shaken = advise(cells, target(250, "smooth")).chosen
    assert shaken.high / shaken.low > 2


def test_the_fastest_is_chosen_and_the_crossing_is_named() -> None:
    few, many = (advise(table(), target(n, "smooth")) for n in (200, 1500))
    assert (few.chosen.solver, few.others[0].solver) == ("jv", "cascade")
    assert (many.chosen.solver, many.others[0].solver) == ("cascade", "jv")
    for advice, word, other in ((few, "from", "cascade"), (many, "below", "jv")):
        (change,) = advice.changes
        assert change.startswith(f"{word} n ≈ ")
        assert change.endswith(other)
        assert 800 <= int(change.split()[3][:-1]) <= 1250


def test_an_unknown_problem_is_judged_by_its_neighbours() -> None:
    advice = advise(table(), target(200, spread=1.05))
    assert {label for label, _ in advice.neighbours} == set(PLACES)
    assert advice.neighbours[0][0] != "smooth"
    assert advice.chosen.solver == "cascade"
    assert set(advice.rows["label"]) == set(PLACES)
    assert set(advice.rows["solver"]) == {"cascade"}


@pytest.mark.parametrize("status", ["wrong", "crash", "error", "timeout", "memory"])
def test_who_failed_there_is_not_chosen(status: str) -> None:
    cells = table()
    cells.loc[(cells["solver"] == "jv") & (cells["label"] == "smooth") & (cells["n"] == 1600), "status"] = status
    assert advise(cells, target(6000, "smooth")).chosen.solver == "cascade"
    small = advise(cells, target(200, "smooth"))
    if status in ("timeout", "memory"):
        assert small.chosen.solver == "jv"  # below the size that was too much
    else:
        assert small.chosen.solver == "cascade"
        assert small.rejected[0].failure == f"{status} at n = 1600 on smooth"


def test_demands() -> None:
    rough = [cell("sinkhorn", "smooth", n, 1e-8 * n**2, exact=False, gap=0.03, peak_memory=1 << 16) for n in SIZES]
    cells = table(*rough)
    about = target(200, "smooth")
    assert advise(cells, about).chosen.solver == "jv"
    assert any(change.startswith("with a gap of 5 % allowed: sinkhorn") for change in advise(cells, about).changes)
    assert advise(cells, about, gap=0.05).chosen.solver == "sinkhorn"
    assert advise(cells, about, gap=0.01).chosen.solver == "jv"
    assert advise(cells, about, solvers=frozenset({"cascade"})).chosen.solver == "cascade"
    absent = advise(cells, about, solvers=frozenset({"cascade"}), absent={"jv": "not installed"})
    assert "if it were here: jv, 8 ms, 1 MiB (not installed)" in absent.changes
    with pytest.raises(Unmet, match=r"without a budget of 1 ms it would be jv, 8 ms, 1 MiB"):
        advise(cells, about, budget=1e-3)
    with pytest.raises(Unmet, match=r"without a limit of 100 KiB it would be jv, .*; without a gap of at most 0 % "):
        advise(cells, about, memory=100 << 10)


def test_a_blurred_answer_is_judged_by_its_marginals() -> None:
    kind = {"kind": "blurred transport, points", "exact": False, "gap": 0.2}
    cells = pd.DataFrame(
        [cell("sinkhorn", "smooth", n, 1e-6 * n**2, marginal_error=9e-4, **kind) for n in SIZES]
        + [cell("hasty", "smooth", n, 1e-8 * n**2, marginal_error=0.2, **kind) for n in SIZES]
    )
    about = target(400, "smooth", kind=str(kind["kind"]))
    assert advise(cells, about).chosen.solver == "sinkhorn"
    assert advise(cells, about, gap=0.3).chosen.solver == "hasty"


def test_a_matrix_of_points_is_charged_for() -> None:
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


def test_threads_are_those_that_are_allowed() -> None:
    cells = table(*(cell("cascade", "smooth", n, 1e-7 * n, threads=2) for n in SIZES))
    evidence = Evidence.of(cells)
    one, two = (choose(evidence, target(400, "smooth"), Wanted(), threads).chosen for threads in (1, 2))
    assert (one.solver, one.threads) == ("jv", 1)
    assert (two.solver, two.threads) == ("cascade", 2)


def test_who_can_be_chosen_is_asked_of_this_machine() -> None:
    tall = Assignment(DenseCost(np.ones((3, 2))))
    wanted = Wanted().of(["cascade", "lapjv", "pot-bsp", "of-a-plugin"], tall)
    assert wanted.solvers == {"cascade"}  # the next takes square problems only, and then points
    assert list(wanted.absent) == ["of-a-plugin"]


@pytest.mark.parametrize("n", [24, 6401])
def test_far_from_what_was_measured_there_is_none(n: int) -> None:
    with pytest.raises(NoAdvice, match=rf"n = {n} is too far from what was measured: smooth at n = 100, 400, 1600"):
        advise(table(), target(n, "smooth"))


def test_nor_for_a_kind_that_was_not() -> None:
    with pytest.raises(
        NoAdvice, match=r"no problem of this kind was measured \(transport, dense\), only: assignment, d"
    ):
        advise(table(), target(100, kind="transport, dense"))


def test_regret_hides_the_family() -> None:
    found = advisor.regret(table()).set_index(["label", "n"])
    # From “rough” and “rougher” it takes “smooth” for one of them.
    assert found.loc[("smooth", 100), "chosen"] == "cascade"
    assert found.loc[("smooth", 100), "best"] == "jv"
    assert found.loc[("smooth", 100), "regret"] == pytest.approx(10)
    assert found.loc[("rough", 1600), "regret"] == 1


def test_a_choice_that_fails_is_regretted_without_end() -> None:
    cells = table()
    cells.loc[(cells["solver"] == "cascade") & (cells["label"] == "rough"), "status"] = "wrong"
    found = advisor.regret(cells).set_index(["label", "n"])
    assert math.isinf(found.loc[("rough", 1600), "regret"])


def test_without_a_neighbour_there_is_no_regret_to_speak_of() -> None:
    alone = table()
    alone = alone[alone["label"] == "smooth"]
    assert advisor.regret(alone)["regret"].isna().all()


class TestShipped:
    """What ships with the package."""

    cells = shipped_measurements.load()

    def test_it_says_where_it_comes_from(self) -> None:
        for name in ("machine", "versions", "finished"):
            assert (self.cells[name].str.len() > 5).all()

    def test_the_median_regret_on_hidden_families(self) -> None:
        found = advisor.regret(self.cells)
        assert found["label"].nunique() > 20
        assert found["regret"].notna().mean() > 0.8
        assert found["regret"].median() <= 1.1

    def test_intervals_cover_what_they_say_of_sizes_left_out(self) -> None:
        """Each measured size between two others, predicted without it by a table in which it never was."""
        covered = []
        sizes = self.cells.groupby("label")["n"].unique()
        for label, known in sizes.items():
            if len(known) < 3:
                continue
            middle = int(sorted(known)[1])
            here = (self.cells["label"] == label) & (self.cells["n"] == middle)
            about = next(each for each in Evidence.of(self.cells).targets() if (each.label, each.n) == (label, middle))
            expected = {each.solver: each for each in Evidence.of(self.cells[~here]).expected(about)}
            truth = self.cells[
                here & (self.cells["status"] == "ok") & (self.cells["given"] == self.cells["kind"].str.split().str[-1])
            ]
            covered += [
                expected[row.solver].low <= row.seconds <= expected[row.solver].high
                for row in truth.itertuples()
                if row.solver in expected and expected[row.solver].failure is None
            ]
        assert len(covered) > 100
        assert np.mean(covered) > 0.75


SQUARE = np.random.default_rng(0).random((60, 60))


@pytest.mark.parametrize(
    ("matrix", "expected"),
    [
        (np.ones((30, 30)), {"contested": 29 / 30, "separable": 0.0, "whole": 1.0}),
        (np.add.outer(SQUARE[0], SQUARE[1]), {"separable": 1.0}),
        (np.outer(SQUARE[0], SQUARE[1]), {"rank_one": 1.0, "rank_three": 1.0}),
        (np.where(np.eye(60) == 1, SQUARE, np.inf), {"allowed": 1 / 60, "contested": 0.0}),
        (SQUARE[:, :30], {"proportion": 0.25, "distinct": 1.0}),
        (SQUARE.astype(np.float32), {"single": 0.25}),
        (np.full((4, 4), np.inf), {"allowed": 0.0}),
    ],
)
def test_features(matrix: np.ndarray, expected: Mapping[str, float]) -> None:
    found = features.features(Assignment(DenseCost(matrix)))
    assert found.keys() == NAMES.keys()
    assert all(0 <= value <= 1 + 1e-9 for value in found.values())
    for name, value in expected.items():
        assert found[name] == pytest.approx(value), name


def test_features_do_not_depend_on_the_kind_of_cost() -> None:
    points = PointCost(SQUARE[:, :2], SQUARE[:, 2:4])
    near = features.features(Assignment(points))
    same = features.features(Assignment(DenseCost(points.dense())))
    for name in NAMES.keys() - {"dimensions"}:
        assert near[name] == pytest.approx(same[name]), name
    pairs = SparseCost(csr_array(np.where(SQUARE < 0.2, SQUARE, 0)))
    listed = features.features(Assignment(pairs))
    assert listed == pytest.approx(features.features(Assignment(DenseCost(pairs.dense()))))


def test_features_of_many_points_take_no_matrix() -> None:
    points = np.random.default_rng(1).random((300_000, 2))
    found = features.features(Transport(PointCost(points, points), blur=0))
    assert found["unequal"] == pytest.approx(0)


def test_features_do_not_feel_scale_or_offset() -> None:
    here = features.features(Assignment(DenseCost(SQUARE)))
    there = features.features(Assignment(DenseCost(1e-20 * SQUARE)))
    assert here == pytest.approx(there, abs=1e-6)


def test_kinds() -> None:
    points = PointCost(SQUARE[:, :2], SQUARE[:, 2:4])
    assert features.kind(Assignment(points)) == "assignment, points"
    assert features.kind(Transport(points, blur=0)) == "transport, points"
    assert features.kind(Transport(points)) == "blurred transport, points"
    assert features.kind(replace(Transport(points, blur=0), reach=1.0)) == "blurred transport, points"
