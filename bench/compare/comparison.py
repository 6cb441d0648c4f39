"""What has changed between two sets of records, cell by cell: worse, better, the same, or not to be told from noise.

Time is noisy and judged by intervals (`bench.compare.bootstrap`); work counters are not, and are compared exactly. A verdict is
given only where it is certain: whatever is in doubt is inconclusive, and nobody's fault.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

from lapmark.bench.results.record import METRICS, Record
from lapmark.bench.util.units import show_count, show_duration, show_error, show_size

from .bootstrap import Ratio, ratio, time
from .comparability import both_answered, caveats, in_turns, same_problem

#: What tells the cells of a side apart, and finds each on the other side: solver, case and threads.
Key = tuple[str, str, int]

Verdict = Literal["worse", "better", "same", "inconclusive", "moved"]


@dataclass(frozen=True, kw_only=True)
class Terms:
    """On which terms two sides are compared.

    Attributes
    ----------
    threshold : float
        The smallest relative change of a time, of memory or of an error that matters.
    confidence : float
        That not one of all the intervals misses its ratio: each is widened for their number, after Bonferroni
        (O. J. Dunn, "Multiple comparisons among means", J. American Statistical Association 56, 1961).
    reasons : tuple of str
        Why more work is not worse, each with who says so: the algorithm was changed on purpose. It is then shown, and
        no more.
    """

    threshold: float = 0.05
    confidence: float = 0.95
    reasons: tuple[str, ...] = ()

    @property
    def counters(self) -> bool:
        """Whether more work is worse."""
        return not self.reasons


@dataclass(frozen=True)
class Side:
    """What is compared: a name for it, and its records."""

    name: str
    records: tuple[Record, ...]


@dataclass(frozen=True, kw_only=True)
class Change:
    """One thing of a cell, before and after.

    Attributes
    ----------
    what : str
        "status", "problem", "time", "memory", the title of an error, or the name of a counter.
    old, new : float, str or None
        Seconds, bytes, a count, or a status with its message.
    verdict : Verdict
        "moved" is what changed and is neither better nor worse.
    ratio : Ratio or None
        New over old; only times have an interval.
    show : callable
        Writes `old` and `new`.
    words : pair of str
        What a change for the worse and one for the better are called.
    counted : bool
        A work counter, which is exact.
    """

    what: str
    old: float | str | None
    new: float | str | None
    verdict: Verdict
    ratio: Ratio | None = None
    show: Callable[[float], str] = show_count
    words: tuple[str, str] = ("more", "less")
    counted: bool = False

    @property
    def word(self) -> str:
        """The verdict in the word that suits: slower, more work."""
        return dict(zip(("worse", "better"), self.words, strict=True)).get(self.verdict, self.verdict)


@dataclass(frozen=True)
class Compared:
    """A cell that both sides have. `rounds` is how many of them the verdict on its time rests on."""

    key: Key
    changes: tuple[Change, ...]
    rounds: int


@dataclass(frozen=True)
class Comparison:
    """What `compare` has found. The keys of cells that only one side has are in `gone` and `added`."""

    old: Side
    new: Side
    terms: Terms
    cells: tuple[Compared, ...]
    gone: tuple[Key, ...]
    added: tuple[Key, ...]
    warnings: tuple[str, ...]

    def changes(self, verdict: Verdict) -> list[tuple[Compared, Change]]:
        """Every change with that verdict, and the cell it is of."""
        return [(cell, change) for cell in self.cells for change in cell.changes if change.verdict == verdict]

    @property
    def worse(self) -> bool:
        """Whether anything is certain to be worse."""
        return bool(self.changes("worse"))


@dataclass(frozen=True)
class Figure:
    """A figure of a record that is compared as it stands: it hardly varies from run to run.

    Attributes
    ----------
    name : str
        Of the attribute of a `Record`.
    title : str
    floor : float
        A difference up to this means nothing.
    show : callable
    words : pair of str
    """

    name: str
    title: str
    floor: float
    show: Callable[[float], str]
    words: tuple[str, str]


#: Memory is told in pages, and what an allocator keeps for later depends on the order of things.
FIGURES = (
    Figure("peak_memory", "memory", 4 << 20, show_size, ("more", "less")),
    Figure("instructions", "instructions", 0, show_count, ("more work", "less work")),
    *(Figure(metric.name, metric.title, metric.negligible, show_error, ("farther", "nearer")) for metric in METRICS),
)


def compare(old: Side, new: Side, terms: Terms) -> Comparison:
    """Compare two sides.

    Parameters
    ----------
    old, new : Side
        Of several records of a cell the last counts; see `current`.
    terms : Terms

    Raises
    ------
    ValueError
        Where there is no cell that both have.
    """
    before, after = current(old.records), current(new.records)
    keys = [key for key in before if key in after]
    if not keys:
        raise ValueError(
            f"{old.name} and {new.name} have no cell in common; {_span(old.name, before)}, {_span(new.name, after)}"
        )
    timed = sum(both_answered(before[key], after[key]) for key in keys)
    confidence = 1 - (1 - terms.confidence) / max(timed, 1)
    each = dataclasses.replace(terms, confidence=confidence)
    return Comparison(
        old,
        new,
        terms,
        tuple(_compare_cell(key, before[key], after[key], each) for key in keys),
        gone=tuple(key for key in before if key not in after),
        added=tuple(key for key in after if key not in before),
        warnings=tuple(caveats((old.name, new.name), [(before[key], after[key]) for key in keys])),
    )


def current(records: Iterable[Record]) -> dict[Key, Record]:
    """The last record of each cell; one from an environment that lacks the solver only where there is no other."""
    found: dict[Key, Record] = {}
    for record in records:
        key = record.solver, record.case, record.threads
        if key not in found or "missing" not in record.versions.values():
            found[key] = record
    return found


def _compare_cell(key: Key, old: Record, new: Record, terms: Terms) -> Compared:
    changes: tuple[Change, ...] = ()
    if old.status != new.status:
        changes = (_status(old, new),)
    elif both_answered(old, new) and same_problem(old, new):
        changes = (_time(old, new, terms), *_work(old, new, terms), *_figures(old, new, terms))
    elif both_answered(old, new):
        changes = (Change(what="problem", old=old.cost, new=new.cost, verdict="moved", show=_cost),)
    return Compared(key, changes, min(len(old.rounds), len(new.rounds)))


def _status(old: Record, new: Record) -> Change:
    """A certified answer that is no longer there is worse, unless it is only the solver that is missing here."""
    verdict: Verdict = "moved"
    if old.status == "ok" and "missing" not in new.versions.values():
        verdict = "worse"
    if new.status == "ok" and "missing" not in old.versions.values():
        verdict = "better"
    return Change(what="status", old=_told(old), new=_told(new), verdict=verdict, words=("broken", "mended"))


def _time(old: Record, new: Record, terms: Terms) -> Change:
    found = ratio(old.by_round, new.by_round, terms.confidence, in_turns(old, new))
    return Change(
        what="time",
        old=time(old.by_round),
        new=time(new.by_round),
        verdict=judge(found, terms.threshold),
        ratio=found,
        show=show_duration,
        words=("slower", "faster"),
    )


def judge(found: Ratio | None, threshold: float) -> Verdict:
    """The verdict on a ratio of times.

    It is worse, or better, where the interval leaves no doubt of it and the change is large enough to matter; the same
    where the interval leaves no room for a change that would; and else inconclusive.
    """
    if found is None:
        return "inconclusive"
    most = 1 + threshold
    if found.low > 1 and found.value > most:
        return "worse"
    if found.high < 1 and found.value < 1 / most:
        return "better"
    return "same" if found.low > 1 / most and found.high < most else "inconclusive"


def _work(old: Record, new: Record, terms: Terms) -> Iterator[Change]:
    """The counters that have moved."""
    for name in sorted({*old.counters, *new.counters}):
        before, after = old.counters.get(name), new.counters.get(name)
        if before == after:
            continue
        verdict: Verdict = "moved"
        if before is not None and after is not None:
            verdict = "better" if after < before else "worse" if terms.counters else "moved"
        words = "more work", "less work"
        yield Change(what=name, old=before, new=after, verdict=verdict, words=words, counted=True)


def _figures(old: Record, new: Record, terms: Terms) -> Iterator[Change]:
    """Those of memory and of errors that have changed by more than the threshold."""
    for figure in FIGURES:
        before, after = getattr(old, figure.name), getattr(new, figure.name)
        if figure.name == "instructions" and old.counted_by != new.counted_by:
            continue
        if before is None or after is None:
            continue
        low, high = sorted((before, after))
        if high > low * (1 + terms.threshold) + figure.floor:
            verdict: Verdict = "worse" if after > before else "better"
            yield Change(
                what=figure.title, old=before, new=after, verdict=verdict, show=figure.show, words=figure.words
            )


def _told(record: Record) -> str:
    """The status, and the first line of what there is to say about it."""
    return record.status + (f": {record.message.splitlines()[0]}" if record.message else "")


def _span(name: str, cells: Mapping[Key, Record]) -> str:
    cases, solvers = (len({key[k] for key in cells}) for k in (1, 0))
    return f"{name} has {len(cells)} of {solvers} solvers on {cases} cases"


def _cost(value: float) -> str:
    return f"{value:.9g}"
