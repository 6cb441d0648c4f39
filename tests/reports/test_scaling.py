"""Fitted powers, and gains by threads."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from report_records import make_record

from lapmark.bench.problems import Case
from lapmark.reports import charts, scaling, tables

SIZES = pd.Series([100, 250, 1000, 4000])


@pytest.mark.parametrize("power", [0.5, 2.0, 3.17])
def test_fit_of_a_power_law_gives_its_exponent(power: float) -> None:
    found = scaling.fit(SIZES, 3e-9 * SIZES**power)
    assert found is not None
    assert [found.low, found.exponent, found.high] == pytest.approx([power] * 3)


def test_fit_uses_medians_over_seeds() -> None:
    sizes = pd.Series([10] * 3 + [20] * 3 + [40] * 3)
    noise = np.tile([0.9, 1.0, 50.0], 3)
    found = scaling.fit(sizes, noise * sizes**2.0)
    assert found is not None
    assert found.exponent == pytest.approx(2)


def test_fit_of_two_sizes_is_none() -> None:
    assert scaling.fit(pd.Series([10, 20, 20]), pd.Series([1.0, 2.0, 2.1])) is None


def test_fit_interval_has_its_nominal_coverage() -> None:
    rng = np.random.default_rng(0)
    sizes = pd.Series([100, 200, 400, 800, 1600])
    fits = [scaling.fit(sizes, sizes**2.0 * np.exp(0.1 * rng.standard_normal(5))) for _ in range(1000)]
    held = np.mean([fit is not None and fit.low <= 2 <= fit.high for fit in fits])
    assert held == pytest.approx(scaling.CONFIDENCE, abs=0.02)  # three standard errors


def test_exponents_are_sorted_by_growth_with_their_sizes() -> None:
    laws = {"jv": 3.0, "cascade": 1.5}
    records = [
        make_record(name, Case("uniform", n), samples=(1e-9 * n**law,)) for name, law in laws.items() for n in SIZES
    ]
    short = [make_record("scipy", Case("uniform", n), samples=(1.0,)) for n in (100, 250)]
    found = scaling.exponents(tables.frame([*records, *short]))
    assert found["solver"].tolist() == ["cascade", "jv"]
    assert found["exponent"].tolist() == pytest.approx([1.5, 3.0])
    assert found[["smallest", "largest", "sizes"]].to_numpy().tolist() == [[100, 4000, 4]] * 2
    numbers = charts.exponents.numbers(tables.frame(records))
    assert numbers.loc[("uniform", "jv"), "fitted to n"] == "4 from 100 to 4,000"
    assert numbers.loc[("uniform", "jv"), "95 % interval"] == "3.00 to 3.00"


def test_by_threads_takes_the_largest_common_size() -> None:
    def timed(n: int, threads: int, seconds: float) -> object:
        return make_record("cascade", Case("uniform", n), threads=threads, samples=(seconds,))

    records = [timed(8, 1, 1.0), timed(8, 4, 1.0), timed(16, 1, 6.0), timed(16, 2, 4.0), timed(16, 4, 2.0)]
    alone = timed(32, 1, 9.0)
    found = scaling.by_threads(tables.frame([*records, alone]))  # type: ignore[list-item]
    assert found[["n", "threads"]].to_numpy().tolist() == [[16, 1], [16, 2], [16, 4]]
    assert found["ratio"].tolist() == [1.0, 1.5, 3.0]
    assert found["efficiency"].tolist() == [1.0, 0.75, 0.75]
    figure = charts.thread_speedup.CHART.draw(tables.frame(records))  # type: ignore[arg-type]
    assert figure is not None
    assert [text.get_text() for text in figure.axes[0].texts] == ["cascade"]


def test_thread_chart_needs_several_numbers_of_threads() -> None:
    assert (
        charts.thread_speedup.CHART.draw(tables.frame([make_record("jv", Case("uniform", 8), samples=(1.0,))])) is None
    )
