"""Output of `lapmark choose`: the lines to paste, what to expect, why, and what would change it."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from rich.markup import escape

from lapmark.bench.util.plain_text import plain

from .base import plain_console

if TYPE_CHECKING:
    from rich.console import Console

    from lapmark.bench.advice.advisor import Advice
    from lapmark.bench.advice.candidates import Lines
    from lapmark.bench.advice.features import Target
    from lapmark.bench.advice.performance_model import Prediction

#: Near ties that are named.
MOST_TIES = 3


def show(advice: Advice, lines: Lines, place: str, note: str) -> None:
    """Print advice."""
    console, first = plain_console(), advice.chosen
    console.print(f"[bold]{escape(first.solver)}[/] — {_figures(first)}\n")
    for line in lines.text.splitlines():
        console.print(f"  {escape(line)}", soft_wrap=True)
    _show_others(console, advice)
    _show_reasons(console, advice)
    if advice.changes:
        console.print("\nOther choices:")
        for change in advice.changes:
            console.print(f"  {escape(change)}")
    if failed := [each for each in advice.rejected if each.failure]:
        console.print("\nNot chosen, since they failed there:")
        for each in failed:
            console.print(f"  {escape(each.solver)}: {escape(each.failure or '')}")
    console.print(f"\nSource: {escape(place)}.")
    if note:
        console.print(escape(plain(note)))


def _show_others(console: Console, advice: Advice) -> None:
    """Print the solvers that are as fast, or the next one."""
    from lapmark.bench.advice.advisor import NEAR_TIE

    first = advice.chosen
    ties = [each for each in advice.others if each.seconds <= NEAR_TIE * first.seconds]
    if ties:
        named = ", ".join(f"{each.solver} ({show_ratio(each, first)})" for each in ties[:MOST_TIES])
        console.print(f"\nNear tie, either will do: {escape(named)}")
    elif advice.others:
        second = advice.others[0]
        console.print(f"\nnext: {escape(second.solver)}, {show_ratio(second, first)}: {_figures(second)}")


def show_ratio(each: Prediction, first: Prediction) -> str:
    """Return how the predicted time of a solver compares with that of another as text."""
    return f"{each.seconds / first.seconds:.2g} times as long"


def _show_reasons(console: Console, advice: Advice) -> None:
    """Print the measurements that the advice rests on."""
    from lapmark.bench.util.text_table import Column, TextTable
    from lapmark.bench.util.units import show_duration, show_size

    if not advice.is_sure:
        console.print("\nNo measured family is like this problem: this is what does best on others of its size.")
    label, share = advice.neighbours[0]
    if share == 1:
        console.print(f"\nMeasured on this family, {escape(label)}:")
    elif advice.is_by_size:
        console.print(
            "\nMeasured on problems of this kind and size, such as these (a look at the costs would take too long):"
        )
    else:
        near = ", ".join(f"{label} ({100 * share:.0f} %)" for label, share in advice.neighbours)
        console.print("\nMeasured on the most similar families (share in the prediction):", escape(near))
    rows = []
    for row in advice.rows.itertuples():
        seconds = "" if math.isnan(row.seconds) else show_duration(row.seconds)
        memory = "" if math.isnan(row.peak_memory) else show_size(row.peak_memory)
        rows.append((row.label, str(row.n), row.status, seconds, memory))
    numbers = (Column("time", right=True), Column("memory", right=True, rank=1))
    console.print(TextTable([Column("case"), Column("n", right=True), Column("status"), *numbers], rows))


def _figures(each: Prediction) -> str:
    from lapmark.bench.advice.advisor import show_peak
    from lapmark.bench.util.units import show_duration

    gap = f", gap up to {100 * each.gap:.2g} %" if each.gap > 1e-9 else ""
    interval = f"{show_duration(each.low)} to {show_duration(each.high)}"
    memory = "" if math.isnan(each.memory) else f", {show_peak(each.memory)}"
    return f"{show_duration(each.seconds)} ({interval}){memory}{gap}"


def as_json(target: Target, advice: Advice, lines: Lines, place: str) -> dict[str, object]:
    """Return advice as values for JSON."""

    def numbers(each: Prediction) -> dict[str, object]:
        return {
            name: None if isinstance(value, float) and not math.isfinite(value) else value
            for name, value in vars(each).items()
        }

    columns = ["case", "n", "status", "seconds", "peak_memory"]
    rows = advice.rows[columns].astype(object).where(advice.rows[columns].notna(), None)
    return {
        "n": target.n,
        "m": target.m,
        "kind": target.kind,
        "chosen": numbers(advice.chosen),
        "lines": lines.text,
        "sure": advice.is_sure,
        "others": [numbers(each) for each in advice.others],
        "rejected": [numbers(each) for each in advice.rejected],
        "neighbours": [{"label": label, "share": share} for label, share in advice.neighbours],
        "rows": rows.to_dict("records"),
        "changes": list(advice.changes),
        "from": place,
    }
