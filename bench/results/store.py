"""Store of results: every record and every proven bound of a results folder, in one SQLite file.

A record is on the disk when `add` returns, so a run that is killed at any moment keeps all finished cells. The rollback
journal, SQLite's default, is kept on purpose: one file holds everything, and a cell takes too long for a sync to
matter. Several runs may write to one store, and a report may read it meanwhile: SQLite's locks last milliseconds, and
other processes wait for them.

Everything read is checked. A damaged or foreign file is refused before anything is written to it. Reading all records
fails at a damaged row, as a ranking without it would differ. Reading a single record treats a damaged one as missing:
a run measures that cell again and replaces the row.
"""

from __future__ import annotations

import contextlib
import dataclasses
import itertools
import json
import math
import shlex
import socket
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Self

from lapmark.bench.util.plain_text import plain

from .record import Record
from .record_check import fault

NAME = "lapmark.sqlite"

#: Identifies the file as ours: "LAPM" in ASCII, in SQLite's field for this purpose.
APPLICATION_ID = 0x4C41504D

#: Version of the tables below. Raise it with every change to them or to `Record`.
SCHEMA = 4

_COLUMNS = [field.name for field in dataclasses.fields(Record)]
_JSON = {"params", "samples", "rounds", "counters", "conditions", "versions", "machine"}
_LISTS = {"samples", "rounds"}

_QUOTED = ", ".join(f'"{name}"' for name in _COLUMNS)  # `case` is a word of SQL

#: The columns of each table, as SQLite keeps the text.
_TABLES = {
    "records": f"(position INTEGER PRIMARY KEY AUTOINCREMENT, {_QUOTED}, UNIQUE (key))",
    "bounds": "(problem TEXT PRIMARY KEY, bound REAL NOT NULL, source TEXT NOT NULL)",
}

#: Created on demand; a store without it is complete.
_ATTEMPTS = "CREATE TABLE IF NOT EXISTS attempts (key TEXT, host TEXT, deaths INTEGER, PRIMARY KEY (key, host))"

_CREATE = f"""
BEGIN EXCLUSIVE;
{"".join(f"CREATE TABLE IF NOT EXISTS {name} {columns};" for name, columns in _TABLES.items())}
PRAGMA application_id = {APPLICATION_ID};
PRAGMA user_version = {SCHEMA};
COMMIT;
"""

#: Seconds to wait for another process that reads or writes.
PATIENCE = 30

#: Most damaged rows that a message lists; its command can be repeated.
MOST_LISTED = 20

#: What Python's sqlite3 raises; the second where SQLite's message quotes damaged text.
_ERRORS = (sqlite3.Error, UnicodeDecodeError)


class StoreError(ValueError):
    """The file is not a store that this version reads, or cannot be written to. Its contents are unchanged."""


