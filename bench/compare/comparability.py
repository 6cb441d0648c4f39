"""How far two sets of records may be compared at all, and what a reader has to know who would trust the verdicts."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime

from lapmark.bench.results.record import Record

#: A condition of a record (`Record.conditions`): when its first round ended, in seconds since 1970.
STARTED = "started"

#: Two runs of an exact solver agree to this on what the optimum costs, relative to it, unless the problem is another.
SAME_COST = 1e-6

#: A record of either side, of the same cell.
Pair = tuple[Record, Record]


def both_answered(old: Record, new: Record) -> bool:
    """Whether both have times, of answers that were judged alike."""
    return old.status == new.status and bool(old.samples and new.samples)


def same_problem(old: Record, new: Record) -> bool:
    """Whether the two exact answers, both certified, cost the same; else the family builds something else now."""
    if not (old.exact and new.exact and old.status == new.status == "ok") or old.cost is None or new.cost is None:
        return True
    return abs(new.cost - old.cost) <= SAME_COST * max(abs(old.cost), abs(new.cost))


def in_turns(old: Record, new: Record) -> bool:
    """Whether two records were measured in turns, round by round: then their rounds are pairs."""
    spans = [_span(record) for record in (old, new)]
    if len(old.rounds) != len(new.rounds) or None in spans:
        return False
    (start, end), (other_start, other_end) = spans  # type: ignore[misc]
    return start <= other_end and other_start <= end


def caveats(names: tuple[str, str], pairs: Sequence[Pair]) -> Iterator[str]:
    """What is to be said of two sides that have these cells in common, each caveat a sentence or two.

    Parameters
    ----------
    names : pair of str
        Of the sides.
    pairs : sequence of pairs of Record
    """
    for name, records in zip(names, zip(*pairs, strict=True), strict=True):
        commits = {record.commit for record in records}
        if len(commits) > 1:
            told = ", ".join(sorted(commit[:12] if commit else "none" for commit in commits))
            yield f"{name} mixes measurements of {len(commits)} commits: {told}."
    if facts := _differing(pairs, lambda record: record.machine):
        yield f"The two sides were measured on different machines: {facts}."
    if facts := _differing(pairs, lambda record: record.versions):
        yield f"The two sides were measured with different packages: {facts}."
    if cases := sorted({old.case for old, new in pairs if not same_problem(old, new)}):
        yield f"Not compared, since the problem is another now (its optimum has changed): {', '.join(cases)}."
    timed = [(old, new) for old, new in pairs if both_answered(old, new)]
    several = [(old, new) for old, new in timed if min(len(old.rounds), len(new.rounds)) > 1]
    if once := len(timed) - len(several):
        yield (
            f"{once} of {len(timed)} cells had a single round on one side, which says nothing of how much processes "
            "differ: measure in rounds (`--rounds 10`)."
        )
    if several and not any(in_turns(old, new) for old, new in several):
        yield (
            "The two sides were not measured in turns: what else the machine did is in the ratios. "
            "`lapmark gate` measures two commits in turns."
        )


def _differing(pairs: Sequence[Pair], facts: Callable[[Record], Mapping[str, object]]) -> str:
    """The facts that differ between the two sides, with both values."""
    found = set()
    for old, new in pairs:
        before, after = facts(old), facts(new)
        for name in before.keys() | after.keys():
            if before.get(name) != after.get(name):
                found.add(f"{name} {before.get(name, 'unknown')} and {after.get(name, 'unknown')}")
    return "; ".join(sorted(found))


def _span(record: Record) -> tuple[float, float] | None:
    """When the measurement of a record began and ended, where it tells."""
    if STARTED not in record.conditions or not record.finished:
        return None
    return record.conditions[STARTED], datetime.fromisoformat(record.finished).timestamp()
