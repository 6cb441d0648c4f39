"""Uniform whole costs from 0 to `high`, both included, with many ties if the range is short.

With `high=99` every row has ties from n = 100 on, which is hard for solvers that handle ties badly. `high=10n` grows
with the size, so that the number of nearly best columns of a row stays the same.
"""

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
    """Build the problem, an int32 matrix; `high`: the largest cost, a number or a multiple of n such as "10n"."""
    largest = largest_cost(high, n)
    return Assignment(DenseCost(np.random.default_rng(seed).integers(0, largest, (n, n), np.int32, endpoint=True)))


def largest_cost(high: int | str, n: int) -> int:
    """Return the value of `high` at size n."""
    text = re.fullmatch(r"(\d+)(n?)", str(high))
    if text is None:
        raise ValueError(f"high = {high!r}; give a whole number, or a multiple of n such as 10n")
    value = int(text[1]) * (n if text[2] else 1)
    if value > LARGEST:
        raise ValueError(f"high = {high!r} is {value} at n = {n}; costs above {LARGEST} do not fit the int32 matrix")
    return value