class Store:
    """The records of one results folder. Use it in a `with` statement."""

    def __init__(self, path: Path, connection: sqlite3.Connection) -> None:
        self.path = path
        self._connection = connection

    @classmethod
    def open(cls, directory: Path | str, create: bool = True) -> Store:
        """Open the store of a results folder; with `create`, make the folder and an empty store if there is none.

        Raises
        ------
        FileNotFoundError
            There is no store, or an empty file in its place, and `create` is false.
        OSError
            The folder cannot be made or searched.
        StoreError
            The file is foreign, damaged or of another version. It is not touched.
        """
        path = Path(directory) / NAME
        has_content = path.exists() and _check_file(path)
        if not create and not has_content:
            raise FileNotFoundError(f"no results in {directory}; make some with `lapmark run --to {directory}`")
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            connection = sqlite3.connect(path, timeout=PATIENCE, isolation_level=None)
        except sqlite3.Error as error:
            raise _failed(path, error) from None
        # A text that is not UTF-8 is a damaged value in a row, not an error of the file.
        connection.text_factory = lambda text: text.decode(errors="surrogateescape")
        try:
            connection.execute("PRAGMA synchronous = EXTRA")
            _check_content(connection)
        except _ERRORS as error:
            connection.close()
            raise _failed(path, error) from None
        return cls(path, connection)

    def close(self) -> None:
        self._connection.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def add(self, record: Record) -> None:
        """Store a record, in place of an older one with the same key. It is on the disk when this returns.

        Raise a StoreError if it cannot be written, for example because the disk is full. All earlier records stay.
        """
        values = [_to_column(name, getattr(record, name)) for name in _COLUMNS]
        marks = ", ".join("?" * len(values))
        self._execute(f"INSERT OR REPLACE INTO records ({_QUOTED}) VALUES ({marks})", values)

    def records(self) -> list[Record]:
        """Return every record, in the order in which they were added; a StoreError names the first damaged row."""
        rows = self._select("ORDER BY position")
        if damaged := {position: found for position, values in rows if (found := fault(values))}:
            raise StoreError(_damaged(self.path, damaged))
        return [Record(**values) for _, values in rows]

    def get(self, key: str) -> Record | None:
        """Return the record with a key; None if it is missing, or damaged: `add` replaces it."""
        intact = [values for _, values in self._select("WHERE key = ?", key) if not fault(values)]
        return Record(**intact[0]) if intact else None

    def bound(self, problem: str) -> float | None:
        """Return the best certified lower bound of a problem, or None; a stored bound that is not finite is ignored.

        `problem` is its digest (`lapmark.bench.worker.problem_digest`), which changes with the data behind a case.
        """
        rows = self._execute("SELECT bound FROM bounds WHERE problem = ?", (problem,))
        found = [bound for (bound,) in rows if isinstance(bound, float) and math.isfinite(bound)]
        return found[0] if found else None

    def set_bound(self, problem: str, bound: float, source: str) -> None:
        """Store a finite certified lower bound and the solver that proved it, unless a better one is stored."""
        if not math.isfinite(bound):
            return
        # The last two conditions replace damaged bounds: to SQLite a text is above every number, and so is +inf.
        self._execute(
            "INSERT INTO bounds VALUES (?, ?, ?) ON CONFLICT (problem) DO UPDATE "
            "SET bound = excluded.bound, source = excluded.source "
            "WHERE excluded.bound > bound OR typeof(bound) <> 'real' OR bound = 9e999",
            (problem, bound, source),
        )

    @contextlib.contextmanager
    def attempt(self, key: str) -> Iterator[int]:
        """Note that this host works on a cell, for the length of the `with` statement.

        Yields how many processes died or were killed while they worked on it: their notes are still there. The caller
        must hold the host's lock, so that no other process works.
        """
        host = socket.gethostname()
        self._execute(_ATTEMPTS, ())
        self._execute(
            "INSERT INTO attempts VALUES (?, ?, 0) ON CONFLICT (key, host) DO UPDATE SET deaths = deaths + 1",
            (key, host),
        )
        ((deaths,),) = self._execute("SELECT deaths FROM attempts WHERE key = ? AND host = ?", (key, host))
        try:
            yield deaths if isinstance(deaths, int) else 0
        finally:
            self._execute("DELETE FROM attempts WHERE key = ? AND host = ?", (key, host))

    def _select(self, rest: str, *values: str) -> list[tuple[int, dict[str, Any]]]:
        """Return the position of each row, and its values by field; unchecked."""
        rows = self._execute(f"SELECT position, {_QUOTED} FROM records {rest}", values)
        return [(position, _from_columns(columns)) for position, *columns in rows]

    def _execute(self, statement: str, values: Sequence[Any]) -> list[tuple[Any, ...]]:
        try:
            return self._connection.execute(statement, values).fetchall()
        except _ERRORS as error:
            raise _failed(self.path, error) from None
        except OverflowError as error:
            raise StoreError(f"cannot write to {self.path} ({error}); its contents are kept") from None


def _check_file(path: Path) -> bool:
    """Refuse a foreign file by its first 100 bytes: SQLite might write to a file that it opens.

    Return whether the file has any content.
    """
    if not path.is_file():
        raise StoreError(f"{path} is not a file; choose another folder (--to)")
    try:
        with path.open("rb") as file:
            header = file.read(100)
    except OSError as error:
        raise StoreError(f"cannot read {path} ({error.strerror}); choose another folder (--to)") from None
    if not header:
        return False
    if len(header) < 100 or not header.startswith(b"SQLite format 3\0"):
        raise StoreError(f"{path} is not a Lapmark store, or is damaged; move it away or choose another folder (--to)")
    if int.from_bytes(header[68:72]) != APPLICATION_ID:
        raise StoreError(f"{path} is a database of another program; choose another folder (--to)")
    if (found := int.from_bytes(header[60:64])) != SCHEMA:
        raise StoreError(f"{path} has tables of version {found}, not {SCHEMA}; choose another folder (--to)")
    # A mode that another program has set: SQLite would write to the file or beside it on opening it, damaged or not.
    if 2 in header[18:20] or Path(f"{path.resolve()}-wal").exists():
        cure = f"sqlite3 {shlex.quote(str(path))} 'PRAGMA journal_mode = DELETE'"
        raise StoreError(f"{path} is in SQLite's WAL mode; close the program that uses it, and run: {cure}")
    return True


