"""Output formats of a comparison: a table for a terminal, Markdown for a pull request, JSON for programs."""

import dataclasses
import json
import re
from collections import Counter
from collections.abc import Iterator
from typing import Any, get_args

from rich.box import SIMPLE_HEAD
from rich.console import Group, RenderableType
from rich.markup import escape
from rich.table import Column, Table

from lapmark.bench.problems import Case

from .comparison import CellComparison, Change, Comparison, Key, Verdict

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


def text(comparison: Comparison, every: bool = False) -> RenderableType:
    """Return the outcome in a line, a table of the changes, and notes; with `every`, also unchanged times."""
    names = [escape(results.name) for results in (comparison.old, comparison.new)]
    numbers = [Column(name, justify="right", max_width=14, overflow="fold") for name in names]
    columns = Column("cell", overflow="fold"), Column("", no_wrap=True), *numbers
    certain = Column("ratio", justify="right", no_wrap=True), Column("verdict", no_wrap=True)
    table = Table(*columns, *certain, box=SIMPLE_HEAD, collapse_padding=True)
    for cell, change in _shown(comparison, every):
        name = f"{_solver(cell.key)} on {_case(cell.key)}"
        ratio = escape(_ratio(change)) + (f"\n[dim]{_interval(change)}[/]" if change.ratio else "")
        verdict = f"[{STYLES[change.verdict]}]{change.word}[/]"
        table.add_row(escape(name), change.what, *map(escape, _values(change)), ratio, verdict)
    style = STYLES["worse" if comparison.worse else "better"]
    parts: list[RenderableType] = [f"[{style}]{escape(headline(comparison))}[/]", *map(escape, allowances(comparison))]
    parts += [table] if table.row_count else []
    return Group(*parts, *(escape(note) for note in notes(comparison, every)))


def markdown(comparison: Comparison, every: bool = False) -> str:
    """Return the same as Markdown, with inconclusive and unchanged cells folded away."""
    rows: dict[bool, list[str]] = {True: [], False: []}
    for cell, change in _shown(comparison, every):
        ratio = _ratio(change) + (f" ({_interval(change)})" if change.ratio else "")
        cells = (f"`{_case(cell.key)}`", f"`{_solver(cell.key)}`", change.what, *_values(change), ratio)
        verdict = f"**{change.word}**" if change.verdict == "worse" else change.word
        is_certain = change.verdict in ("worse", "better", "moved")
        rows[is_certain].append("| " + " | ".join(map(_in_cell, (*cells, verdict))) + " |")
    names = f"{_in_cell(comparison.old.name)} | {_in_cell(comparison.new.name)}"
    head = [f"| case | solver | | {names} | ratio | verdict |", "|---|---|---|---:|---:|---:|---|"]
    lines = [f"**{headline(comparison)}**", ""]
    lines += [line for allowance in allowances(comparison) for line in (_as_text(allowance), "")]
    if rows[True]:
        lines += [*head, *rows[True], ""]
    if rows[False]:
        summary = f"{len(rows[False])} inconclusive or unchanged"
        lines += [f"<details><summary>{summary}</summary>", "", *head, *rows[False], "", "</details>", ""]
    return "\n".join([*lines, *(f"- {note}" for note in notes(comparison, every))])


def as_json(comparison: Comparison) -> str:
    """Return everything as JSON, whatever its verdict; docs/compare.md describes the fields."""
    content: dict[str, Any] = {
        "format": FORMAT,
        "old": comparison.old.name,
        "new": comparison.new.name,
        "worse": comparison.worse,
        "threshold": comparison.criteria.threshold,
        "confidence": comparison.criteria.confidence,
        "counters": comparison.criteria.counters,
        "reasons": comparison.criteria.reasons,
        "cells": [
            {**_key(cell.key), "rounds": cell.rounds, "changes": [_change(change) for change in cell.changes]}
            for cell in comparison.cells
        ],
        "gone": [_key(key) for key in comparison.gone],
        "added": [_key(key) for key in comparison.added],
        "warnings": list(comparison.warnings),
    }
    return json.dumps(content, indent=2, ensure_ascii=False)


