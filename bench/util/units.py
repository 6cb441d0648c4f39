"""Durations, sizes and shares as text, `10m`, `8GiB` and `5%`, and as numbers."""

import re
from collections.abc import Mapping

_SECONDS = {"us": 1e-6, "µs": 1e-6, "ms": 1e-3, "s": 1.0, "m": 60.0, "h": 3600.0}
_BYTES = {"B": 1, "kB": 10**3, "MB": 10**6, "GB": 10**9, "TB": 10**12}
_BYTES |= {"KiB": 2**10, "MiB": 2**20, "GiB": 2**30, "TiB": 2**40}


def duration(text: str) -> float:
    """Return the seconds of a text such as `500ms`, `3s` or `10m`; raise a ValueError with examples for others."""
    return _read(text, _SECONDS, "a duration", "500ms, 3s or 10m")


def size(text: str) -> int:
    """Return the bytes of a text such as `500MB` or `8GiB`; raise a ValueError with examples for others."""
    return int(_read(text, _BYTES, "a size", "500MB or 8GiB"))


def share(text: str) -> float:
    """Return the fraction of a text such as `5%` or `0.05`; raise a ValueError with examples for others."""
    found = re.fullmatch(r"\s*(\d+(?:\.\d*)?|\.\d+)\s*(%?)\s*", text)
    if not found or not 0 < (value := float(found[1]) / (100 if found[2] else 1)) < 1:
        raise ValueError(f"{text!r} is not a share between 0 and 100 %; write for example 5% or 0.05")
    return value


def show_duration(seconds: float) -> str:
    """Return seconds with three digits and a suitable unit: `12.3 ms`."""
    for limit, factor, unit in ((1e-3, 1e6, "µs"), (1.0, 1e3, "ms"), (120.0, 1.0, "s")):
        if seconds < limit:
            return f"{seconds * factor:.3g} {unit}"
    return f"{seconds / 60:.3g} min"


def show_size(count: float) -> str:
    """Return bytes with three digits and a suitable binary unit: `1.46 GiB`."""
    for unit in ("B", "KiB", "MiB"):
        if abs(count) < 1000:
            return f"{count:.3g} {unit}"
        count /= 1024
    return f"{count:.3g} GiB"


def show_error(value: float) -> str:
    """Return a relative error: `1.23 %`, `2.0e-06`."""
    return f"{value:.1e}" if value < 1e-4 else f"{100 * value:.3g} %"


def show_count(value: float) -> str:
    """Return a count with digits in groups of three."""
    return f"{value:,.0f}"


def show_count_of(count: int, noun: str) -> str:
    """Return a count of things: `1 cell`, `1,204 cells`."""
    return f"{count:,} {noun}" if count == 1 else f"{count:,} {noun}s"


def _read(text: str, units: Mapping[str, float], what: str, examples: str) -> float:
    found = re.fullmatch(r"\s*(\d+(?:\.\d*)?|\.\d+)\s*([a-zµ]+)\s*", text, re.IGNORECASE)
    factor = found and next((units[unit] for unit in units if unit.lower() == found[2].lower()), None)
    if not found or not factor or float(found[1]) == 0:
        raise ValueError(f"{text!r} is not {what} above 0; write for example {examples}")
    return float(found[1]) * factor
