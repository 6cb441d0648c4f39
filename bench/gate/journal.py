"""Journal of a gate: its finished blocks, one file each, so that a gate that is killed loses at most one block."""

from __future__ import annotations

import functools
import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, fields, replace
from datetime import datetime
from pathlib import Path
from typing import Any

from lapmark.bench.compare.comparability import STARTED
from lapmark.bench.compare.comparison import Key
from lapmark.bench.results.record import Record
from lapmark.bench.system.commit_build import Build
from lapmark.bench.util.atomic_write import write_atomically
from lapmark.bench.util.cache import key

_FIELDS = {field.name for field in fields(Record)}


@dataclass(frozen=True, order=True)
class Block:
    """Some solvers on a case in a round, measured on one commit and then on the other.

    `is_repeat` marks the rounds that measure again what looked worse.
    """

    is_repeat: bool
    round: int
    case: str
    solvers: tuple[str, ...]


class Journal:
    """The finished blocks of a folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        self.done = dict(map(_read_block, sorted(folder.glob("*.json"))))

    def add(self, block: Block, old: list[Record], new: list[Record]) -> None:
        """Store a block and the records that each commit measured in it."""
        content = {"block": asdict(block), "old": list(map(asdict, old)), "new": list(map(asdict, new))}
        write_atomically(self.folder / f"{key(block)}.json", json.dumps(content).encode())
        self.done[block] = old, new

    def records(self, builds: tuple[Build, Build], is_repeat: bool) -> tuple[list[Record], list[Record]]:
        """Return the records of the old and the new commit, one for each cell, of all its rounds."""
        pairs = [pair for block, pair in sorted(self.done.items()) if block.is_repeat == is_repeat]
        old, new = (_joined([record for pair in pairs for record in pair[k]], builds[k]) for k in (0, 1))
        return old, new


def _joined(records: Iterable[Record], build: Build) -> list[Record]:
    """Return one record for each cell, of all its rounds. A cell that failed in any round has failed."""
    rounds: dict[Key, list[Record]] = {}
    for record in records:
        rounds.setdefault((record.solver, record.case, record.threads), []).append(record)
    joined = []
    for parts in rounds.values():
        failed = [part for part in parts if part.status != "ok"]
        whole = failed[0] if failed else functools.reduce(Record.joined, parts)
        began = min(datetime.fromisoformat(part.finished).timestamp() for part in parts)
        # A counter that differs between rounds cannot be compared exactly.
        counters = dict(frozenset.intersection(*(frozenset(part.counters.items()) for part in parts)))
        conditions = {**whole.conditions, STARTED: began}
        joined.append(replace(whole, counters=counters, conditions=conditions, commit=build.commit))
    return joined


def record(values: Mapping[str, Any]) -> Record:
    """Return a record from the fields that another version of the code wrote, without those unknown here."""
    known: dict[str, Any] = {name: value for name, value in values.items() if name in _FIELDS}
    known["samples"] = tuple(known["samples"])
    known["rounds"] = tuple(known.get("rounds", (len(known["samples"]),) if known["samples"] else ()))
    return Record(**known)


def _read_block(path: Path) -> tuple[Block, tuple[list[Record], list[Record]]]:
    content = json.loads(path.read_text(encoding="utf-8"))
    block = Block(**{**content["block"], "solvers": tuple(content["block"]["solvers"])})
    return block, (list(map(record, content["old"])), list(map(record, content["new"])))
