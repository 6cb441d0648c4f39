"""`lapmark compare`: what has changed between two sets of results."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from .base import RESULTS, app, examples, share_option, user_errors


class Format(StrEnum):
    """Output format of a comparison."""

    text = "text"
    markdown = "markdown"
    json = "json"


Threshold = Annotated[float, share_option("Smallest change of a time, of memory or of an error that matters.")]
Confidence = Annotated[float, share_option("Probability that no verdict is wrong, over all cells.")]
Form = Annotated[Format, typer.Option("--format", help="Text for a terminal, Markdown for a pull request, or JSON.")]
AllowCounters = Annotated[
    bool, typer.Option("--allow-counters", help="Show risen work counters, but do not count them as regressions.")
]

#: The reason that a comparison gives for accepting risen counters, where the option is set.
ALLOWED = ("--allow-counters",)

Every = Annotated[bool, typer.Option("--all", help="Show what stayed the same, too.")]


@app.command(
    epilog=examples(
        {
            "lapmark compare before after": "two folders of results",
            "lapmark compare HEAD~1 HEAD --in results": "two commits, measured into one folder",
            "lapmark compare results@v1.0 results --format markdown": "a release and what was measured last",
        }
    )
    + "\n\nThe exit status is 1 where something is certain to be worse, and 0 where nothing is."
)
def compare(
    old: Annotated[str, typer.Argument(metavar="A", help="Folder, commit, or `FOLDER@COMMIT`.")],
    new: Annotated[str, typer.Argument(metavar="B", help="The same, for what A is compared with.")],
    folder: Annotated[Path, typer.Option("--in", metavar="DIR", help="Folder of the results of a commit.")] = RESULTS,
    threshold: Threshold = "5%",  # type: ignore[assignment]
    confidence: Confidence = "95%",  # type: ignore[assignment]
    allow_counters: AllowCounters = False,
    form: Form = Format.text,
    every: Every = False,
) -> None:
    """Say for each cell of A and B whether B is faster, slower, the same, or indistinguishable from noise.

    Times are compared by intervals, work counters exactly. Status, memory and errors are compared, too.
    """
    from lapmark.bench.compare import comparison as comparing
    from lapmark.bench.compare import result_sets

    reasons = ALLOWED if allow_counters else ()
    terms = comparing.Terms(threshold=threshold, confidence=confidence, reasons=reasons)
    with user_errors():
        comparison = comparing.compare(result_sets.read(old, folder), result_sets.read(new, folder), terms)
    tell(comparison, form, every)
    raise typer.Exit(comparison.worse)


def tell(comparison: object, form: Format, every: bool) -> None:
    """Print a comparison."""
    from rich.console import Console

    from lapmark.bench.compare import formats
    from lapmark.bench.compare.comparison import Comparison

    assert isinstance(comparison, Comparison)
    if form is Format.text:
        Console(highlight=False).print(formats.text(comparison, every))
    else:
        typer.echo(formats.markdown(comparison, every) if form is Format.markdown else formats.as_json(comparison))