def headline(comparison: Comparison) -> str:
    """Return the outcome in a sentence: `Worse: 1 slower, 2 more work, 20 same.`"""
    order = list(get_args(Verdict))
    changes = [change for cell in comparison.cells for change in cell.changes]
    counts = Counter(change.word for change in sorted(changes, key=lambda change: order.index(change.verdict)))
    summary = ", ".join(f"{count} {word}" for word, count in counts.items()) or "no cell has an answer on both sides"
    return f"{'Worse' if comparison.worse else 'Nothing is certainly worse'}: {summary}."


def allowances(comparison: Comparison) -> list[str]:
    """Return a sentence for each reason that counters are not judged; they are shown right below the outcome."""
    return [f"Counters may rise, and are not judged: {reason}." for reason in comparison.criteria.reasons]


def notes(comparison: Comparison, every: bool) -> Iterator[str]:
    """Yield what a reader has to know beyond the table."""
    same = sum(change.verdict == "same" for cell in comparison.cells for change in cell.changes)
    if same and not every:
        share = f"{100 * comparison.criteria.threshold:g} %"
        yield f"{same} times that changed by less than {share} are not shown (`--all` shows them)."
    timed = [cell for cell in comparison.cells if any(change.what == "time" for change in cell.changes)]
    if timed:
        moved = sum(any(change.counted for change in cell.changes) for cell in timed)
        yield f"Counters are equal in {len(timed) - moved} of {len(timed)} cells."
    for keys, results in ((comparison.gone, comparison.old), (comparison.added, comparison.new)):
        if keys:
            named = ", ".join(f"{_solver(key)} on {_case(key)}" for key in keys[:3])
            yield f"Only in {results.name}: {named}{f' and {len(keys) - 3} more' if len(keys) > 3 else ''}."
    yield from comparison.warnings


def _shown(comparison: Comparison, every: bool) -> list[tuple[CellComparison, Change]]:
    return [found for verdict in STYLES if every or verdict != "same" for found in comparison.changes(verdict)]


def _case(key: Key) -> str:
    case = Case.read(key[1])
    return f"{case.label} n={case.n}" + (f" seed={case.seed}" if case.seed else "")


def _solver(key: Key) -> str:
    return key[0] + (f", {key[2]} threads" if key[2] > 1 else "")


def _values(change: Change) -> tuple[str, str]:
    old, new = (
        "none" if value is None else value if isinstance(value, str) else change.show(value)
        for value in (change.old, change.new)
    )
    return old, new


def _ratio(change: Change) -> str:
    if change.ratio is not None:
        return f"{change.ratio.value:.3g}×"
    if isinstance(change.old, str | None) or isinstance(change.new, str | None) or not change.old:
        return ""
    digits = 4 if change.counted else 3
    return f"{change.new / change.old:.{digits}g}×"


def _interval(change: Change) -> str:
    return f"{change.ratio.low:.3g}–{change.ratio.high:.3g}" if change.ratio else ""


def _as_text(line: str) -> str:
    """Escape a text from elsewhere, so that Markdown shows it unchanged."""
    return re.sub(r"([\\`*_{}\[\]<>#|!@&])", r"\\\1", line)


def _in_cell(value: str) -> str:
    return value.replace("|", "\\|")


def _key(key: Key) -> dict[str, Any]:
    return dict(zip(("solver", "case", "threads"), key, strict=True))


def _change(change: Change) -> dict[str, Any]:
    fields: dict[str, Any] = {name: getattr(change, name) for name in ("what", "old", "new", "verdict", "word")}
    return fields | ({} if change.ratio is None else dataclasses.asdict(change.ratio))
