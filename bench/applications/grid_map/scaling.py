"""Scales of features: what an embedding compares if columns have different units."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import numpy as np

Scale = Literal["standard", "minmax", "none"]
SCALES: tuple[Scale, ...] = ("standard", "minmax", "none")

#: A column drowns the others if its standard deviation is more than so many times the median of all.
DROWNS = 10

#: Most columns that a warning names.
NAMED = 3


def scaled(vectors: np.ndarray, scale: Scale) -> np.ndarray:
    """Return vectors (n, d) with columns of mean 0 and standard deviation 1, or from 0 to 1; constant ones become 0."""
    if scale == "none":
        return vectors
    vectors = vectors.astype(np.float64)
    # The largest float64 numbers overflow when squared, those in [−1, 1] do not.
    vectors /= np.maximum(np.abs(vectors).max(axis=0), np.finfo(np.float64).tiny)
    low, high = vectors.min(axis=0), vectors.max(axis=0)
    if scale == "minmax":
        return (vectors - low) / np.where(high > low, high - low, 1)
    return (vectors - vectors.mean(axis=0)) / np.where(high > low, vectors.std(axis=0), 1)


def describe(scale: Scale, have_units: bool) -> str:
    """Return what is done to the features, and how to change it."""
    match scale:
        case "standard":
            why = ", since columns with names of their own may have different units" if have_units else ""
            return f"standard: each feature has mean 0 and standard deviation 1{why} (--scale none: unchanged)"
        case "minmax":
            return "minmax: each feature goes from 0 to 1"
    return "none: features are unchanged (--scale standard: each has standard deviation 1)"


def warning(vectors: np.ndarray, names: Sequence[str]) -> str:
    """Return which columns drown the others, and the cure; empty if none does."""
    if vectors.shape[1] < 3 or vectors.dtype == np.uint8:  # pixels have one scale
        return ""
    spread = vectors.std(axis=0, dtype=np.float64)
    spread = np.where(np.isfinite(spread), spread, np.inf)
    typical = np.median(spread[spread > 0]) if (spread > 0).any() else 0
    large = np.flatnonzero(spread > DROWNS * typical) if typical > 0 else np.empty(0, np.intp)
    if len(large) == 0:
        return ""
    large = large[np.argsort(-spread[large], kind="stable")]
    shown = ", ".join(names[k] if names else f"column {k}" for k in large[:NAMED])
    shown += f" and {len(large) - NAMED:,} more" if len(large) > NAMED else ""
    drowning = "drowns" if len(large) == 1 else "drown"
    factor = spread[large[0]] / typical
    times = f"{factor:,.0f} times" if factor < 1e6 else "over a million times"
    return (
        f"{shown} {drowning} the other columns: it varies {times} as much as the median one; --scale standard cures it"
    )
