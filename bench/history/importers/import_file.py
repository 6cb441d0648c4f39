"""Import of files of other tools, each recognised by its content."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

from lapmark.bench.history.measurement import Snapshot

from . import asv, google_benchmark, hyperfine, pytest_benchmark
from .fields import Fields
from .origin import Origin

#: The formats in words, for messages.
FORMATS = (
    "pytest-benchmark (--benchmark-json), asv (.asv/results), Google Benchmark (--benchmark_out_format=json) "
    "and hyperfine (--export-json)"
)


def files_of(path: Path) -> list[Path]:
    """Return the files to import of a path: itself, or of a folder every JSON file in it that may hold results.

    Raise a ValueError where a folder has none, and an OSError where there is nothing of this name.
    """
    if not path.is_dir():
        path.stat()
        return [path]
    found = sorted(file for file in path.rglob("*.json") if file.name not in asv.OTHER_FILES)
    if not found:
        raise ValueError(f"{path} has no JSON file to import; the formats are those of {FORMATS}")
    return found


def snapshots(paths: list[Path], origin: Origin) -> Iterator[tuple[Path, Snapshot]]:
    """Yield the snapshot of each file; raise a ValueError that names the file and the reason."""
    for path in paths:
        if path.name in asv.OTHER_FILES:  # named by a pattern such as .asv/results/*/*.json
            continue
        try:
            yield path, _snapshot(path, origin)
        except ValueError as error:
            raise ValueError(f"{path} cannot be imported: {error}") from None


def _snapshot(path: Path, origin: Origin) -> Snapshot:
    try:
        content = json.loads(path.read_bytes())
    except (ValueError, RecursionError) as error:
        raise ValueError(f"it is not JSON ({error}); the formats are those of {FORMATS}") from None
    if pytest_benchmark.matches(content):
        return pytest_benchmark.read(Fields.of(content), origin)
    if asv.matches(content):
        return asv.read(Fields.of(content), origin, path)
    if google_benchmark.matches(content):
        return google_benchmark.read(Fields.of(content), origin)
    if hyperfine.matches(content):
        return hyperfine.read(Fields.of(content), origin)
    raise ValueError(f"it is of no known format; the formats are those of {FORMATS}")
