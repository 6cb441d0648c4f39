"""The store: every record and every proven bound of a results folder, in one SQLite file.

A record is on the disk when `add` returns, so a run that is killed at any moment keeps what it had finished. The
rollback journal, SQLite's default, is kept on purpose: one file holds everything, and a cell takes too long for a sync
to matter. Several runs may write to one store, and a report may read it meanwhile: SQLite's locks are held for
milliseconds, and whoever meets one waits.
"""

from __future__ import annotations

import dataclasses
import json
import sqlite3
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Self

from .record import Record

NAME = "lapmark.sqlite"

#: Marks the file as ours: "LAPM" in ASCII, in SQLite's field for this purpose.
APPLICATION_ID = 0x4C41504D

#: Version of the tables below. Raise it with every change to them or to `Record`.
SCHEMA = 4

_COLUMNS = [field.name for field in dataclasses.fields(Record)]
_JSON = {"params", "samples", "rounds", "counters", "conditions", "versions", "machine"}
_LISTS = {"samples", "rounds"}

_QUOTED = ", ".join(f'"{name}"' for name in _COLUMNS)  # `case` is a word of SQL

_TABLES = f"""
BEGIN EXCLUSIVE;
CREATE TABLE IF NOT EXISTS records (position INTEGER PRIMARY KEY AUTOINCREMENT, {_QUOTED}, UNIQUE (key));
CREATE TABLE IF NOT EXISTS bounds (problem TEXT PRIMARY KEY, bound REAL NOT NULL, source TEXT NOT NULL);
PRAGMA application_id = {APPLICATION_ID};
PRAGMA user_version = {SCHEMA};
COMMIT;
"""


#: Seconds to wait for another process that reads or writes.
PATIENCE = 30


class StoreError(ValueError):
    """The file is not a store that this version reads, or cannot be written to; what it holds is left as it was."""


class Store:
    """The records of one results folder. Use it in a `with` statement."""

    def __init__(self, path: Path, connection: sqlite3.Connection) -> None:
        self.path = path
        self._connection = connection

    @classmethod
    def open(cls, directory: Path | str, create: bool = True) -> Store:
        """Open the store of a results folder.

        Parameters
        ----------
        directory : path
        create : bool
            Make the folder and an empty store where there is none.

        Raises
        ------
        FileNotFoundError
            Where there is no store and `create` is false.
        StoreError
            Where the file is foreign, damaged or of another version. It is not touched.
        """
        path = Path(directory) / NAME
        if not create and not path.exists():
            raise FileNotFoundError(f"no results in {directory}; make some with `lapmark run --to {directory}`")
        path.parent.mkdir(parents=True, exist_ok=True)
        if path.exists() and path.stat().st_size > 0:
            _check_header(path)
        try:
            connection = sqlite3.connect(path, timeout=PATIENCE, isolation_level=None)
        except sqlite3.Error as error:
            raise _failed(path, error) from None
        try:
            connection.execute("PRAGMA synchronous = EXTRA")
            (verdict,) = connection.execute("PRAGMA quick_check(1)").fetchone()
            if verdict != "ok":
                raise sqlite3.DatabaseError(verdict)
            if not connection.execute("SELECT 1 FROM sqlite_master WHERE name = 'records'").fetchone():
                connection.executescript(_TABLES)
        except sqlite3.DatabaseError as error:
            connection.close()
            raise _failed(path, error) from None
        return cls(path, connection)

    def close(self) -> None:
        self._connection.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def add(self, record: Record) -> None:
        """Keep a record, in place of an older one with the same key. It is on the disk when this returns.

        Raises
        ------
        StoreError
            Where it cannot be written, since the disk is full for example. What was kept before stays.
        """
        values = [_to_column(name, getattr(record, name)) for name in _COLUMNS]
        marks = ", ".join("?" * len(values))
        self._execute(f"INSERT OR REPLACE INTO records ({_QUOTED}) VALUES ({marks})", values)

    def records(self) -> list[Record]:
        """Every record, in the order in which they were added."""
        return self._select("ORDER BY position")

    def get(self, key: str) -> Record | None:
        """The record with that key, or None."""
        found = self._select("WHERE key = ?", key)
        return found[0] if found else None

    def bound(self, problem: str) -> float | None:
        """The best certified lower bound of a problem, or None.

        Parameters
        ----------
        problem : str
            Its digest (`bench.protocol.digest`): a case's name would outlive a change of the data behind it.
        """
        rows = self._execute("SELECT bound FROM bounds WHERE problem = ?", (problem,))
        return float(rows[0][0]) if rows else None

    def set_bound(self, problem: str, bound: float, source: str) -> None:
        """Keep a certified lower bound and the solver whose duals proved it, unless a better one is known."""
        self._execute(
            "INSERT INTO bounds VALUES (?, ?, ?) ON CONFLICT (problem) DO UPDATE "
            "SET bound = excluded.bound, source = excluded.source WHERE excluded.bound > bound",
            (problem, bound, source),
        )

    def _select(self, rest: str, *values: str) -> list[Record]:
        return [_to_record(row) for row in self._execute(f"SELECT {_QUOTED} FROM records {rest}", values)]

    def _execute(self, statement: str, values: Sequence[Any]) -> list[tuple[Any, ...]]:
        try:
            return self._connection.execute(statement, values).fetchall()
        except sqlite3.DatabaseError as error:
            raise _failed(self.path, error) from None


