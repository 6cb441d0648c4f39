"""Comparability of two sets of records: whether cells may be compared, and warnings about the whole."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime

from lapmark.bench.results.record import Record

#: The key of `Record.conditions` for the end of the first round, in seconds since 1970.
STARTED = "started"

#: Relative difference of the optimal costs of two runs above which the problem must have changed.
SAME_COST = 1e-6

#: The old and the new record of a cell.
Pair = tuple[Record, Record]


def both_answered(old: Record, new: Record) -> bool:
    """Return whether both have times and the same status."""
    return old.status == new.status and bool(old.samples and new.samples)


def same_problem(old: Record, new: Record) -> bool:
    """Return False where two certified optima differ: the family now builds another problem."""
    if not (old.exact and new.exact and old.status == new.status == "ok") or old.cost is None or new.cost is None:
        return True
    return abs(new.cost - old.cost) <= SAME_COST * max(abs(old.cost), abs(new.cost))


def are_interleaved(old: Record, new: Record) -> bool:
    """Return whether the rounds of two records were measured alternately, so that they form pairs."""
    spans = [_span(record) for record in (old, new)]
    if len(old.rounds) != len(new.rounds) or None in spans:
        return False
    (start, end), (other_start, other_end) = spans  # type: ignore[misc]
    return start <= other_end and other_start <= end


def warnings(names: tuple[str, str], pairs: Sequence[Pair]) -> Iterator[str]:
    """Yield what limits a comparison of two named sets with these cells in common, a sentence or two each."""
    for name, records in zip(names, zip(*pairs, strict=True), strict=True):
        commits = {record.commit for record in records}
        if len(commits) > 1:
            listed = ", ".join(sorted(commit[:12] if commit else "none" for commit in commits))
            yield f"{name} mixes measurements of {len(commits)} commits: {listed}."
    if facts := _differing(pairs, lambda record: record.machine):
        yield f"Measured on different machines: {facts}."
    if facts := _differing(pairs, _package_versions):
        yield f"Measured with different packages: {facts}."
    if cases := sorted({old.case for old, new in pairs if not same_problem(old, new)}):
        yield f"Not compared, since the problem has changed (its optimum has another cost): {', '.join(cases)}."
    timed = [(old, new) for old, new in pairs if both_answered(old, new)]
    several = [(old, new) for old, new in timed if min(len(old.rounds), len(new.rounds)) > 1]
    if once := len(timed) - len(several):
        yield (
            f"{once} of {len(timed)} cells have a single round on one side, so the variation between processes is "
            "unknown: measure more rounds (`--rounds 10`)."
        )
    if several and not any(are_interleaved(old, new) for old, new in several):
        yield (
            "The two sides were not measured alternately, so other load on the machine affects the ratios. "
            "`lapmark gate` measures two commits alternately."
        )


def _package_versions(record: Record) -> Mapping[str, object]:
    """Return the versions of packages, without the digests of plugin files, which are the code that is compared."""
    return {name: version for name, version in record.versions.items() if not name.endswith(".py")}


def _differing(pairs: Sequence[Pair], facts: Callable[[Record], Mapping[str, object]]) -> str:
    """Return the facts that differ between the two sides, with both values."""
    found = set()
    for old, new in pairs:
        before, after = facts(old), facts(new)
        for name in before.keys() | after.keys():
            if before.get(name) != after.get(name):
                found.add(f"{name} {before.get(name, 'unknown')} and {after.get(name, 'unknown')}")
    return "; ".join(sorted(found))


def _span(record: Record) -> tuple[float, float] | None:
    """Return the start and end of a measurement, None where the record lacks them."""
    if STARTED not in record.conditions or not record.finished:
        return None
    return record.conditions[STARTED], datetime.fromisoformat(record.finished).timestamp()
