"""Output formats of a comparison: a table for a terminal, Markdown for a pull request, JSON for programs."""

import dataclasses
import json
import math
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any

from rich.console import Group, RenderableType
from rich.text import Text

from lapmark.bench.problems.case import NO_PROBLEM, Case
from lapmark.bench.util.markdown_text import as_code, as_text
from lapmark.bench.util.plain_text import plain
from lapmark.bench.util.text_table import Column, TextTable
from lapmark.bench.util.units import show_count_of

from . import wording
from .comparison import CellComparison, Change, Comparison, Key, Verdict, current

#: The style of each verdict, in the order of the output.
STYLES: dict[Verdict, str] = {
    "worse": "bold red",
    "better": "green",
    "moved": "yellow",
    "inconclusive": "dim",
    "same": "dim",
}

#: The version of the JSON; raised when a field is removed or changes its meaning.
FORMAT = 1

#: Rounds to suggest where times are inconclusive.
MORE_ROUNDS = 20


def text(comparison: Comparison, every: bool = False) -> RenderableType:
    """Return the outcome in a line, a table of the changes, and notes; with `every`, also unchanged times."""
    lines = [Text(headline(comparison), STYLES[_overall(comparison)]), *map(Text, allowances(comparison))]
    names = plain(f"{comparison.old.name} → {comparison.new.name}")
    columns = Column("cell"), Column(names), Column("verdict", prose=True)
    rows = [
        (plain(cell_name(cell.key)), _values_line(change), Text(plain(verdict_words(change)), STYLES[change.verdict]))
        for cell, change in shown(comparison, every)
    ]
    table: list[RenderableType] = [Text(), TextTable(columns, rows), Text()] if rows else []
    return Group(*lines, *table, *(Text(plain(note)) for note in notes(comparison, every)))


def markdown(comparison: Comparison, every: bool = False) -> str:
    """Return the same as Markdown, with inconclusive and unchanged cells folded away."""
    rows: dict[bool, list[str]] = {True: [], False: []}
    for cell, change in shown(comparison, every):
        case, solver = as_code(_case(cell.key)), as_code(_solver(cell.key))
        verdict = as_text(verdict_words(change))
        is_certain = change.verdict in ("worse", "better", "moved")
        bold = f"**{verdict}**" if change.verdict == "worse" else verdict
        rows[is_certain].append("| " + " | ".join((case, solver, as_text(change.what), *values(change), bold)) + " |")
    names = f"{as_text(comparison.old.name)} | {as_text(comparison.new.name)}"
    head = [f"| case | solver | | {names} | verdict |", "|---|---|---|---:|---:|---|"]
    lines = [f"**{headline(comparison)}**", ""]
    lines += [line for allowance in allowances(comparison) for line in (as_text(allowance), "")]
    if rows[True]:
        lines += [*head, *rows[True], ""]
    if rows[False]:
        summary = f"{len(rows[False])} inconclusive or unchanged"
        lines += [f"<details><summary>{summary}</summary>", "", *head, *rows[False], "", "</details>", ""]
    return "\n".join([*lines, *(f"- {as_text(note)}" for note in notes(comparison, every))])


def as_json(comparison: Comparison) -> str:
    """Return everything as JSON, whatever its verdict; docs/compare.md describes the fields."""
    content: dict[str, Any] = {
        "format": FORMAT,
        "old": comparison.old.name,
        "new": comparison.new.name,
        "worse": comparison.worse,
        "headline": headline(comparison),
        "threshold": comparison.criteria.threshold,
        "confidence": comparison.criteria.confidence,
        "counters": comparison.criteria.counters,
        "reasons": comparison.criteria.reasons,
        "cells": [
            {**_key(cell.key), "rounds": cell.rounds, "changes": [_change(cell, change) for change in cell.changes]}
            for cell in comparison.cells
        ],
        "gone": [_key(key) for key in comparison.gone],
        "added": [_key(key) for key in comparison.added],
        "warnings": list(comparison.warnings),
    }
    return json.dumps(content, indent=2, ensure_ascii=False, allow_nan=False)


def headline(comparison: Comparison) -> str:
    """Return the outcome in a few words: `Worse in 1 of 12 cells: 1 slower. Same: 11 times.`"""
    cells = len(comparison.cells)
    if not comparison.has_answers:
        return f"Nothing could be compared: none of {show_count_of(cells, 'cell')} has an answer on both sides."
    worse = {cell.key for cell, _ in comparison.changes("worse")}
    if worse:
        parts = [f"Worse in {len(worse)} of {show_count_of(cells, 'cell')}: {_tally(comparison, 'worse')}."]
    else:
        parts = [f"Nothing is certainly worse in {show_count_of(cells, 'cell')}."]
    if comparison.changes("better"):
        parts.append(f"Better: {_tally(comparison, 'better')}.")
    if moved := {cell.key for cell, _ in comparison.changes("moved")}:
        parts.append(f"Changed: {show_count_of(len(moved), 'cell')}.")
    times = {"Inconclusive": comparison.changes("inconclusive"), "Same": comparison.changes("same")}
    parts += [f"{label}: {show_count_of(len(found), 'time')}." for label, found in times.items() if found]
    return " ".join(parts)


def allowances(comparison: Comparison) -> list[str]:
    """Return a sentence for each reason that counters are not judged; they are shown right below the outcome."""
    return [f"Counters may rise, and are not judged: {reason}." for reason in comparison.criteria.reasons]


