"""Change points are found where a level changes, and nowhere else."""

from __future__ import annotations

import numpy as np
import pytest

from lapmark.bench.history.change_points import change_points, levels, steps


def noisy(count: int, starts: dict[int, float], noise: float, seed: int = 0) -> np.ndarray:
    """Return times around 1 s that are multiplied by a factor from each start on."""
    times = np.exp(np.random.default_rng(seed).normal(0, noise, count))
    for start, factor in starts.items():
        times[start:] *= factor
    return times


@pytest.mark.parametrize(
    ("count", "start"), [(6, 3), (8, 5), (13, 3), (14, 7), (14, 11), (30, 27), (200, 3), (200, 100), (200, 197)]
)
def test_change_points_of_a_doubled_time_is_its_commit(count: int, start: int) -> None:
    assert change_points(noisy(count, {start: 2.0}, 0.03), 0.05) == [start]


def test_change_points_of_several_levels_are_all_found() -> None:
    times = noisy(200, {60: 1.2, 150: 0.7}, 0.03)
    assert change_points(times, 0.05) == [60, 150]
    assert levels(times, [60, 150]) == pytest.approx([1, 1.2, 0.84], rel=0.02)


@pytest.mark.parametrize("draw", ["normal", "standard_t", "lognormal"])
def test_change_points_of_noise_are_rare(draw: str) -> None:
    random = np.random.default_rng(1)
    draws = {
        "normal": random.normal,
        "standard_t": lambda size: random.standard_t(2, size),
        "lognormal": random.lognormal,
    }
    series = [np.exp(0.1 * draws[draw](size=count)) for count in (6, 9, 14, 40, 200) for _ in range(100)]
    assert sum(bool(change_points(values, 0.05)) for values in series) <= 5


def test_change_points_below_the_threshold_do_not_count() -> None:
    times = noisy(100, {50: 1.04}, 0.01)
    assert change_points(times, 0.05) == []
    assert change_points(times, 0.02) == [50]


def test_change_points_ignore_a_lone_slow_commit() -> None:
    times = noisy(60, {40: 1.15}, 0.02)
    times[[10, 30]] *= 8
    assert change_points(times, 0.05) == [40]


@pytest.mark.parametrize("values", [[], [1.0], [1.0] * 5, [1.0] * 50, [0.0] * 20])
def test_change_points_of_a_short_or_constant_series_are_none(values: list[float]) -> None:
    assert change_points(values, 0.05) == []


def test_change_points_of_the_same_series_are_the_same() -> None:
    times = noisy(40, {20: 1.06}, 0.03, seed=3)
    assert change_points(times, 0.02) == change_points(times, 0.02)


def test_steps_of_a_counter_are_every_change_by_one() -> None:
    assert steps([7, 7, 8, 8, 7, 7.0]) == [2, 4]
    assert steps([]) == []


def test_steps_within_the_tolerance_do_not_add_up() -> None:
    assert steps([100, 104, 108, 112], tolerance=0.05) == [2]
    assert steps([100, 104, 100, 104], tolerance=0.05) == []
    assert steps([0, 3, 5], floor=4) == [2]


def test_change_points_of_values_that_may_be_negative_or_zero_are_found() -> None:
    random = np.random.default_rng(0)
    values = random.normal(0, 0.02, 40)
    assert change_points(values, 0.05) == []
    values[25:] -= 1
    assert change_points(values, 0.05) == [25]
    assert change_points([0.0] * 5 + [3.0] * 5, 0.05) == [5]
