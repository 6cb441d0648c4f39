"""Verdicts on answers without duals, also beside large costs that no optimal answer uses."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.optimize

from lapmark import Matching
from lapmark.bench.problems import Case
from lapmark.bench.run.built_case import BuiltCase, build
from lapmark.bench.run.cells import resolve
from lapmark.bench.run.certify_answer import Certifier, KnownBounds
from lapmark.bench.worker.measuring_loop import Outcome
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
