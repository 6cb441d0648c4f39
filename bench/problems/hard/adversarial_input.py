"""What `adversarial` and `adversarial-transport` share: the record of an input."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

import numpy as np

from lapmark.bench.problems import check_only_instance

Rng = np.random.Generator

Built = TypeVar("Built")


@dataclass(frozen=True, kw_only=True)
class Input(Generic[Built]):
    """One way to break a solver.

    Attributes
    ----------
    build : callable
        `build(rng, n)`: the problem, or its cost.
    n : int
        The size at which it does its harm.
    why : str
        What it is about, and what is known to fail on it.
    any_size : bool
        Whether it can be had at any other size, too.
    random : bool
        Whether the seed decides anything.
    feasible : bool
        Whether there is an answer; the proof that there is none is the right one where there is not.
    """

    build: Callable[[Rng, int], Built]
    n: int
    why: str
    any_size: bool = True
    random: bool = True
    feasible: bool = True

    def instance(self, n: int, seed: int) -> Built:
        """The problem of a size, or its cost; a ValueError where there is none with that size or seed."""
        if not (self.any_size or n == self.n):
            raise ValueError(f"n = {n}; this input comes at n = {self.n} only")
        if not self.random:
            check_only_instance(seed)
        return self.build(np.random.default_rng(seed), n)
