"""Inputs of the families `adversarial` and `adversarial-transport`."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

import numpy as np

from lapmark.bench.problems import check_only_instance
from lapmark.solvers import DenseCost

Rng = np.random.Generator

Built = TypeVar("Built")


@dataclass(frozen=True, kw_only=True)
class Input(Generic[Built]):
    """An input that breaks some solver.

    Attributes
    ----------
    build : callable
        `build(rng, n)` returns the problem, or its cost.
    n : int
        The size at which solvers fail.
    why : str
        What is special about it, and which solvers are known to fail.
    any_size : bool
        Whether it exists at other sizes.
    random : bool
        Whether it depends on the seed.
    feasible : bool
        Whether there is a feasible answer; if not, the right answer is a proof of infeasibility.
    """

    build: Callable[[Rng, int], Built]
    n: int
    why: str
    any_size: bool = True
    random: bool = True
    feasible: bool = True

    def instance(self, n: int, seed: int) -> Built:
        """Build the problem of a size, or its cost; a ValueError if it has no such size or seed."""
        if not (self.any_size or n == self.n):
            raise ValueError(f"n = {n}; this input exists at n = {self.n} only")
        if not self.random:
            check_only_instance(seed)
        return self.build(np.random.default_rng(seed), n)


def settings(inputs: Mapping[str, Input[Any]], default: str) -> dict[str, Any]:
    """Return the settings of a family with a variant for each input, at the size at which solvers fail."""
    return {
        "source": "bug reports of the packages, and our own tests; each input names the known failures",
        "sizes": tuple(sorted({each.n for each in inputs.values()})),
        "variants": tuple({"input": name} for name in inputs),
        "sizes_of": lambda input=default: (inputs[input].n,),
    }


def hall_violation(rng: Rng, n: int) -> DenseCost:
    """Draw costs with which a third of the rows, plus one, may use only a third of the columns."""
    costs, few = rng.random((n, n)), n // 3
    costs[np.ix_(rng.permutation(n)[: few + 1], rng.permutation(n)[few:])] = np.inf
    return DenseCost(costs)


def forbidden_row(rng: Rng, n: int) -> DenseCost:
    """Draw costs with a row of inf."""
    costs = rng.random((n, n))
    costs[rng.integers(n)] = np.inf
    return DenseCost(costs)
