"""Pages with published tables: what stands between the markers of a table comes from kept results.

<!-- table grid -->
... the table, where and when it was measured, and the command ...
<!-- end of table -->
"""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterator
from pathlib import Path

from lapmark.bench.util.atomic_write import write_atomically

from . import measurements
from .published_tables import TABLES

_BLOCK = re.compile(r"(?<=<!-- table )([\w-]+)( -->\n)(.*?)(?=<!-- end of table -->)", re.DOTALL)


def written(text: str, keep: Path) -> str:
    """Return the text of a page with its tables from the kept results; those that were never measured stay."""

    def block(found: re.Match[str]) -> str:
        name, end, before = found.groups()
        if name not in TABLES:
            raise ValueError(f"no table is called {name}; there are {', '.join(TABLES)}")
        table = TABLES[name]
        if not (keep / f"{table.measurement}.json").exists():
            return f"{name}{end}{before}"
        results = measurements.read(table.measurement, keep)
        command = measurements.MEASUREMENTS[table.measurement].shown
        caption = textwrap.fill(results.caption, measurements.WIDTH)
        return f"{name}{end}\n{table.render(results.rows)}\n\n{caption}\n\n```text\n{command}\n```\n\n"

    return _BLOCK.sub(block, text)


def pages(root: Path) -> Iterator[Path]:
    """Yield the pages of a checkout that have markers."""
    for path in (root / "README.md", *sorted((root / "docs").glob("*.md"))):
        if _BLOCK.search(path.read_text()):
            yield path


def write_pages(root: Path, keep: Path) -> list[Path]:
    """Write the tables into the pages of a checkout; return the pages that have changed."""
    changed = stale_pages(root, keep)
    for path in changed:
        write_atomically(path, written(path.read_text(), keep).encode())
    return changed


def stale_pages(root: Path, keep: Path) -> list[Path]:
    """Return the pages of a checkout with a table that differs from the kept results."""
    return [path for path in pages(root) if written(path.read_text(), keep) != path.read_text()]
