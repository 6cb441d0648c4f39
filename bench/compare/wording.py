"""Wording of a comparison: what changed, by how much and how surely, in words instead of ratios.

A time whose ratio is 1.12 is "12 % slower". A ratio of 1 / 1.12 is "12 % faster", so that both directions use the same
numbers, as the threshold does.
"""

from .bootstrap import Ratio

#: With fewer rounds than this, a wide interval is due to their number, and is not shown.
FEW_ROUNDS = 5

#: Width of an interval, high over low, from which few rounds are said to tell nothing.
WIDE = 2.0

#: Factor beyond which the end of an interval tells nothing.
FAR = 10.0


def amount(factor: float) -> str:
    """Return a factor of at least 1 as a change: `12 %`, `2.1×`, `15×`."""
    if factor >= 2:
        return f"{factor:.2g}×" if factor < 10 else f"{factor:,.0f}×" if factor < 1000 else "over 1,000×"
    return _percent(100 * (factor - 1))


def faster_or_slower(ratio: float) -> str:
    """Return a ratio of times as a change: `12 % slower`, `2.1× faster`."""
    return f"{amount(ratio)} slower" if ratio >= 1 else f"{amount(1 / ratio)} faster"


def certain(ratio: Ratio) -> str:
    """Return a ratio that is certainly not 1, with its interval: `2.1× slower (1.8–2.5×)`."""
    low, high = (ratio.low, ratio.high) if ratio.value >= 1 else (1 / ratio.high, _inverse(ratio.low))
    if high > FAR * low:
        return f"{faster_or_slower(ratio.value)} (at least {amount(low)})"
    unit = " %" if high < 2 else "×"
    ends = [_end(factor, unit) for factor in (low, high)]
    return faster_or_slower(ratio.value) + (f" ({ends[0]}–{ends[1]}{unit})" if ends[0] != ends[1] else "")


def uncertain(ratio: Ratio | None, rounds: int) -> str:
    """Return why nothing is certain: too few rounds, or an interval that contains changes in both directions.

    `ratio` is None if its interval is unknown; `rounds` is the smaller number of rounds of the two sides.
    """
    if ratio is None:
        return "one round: unknown"
    if rounds < FEW_ROUNDS and ratio.high > WIDE * ratio.low:
        return f"too few rounds to tell: {rounds}"
    if ratio.high > FAR or ratio.low < 1 / FAR:
        return f"times vary too much to tell: {rounds} rounds"
    low, high = faster_or_slower(ratio.low), faster_or_slower(ratio.high)
    if ratio.low >= 1:
        return f"between {low.removesuffix(' slower')} and {high}"
    return f"between {high.removesuffix(' faster')} and {low}" if ratio.high < 1 else f"between {low} and {high}"


def unchanged(ratio: Ratio) -> str:
    """Return how small a change the interval allows: `within 3 %`."""
    return f"within {amount(max(ratio.high, 1 / ratio.low))}"


def more_or_less(old: float, new: float, words: tuple[str, str]) -> str:
    """Return a change of a count, size or error in its words for more and less: `2 % more work`, `3× the work`."""
    more, less = words
    if new < old:
        share = 100 * (1 - new / old)
        return f"{_percent(share) if share < 99.95 else 'over 99.9 %'} {less}"
    if old <= 0:
        return more
    factor = new / old
    return f"{amount(factor)} the {more.partition(' ')[2]}" if factor >= 2 else f"{amount(factor)} {more}"


def _percent(value: float) -> str:
    """Return a percentage with two digits, none of them after the point from 10 on."""
    if 0 < value < 0.01:
        return "under 0.01 %"
    return f"{value:.0f} %" if value >= 10 else f"{float(f'{value:.2g}'):g} %"


def _end(factor: float, unit: str) -> str:
    """Return an end of an interval without its unit."""
    if unit == " %":
        return _percent(100 * (factor - 1)).removesuffix(unit)
    return f"{factor:.3g}" if factor < 2 else f"{factor:.2g}"


def _inverse(value: float) -> float:
    return 1 / value if value else float("inf")
