"""How many times as long one side takes as the other: the ratio of their times, and an interval that holds it.

Samples come in rounds, each a process of its own: calls of one process share its luck with addresses, caches and the
clock of the processor, so that a thousand of them may agree on a time that the next process does not repeat. What is
resampled is therefore the rounds, and then the samples in each (Kalibera and Jones 2013, section 7).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.special import stdtrit

#: Replicates: the standard error that they estimate is off by some 2 %.
RESAMPLES = 1000

#: The same samples get the same verdict every time.
SEED = 0


@dataclass(frozen=True)
class Ratio:
    """New time over old, between `low` and `high` with the confidence that was asked for."""

    value: float
    low: float
    high: float


def ratio(
    old: Sequence[Sequence[float]], new: Sequence[Sequence[float]], confidence: float, paired: bool
) -> Ratio | None:
    """The ratio of two times, by a hierarchical bootstrap.

    A side's time is the geometric mean over its rounds of the median of each. The logarithm of the ratio is given the
    interval ± t · SE: the standard error SE is that of bootstrap replicates, and the quantile t Student's, for as many
    degrees of freedom as there are rounds but one. Percentiles of the replicates alone would be too narrow for few
    rounds, since no replicate leaves the range of the data (Hesterberg 2015, section 4).

    Parameters
    ----------
    old, new : sequence of sequences of float
        Seconds of the calls of each round.
    confidence : float
        Between 0 and 1.
    paired : bool
        Whether the k-th rounds of both were measured one after the other. What the machine did meanwhile then hits
        both alike, and the pairs are resampled. Rounds without a partner are left out.

    Returns
    -------
    Ratio or None
        None where a side has fewer than two rounds: nothing is known of how much processes differ.

    References
    ----------
    T. Kalibera and R. Jones, "Rigorous benchmarking in reasonable time", ISMM 2013. T. C. Hesterberg, "What teachers
    should know about the bootstrap", The American Statistician 69 (2015). B. Efron and R. Tibshirani, "An introduction
    to the bootstrap", 1993, chapter 12.
    """
    count = min(len(old), len(new))
    if count < 2:
        return None
    if paired:
        old, new = old[:count], new[:count]
    random = np.random.default_rng(SEED)
    spans = [_replicates(side, random) for side in (old, new)]
    picks = [random.integers(len(side), size=(RESAMPLES, len(side))) for side in (old, new)]
    if paired:
        picks[1] = picks[0]
    means = [_pick(span, pick, random) for span, pick in zip(spans, picks, strict=True)]
    # A replicate holds R of R rounds, and so varies less than the rounds do, by (R − 1) / R.
    if paired:
        variance = np.var(means[1] - means[0]) * count / (count - 1)
    else:
        variance = sum(np.var(mean) * len(side) / (len(side) - 1) for mean, side in zip(means, (old, new), strict=True))
    centre = _log_time(new) - _log_time(old)
    reach = stdtrit(count - 1, (1 + confidence) / 2) * np.sqrt(variance)
    return Ratio(*(float(np.exp(value)) for value in (centre, centre - reach, centre + reach)))


def time(rounds: Sequence[Sequence[float]]) -> float:
    """The geometric mean over rounds of the median of each, in seconds."""
    return float(np.exp(_log_time(rounds)))


def _log_time(rounds: Sequence[Sequence[float]]) -> float:
    return float(np.mean([np.log(np.median(samples)) for samples in rounds]))


def _replicates(rounds: Sequence[Sequence[float]], random: np.random.Generator) -> np.ndarray:
    """Logarithms of medians of resampled rounds, of shape (rounds, RESAMPLES)."""
    medians = []
    for samples in rounds:
        drawn = np.asarray(samples)[random.integers(len(samples), size=(RESAMPLES, len(samples)))]
        medians.append(np.log(np.median(drawn, axis=1)))
    return np.array(medians)


def _pick(replicates: np.ndarray, picks: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """The mean over the rounds that each replicate has picked; a round that is picked twice is resampled twice."""
    return replicates[picks, random.integers(RESAMPLES, size=picks.shape)].mean(axis=1)