def _check_header(path: Path) -> None:
    """Refuse what is not ours from its first 100 bytes alone: SQLite itself might write to a file that it opens."""
    with path.open("rb") as file:
        header = file.read(100)
    if len(header) < 100 or not header.startswith(b"SQLite format 3\0"):
        raise StoreError(f"{path} is not a Lapmark store, or is damaged; move it away or choose another folder (--to)")
    if int.from_bytes(header[68:72]) != APPLICATION_ID:
        raise StoreError(f"{path} is a database of another program; choose another folder (--to)")
    if (found := int.from_bytes(header[60:64])) != SCHEMA:
        raise StoreError(f"{path} has tables of version {found}, not {SCHEMA}; choose another folder (--to)")


def _failed(path: Path, error: sqlite3.Error) -> StoreError:
    """What an error of SQLite means for whoever runs this. An OperationalError is about the place, not the content."""
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF  # the rest of it is detail
    if code == sqlite3.SQLITE_BUSY:
        return StoreError(f"{path} was in use by another process for {PATIENCE} seconds; try again")
    if isinstance(error, sqlite3.OperationalError) and code in _PLACE:
        return StoreError(f"cannot write {path} ({error}); what it holds is kept: {_PLACE[code]}")
    return StoreError(f"cannot read {path} ({error}); it was left as it is: move it or choose another folder (--to)")


#: By what SQLite says of the place where the file is: the cure.
_PLACE = {
    sqlite3.SQLITE_FULL: "make room, and the same command goes on from there",
    sqlite3.SQLITE_IOERR: "see to the disk, and the same command goes on from there",
    sqlite3.SQLITE_READONLY: "make it writable, or choose another folder (--to)",
    sqlite3.SQLITE_CANTOPEN: "make the folder writable, or choose another one (--to)",
    sqlite3.SQLITE_PERM: "make it writable, or choose another folder (--to)",
}


def _to_column(name: str, value: Any) -> Any:
    if name not in _JSON:
        return value
    return json.dumps(value if name in _LISTS else dict(value), default=lambda number: number.item())


def _to_record(row: tuple[Any, ...]) -> Record:
    values = dict(zip(_COLUMNS, row, strict=True))
    for name in _JSON:
        values[name] = json.loads(values[name])
    lists = {name: tuple(values[name]) for name in _LISTS}
    return Record(**{**values, **lists, "exact": bool(values["exact"])})
