"""`lapmark compare`: the changes between two sets of results."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from . import options
from .base import RESULTS, app, plain_console, user_errors


class Format(StrEnum):
    """Output format of a comparison."""

    text = "text"
    markdown = "markdown"
    json = "json"


Threshold = Annotated[float, options.share("Smallest relative change of time, memory or error that counts.")]
Confidence = Annotated[float, options.share("Probability that no verdict on a time is wrong, over all cells.")]
Form = Annotated[
    Format, typer.Option("--format", help="Output format: text for a terminal, Markdown for a pull request, or JSON.")
]
AllowCounters = Annotated[bool, typer.Option("--allow-counters", help="Show risen work counters without failing.")]

#: The reason shown for accepting risen counters if the option is set.
ALLOWED = ("--allow-counters",)

Every = Annotated[bool, typer.Option("--all", help="Also show what stayed the same.")]


@app.command(
    examples={
        "lapmark compare before after": "compare two folders of results",
        "lapmark compare HEAD~1 HEAD --in results": "compare two commits whose results are in one folder",
        "lapmark compare results@v1.0 results --format markdown": "compare a release with the latest results",
    },
    note="The exit status is 1 if something is certainly worse, 2 if nothing could be compared, else 0.",
)
def compare(
    old: Annotated[
        str, typer.Argument(metavar="A", help="Results to compare with: a folder, commit or `FOLDER@COMMIT`.")
    ],
    new: Annotated[str, typer.Argument(metavar="B", help="Results to judge, in the same form.")],
    folder: Annotated[
        Path, typer.Option("--in", metavar="DIR", help="Folder of results to find a commit in.")
    ] = RESULTS,
    threshold: Threshold = "5%",  # type: ignore[assignment]
    confidence: Confidence = "95%",  # type: ignore[assignment]
    allow_counters: AllowCounters = False,
    form: Form = Format.text,
    every: Every = False,
) -> None:
    """Compare two sets of results, cell by cell: faster, slower, the same or inconclusive.

    Times are compared by confidence intervals, work counters exactly; also statuses, memory and errors.
    """
    from lapmark.bench.compare import comparison as comparing
    from lapmark.bench.compare import result_sets

    reasons = ALLOWED if allow_counters else ()
    criteria = comparing.Criteria(threshold=threshold, confidence=confidence, reasons=reasons)
    with user_errors():
        comparison = comparing.compare(result_sets.read(old, folder), result_sets.read(new, folder), criteria)
    show(comparison, form, every)
    raise typer.Exit(1 if comparison.worse else 0 if comparison.has_answers else 2)


def show(comparison: object, form: Format, every: bool) -> None:
    """Print a comparison in a format."""
    from lapmark.bench.compare import rendering
    from lapmark.bench.compare.comparison import Comparison

    assert isinstance(comparison, Comparison)
    if form is Format.text:
        plain_console().print(rendering.text(comparison, every))
    else:
        typer.echo(rendering.markdown(comparison, every) if form is Format.markdown else rendering.as_json(comparison))