def _check_content(connection: sqlite3.Connection) -> None:
    """Create the tables of an empty file; raise a DatabaseError if a file is damaged or its tables are not ours."""
    (verdict,) = connection.execute("PRAGMA integrity_check(1)").fetchone()
    if verdict != "ok":
        raise sqlite3.DatabaseError(verdict)
    if not connection.execute("PRAGMA page_count").fetchone()[0]:
        connection.executescript(_CREATE)
    found = dict(connection.execute("SELECT name, sql FROM sqlite_master WHERE type = 'table'"))
    for name, columns in _TABLES.items():
        if found.get(name) != f"CREATE TABLE {name} {columns}":
            raise sqlite3.DatabaseError(f"the table {name} is missing or has been changed")
    if connection.execute("SELECT 1 FROM sqlite_master WHERE type = 'trigger'").fetchone():
        raise sqlite3.DatabaseError("it has a trigger, which would change what is written")


def _failed(path: Path, error: Exception) -> StoreError:
    """Return the error to show for an error of SQLite. An OperationalError is about the place, not the content."""
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF  # the rest of it is detail
    if code == sqlite3.SQLITE_BUSY:
        return StoreError(f"{path} was in use by another process for {PATIENCE} seconds; try again")
    detail = plain(str(error))  # names of tables may be in it
    if isinstance(error, sqlite3.OperationalError) and code in _PLACE:
        return StoreError(f"cannot write {path} ({detail}); its contents are kept: {_PLACE[code]}")
    return StoreError(f"cannot read {path} ({detail}); it is unchanged: move it or choose another folder (--to)")


def _damaged(path: Path, faults: Mapping[int, str]) -> str:
    """Return the message for damaged rows, by position: the fault of the first, and how to remove all."""
    first = next(iter(faults))
    which = f"row {first} is damaged" if len(faults) == 1 else f"{len(faults)} rows are damaged, row {first} first"
    listed = ", ".join(map(str, itertools.islice(faults, MOST_LISTED)))
    cure = f"sqlite3 {shlex.quote(str(path))} 'DELETE FROM records WHERE position IN ({listed})'"
    return (
        f"{path}: {which}: {faults[first]}. The same `lapmark run` measures such a cell again; "
        f"to delete the damaged rows and keep the rest: {cure}"
    )


#: What to do, by SQLite's error code about the file's place.
_PLACE = {
    sqlite3.SQLITE_FULL: "free some space; the same command then continues",
    sqlite3.SQLITE_IOERR: "check the disk; the same command then continues",
    sqlite3.SQLITE_READONLY: "make it writable, or choose another folder (--to)",
    sqlite3.SQLITE_CANTOPEN: "make the folder writable, or choose another one (--to)",
    sqlite3.SQLITE_PERM: "make it writable, or choose another folder (--to)",
}


def _to_column(name: str, value: Any) -> Any:
    if name not in _JSON:
        return value
    return json.dumps(value if name in _LISTS else dict(value), default=lambda number: number.item())


def _from_columns(row: Sequence[Any]) -> dict[str, Any]:
    """Return the values of a row by field. A value that cannot be read stays unchanged, for `fault` to find."""
    values = dict(zip(_COLUMNS, row, strict=True))
    for name in _JSON:
        values[name] = _from_json(values[name])
    for name in _LISTS:
        values[name] = tuple(values[name]) if isinstance(values[name], list) else values[name]
    if values["exact"] in (0, 1):
        values["exact"] = bool(values["exact"])
    # A free text that nothing depends on: control characters are removed instead of reported.
    if isinstance(values["message"], str):
        values["message"] = plain(values["message"])
    return values


def _from_json(value: Any) -> Any:
    try:
        return json.loads(value) if isinstance(value, str) else value
    except (ValueError, RecursionError):
        return value
