"""Comparison of two sets of results, cell by cell: worse, better, the same, or inconclusive.

Times are noisy and judged by intervals (`bootstrap`). Work counters are not, and are compared exactly. A verdict is
given only where it is certain; doubtful changes are inconclusive and fail nothing.
"""

import dataclasses
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

from lapmark.bench.results.record import METRICS, Record
from lapmark.bench.util.units import show_count, show_duration, show_error, show_size

from . import wording
from .bootstrap import Ratio, mean_time, ratio
from .comparability import are_interleaved, both_answered, same_problem, warnings
from .result_sets import ResultSet

#: Identifies a cell in both sets: solver, case and threads.
Key = tuple[str, str, int]

Verdict = Literal["worse", "better", "same", "inconclusive", "moved"]


@dataclass(frozen=True, kw_only=True)
class Criteria:
    """When a change counts as worse or better.

    `threshold` is the smallest relative change of a time, of memory or of an error that matters. `confidence` is the
    probability that every interval contains its ratio: each is widened for their number, after Bonferroni (O. J. Dunn,
    "Multiple comparisons among means", J. American Statistical Association 56, 1961). `reasons` say why more work is
    accepted, each with its source; if there are any, counters are shown but not judged.
    """

    threshold: float = 0.05
    confidence: float = 0.95
    reasons: tuple[str, ...] = ()

    @property
    def counters(self) -> bool:
        """Return whether more work counts as worse."""
        return not self.reasons


@dataclass(frozen=True, kw_only=True)
class Change:
    """One quantity of a cell, before and after: seconds, bytes, a count, or a status with its message."""

    what: str  # "status", "problem", "time", "memory", the title of an error, or the name of a counter
    old: float | str | None
    new: float | str | None
    verdict: Verdict  # "moved": changed, but neither better nor worse
    ratio: Ratio | None = None  # new over old, of a time
    show: Callable[[float], str] = show_count  # formats `old` and `new`
    words: tuple[str, str] = ("more", "less")  # for a change for the worse and for the better
    note: str = ""  # why a time is inconclusive
    counted: bool = False  # whether this is a work counter, which is exact

    @property
    def word(self) -> str:
        """Return the verdict in the words of this quantity: slower, more work, smaller gap."""
        return dict(zip(("worse", "better"), self.words, strict=True)).get(self.verdict, self.verdict)


@dataclass(frozen=True)
class CellComparison:
    """The changes of a cell that both sets have, and the number of rounds that its verdict on time rests on."""

    key: Key
    changes: tuple[Change, ...]
    rounds: int


@dataclass(frozen=True)
class Comparison:
    """The result of `compare`. `gone` and `added` are the keys of cells that only the old or the new set has."""

    old: ResultSet
    new: ResultSet
    criteria: Criteria
    cells: tuple[CellComparison, ...]
    gone: tuple[Key, ...]
    added: tuple[Key, ...]
    warnings: tuple[str, ...]

    def changes(self, verdict: Verdict) -> list[tuple[CellComparison, Change]]:
        """Return every change with this verdict, and its cell."""
        return [(cell, change) for cell in self.cells for change in cell.changes if change.verdict == verdict]

    @property
    def has_answers(self) -> bool:
        """Return whether any cell has something to compare."""
        return any(cell.changes for cell in self.cells)

    @property
    def worse(self) -> bool:
        """Return whether anything is certainly worse."""
        return bool(self.changes("worse"))


@dataclass(frozen=True)
class Quantity:
    """An attribute of a record that hardly varies from run to run: differences up to `floor` are ignored."""

    name: str
    title: str
    floor: float
    show: Callable[[float], str]
    words: tuple[str, str]  # an adjective and a noun each


#: Memory is measured in pages, and what an allocator keeps depends on the order of calls: hence its floor.
QUANTITIES = (
    Quantity("peak_memory", "memory", 4 << 20, show_size, ("more memory", "less memory")),
    Quantity("instructions", "instructions", 0, show_count, ("more work", "less work")),
    *(
        Quantity(
            metric.name,
            metric.title,
            metric.negligible,
            show_error,
            (f"larger {metric.title}", f"smaller {metric.title}"),
        )
        for metric in METRICS
    ),
)


def compare(old: ResultSet, new: ResultSet, criteria: Criteria) -> Comparison:
    """Compare two sets of results by the `current` record of each cell; raise a ValueError without a common cell."""
    before, after = current(old.records), current(new.records)
    keys = [key for key in before if key in after]
    if not keys:
        raise ValueError(
            f"{old.name} and {new.name} have no cell in common; "
            f"{_content(old.name, before)}, {_content(new.name, after)}"
        )
    timed = sum(both_answered(before[key], after[key]) for key in keys)
    confidence = 1 - (1 - criteria.confidence) / max(timed, 1)
    per_cell = dataclasses.replace(criteria, confidence=confidence)
    return Comparison(
        old,
        new,
        criteria,
        tuple(_compare_cell(key, before[key], after[key], per_cell) for key in keys),
        gone=tuple(key for key in before if key not in after),
        added=tuple(key for key in after if key not in before),
        warnings=tuple(warnings((old.name, new.name), [(before[key], after[key]) for key in keys])),
    )


