"""Bootstrap intervals for ratios of run times.

Samples come in rounds, each in its own process. Calls of one process share its memory addresses, caches and clock
frequency, so a thousand of them may agree on a time that the next process does not repeat. The bootstrap therefore
resamples the rounds (Kalibera and Jones 2013, section 7). How the samples of a round vary is part of how the rounds do:
to resample them as well would count it twice.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.special import stdtrit

#: Number of replicates: their estimate of the standard error is within about 2 %.
RESAMPLES = 1000

#: What a clock that shows 0 has passed at most, in seconds.
RESOLUTION = 1e-9

#: Fixed, so that the same samples always get the same verdict.
SEED = 0


@dataclass(frozen=True)
class Ratio:
    """New time over old, and the interval that contains it with the requested confidence."""

    value: float
    low: float
    high: float


def ratio(
    old: Sequence[Sequence[float]], new: Sequence[Sequence[float]], confidence: float, paired: bool
) -> Ratio | None:
    """Return the ratio of two times with its interval, by a bootstrap over rounds.

    The time of a round is the least of its calls: they do the same work, and what other processes take only adds to it
    (Chen and Revels 2016). The time of a set is the geometric mean over its rounds.
    The interval of the logarithm of the ratio is ± t · SE, where SE is the standard error of the bootstrap replicates
    and t Student's quantile for one degree of freedom less than there are rounds. Percentiles of the replicates would
    be too narrow for few rounds, since no replicate leaves the range of the data (Hesterberg 2015, section 4).

    `old` and `new` hold the seconds of the calls of each round. They are `paired` if the k-th rounds of both were
    measured one after the other, so that other load on the machine affects both alike: pairs are then resampled, and
    rounds without a partner left out. With fewer than two rounds of a set the variation between processes is unknown,
    and the result None.

    References
    ----------
    J. Chen and J. Revels, "Robust benchmarking in noisy environments", arXiv:1608.04295 (2016).
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
    picks = [random.integers(len(rounds), size=(RESAMPLES, len(rounds))) for rounds in (old, new)]
    if paired:
        picks[1] = picks[0]
    means = [_log_times(rounds)[pick].mean(axis=1) for rounds, pick in zip((old, new), picks, strict=True)]
    # Resampling R of R rounds underestimates the variance by the factor (R − 1) / R.
    if paired:
        variance = np.var(means[1] - means[0]) * count / (count - 1)
    else:
        variance = sum(np.var(mean) * len(of) / (len(of) - 1) for mean, of in zip(means, (old, new), strict=True))
    centre = _log_times(new).mean() - _log_times(old).mean()
    half_width = stdtrit(count - 1, (1 + confidence) / 2) * np.sqrt(variance)
    with np.errstate(over="ignore"):  # few rounds and many cells: an interval without an upper end
        return Ratio(*(float(np.exp(value)) for value in (centre, centre - half_width, centre + half_width)))


def mean_time(rounds: Sequence[Sequence[float]]) -> float:
    """Return the geometric mean over rounds of the least time of each, in seconds."""
    return float(np.exp(_log_times(rounds).mean()))


def _log_times(rounds: Sequence[Sequence[float]]) -> np.ndarray:
    """Return the logarithm of the time of each round."""
    return np.array([np.log(max(min(samples), RESOLUTION)) for samples in rounds])
