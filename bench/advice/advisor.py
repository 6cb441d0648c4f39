"""Advisor: the solver that is predicted to be the fastest within given requirements.

A solver that failed on a neighbour, by an error, a wrong answer or a limit, is not chosen. Without measurements of
similar problems of a similar size there is no advice.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import pandas as pd

from lapmark.bench.results.record import METRICS
from lapmark.bench.util import spec
from lapmark.bench.util.units import show_duration, show_size
from lapmark.solvers.problem import Problem

from . import candidates
from .features import Target
from .measurements import SMALLEST_PEAK
from .performance_curve import REACH
from .performance_model import PerformanceModel, Prediction

#: Gaps that a user might allow, ascending.
GAPS = (1e-3, 1e-2, 5e-2, 0.2)

#: Bytes that are worth mentioning when another solver saves them.
WORTH_SAVING = 1 << 24

#: Sizes that are shown of each family.
SHOWN_SIZES = 3

#: Ratio of two predicted times up to which solvers are as fast.
NEAR_TIE = 1.1

#: Factor between the sizes at which a change of the answer is looked for.
STEP = 2**0.25


class NoAdvice(ValueError):
    """No measurement is near enough."""


class UnmetRequirements(ValueError):
    """No measured solver meets the requirements; the message names the best without each of them."""


@dataclass(frozen=True)
class Requirements:
    """Requirements that a solver must meet to be chosen."""

    gap: float = 0.0  # largest relative gap; 0 asks for the optimum
    budget: float = math.inf  # seconds
    memory: float = math.inf  # bytes
    solvers: frozenset[str] | None = None  # names of the solvers to choose from; None for all
    absent: Mapping[str, str] = field(default_factory=dict)  # further ones that are not available here, and the reasons

    def for_problem(self, names: Iterable[str], problem: Problem) -> Requirements:
        """Return these requirements with the solvers among `names` that accept a problem."""
        here, absent = set(), {}
        for name in set(names) - {candidates.BATCH}:
            try:
                entrant = candidates.available(name)
            except ValueError as error:
                absent[name] = str(error)  # its plugin or environment was removed
                continue
            if candidates.refuses(name, problem, entrant.capabilities):
                continue
            if entrant.missing:
                absent[name] = entrant.missing
            else:
                here.add(name)
        return replace(self, solvers=frozenset(here), absent=absent)

    def are_met_by(self, each: Prediction) -> bool:
        """Return whether a solver may be chosen: the upper end of its interval must be within the budget."""
        return (
            each.failure is None
            and (self.solvers is None or spec.parse(each.solver)[0] in self.solvers)
            and each.gap <= max(self.gap, METRICS[0].negligible)
            and each.high <= self.budget
            and each.memory <= self.memory
        )


@dataclass(frozen=True)
class Advice:
    """The chosen solver and the reasons.

    `neighbours` are the labels of the families that the predictions rest on, and their shares of the weight; only the
    family itself where it was measured. `is_sure` is false where no measured family is similar.
    """

    chosen: Prediction
    others: tuple[Prediction, ...]  # meet the requirements as well, fastest first
    rejected: tuple[Prediction, ...]  # do not, or failed on a neighbour
    neighbours: tuple[tuple[str, float], ...]
    rows: pd.DataFrame  # the measured cells of the chosen solver on the neighbours
    changes: tuple[str, ...]  # what would change the answer, one phrase each
    is_sure: bool = True
    is_by_size: bool = False  # whether the features of the problem were not looked at


def best(
    predictions: Sequence[Prediction], requirements: Requirements, usual: str = "", margin: float = 1.0
) -> Prediction | None:
    """Return the fastest solver that meets the requirements, or the `usual` one if that is as fast, up to a margin."""
    possible = sorted(filter(requirements.are_met_by, predictions), key=lambda each: each.score)
    near = [each for each in possible if each.score <= margin * possible[0].score]
    return next((each for each in near if each.solver == usual), possible[0] if possible else None)


def _why_no_prediction(
    model: PerformanceModel, target: Target, near: Sequence[str], predictions: Sequence[Prediction]
) -> str:
    """Return why no measured solver has a predicted time: none has an answer there, or n is another size."""
    sizes = {label: ", ".join(map(str, sorted(model.positions[label]))) for label in near}
    labels = "; ".join(f"{label} at n = {listed}" for label, listed in sizes.items())
    answered = [curve for label in near for curve in model.curves[label].values() if len(curve.n)]
    if not answered:
        failures = "; ".join(f"{each.solver}: {each.failure}" for each in predictions if each.failure)
        return f"no solver has a certified answer to {labels}" + (f" ({failures})" if failures else "")
    if not predictions and any(len(curve.n) == 1 and curve.reaches(target.n) for curve in answered):
        return f"n = {target.n} was not measured, and a prediction needs answers at two sizes: {labels}"
    is_too_far = any(not curve.reaches(target.n) and curve.failure(target.n) is None for curve in answered)
    if predictions and not is_too_far:
        failures = "; ".join(f"{each.solver}: {each.failure}" for each in predictions)
        return f"every solver that was measured near n = {target.n} fails there ({failures})"
    return (
        f"n = {target.n} is too far from what was measured: {labels}. "
        f"Advice is given for sizes up to {REACH:g} times as large or as small"
    )


def choose(model: PerformanceModel, target: Target, requirements: Requirements, threads: int = 1) -> Advice:
    """Choose a solver; raise a NoAdvice or an UnmetRequirements if there is none."""
    target = replace(target, label=model.measured_label(target.label))
    near = model.neighbours(target)
    if not near:
        kinds = "; ".join(sorted(set(model.kinds.values()))) or "nothing"
        raise NoAdvice(f"no problem of this kind was measured ({target.kind}), only: {kinds}")

    def predict(n: int) -> list[Prediction]:
        return model.predict(replace(target, n=n, m=max(1, round(n * target.m / target.n))), threads)

    predictions = predict(target.n)
    if all(each.failure for each in predictions):
        raise NoAdvice(_why_no_prediction(model, target, [label for label, _ in near], predictions))
    possible = [each for each in predictions if requirements.are_met_by(each)]
    usual, is_sure = model.single_best(target, possible), model.is_like_a_measured_one(target)
    chosen = best(predictions, requirements, usual or "", model.margin(target))
    if chosen is None:
        raise UnmetRequirements(
            "; ".join(["no measured solver meets the requirements", *_relaxed(predictions, requirements)])
        )
    cells = model.cells
    own = (cells["solver"] == chosen.solver) & (cells["threads"] == chosen.threads)
    return Advice(
        chosen,
        tuple(each for each in predictions if requirements.are_met_by(each) and each is not chosen),
        tuple(each for each in predictions if not requirements.are_met_by(each)),
        tuple(near),
        _nearest(cells[own & cells["label"].isin([label for label, _ in near])], target.n),
        tuple(_changes(predict, target.n, requirements, chosen)),
        is_sure,
        model.is_by_size(target),
    )


def _nearest(cells: pd.DataFrame, n: int) -> pd.DataFrame:
    """Return the cells of each label at the sizes nearest to n, in the order of labels and sizes."""
    by_distance = cells.iloc[np.argsort(np.abs(np.log(cells["n"] / n)), kind="stable")]
    return by_distance.groupby("label").head(SHOWN_SIZES).sort_values(["label", "n"])


def _changes(
    predict: Callable[[int], list[Prediction]], n: int, requirements: Requirements, chosen: Prediction
) -> Iterator[str]:
    """Yield what would change the answer, one phrase each; `predict` returns the predictions at a size."""
    for step in (1 / STEP, STEP):
        if phrase := _change_of_size(predict, n, requirements, chosen, step):
            yield phrase
    predictions = predict(n)
    for gap in GAPS:
        first = best(predictions, replace(requirements, gap=gap))
        if gap > requirements.gap and first is not None and first != chosen:
            yield f"with a gap of {100 * gap:g} % allowed: {_named(first)}"
            break
    first = best(predictions, replace(requirements, memory=chosen.memory * (1 - 1e-9)))
    if first is not None and chosen.memory - first.memory > WORTH_SAVING:
        yield f"with less memory than {show_size(chosen.memory)}: {_named(first)}"
    every = (requirements.solvers or frozenset()) | requirements.absent.keys()
    first = best(predictions, replace(requirements, solvers=every))
    if first is not None and (reason := requirements.absent.get(spec.parse(first.solver)[0])):
        yield f"if it were available here: {_named(first)} ({reason})"


def _change_of_size(
    predict: Callable[[int], list[Prediction]], n: int, requirements: Requirements, chosen: Prediction, step: float
) -> str | None:
    """Return the nearest size at which another solver is chosen, going by factors of `step`."""
    size = float(n)
    while True:
        last, size = size, size * step
        if round(size) < 1:
            return None
        found = predict(round(size))
        if all(each.failure for each in found):
            return None
        first = best(found, requirements)
        same = next((each.score for each in found if each.solver == chosen.solver), math.inf)
        if first is not None and first.solver != chosen.solver and same > NEAR_TIE * first.score:
            word, end = ("below", last) if step < 1 else ("from", size)
            return f"{word} n ≈ {_rounded(end)}: {first.solver}"


def _relaxed(predictions: Sequence[Prediction], requirements: Requirements) -> Iterator[str]:
    """Yield the solver that is best without each of the requirements."""
    for requirement, others in (
        (f"the budget of {show_duration(requirements.budget)}", replace(requirements, budget=math.inf)),
        (f"the memory limit of {show_size(requirements.memory)}", replace(requirements, memory=math.inf)),
        (f"the limit of {100 * requirements.gap:g} % on the gap", replace(requirements, gap=math.inf)),
    ):
        if (first := best(predictions, others)) is None:
            continue
        if first.seconds <= requirements.budget < first.high and others.budget == math.inf:
            yield (
                f"{first.solver} is expected to take {show_duration(first.seconds)}, which is within {requirement}, "
                f"but its interval ends at {show_duration(first.high)}"
            )
        else:
            yield f"without {requirement}: {_named(first)}"


def _named(each: Prediction) -> str:
    """Return the name of a solver with its prediction."""
    gap = f", gap up to {100 * each.gap:.2g} %" if each.gap > METRICS[0].negligible else ""
    return f"{each.solver}, {show_duration(each.seconds)}{gap}, {show_peak(each.memory)}"


def show_peak(count: float) -> str:
    """Return an amount of memory as text; small ones are only known to be at most `SMALLEST_PEAK`."""
    return f"at most {show_size(count)}" if count <= SMALLEST_PEAK else show_size(count)


def _rounded(n: float) -> int:
    """Round a size to two digits: the crossing of two curves is not known any better."""
    digits = 1 - math.floor(math.log10(n))
    return int(np.round(n, digits)) if n >= 10 else round(n)
