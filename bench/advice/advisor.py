"""Which solver to use: the fastest that will do, judged by what was measured on problems like the one at hand.

A solver that failed on a neighbour, by an error, a wrong answer or a limit, is not chosen. Where nothing like the
problem was measured, or only far smaller ones, there is no advice.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import pandas as pd

from lapmark.bench.environments import available_solvers
from lapmark.bench.results.record import METRICS
from lapmark.bench.util import spec
from lapmark.bench.util.units import show_duration, show_size
from lapmark.solvers.problem import Problem

from .performance_model import REACH, SMALLEST_PEAK, Evidence, Expected, Target

#: Gaps that somebody might allow.
GAPS = (1e-3, 1e-2, 5e-2, 0.2)

#: Bytes that somebody might want to save.
MUCH = 1 << 24

#: Sizes at which another answer is looked for are so many times as large as the one before.
STEP = 2**0.25


class NoAdvice(ValueError):
    """Nothing that was measured is near enough."""


class Unmet(ValueError):
    """Nothing that was measured will do; the message says what would if a demand were given up."""


@dataclass(frozen=True)
class Wanted:
    """What an answer has to be.

    Attributes
    ----------
    gap : float
        Largest that is allowed; 0 asks for the optimum.
    budget, memory : float
        Seconds and bytes that it may take.
    solvers : frozenset of str or None
        Names of those that may be chosen; None for all.
    absent : mapping of str to str
        Names of those that could be if they were on this machine, and why they are not.
    """

    gap: float = 0.0
    budget: float = math.inf
    memory: float = math.inf
    solvers: frozenset[str] | None = None
    absent: Mapping[str, str] = field(default_factory=dict)

    def of(self, names: Iterable[str], problem: Problem) -> Wanted:
        """The same, by those of some solvers that take a problem."""
        here, absent = set(), {}
        for name in names:
            try:
                entrant = available_solvers.get(name)
            except ValueError as error:
                absent[name] = str(error)  # of a plugin, or of an environment, that is gone
                continue
            if entrant.capabilities.refuses(problem):
                continue
            if entrant.missing:
                absent[name] = entrant.missing
            else:
                here.add(name)
        return replace(self, solvers=frozenset(here), absent=absent)

    def allows(self, each: Expected) -> bool:
        """Whether it may be chosen: the budget has to hold to the end of the interval."""
        return (
            each.failure is None
            and (self.solvers is None or spec.parse(each.solver)[0] in self.solvers)
            and each.gap <= max(self.gap, METRICS[0].negligible)
            and each.high <= self.budget
            and each.memory <= self.memory
        )


@dataclass(frozen=True)
class Advice:
    """A choice and what it rests on.

    Attributes
    ----------
    chosen : Expected
    others : tuple of Expected
        That would do as well, fastest first.
    rejected : tuple of Expected
        That would not, or failed on a neighbour.
    neighbours : tuple of (str, float)
        Labels that it rests on, and their distances; one at a distance of 0 where the family itself was measured.
    rows : DataFrame
        The measured cells of the chosen solver there.
    changes : tuple of str
        What would change the answer.
    """

    chosen: Expected
    others: tuple[Expected, ...]
    rejected: tuple[Expected, ...]
    neighbours: tuple[tuple[str, float], ...]
    rows: pd.DataFrame
    changes: tuple[str, ...]


def best(expected: Sequence[Expected], wanted: Wanted) -> Expected | None:
    """The fastest that will do."""
    return min(filter(wanted.allows, expected), key=lambda each: each.seconds, default=None)


def choose(evidence: Evidence, target: Target, wanted: Wanted, threads: int = 1) -> Advice:
    """Choose a solver.

    Raises
    ------
    NoAdvice, Unmet
        Where nothing near enough was measured, or nothing that was will do.
    """
    near = evidence.neighbours(target)
    if not near:
        kinds = "; ".join(sorted(set(evidence.kinds.values()))) or "nothing"
        raise NoAdvice(f"no problem of this kind was measured ({target.kind}), only: {kinds}")
    expected = evidence.expected(target, threads)
    if all(each.failure for each in expected):
        labels = "; ".join(f"{label} at n = {_sizes(evidence, label)}" for label, _ in near)
        raise NoAdvice(
            f"n = {target.n} is too far from what was measured: {labels}. "
            f"There is advice up to {REACH:g} times as far, and guesses beyond"
        )
    chosen = best(expected, wanted)
    if chosen is None:
        raise Unmet("; ".join(["nothing that was measured will do", *_relaxed(expected, wanted)]))
    cells = evidence.cells
    own = (cells["solver"] == chosen.solver) & (cells["threads"] == chosen.threads)
    return Advice(
        chosen,
        tuple(each for each in expected if wanted.allows(each) and each is not chosen),
        tuple(each for each in expected if not wanted.allows(each)),
        tuple(near),
        cells[own & cells["label"].isin([label for label, _ in near])].sort_values(["label", "n"]),
        tuple(_changes(evidence, target, wanted, threads, chosen, expected)),
    )


def regret(cells: pd.DataFrame) -> pd.DataFrame:
    """How much slower than the best the choice is on a family that it has never seen.

    Parameters
    ----------
    cells : DataFrame
        With `evidence.COLUMNS`, a row per cell.

    Returns
    -------
    DataFrame
        A row per measured case, its family hidden from the choice: `label`, `n`, `chosen`, `best`, and `regret`, the
        time of the chosen over that of the best that will do: inf where the chosen one failed, NaN where there was no
        advice, because no other family of its kind was measured.
    """
    evidence, wanted = Evidence.of(cells), Wanted()
    rows = []
    for target in evidence.targets():
        curves = evidence.curves[target.label]
        seconds = {
            series: curve.at(target.n, curve.seconds)
            for series, curve in curves.items()
            if target.n in curve.n and curve.gap <= METRICS[0].negligible
        }
        if not seconds:
            continue
        fastest = min(seconds, key=lambda series: seconds[series])
        expected = evidence.expected(target, threads=None, hidden=spec.parse(target.label)[0])
        # What refuses such a problem, or is missing, is known without a measurement.
        chosen = best([each for each in expected if (each.solver, each.threads) in curves], wanted)
        found = math.nan
        if chosen is not None:
            found = seconds.get((chosen.solver, chosen.threads), math.inf) / seconds[fastest]
        rows.append((target.label, target.n, chosen.solver if chosen else "", fastest[0], found))
    table = pd.DataFrame(rows, columns=["label", "n", "chosen", "best", "regret"])
    return table.sort_values(["label", "n"], ignore_index=True)


def _sizes(evidence: Evidence, label: str) -> str:
    return ", ".join(str(n) for n in sorted(evidence.places[label]))


def _changes(
    evidence: Evidence,
    target: Target,
    wanted: Wanted,
    threads: int,
    chosen: Expected,
    expected: Sequence[Expected],
) -> Iterator[str]:
    """What would change the answer, each in a phrase."""
    for word, step in (("below", 1 / STEP), ("from", STEP)):
        size = float(target.n)
        while True:
            last, size = size, size * step
            n = round(size)
            if n < 1:
                break
            other = replace(target, n=n, m=max(1, round(n * target.m / target.n)))
            found = evidence.expected(other, threads)
            if all(each.failure for each in found):
                break
            first = best(found, wanted)
            if first is not None and first.solver != chosen.solver:
                yield f"{word} n ≈ {_rounded(last if step < 1 else size)}: {first.solver}"
                break
    for gap in GAPS:
        first = best(expected, replace(wanted, gap=gap))
        if gap > wanted.gap and first is not None and first is not chosen:
            yield f"with a gap of {100 * gap:g} % allowed: {_named(first)}"
            break
    first = best(expected, replace(wanted, memory=chosen.memory * (1 - 1e-9)))
    if first is not None and chosen.memory - first.memory > MUCH:
        yield f"with less memory than {show_size(chosen.memory)}: {_named(first)}"
    first = best(expected, replace(wanted, solvers=(wanted.solvers or frozenset()) | wanted.absent.keys()))
    if first is not None and (reason := wanted.absent.get(spec.parse(first.solver)[0])):
        yield f"if it were here: {_named(first)} ({reason})"


def _relaxed(expected: Sequence[Expected], wanted: Wanted) -> Iterator[str]:
    """What would do if one of the demands were given up."""
    for demand, given_up in (
        (f"a budget of {show_duration(wanted.budget)}", replace(wanted, budget=math.inf)),
        (f"a limit of {show_size(wanted.memory)}", replace(wanted, memory=math.inf)),
        (f"a gap of at most {100 * wanted.gap:g} %", replace(wanted, gap=math.inf)),
    ):
        first = best(expected, given_up)
        if first is not None:
            yield f"without {demand} it would be {_named(first)}"


def _named(each: Expected) -> str:
    """A solver with what is expected of it."""
    gap = f", gap up to {100 * each.gap:.2g} %" if each.gap > METRICS[0].negligible else ""
    return f"{each.solver}, {show_duration(each.seconds)}{gap}, {show_peak(each.memory)}"


def show_peak(count: float) -> str:
    """An amount of memory, of which small ones are not known."""
    return f"at most {show_size(count)}" if count <= SMALLEST_PEAK else show_size(count)


def _rounded(n: float) -> int:
    """Two digits of a size: where two curves cross is not known any better."""
    digits = 1 - math.floor(math.log10(n))
    return int(np.round(n, digits)) if n >= 10 else round(n)


if __name__ == "__main__":
    from . import shipped_measurements

    found = regret(shipped_measurements.load())
    print(found.to_string(index=False))
    print(f"\nmedian regret {found['regret'].median():.2f}, of {found['regret'].notna().sum()} cases")
