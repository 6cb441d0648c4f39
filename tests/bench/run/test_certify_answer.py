"""Verdicts on answers without duals, also beside large costs that no optimal answer uses."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import scipy.optimize

from lapmark import Matching
from lapmark.bench.data import datasets
from lapmark.bench.problems import Case
from lapmark.bench.run.built_case import BuiltCase, build
from lapmark.bench.run.cells import resolve
from lapmark.bench.run.certify_answer import Certifier, CostCheck, KnownBounds
from lapmark.bench.worker.measuring_loop import Outcome
from lapmark.bench.worker.protocol import BadAnswer
from lapmark.bench.worker.resource_limits import Limits


def status(bounds: KnownBounds, case: Case, change: int) -> str:
    """Return the status of SciPy's matching after the first rows have exchanged columns."""
    built = build(case)
    assert isinstance(built, BuiltCase)
    _, columns = scipy.optimize.linear_sum_assignment(built.problem.cost.dense())
    columns[:change] = np.roll(columns[:change], 1)
    answer = Matching.of(built.problem, columns)
    certifier = Certifier(bounds, Limits(timeout=60.0, memory=2**30))
    return certifier.verdict(resolve("scipy", case), built, Outcome(result=answer))[0]


@pytest.mark.parametrize("never", ["big-m", "sentinel"])
def test_verdict_on_an_answer_without_duals_compares_it_with_the_optimum(never):
    case = Case("adversarial", 60, 0, {"input": never})
    bounds = KnownBounds()
    assert status(bounds, case, 0) == "ok"
    assert status(bounds, case, 20) == "wrong"


def test_verdict_on_a_suboptimal_answer_stays_wrong_until_it_is_optimal():
    case = Case("uniform", 40, 0, {})
    bounds = KnownBounds()
    assert status(bounds, case, 2) == "wrong"
    assert status(bounds, case, 0) == "ok"


def test_verdict_on_claimed_optima_that_differ_names_the_certified_optimum() -> None:
    case = Case("uniform", 20)
    built = build(case)
    assert isinstance(built, BuiltCase)
    matrix = built.problem.cost.dense()
    check = CostCheck(built.problem, exact=True)
    check(Matching.of(built.problem, np.arange(20)))
    with pytest.raises(BadAnswer, match="as each call gets the rows and columns in another order") as fault:
        check(Matching.of(built.problem, np.arange(20)[::-1]))
    certifier = Certifier(KnownBounds(), Limits(timeout=60.0, memory=2**30))
    outcome = Outcome(status="wrong", message=str(fault.value))
    status, message, _ = certifier.verdict(resolve("scipy", case), built, outcome)
    optimum = matrix[scipy.optimize.linear_sum_assignment(matrix)].sum()
    assert status == "wrong"
    assert message.startswith("claims the optimum, but its answers cost from ")
    assert float(message.split("; ")[1].removesuffix(" is proven possible")) == pytest.approx(optimum)
    assert certifier.verdict(resolve("scipy", case), built, Outcome(status="crash", message="died"))[1] == "died"


def test_verdict_on_an_optimum_that_is_not_the_published_one_blames_the_instance(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "assign100.txt").write_text("100\n" + "3 " * 100**2)
    monkeypatch.setenv(datasets.VARIABLE, str(tmp_path))
    case = Case("orlib", 100)
    built = build(case)
    assert isinstance(built, BuiltCase)
    certifier = Certifier(KnownBounds(), Limits(timeout=60.0, memory=2**30))
    answer = Matching.of(built.problem, np.arange(100))
    status, message, certificate = certifier.verdict(resolve("scipy", case), built, Outcome(result=answer))
    assert status == "error"
    assert "the known optimum of this instance is 305, but 300 is proven optimal" in message
    assert certificate is not None
    assert certificate.optimal
