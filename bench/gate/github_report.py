"""Report of a gate on the pages of GitHub: annotations of a run, and its job summary.

Names and messages come from the code under test, hence from anybody. They are escaped, so that they start no workflow
command and no markup.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from lapmark.bench.compare import rendering
from lapmark.bench.compare.comparison import Comparison
from lapmark.bench.util.plain_text import plain

#: GitHub shows at most this many annotations of a kind for each step.
MOST_ANNOTATIONS = 10

#: GitHub shows no summary of a step that is larger, in bytes.
MOST_SUMMARY = 1 << 20

TITLE = "Lapmark gate"

_CUT = "\n\nThe rest is left out: GitHub shows summaries of up to 1 MiB. The files of the gate have everything.\n"


def report_to_github(comparison: Comparison, environ: Mapping[str, str], write: Callable[[str], object]) -> None:
    """Annotate the run by `write`, which gets one line at a time, and append the comparison to the job summary.

    Do nothing outside of GitHub Actions, which sets GITHUB_ACTIONS and GITHUB_STEP_SUMMARY in `environ`.
    """
    if environ.get("GITHUB_ACTIONS") != "true":
        return
    for line in annotation_lines(comparison):
        write(line)
    if path := environ.get("GITHUB_STEP_SUMMARY"):
        append_summary(Path(path), f"## {TITLE}\n\n{rendering.markdown(comparison)}\n")


def annotation_lines(comparison: Comparison) -> list[str]:
    """Return workflow commands: an error for each cell that is worse, and a notice if any time is inconclusive."""
    if not comparison.has_answers:
        return [workflow_command("error", TITLE, rendering.headline(comparison))]
    worse: dict[str, list[str]] = {}
    for cell, change in comparison.changes("worse"):
        worse.setdefault(rendering.cell_name(cell.key), []).append(rendering.change_line(change))
    errors = [workflow_command("error", f"{TITLE}: {name}", "\n".join(lines)) for name, lines in worse.items()]
    if len(errors) > MOST_ANNOTATIONS:
        rest = f"{len(errors) - MOST_ANNOTATIONS + 1} more cells are worse: see the job summary."
        errors[MOST_ANNOTATIONS - 1 :] = [workflow_command("error", TITLE, rest)]
    if comparison.changes("inconclusive"):
        errors.append(workflow_command("notice", TITLE, rendering.headline(comparison)))
    return errors


def workflow_command(kind: str, title: str, message: str) -> str:
    """Return the line that makes GitHub show an annotation, with both texts escaped."""
    return f"::{kind} title={_escaped(title).replace(':', '%3A').replace(',', '%2C')}::{_escaped(message)}"


def append_summary(path: Path, text: str) -> None:
    """Append Markdown to the summary of this step; cut it at the end of a line where it would become too large."""
    present = path.stat().st_size if path.exists() else 0
    content = text.encode(errors="replace")
    if present + len(content) > MOST_SUMMARY:
        room = MOST_SUMMARY - present - len(_CUT.encode())
        content = content[: content.rfind(b"\n", 0, room)] + _CUT.encode() if room > 0 else b""
    with path.open("ab") as file:
        file.write(content)


def _escaped(text: str) -> str:
    return plain(text).replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")