def notes(comparison: Comparison, every: bool) -> Iterator[str]:
    """Yield what a reader has to know beyond the table."""
    same = len(comparison.changes("same"))
    if same and not every:
        share = f"{100 * comparison.criteria.threshold:g} %"
        yield f"Not shown: {show_count_of(same, 'time')} that changed by less than {share} (`--all`)."
    counting = current(comparison.new.records)
    counted = [cell for cell in comparison.cells if cell.changes and counting[cell.key].counters]
    if counted:
        moved = sum(any(change.counted for change in cell.changes) for cell in counted)
        yield f"Counters are equal in {len(counted) - moved} of {show_count_of(len(counted), 'cell')}."
    doubtful = [cell for cell, _ in comparison.changes("inconclusive") if cell.rounds > 1]
    if doubtful:
        rounds = max(MORE_ROUNDS, 2 * max(cell.rounds for cell in doubtful))
        yield f"For the inconclusive times, measure more rounds (`--rounds {rounds}`) or on a quieter machine."
    if unanswered := [cell.key for cell in comparison.cells if not cell.changes]:
        yield f"Without an answer on either side: {_listed(unanswered)}."
    for keys, results in ((comparison.gone, comparison.old), (comparison.added, comparison.new)):
        if keys:
            yield f"Only in {results.name}: {_listed(keys)}."
    yield from comparison.warnings


def verdict_words(change: Change) -> str:
    """Return the verdict on a change with its size: `worse: 12 % slower (9–15 %)`."""
    if change.verdict == "inconclusive":
        return f"inconclusive: {change.note}" if change.note else "inconclusive"
    if change.verdict == "moved":
        return f"changed: {_moved(change)}"
    if change.ratio is not None:
        if change.verdict == "same":
            return f"same, {wording.unchanged(change.ratio)}"
        return f"{change.verdict}: {wording.certain(change.ratio)}"
    if isinstance(change.old, int | float) and isinstance(change.new, int | float):
        return f"{change.verdict}: {wording.more_or_less(change.old, change.new, change.words)}"
    return f"{change.verdict}: {change.word}{_message(change)}"


def cell_name(key: Key) -> str:
    """Return the name of a cell for people: `jv on uniform n=200`, `parse (benchmark)`."""
    case = _case(key)
    return f"{_solver(key)} ({case})" if case == NO_PROBLEM else f"{_solver(key)} on {case}"


def change_line(change: Change) -> str:
    """Return a change in one line: `time 1 ms → 2.1 ms, worse: 2.1× slower (1.8–2.5×)`."""
    return f"{_values_line(change)}, {plain(verdict_words(change))}"


def _overall(comparison: Comparison) -> Verdict:
    """Return the verdict whose style the headline has: nothing is good where every time is inconclusive."""
    if comparison.worse:
        return "worse"
    return "better" if comparison.changes("same") or comparison.changes("better") else "moved"


def _values_line(change: Change) -> str:
    return plain(f"{change.what} {' → '.join(values(change))}")


def _moved(change: Change) -> str:
    if change.what == "problem":
        return "another problem"
    if change.old is None or change.new is None:
        return "counted on one side only"
    if isinstance(change.old, str) or isinstance(change.new, str):
        return f"another status{_message(change)}"
    return f"{wording.more_or_less(change.old, change.new, change.words)}, which is allowed"


def _message(change: Change) -> str:
    """Return the message after a new status, if any."""
    message = str(change.new).partition(": ")[2]
    return f", {message}" if message else ""


def _tally(comparison: Comparison, verdict: Verdict) -> str:
    """Return the numbers of cells for each word: `1 slower, 2 with more work`."""
    found = {(cell.key, change.word): None for cell, change in comparison.changes(verdict)}
    counts = Counter(f"with {word}" if " " in word else word for _, word in found)
    return ", ".join(f"{count} {word}" for word, count in counts.items())


def _listed(keys: Sequence[Key], most: int = 3) -> str:
    named = ", ".join(map(cell_name, keys[:most]))
    return named + (f" and {len(keys) - most} more" if len(keys) > most else "")


def shown(comparison: Comparison, every: bool) -> list[tuple[CellComparison, Change]]:
    return [found for verdict in STYLES if every or verdict != "same" for found in comparison.changes(verdict)]


def _case(key: Key) -> str:
    case = Case.read(key[1])
    if case.problem == NO_PROBLEM:
        return NO_PROBLEM
    return f"{case.label} n={case.n}" + (f" seed={case.seed}" if case.seed else "")


def _solver(key: Key) -> str:
    return key[0] + (f", {key[2]} threads" if key[2] > 1 else "")


def values(change: Change) -> tuple[str, str]:
    """Return both values as short texts; the message after a status is part of the verdict."""
    old, new = (
        "none" if value is None else value.partition(":")[0] if isinstance(value, str) else change.show(value)
        for value in (change.old, change.new)
    )
    return old, new


def _key(key: Key) -> dict[str, Any]:
    return dict(zip(("solver", "case", "threads"), key, strict=True))


def _change(cell: CellComparison, change: Change) -> dict[str, Any]:
    fields: dict[str, Any] = {name: getattr(change, name) for name in ("what", "old", "new", "verdict", "word")}
    if change.what == "time":
        fields["rounds"] = cell.rounds
    if change.note:
        fields["note"] = change.note
    ratio = {} if change.ratio is None else dataclasses.asdict(change.ratio)
    fields |= ratio
    # JSON has no infinity.
    return {
        name: None if isinstance(value, float) and not math.isfinite(value) else value for name, value in fields.items()
    }
