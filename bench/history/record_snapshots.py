"""Snapshots of the records of a run or a gate."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, cast

from lapmark.bench.problems.case import NO_PROBLEM
from lapmark.bench.results.record import Record
from lapmark.bench.util import spec

from .history_store import append
from .measurement import Commit, Measurement, Snapshot, spread

#: Fields that a measurement has of its record, under the same name.
_COPIED = ("counters", "instructions", "counted_by", "peak_memory")


def append_records(folder: Path, records: Iterable[Record], commit: Commit) -> list[Path]:
    """Add the records of a commit of the project to the history in a folder; return its files, one for each machine.

    Skipped cells are left out. Raise a ValueError where no cell was measured.
    """
    by_machine: dict[str, list[Record]] = {}
    for record in records:
        if record.status != "skipped":
            by_machine.setdefault(json.dumps(dict(record.machine), sort_keys=True), []).append(record)
    if not by_machine:
        raise ValueError(f"{folder} gets nothing of commit {commit.hash[:10]}: no cell was measured")
    return [append(folder, snapshot_of(measured, commit)) for measured in by_machine.values()]


def snapshot_of(records: Sequence[Record], commit: Commit) -> Snapshot:
    """Return the snapshot of records of one machine, at least one."""
    machine = dict(records[-1].machine)
    # Another environment may have other versions of the same packages.
    versions = {name: text for record in records if not record.environment for name, text in record.versions.items()}
    # What changes on a machine: a change of the times between two commits may come from it.
    versions |= {name: str(machine.pop(name)) for name in ("python", "instruction_set") if name in machine}
    return Snapshot(
        commit=commit,
        source="lapmark",
        machine=machine,
        versions=versions,
        measured=max(record.finished for record in records),
        measurements=tuple(_measurements(records)),
    )


def cell_name(record: Record) -> str:
    """Return the name of a cell: `jv on uniform n=500`, or `parse (benchmark)` for what is no solver."""
    if record.problem == NO_PROBLEM:
        return f"{record.solver} ({record.problem})"
    label = spec.show(record.problem, cast(Mapping[str, spec.Value], record.params))
    seed = f" seed={record.seed}" if record.seed else ""
    threads = f", {record.threads} threads" if record.threads > 1 else ""
    return f"{record.solver} on {label} n={record.n}{seed}{threads}"


def _measurements(records: Iterable[Record]) -> Iterable[Measurement]:
    for record in records:
        what: dict[str, Any] = {"name": cell_name(record), "status": record.status}
        if record.status in ("ok", "unproven") and record.samples:
            what |= spread(record.samples)
            # What is no solver may have no answer to certify.
            is_certified = record.status == "ok" and (record.case != record.problem or record.gap is not None)
            what |= {"samples": len(record.samples), "rounds": len(record.rounds), "certified": is_certified}
            what |= {name: getattr(record, name) for name in _COPIED}
        yield Measurement(**what, message=record.message.split("\n", 1)[0])
