"""Whole costs drawn evenly from 0 to `high`, both included: many ties where the range is short.

`high=99` makes every row tie over and over once n passes 100, where solvers that break ties badly, or loop on them,
show it. `high=10n` grows with the size, so that the number of near-best columns of a row stays the same.
"""

from __future__ import annotations

import re

import numpy as np

from lapmark.bench.problems import family
from lapmark.solvers import Assignment, DenseCost

LARGEST = np.iinfo(np.int32).max - 1


@family(
    "integers",
    source="short and long ranges as in R. Jonker, A. Volgenant, Computing 38 (1987) 325–340, and "
    "M. Dell’Amico, P. Toth, Discrete Applied Mathematics 100 (2000) 17–48",
    sizes=(256, 1024, 2048),
    variants=({"high": 99}, {"high": "10n"}),
)
def build(n: int, seed: int = 0, high: int | str = 99) -> Assignment:
    """`high`: the largest cost, a number or a multiple of the size as in "10n"; the matrix is int32."""
    largest = largest_cost(high, n)
    return Assignment(DenseCost(np.random.default_rng(seed).integers(0, largest, (n, n), np.int32, endpoint=True)))


def largest_cost(high: int | str, n: int) -> int:
    """The number that `high` stands for at size n."""
    text = re.fullmatch(r"(\d+)(n?)", str(high))
    if text is None:
        raise ValueError(f"high = {high!r}; give a whole number, or a multiple of n such as 10n")
    value = int(text[1]) * (n if text[2] else 1)
    if value > LARGEST:
        raise ValueError(f"high = {high!r} is {value} at n = {n}; costs above {LARGEST} do not fit the int32 matrix")
    return value
