"""Change points of a series: the commits from which on a quantity has another level.

Exact quantities, such as work counters, change where their value does (`steps`). Times are noisy. Their series is
divided where two levels explain it best, each part in the same way, as long as the division is significant
(`change_points`): binary segmentation by the largest t statistic of a difference in means (Scott and Knott 1974; Sen
and Srivastava 1975). Significance is bounded by Student's distribution times the number of possible divisions (Worsley
1979), and for a series that is long enough also tested by permutations, which assume nothing about the distribution of
the noise (Matteson and James 2014; Daly et al. 2020 use this for regressions of performance).

References
----------
A. J. Scott and M. Knott, "A cluster analysis method for grouping means in the analysis of variance", Biometrics 30,
1974. A. Sen and M. S. Srivastava, "On tests for detecting change in mean", Annals of Statistics 3, 1975. K. J. Worsley,
"On the likelihood ratio test for a shift in location of normal populations", J. American Statistical Association 74,
1979. D. S. Matteson and N. A. James, "A nonparametric approach for multiple change point analysis of multivariate
data", J. American Statistical Association 109, 2014. D. Daly, W. Brown, H. Ingo, J. O'Leary and D. Bradford, "The use
of change point detection to identify software performance regressions in a continuous integration system", ICPE 2020.
"""

from __future__ import annotations

import functools
from collections.abc import Sequence

import numpy as np
from scipy.special import stdtr

#: Fewest commits of a level: a level of fewer cannot be told from noise.
SHORTEST = 3

#: Largest probability of a change where there is none, by Student's distribution.
LEVEL = 0.001

#: The permutation test: fewest values for which it can reject, number of permutations, and its largest probability.
PERMUTED, PERMUTATIONS, PERMUTED_LEVEL = 14, 999, 0.01

#: Relative noise that every time has: equal medians are rounded, not exact.
FLOOR = 0.002

#: Times the usual difference of neighbours by which a value must differ from both of its own to count as a spike.
SPIKE = 6.0


def change_points(values: Sequence[float], threshold: float) -> list[int]:
    """Return the places at which a new level starts, in ascending order.

    Parameters
    ----------
    values : sequence of float
        A quantity in the order of the commits, such as median times.
    threshold : float
        Smallest relative change of the level that counts.
    """
    logs = _without_spikes(relative_scale(values))
    found: list[int] = []
    parts = [(0, len(logs))]
    while parts:
        start, end = parts.pop()
        place = _division(logs[start:end])
        if place is not None:
            found.append(start + place)
            parts += [(start, start + place), (start + place, end)]
    return _large(logs, sorted(found), threshold)


def relative_scale(values: Sequence[float]) -> np.ndarray:
    """Return a series on a scale on which differences are relative: logarithms.

    Where a value is 0 or negative, which times are not, it is the quotient by the largest absolute value.
    """
    array = np.asarray(values, dtype=float)
    if (array > 0).all():
        return np.log(array)
    return array / (np.abs(array).max() or 1.0)


def levels(values: Sequence[float] | np.ndarray, places: Sequence[int]) -> np.ndarray:
    """Return the median of each part of a series that is divided at these places."""
    return np.array([np.median(part) for part in np.split(np.asarray(values, dtype=float), list(places))])


def steps(values: Sequence[float], tolerance: float = 0.0, floor: float = 0.0) -> list[int]:
    """Return the places at which an exact quantity changes.

    A value within the relative `tolerance` plus `floor` of the current level belongs to it; the level is that of its
    first value.
    """
    found: list[int] = []
    level = values[0] if values else 0.0
    for place, value in enumerate(values):
        low, high = sorted((abs(level), abs(value)))
        if (level < 0) != (value < 0) or high > low * (1 + tolerance) + floor:
            found.append(place)
            level = value
    return found


def _division(logs: np.ndarray) -> int | None:
    """Return where a part of a series is divided best, or None where no division is significant."""
    count = len(logs)
    if count < 2 * SHORTEST:
        return None
    shares = _shares(logs[np.newaxis])[0]
    place = int(np.argmax(shares))
    share = shares[place]
    t = np.sqrt(share * (count - 2) / max(1 - share, 1e-12))
    if len(shares) * 2 * stdtr(count - 2, -t) > LEVEL:
        return None
    if count >= PERMUTED:
        permuted = _shares(logs[_permutations(count)]).max(axis=1)
        if (1 + np.count_nonzero(permuted >= share * (1 - 1e-9))) / (1 + PERMUTATIONS) > PERMUTED_LEVEL:
            return None
    return place + SHORTEST


def _shares(rows: np.ndarray) -> np.ndarray:
    """Return the part of each row's variance that each division explains; shape (rows, divisions)."""
    count = rows.shape[1]
    centred = rows - rows.mean(axis=1, keepdims=True)
    sizes = np.arange(SHORTEST, count - SHORTEST + 1)
    sums = np.cumsum(centred, axis=1)[:, sizes - 1]
    explained = sums**2 * count / (sizes * (count - sizes))
    total = np.sum(centred**2, axis=1, keepdims=True) + count * FLOOR**2
    return explained / total


@functools.lru_cache(maxsize=64)
def _permutations(count: int) -> np.ndarray:
    """Return random permutations of so many places, the same in every run."""
    random = np.random.default_rng(0)
    return random.permuted(np.tile(np.arange(count, dtype=np.int32), (PERMUTATIONS, 1)), axis=1)


def _without_spikes(logs: np.ndarray) -> np.ndarray:
    """Return a series with each lone extreme value replaced by the mean of its neighbours.

    One commit that was measured on a busy machine would otherwise hide a change of the level.
    """
    if len(logs) < 2 * SHORTEST:
        return logs
    before, value, after = logs[:-2], logs[1:-1], logs[2:]
    usual = np.median(np.abs(np.diff(logs))) + FLOOR
    nearest = np.minimum(np.abs(value - before), np.abs(value - after))
    is_spike = (nearest > SPIKE * usual) & ((value > before) == (value > after))
    is_spike &= np.abs(after - before) < nearest / 2
    cleaned = logs.copy()
    cleaned[1:-1][is_spike] = ((before + after) / 2)[is_spike]
    return cleaned


def _large(logs: np.ndarray, places: list[int], threshold: float) -> list[int]:
    """Return the places without those whose change is below the threshold, the smallest left out first."""
    while places:
        changes = np.abs(np.diff(levels(logs, places)))
        smallest = int(np.argmin(changes))
        if changes[smallest] >= np.log1p(threshold):
            break
        places = places[:smallest] + places[smallest + 1 :]
    return places
