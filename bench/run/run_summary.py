"""Summary of a run: a table of the cells, why cells failed, and the exit status."""

import textwrap
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from operator import attrgetter

from rich.text import Text

from lapmark.bench.problems import Case
from lapmark.bench.results.record import METRICS, Record
from lapmark.bench.results.statuses import FAILURES, STATUSES
from lapmark.bench.util.text_table import Column, TextTable
from lapmark.bench.util.units import show_count_of, show_duration, show_error
from lapmark.bench.worker.protocol import BUILD_MATRIX

#: Most cases that are columns of the table; with more, each case is a row.
MOST_COLUMNS = 8

#: Approximate answers that are listed for a case, the fastest first.
MOST_APPROXIMATE = 3

#: Different reasons and solvers that are named.
MOST_REASONS, MOST_NAMES = 12, 4

#: Characters of a reason, and of its end where its middle is left out.
LONGEST_REASON, END_OF_REASON = 160, 50

#: Exit statuses of a run in which no solver had an answer, and of one in which none was tried.
ALL_FAILED, NOTHING_MEASURED = 1, 2


def table(records: Iterable[Record]) -> TextTable:
    """Return the table of a run: every solver if there are few cases, otherwise the fastest of each case."""
    records = list(records)
    cases = sorted(dict.fromkeys(record.case for record in records), key=lambda case: Case.read(case).n)
    return _every_solver(records, cases) if len(cases) <= MOST_COLUMNS else _fastest(records, cases)


def exit_status(records: Iterable[Record]) -> int:
    """Return 0 if a solver has a certified answer, otherwise 1, or 2 if no solver was tried."""
    statuses = {record.status for record in records if record.solver != BUILD_MATRIX}
    if "ok" in statuses:
        return 0
    return ALL_FAILED if statuses & FAILURES else NOTHING_MEASURED


def failures(records: Iterable[Record]) -> list[str]:
    """Return the statuses of failed cells, the most frequent first."""
    return [status for status, _ in Counter(record.status for record in records if _failed(record)).most_common()]


def reasons(records: Iterable[Record]) -> Iterator[Text]:
    """Yield how many cells failed, and why, cells with the same reason together; skipped ones if none was tried."""
    records = [record for record in records if record.solver != BUILD_MATRIX]
    failed = [record for record in records if _failed(record)]
    if failed:
        yield Text(f"{len(failed):,} of {show_count_of(len(records), 'cell')} failed:")
    elif exit_status(records) == NOTHING_MEASURED:
        failed = records
        yield Text("Nothing was measured, since every cell was skipped:" if records else "There is no cell to run.")
    groups: dict[tuple[str, str], list[Record]] = {}
    for record in sorted(failed, key=lambda record: -STATUSES[record.status].rank):
        groups.setdefault((record.status, _short(record.message)), []).append(record)
    for (status, reason), alike in [*groups.items()][:MOST_REASONS]:
        what = f"{_cells(alike)}: {reason or STATUSES[status].meaning}"
        yield Text.assemble(_styled(status, f"  {status:8} "), what)
    if len(groups) > MOST_REASONS:
        yield Text(f"  and {show_count_of(len(groups) - MOST_REASONS, 'further reason')}, which the report has")


def limits_reached(records: Iterable[Record]) -> list[str]:
    """Return the limits that failed cells reached, "time" or "memory": with a higher one they may succeed."""
    return sorted({limit for record in records if (limit := STATUSES[record.status].limit)})


def _failed(record: Record) -> bool:
    return record.status in FAILURES and record.solver != BUILD_MATRIX


def _short(message: str) -> str:
    """Return the first line of a message, without its middle if it is long: the end may name a file and a line."""
    first = next(iter(message.splitlines()), "")
    if len(first) <= LONGEST_REASON:
        return first
    start = textwrap.shorten(first, LONGEST_REASON - END_OF_REASON, placeholder=" …")
    return f"{start} {first[-END_OF_REASON:].partition(' ')[2]}"


def _cells(records: Sequence[Record]) -> str:
    """Return which cells these are, in words."""
    if len(records) == 1:
        case = Case.read(records[0].case)
        return f"{records[0].solver} on {case.label} n={case.n}"
    names = list(dict.fromkeys(record.solver for record in records))
    more = f" and {len(names) - MOST_NAMES} more" if len(names) > MOST_NAMES else ""
    return f"{', '.join(names[:MOST_NAMES])}{more} ({show_count_of(len(records), 'cell')})"


