"""Reports of a gate as files: JSON, Markdown, JUnit for any CI system, OpenMetrics for GitLab."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from collections.abc import Iterable
from pathlib import Path

from lapmark.bench.compare import rendering
from lapmark.bench.compare.comparison import CellComparison, Comparison, Key, current
from lapmark.bench.results.record import Record
from lapmark.bench.util.atomic_write import write_atomically
from lapmark.bench.util.plain_text import plain

JSON, MARKDOWN, JUNIT, METRICS = "gate.json", "gate.md", "gate.junit.xml", "gate.metrics.txt"

#: Name of the test suite in JUnit files.
SUITE = "lapmark gate"


def write_reports(comparison: Comparison, folder: Path) -> list[Path]:
    """Write every report of a comparison into a folder, each whole or not at all; return the paths."""
    contents = {
        JSON: rendering.as_json(comparison) + "\n",
        MARKDOWN: rendering.markdown(comparison) + "\n",
        JUNIT: junit(comparison),
        METRICS: open_metrics(comparison.new.records),
    }
    # A lone surrogate may come from a file name; UTF-8 has no code for it.
    return [write_atomically(folder / name, text.encode(errors="replace")) for name, text in contents.items()]


def junit(comparison: Comparison) -> str:
    """Return the comparison as JUnit XML: a test case for each cell, which fails if anything is certainly worse.

    Inconclusive cells pass, and their output says why they are. Cells without answers of both sides are skipped.
    """
    records = current(comparison.new.records)
    skipped = [(key, f"only in {comparison.old.name}") for key in comparison.gone]
    skipped += [(key, f"only in {comparison.new.name}") for key in comparison.added]
    answered = [cell for cell in comparison.cells if cell.changes]
    unanswered = (cell.key for cell in comparison.cells if not cell.changes)
    skipped += [(key, f"no answer on either side: {_outcome(records[key])}") for key in unanswered]
    failures = len({cell.key for cell, _ in comparison.changes("worse")})
    seconds = sum(records[cell.key].seconds or 0.0 for cell in answered)
    counts = {"tests": len(answered) + len(skipped), "failures": failures, "errors": 0, "skipped": len(skipped)}
    totals = {"name": SUITE, **{name: str(count) for name, count in counts.items()}, "time": f"{seconds:.6f}"}
    # Schemas in use have no number of skipped cases here.
    root = ET.Element("testsuites", {name: value for name, value in totals.items() if name != "skipped"})
    ended = max((record.finished for record in records.values()), default="")
    suite = ET.SubElement(root, "testsuite", {**totals, "timestamp": ended[:19]})
    for cell in answered:
        _add_case(suite, cell, records[cell.key])
    for key, message in skipped:
        ET.SubElement(_test_case(suite, key, 0.0), "skipped", message=_valid(message))
    notes = [
        rendering.headline(comparison),
        *rendering.allowances(comparison),
        *rendering.notes(comparison, every=True),
    ]
    ET.SubElement(suite, "system-out").text = _valid("\n".join(notes))
    ET.indent(root)
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + ET.tostring(root, encoding="unicode") + "\n"


def open_metrics(records: Iterable[Record]) -> str:
    """Return work counters, instructions and errors of the new side in the text format of OpenMetrics.

    Readers show every number that differs from that of the target branch. Times and memory always do, so they are left
    to the verdicts.
    """
    families: dict[str, list[str]] = {}
    for (solver, case, threads), record in sorted(current(records).items()):
        labels = {"solver": solver, "case": case, "threads": str(threads)}
        text = ",".join(f'{name}="{_label(value)}"' for name, value in labels.items())
        exact = {**record.counters, "instructions": record.instructions, "gap": record.gap}
        for name, value in exact.items():
            if value is not None:
                family = "lapmark_" + re.sub(r"\W", "_", name, flags=re.ASCII)
                families.setdefault(family, []).append(f"{family}{{{text}}} {value}")
    lines = [line for family, samples in sorted(families.items()) for line in (f"# TYPE {family} gauge", *samples)]
    return "\n".join([*lines, "# EOF", ""])


def _add_case(suite: ET.Element, cell: CellComparison, record: Record) -> None:
    case = _test_case(suite, cell.key, record.seconds or 0.0)
    worse = [change for change in cell.changes if change.verdict == "worse"]
    if worse:
        verdicts = "; ".join(f"{change.what} {rendering.verdict_words(change)}" for change in worse)
        failure = ET.SubElement(case, "failure", message=_valid(verdicts), type="worse")
        failure.text = _valid("\n".join(map(rendering.change_line, worse)))
    lines = [rendering.change_line(change) for change in cell.changes if change.verdict != "worse"]
    if lines:
        ET.SubElement(case, "system-out").text = _valid("\n".join(lines))


def _test_case(suite: ET.Element, key: Key, seconds: float) -> ET.Element:
    name = _valid(rendering.cell_name(key))
    return ET.SubElement(suite, "testcase", name=name, classname=f"lapmark.{_valid(key[0])}", time=f"{seconds:.6f}")


def _outcome(record: Record) -> str:
    return f"{record.status}, {record.message}" if record.message else record.status


def _valid(text: str) -> str:
    """Return a text without characters that XML cannot hold."""
    return re.sub(r"[\uFFFE\uFFFF]", "\N{REPLACEMENT CHARACTER}", plain(text))


def _label(value: str) -> str:
    return plain(value).replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
