"""Exact sums of float64 numbers, rounded once to the safe side.

A bound proves something only if it is known on which side of it the true value lies. So sums are exact, by `math.fsum`
(J. R. Shewchuk, Adaptive precision floating-point arithmetic, Discrete Comput. Geom. 18 (1997)), and the rounding error
of a single difference is kept as a second number (D. E. Knuth, The Art of Computer Programming 2, section 4.2.2).
"""

import itertools
import math

import numpy as np

#: Largest relative error of rounding to float64.
UNIT = 2.0**-53

#: Two numbers hold a product of at least SAFE exactly; a smaller one loses at most LOST.
SAFE, LOST = 2.0**-900, 2.0**-1070


def difference(a: np.ndarray, b: np.ndarray | float) -> tuple[np.ndarray, np.ndarray]:
    """Return a − b rounded, and its rounding error, for finite float64 arrays."""
    high = a - b
    b_seen = a - high
    a_seen = high + b_seen
    return high, (a - a_seen) + (b_seen - b)


def sum_down(*parts: np.ndarray) -> float:
    """Return the largest float64 number that is at most the exact sum of all numbers; −inf unless all are finite."""
    return _sum_towards(-math.inf, parts)


def sum_up(*parts: np.ndarray) -> float:
    """Return the smallest float64 number that is at least the exact sum of all numbers; inf unless all are finite."""
    return _sum_towards(math.inf, parts)


def product(a: np.ndarray, b: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return a · b rounded, and its rounding error, for float64 arrays whose products do not underflow.

    T. J. Dekker, A floating-point technique for extending the available precision, Numer. Math. 18 (1971).
    """
    high = a * b
    (a_high, a_low), (b_high, b_low) = _halves(a), _halves(b)
    return high, a_low * b_low - (((high - a_high * b_high) - a_low * b_high) - a_high * b_low)


def lost_by_products(a: np.ndarray, b: np.ndarray) -> float:
    """Bound the error of sums of these products that comes from underflow."""
    small = (a != 0) & (b != 0) & (np.abs(a * b) < SAFE)
    return float(np.count_nonzero(small)) * LOST


def _halves(a: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Split numbers of 53 bits into sums of two of 26 bits, scaled so that large ones do not overflow."""
    scaled = a * 2.0**-28
    high = (scaled * 134217729.0 - (scaled * 134217729.0 - scaled)) * 2.0**28
    return high, a - high


def unit_of(numbers: np.ndarray) -> float:
    """Return the largest power of two of which all finite numbers are multiples; inf if all are 0."""
    mantissas, exponents = np.frexp(numbers[numbers != 0])
    whole = np.ldexp(mantissas, 53).astype(np.int64)
    lowest = np.frexp((whole & -whole).astype(np.float64))[1] - 1
    return float(np.ldexp(1.0, int((exponents + lowest).min()) - 53)) if len(whole) else np.inf


def _sum_towards(side: float, parts: tuple[np.ndarray, ...]) -> float:
    numbers = list(itertools.chain.from_iterable(np.asarray(part, dtype=np.float64).tolist() for part in parts))
    try:
        total = math.fsum(numbers)
        numbers.append(-total)
        missing = math.fsum(numbers)  # its sign is exact
    except (OverflowError, ValueError):  # beyond float64, or inf − inf
        return side
    if not math.isfinite(total):
        return side
    return math.nextafter(total, side) if missing * side > 0 else total