def _every_solver(records: Sequence[Record], cases: Sequence[str]) -> TextTable:
    """Return a table of solvers against cases: median time and gap, or the status of a failure."""
    rows: dict[str, dict[str, Record]] = {}
    for record in records:
        rows.setdefault(record.solver, {})[record.case] = record
    columns = [Column(heading, right=True) for heading in headings([Case.read(case) for case in cases])]
    shown: list[list[str | Text]] = [
        [solver, *(_entry(row.get(case)) for case in cases)] for solver, row in rows.items()
    ]
    return TextTable(
        [Column("solver"), *columns],
        shown,
        title="median time, and the gap where it is not 0",
    )


def _entry(record: Record | None) -> str | Text:
    if record is None:
        return ""
    if record.status != "ok" or record.seconds is None:
        return _styled(record.status, record.status)
    gap = METRICS[0].of(record)
    return show_duration(record.seconds) + ("" if gap is None else f"\n{show_error(gap)}")


def _fastest(records: Sequence[Record], cases: Sequence[str]) -> TextTable:
    """Return a table of cases: the fastest exact solver, the second, approximate answers and failures, if any."""
    columns = [
        Column("case"),
        Column("n", right=True),
        Column("fastest exact"),
        Column("next exact", rank=2),
        Column("approximate", prose=True, rank=1),
        Column("failed"),
    ]
    rows: list[list[str | Text]] = []
    for case in cases:
        of_case = [record for record in records if record.case == case and record.solver != BUILD_MATRIX]
        answers = [record for record in of_case if record.status == "ok" and record.seconds is not None]
        failed = Counter(record.status for record in of_case if record.status in FAILURES)
        shown = Text("\n").join(_styled(status, f"{count} {status}") for status, count in failed.items())
        rows.append([Case.read(case).label, str(Case.read(case).n), *_exact(answers), _approximate(answers), shown])
    used = [k for k in range(len(columns)) if any(row[k] for row in rows)]
    return TextTable(
        [columns[k] for k in used],
        [[row[k] for k in used] for row in rows],
        title="the fastest exact solver, and approximate ones with their gaps",
    )


def _exact(answers: Sequence[Record]) -> tuple[str, str]:
    """Return the fastest exact answer and the next, in words."""
    ranked = sorted((record.seconds or 0.0, record.solver) for record in answers if record.exact)
    if not ranked:
        return "", ""
    (seconds, first), *others = ranked
    return f"{first} {show_duration(seconds)}", f"{others[0][1]} {others[0][0] / seconds:.1f}×" if others else ""


def _approximate(answers: Sequence[Record]) -> str:
    """Return the fastest approximate answers with their gaps, one per line."""
    found = sorted((record for record in answers if not record.exact), key=attrgetter("seconds"))
    lines = []
    for record in found[:MOST_APPROXIMATE]:
        gap = METRICS[0].of(record)
        shown = f", gap {show_error(gap)}" if gap is not None else ", no gap" if record.gap is not None else ""
        lines.append(f"{record.solver} {show_duration(record.seconds or 0.0)}{shown}")
    if len(found) > MOST_APPROXIMATE:
        lines.append(f"and {len(found) - MOST_APPROXIMATE} more")
    return "\n".join(lines)


def headings(cases: Sequence[Case]) -> list[str]:
    """Return headings that distinguish the cases, in narrow lines: n always, the rest where it differs."""
    facts = [{"problem": case.problem, **case.params, "seed": case.seed} for case in cases]
    names = dict.fromkeys(name for known in facts for name in known)
    varying = [name for name in names if len({known.get(name) for known in facts}) > 1]
    return [
        "\n".join([*(_setting(name, known[name]) for name in varying if name in known), f"n={case.n}"])
        for case, known in zip(cases, facts, strict=True)
    ]


def _setting(name: str, value: object) -> str:
    """Return a setting as a heading: a word says enough, a number needs its name."""
    return value if isinstance(value, str) else f"{name}={str(value).lower()}"


def _styled(status: str, text: str) -> Text:
    return Text(text, STATUSES[status].style)
