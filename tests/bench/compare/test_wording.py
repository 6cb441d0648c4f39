"""Wording of ratios, intervals and changes."""

from __future__ import annotations

import math

import pytest

from lapmark.bench.compare import wording
from lapmark.bench.compare.bootstrap import Ratio


@pytest.mark.parametrize(
    ("ratio", "words"),
    [
        (1.123, "12 % slower"),
        (1 / 1.123, "12 % faster"),
        (1.0249, "2.5 % slower"),
        (2.13, "2.1× slower"),
        (1 / 15.4, "15× faster"),
        (1e9, "over 1,000× slower"),
        (1.00001, "under 0.01 % slower"),
        (1.0, "0 % slower"),
    ],
)
def test_faster_or_slower_has_two_digits_and_a_direction(ratio: float, words: str) -> None:
    assert wording.faster_or_slower(ratio) == words


@pytest.mark.parametrize(
    ("ratio", "words"),
    [
        (Ratio(1.12, 1.08, 1.17), "12 % slower (8–17 %)"),
        (Ratio(0.8, 0.75, 0.9), "25 % faster (11–33 %)"),
        (Ratio(2.1, 1.82, 2.44), "2.1× slower (1.82–2.4×)"),
        (Ratio(0.1, 0.05, 0.2), "10× faster (5–20×)"),
        (Ratio(9.0, 1.2, 1e130), "9× slower (at least 20 %)"),
        (Ratio(0.1, 0.0, 0.5), "10× faster (at least 2×)"),
        (Ratio(2.0, 2.0, 2.0), "2× slower"),
    ],
)
def test_certain_change_has_a_readable_interval(ratio: Ratio, words: str) -> None:
    assert wording.certain(ratio) == words


@pytest.mark.parametrize(
    ("ratio", "rounds", "words"),
    [
        (None, 1, "one round: unknown"),
        (Ratio(1.59, 1.73e-130, 1.46e130), 2, "too few rounds to tell: 2"),
        (Ratio(1.59, 1.73e-130, 1.46e130), 20, "times vary too much to tell: 20 rounds"),
        (Ratio(1.0, 0.0, math.inf), 9, "times vary too much to tell: 9 rounds"),
        (Ratio(1.1, 1 / 3, 4.0), 20, "between 3× faster and 4× slower"),
        (Ratio(1.02, 0.97, 1.08), 3, "between 3.1 % faster and 8 % slower"),
        (Ratio(1.04, 1.01, 1.08), 20, "between 1 % and 8 % slower"),
        (Ratio(1 / 1.04, 1 / 1.08, 1 / 1.01), 20, "between 1 % and 8 % faster"),
    ],
)
def test_uncertain_change_says_why_and_never_shows_powers_of_ten(ratio: Ratio | None, rounds: int, words: str) -> None:
    assert wording.uncertain(ratio, rounds) == words


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        (1000, 1020, "2 % more work"),
        (1_000_000, 1_000_001, "under 0.01 % more work"),
        (1000, 3100, "3.1× the work"),
        (1000, 980, "2 % less work"),
        (10**6, 1, "over 99.9 % less work"),
        (0, 5, "more work"),
        (5, 0, "over 99.9 % less work"),
    ],
)
def test_more_or_less_names_the_quantity(old: float, new: float, words: str) -> None:
    assert wording.more_or_less(old, new, ("more work", "less work")) == words


def test_unchanged_names_the_largest_change_in_either_direction() -> None:
    assert wording.unchanged(Ratio(1.0, 0.98, 1.01)) == "within 2 %"