def current(records: Iterable[Record]) -> dict[Key, Record]:
    """Return the last record of each cell, or one from an environment without the solver if there is no other."""
    found: dict[Key, Record] = {}
    for record in records:
        key = record.solver, record.case, record.threads
        if key not in found or "missing" not in record.versions.values():
            found[key] = record
    return found


def _compare_cell(key: Key, old: Record, new: Record, criteria: Criteria) -> CellComparison:
    changes: list[Change] = []
    if old.status != new.status:
        changes = [_status_change(old, new)]
    elif both_answered(old, new) and same_problem(old, new):
        changes = [_time_change(old, new, criteria)]
        changes += [*_counter_changes(old, new, criteria), *_quantity_changes(old, new, criteria)]
    elif both_answered(old, new):
        changes = [Change(what="problem", old=old.cost, new=new.cost, verdict="moved", show="{:.9g}".format)]
    return CellComparison(key, tuple(changes), min(len(old.rounds), len(new.rounds)))


def _status_change(old: Record, new: Record) -> Change:
    """Return the change of the status: a lost certified answer is worse, unless its solver is not installed."""
    verdict: Verdict = "moved"
    if old.status == "ok" and "missing" not in new.versions.values():
        verdict = "worse"
    if new.status == "ok" and "missing" not in old.versions.values():
        verdict = "better"
    return Change(
        what="status", old=_with_message(old), new=_with_message(new), verdict=verdict, words=("broken", "fixed")
    )


def _time_change(old: Record, new: Record, criteria: Criteria) -> Change:
    found = ratio(old.by_round, new.by_round, criteria.confidence, are_interleaved(old, new))
    verdict = judge(found, criteria.threshold)
    rounds = min(len(old.rounds), len(new.rounds))
    return Change(
        what="time",
        old=mean_time(old.by_round),
        new=mean_time(new.by_round),
        verdict=verdict,
        ratio=found,
        show=show_duration,
        words=("slower", "faster"),
        note=wording.uncertain(found, rounds) if verdict == "inconclusive" else "",
    )


def judge(found: Ratio | None, threshold: float) -> Verdict:
    """Return the verdict on a ratio of times.

    Worse or better: the interval excludes 1 and the change exceeds the threshold. Same: the interval excludes every
    change beyond the threshold. Otherwise inconclusive.
    """
    if found is None:
        return "inconclusive"
    most = 1 + threshold
    if found.low > 1 and found.value > most:
        return "worse"
    if found.high < 1 and found.value < 1 / most:
        return "better"
    return "same" if found.low > 1 / most and found.high < most else "inconclusive"


def _counter_changes(old: Record, new: Record, criteria: Criteria) -> Iterator[Change]:
    """Yield the counters that have changed."""
    for name in sorted({*old.counters, *new.counters}):
        before, after = old.counters.get(name), new.counters.get(name)
        if before == after:
            continue
        verdict: Verdict = "moved"
        if before is not None and after is not None:
            verdict = "better" if after < before else "worse" if criteria.counters else "moved"
        words = "more work", "less work"
        yield Change(what=name, old=before, new=after, verdict=verdict, words=words, counted=True)


def _quantity_changes(old: Record, new: Record, criteria: Criteria) -> Iterator[Change]:
    """Yield the quantities that have changed by more than the threshold."""
    for quantity in QUANTITIES:
        before, after = getattr(old, quantity.name), getattr(new, quantity.name)
        if quantity.name == "instructions" and old.counted_by != new.counted_by:
            continue
        if before is None or after is None:
            continue
        low, high = sorted((before, after))
        if high > low * (1 + criteria.threshold) + quantity.floor:
            verdict: Verdict = "worse" if after > before else "better"
            yield Change(
                what=quantity.title, old=before, new=after, verdict=verdict, show=quantity.show, words=quantity.words
            )


def _with_message(record: Record) -> str:
    """Return the status and the first line of its message."""
    return record.status + (f": {record.message.splitlines()[0]}" if record.message else "")


def _content(name: str, cells: Mapping[Key, Record]) -> str:
    cases, solvers = (len({key[k] for key in cells}) for k in (1, 0))
    return f"{name} has {len(cells)} of {solvers} solvers on {cases} cases"
