"""Ratios, gaps, powers and names as text; `lapmark.bench.util.units` has durations and sizes."""

import math


def ratio(value: float) -> str:
    """Return a factor with two digits: `2.1×`; empty if it is not finite."""
    if not math.isfinite(value):
        return ""
    return f"{value:,.0f}×" if value >= 9.95 else f"{value:.1f}×" if value >= 0.995 else f"{value:.2g}×"


def whole(number: float) -> str:
    """Return a whole number with its digits in groups: `10 000`."""
    return f"{number:,.0f}".replace(",", " ")


def gap(value: float) -> str:
    """Return a relative gap in per cent with two digits: `0.13 %`."""
    if not math.isfinite(value):
        return "unknown"
    percent = 100 * value
    if percent >= 99.5:
        return f"{percent:,.0f} %"
    return f"{percent:.2g} %" if percent >= 1e-4 or percent == 0 else f"{percent:.0e} %".replace("e-0", "e-")


def power(exponent: float) -> str:
    """Return a power of n with two digits after the point: `n²·⁵⁰`."""
    return "n" + f"{exponent:.2f}".translate(_RAISED)


#: Digits as superscripts.
_RAISED = str.maketrans("0123456789.-", "⁰¹²³⁴⁵⁶⁷⁸⁹·⁻")


def printable(text: str, longest: int) -> str:
    """Return a text of bounded length, with only characters that a font can show."""
    shown = "".join(letter if letter.isprintable() else "\N{REPLACEMENT CHARACTER}" for letter in text)
    return shown if len(shown) <= longest else shown[: longest - 1] + "…"
