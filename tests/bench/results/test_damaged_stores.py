"""Damaged stores: each is read, or refused with a message, and none is overwritten."""

from __future__ import annotations

import dataclasses
import math
import os
import random
import re
import shutil
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from lapmark.bench.cli import app
from lapmark.bench.problems import Case
from lapmark.bench.results.record import Record
from lapmark.bench.results.store import NAME, Store, StoreError
from lapmark.bench.run.cells import plan
from lapmark.bench.system.machine import machine

BOUND = "p" * 32


def make_record(solver: str = "jv", n: int = 3, **known: Any) -> Record:
    return Record(
        **{
            "key": f"{solver} {n}",
            "solver": solver,
            "case": str(Case("uniform", n)),
            "problem": "uniform",
            "n": n,
            "m": n,
            "status": "ok",
            "samples": (0.1 * n, 0.2 * n, 1 / 3),
            "rounds": (2, 1),
            "counters": {"row_scans": 7},
            "cost": 1.5,
            "dual_bound": 1.5,
            "gap": 0.0,
            "peak_memory": 4096,
            "conditions": {"others": 0.01, "started": 1.7e9},
            "versions": {"lapmark": "0.1.0"},
            "machine": {"cpu": "a processor", "cores": 2, "memory": 2**34},
            "commit": "0123",
            "finished": "2025-01-01T00:00:00+00:00",
            **known,
        }
    )


def execute(path: Path, *statements: str, values: tuple[object, ...] = ()) -> None:
    """Run SQL behind the store's back; the values are those of the last statement."""
    connection = sqlite3.connect(path, isolation_level=None)
    try:
        for statement in statements[:-1]:
            connection.execute(statement)
        connection.execute(statements[-1], values)
    finally:
        connection.close()


def set_field(path: Path, field: str, value: object, key: str = "jv 4") -> None:
    execute(path, f'UPDATE records SET "{field}" = ? WHERE key = ?', values=(value, key))


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A store of three cells."""
    with Store.open(tmp_path) as store:
        for n in (3, 4, 5):
            store.add(make_record(n=n))
        store.set_bound(BOUND, 1.5, "jv")
    return tmp_path / NAME


NESTED = "[" * 100_000

DAMAGED = [
    ("key", None, "None: it must be a text"),
    ("key", b"jv 4", "it must be a text without control characters"),
    ("key", "", "'': it must be not empty"),
    ("solver", 7, "7: it must be a text"),
    ("solver", "jv\x1b[2J", r"'jv\\x1b[2J': it must be a text without control characters"),
    ("solver", "jv:blur", "'jv:blur': it must be written as name:key=value"),
    ("solver", "", "written as name:key=value"),
    ("case", None, "it must be a text"),
    ("case", "uniform", "it must agree with problem, n, seed and params"),
    ("n", "four", "'four': it must be a whole number"),
    ("n", 0, "0: it must be at least 1"),
    ("n", 4.0, "4.0: it must be a whole number"),
    ("m", -4, "-4: it must be at least 1"),
    ("seed", None, "None: it must be a whole number"),
    ("params", "[]", "[]: it must be a mapping"),
    ("params", "uniform", "'uniform': it must be a mapping"),
    ("params", '{"d": [1]}', "it must be a mapping, each value a number, a text, true or false"),
    ("params", '{"\\ud800": 1}', "it must be a mapping"),
    ("exact", 7, "7: it must be 0 or 1"),
    ("exact", "yes", "'yes': it must be 0 or 1"),
    ("given", b"\xff\xfe", "it must be a text"),
    ("status", "okk", "'okk': it must be one of ok, unproven, wrong"),
    ("status", None, "None: it must be a text"),
    ("message", None, "None: it must be a text"),
    ("samples", "abc", "'abc': it must be a list, each item a finite number"),
    ("samples", None, "None: it must be a list"),
    ("samples", "[0.1, ", "it must be a list"),
    ("samples", "{}", "{}: it must be a list"),
    ("samples", '["0.1", 1, 1]', "it must be a list, each item a finite number"),
    ("samples", "[NaN, 1, 1]", "it must be a list, each item a finite number"),
    ("samples", "[1e999, 1, 1]", "it must be a list, each item a finite number"),
    ("samples", "[-1, 1, 1]", "it must be a list of seconds, each at least 0"),
    ("samples", f"[{10**30}, 1, 1]", "it must be a list, each item a finite number"),
    ("samples", NESTED, "it must be a list"),
    ("samples", "[" * 200 + "]" * 200, "it must be a list"),
    ("rounds", "[3, 0]", "it must be a list of counts, each at least 1"),
    ("rounds", "[1, 1]", "it must add up to the 3 samples"),
    ("counters", "[1]", "[1]: it must be a mapping"),
    ("counters", '{"scans": "many"}', "it must be a mapping, each value a whole number"),
    ("counters", f'{{"scans": {2**63}}}', "it must be a mapping, each value a whole number of at most 64 bits"),
    ("cost", "dear", "'dear': it must be a finite number or null"),
    ("cost", float("inf"), "inf: it must be a finite number or null"),
    ("gap", b"", "it must be a finite number or null"),
    ("peak_memory", -1, "-1: it must be at least 0"),
    ("peak_memory", 0.5, "it must be a whole number of at most 64 bits or null"),
    ("threads", 0, "0: it must be at least 1"),
    ("conditions", '{"others": NaN}', "it must be a mapping, each value a finite number"),
    ("versions", '{"numpy": 2}', "it must be a mapping, each value a text"),
    ("machine", '{"cpu": null}', "it must be a mapping, each value a number, a text, true or false"),
    ("commit", 123, "it must be a text without control characters or null"),
    ("finished", "yesterday", "'yesterday': it must be a date and time with its zone"),
    ("finished", "2025-01-01T00:00:00", "it must be a date and time with its zone"),
]


@pytest.mark.parametrize(("field", "value", "words"), DAMAGED)
def test_records_with_a_damaged_row_names_it_and_how_to_drop_it(
    path: Path, field: str, value: object, words: str
) -> None:
    set_field(path, field, value)
    before = path.read_bytes()
    with Store.open(path.parent, create=False) as store, pytest.raises(StoreError) as caught:
        store.records()
    message = str(caught.value)
    assert message.startswith(f"{path}: row 2 is damaged: ")
    assert re.search(f"{field if field != 'n' else '(n|case)'} is .*", message)
    assert words.replace("\\\\", "\\") in message
    assert message.isprintable()
    assert len(message) < 1000
    assert path.read_bytes() == before
    execute(path, *re.findall("DELETE FROM [^']*", message))
    with Store.open(path.parent) as store:
        assert [record.n for record in store.records()] == [3, 5]


@pytest.mark.parametrize(("field", "value", "_"), [row for row in DAMAGED if row[0] != "key"])
def test_get_of_a_damaged_row_finds_nothing_and_add_replaces_it_alone(
    path: Path, field: str, value: object, _: str
) -> None:
    set_field(path, field, value)
    with Store.open(path.parent) as store:
        assert store.get("jv 4") is None
        assert store.get("jv 3") == make_record(n=3)
        store.add(make_record(n=4))
        assert [record.n for record in store.records()] == [3, 5, 4]


def test_records_with_several_damaged_rows_counts_them(path: Path) -> None:
    set_field(path, "samples", "abc", "jv 3")
    set_field(path, "status", "okk", "jv 5")
    with Store.open(path.parent) as store, pytest.raises(StoreError, match="2 rows are damaged, row 1 first") as caught:
        store.records()
    assert "position IN (1, 3)" in str(caught.value)


def test_records_with_a_text_that_is_not_utf_8_names_the_row(path: Path) -> None:
    execute(path, "UPDATE records SET solver = CAST(x'ff' AS TEXT) WHERE key = 'jv 4'")
    with Store.open(path.parent) as store, pytest.raises(StoreError, match=r"row 2 is damaged: solver is '\\udcff'"):
        store.records()


def test_records_with_control_characters_in_a_message_loses_them(path: Path) -> None:
    set_field(path, "message", "first\nsecond\x1b[2J")
    with Store.open(path.parent) as store:
        assert store.records()[1].message == "first\nsecond\N{REPLACEMENT CHARACTER}[2J"


@pytest.mark.parametrize("value", ["abc", b"\xff", float("inf"), float("-inf")])
def test_bound_that_is_damaged_is_none_and_replaced(path: Path, value: object) -> None:
    execute(path, "UPDATE bounds SET bound = ?", values=(value,))
    with Store.open(path.parent) as store:
        assert store.bound(BOUND) is None
        store.set_bound(BOUND, 1.0, "jv")
        assert store.bound(BOUND) == 1.0


def test_add_of_a_number_beyond_64_bits_is_refused(path: Path) -> None:
    with Store.open(path.parent) as store, pytest.raises(StoreError, match="cannot write"):
        store.add(make_record(seed=2**70, case=str(Case("uniform", 3, 2**70))))


def as_directory(path: Path) -> None:
    path.unlink()
    path.mkdir()


def as_fifo(path: Path) -> None:
    path.unlink()
    os.mkfifo(path)


def as_symlink_to_itself(path: Path) -> None:
    path.unlink()
    path.symlink_to(path)


def as_view(path: Path) -> None:
    execute(path, "ALTER TABLE records RENAME TO hidden", "CREATE VIEW records AS SELECT * FROM hidden")


def as_wal(path: Path) -> None:
    execute(path, "PRAGMA journal_mode = WAL", "DELETE FROM records")


def leave_wal_behind(path: Path) -> None:
    path.with_name(f"{NAME}-wal").write_bytes(b"junk")


CHANGED: dict[str, tuple[Callable[[Path], None], str]] = {
    "directory": (as_directory, "is not a file"),
    "fifo": (as_fifo, "is not a file"),
    "symlink to itself": (as_symlink_to_itself, "cannot write"),
    "view": (as_view, "the table records is missing or has been changed"),
    "table dropped": (lambda path: execute(path, "DROP TABLE records"), "the table records is missing"),
    "bounds dropped": (lambda path: execute(path, "DROP TABLE bounds"), "the table bounds is missing"),
    "column dropped": (lambda path: execute(path, "ALTER TABLE records DROP COLUMN gap"), "the table records"),
    "trigger": (
        lambda path: execute(
            path, "CREATE TRIGGER t AFTER INSERT ON records BEGIN UPDATE records SET status = 'ok'; END"
        ),
        "it has a trigger",
    ),
    "wal": (as_wal, "is in SQLite's WAL mode; close the program that uses it, and run: sqlite3"),
    "wal left behind": (leave_wal_behind, "WAL mode"),
}


@pytest.mark.parametrize(("change", "message"), CHANGED.values(), ids=list(CHANGED))
def test_open_of_a_store_changed_by_another_program_refuses_and_leaves_it(
    path: Path, change: Callable[[Path], None], message: str
) -> None:
    change(path)
    before = contents(path)
    with pytest.raises(StoreError, match=message):
        Store.open(path.parent)
    assert contents(path) == before


def test_open_of_an_empty_file_for_reading_leaves_it_empty(path: Path) -> None:
    path.write_bytes(b"")
    with pytest.raises(FileNotFoundError, match="no results in"):
        Store.open(path.parent, create=False)
    assert path.read_bytes() == b""


def test_open_beside_a_journal_of_junk_leaves_the_store_unchanged(path: Path) -> None:
    before = path.read_bytes()
    path.with_name(f"{NAME}-journal").write_bytes(b"junk" * 2000)
    with Store.open(path.parent) as store:
        assert len(store.records()) == 3
    assert path.read_bytes() == before


EXTREMES: list[dict[str, Any]] = [
    {"samples": (0.0,), "rounds": (1,)},
    {"gap": 1e308, "exact": False},
    {"counters": {"row_scans": 2**63 - 1}},
    {"instructions": 2**63 - 1, "peak_memory": 2**63 - 1},
    {"machine": {"memory": -1}, "finished": "0001-01-01T00:00:00+23:59", "commit": "[/red]"},
]


def test_report_of_extreme_values_has_exact_counts(path: Path) -> None:
    with Store.open(path.parent) as store:
        for n, known in enumerate(EXTREMES, start=6):
            store.add(make_record(n=n, **known))
    assert lapmark("report", path.parent) == 0
    table = (path.parent / "results.csv").read_text()
    assert table.count(str(2**63 - 1)) == 3


def contents(path: Path) -> dict[str, bytes]:
    """Every file of the store's folder."""
    return {file.name: file.read_bytes() for file in path.parent.iterdir() if file.is_file()}


# Mutations of a whole store, chosen by a seed. Half change its bytes, half what SQL can reach.

PAGE = 4096

JUNK: list[object] = [
    *(None, b"", b"\xff\xfe", 0, 7, -1, 2**63 - 1, -(2**63), 0.5, 1e308, float("inf"), float("-inf")),
    *("", "abc", "\x1b[2J", "[/red]", "\N{RIGHT-TO-LEFT OVERRIDE}", "x" * 100_000, "9" * 5000, "'; DROP TABLE records"),
    *("[", "{}", "[]", "null", "true", "[NaN]", "[0.0]", "[1e999]", "[-1]", "[1]", '["a"]', "[[1]]", '"\\ud800"'),
    *('{"a": [1]}', '{"a": 1e400}', f'{{"a": {10**30}}}', '{"\\ud800": "a"}', '{"a": 1}', '{"others": 1e300}'),
    *('{"memory": -1}', NESTED, '{"a":' * 900 + "1" + "}" * 900, "ok", "wrong", "2025-01-01", "uniform:n=1,seed=0"),
]


def flip_bytes(path: Path, chance: random.Random) -> None:
    content = bytearray(path.read_bytes())
    end = chance.choice([100, PAGE, len(content)])
    for _ in range(chance.choice([1, 1, 5, 50])):
        content[chance.randrange(end)] = chance.randrange(256)
    path.write_bytes(content)


def truncate(path: Path, chance: random.Random) -> None:
    content = path.read_bytes()
    pages = chance.randrange(len(content) // PAGE)
    path.write_bytes(content[: chance.choice([pages * PAGE, chance.randrange(len(content))])])


def copy_pages(path: Path, chance: random.Random) -> None:
    """Zero a page, swap two, or write one over another."""
    content = path.read_bytes()
    pages = [content[start : start + PAGE] for start in range(0, len(content), PAGE)]
    one, other = chance.sample(range(len(pages)), 2)
    match chance.randrange(3):
        case 0:
            pages[one] = bytes(PAGE)
        case 1:
            pages[one], pages[other] = pages[other], pages[one]
        case 2:
            pages[one] = pages[other]
    path.write_bytes(b"".join(pages))


def write_junk(path: Path, chance: random.Random) -> None:
    """Random bytes in place of a header, of a part, or at the end."""
    content = path.read_bytes()
    junk = chance.randbytes(chance.choice([1, 16, 100, PAGE]))
    start = chance.choice([0, chance.randrange(len(content)), len(content)])
    path.write_bytes(content[:start] + junk + content[start + len(junk) :])


def add_neighbour(path: Path, chance: random.Random) -> None:
    """A journal or the like of junk, some of it with SQLite's magic number, beside the store."""
    name, magic = chance.choice([("-journal", b""), ("-wal", b"\x37\x7f\x06\x82"), ("-wal", b""), ("-shm", b"")])
    path.with_name(f"{NAME}{name}").write_bytes(magic + chance.randbytes(chance.choice([1, 28, 5000])))


def replace_file(path: Path, chance: random.Random) -> None:
    match chance.randrange(6):
        case 0:
            as_directory(path)
        case 1:
            as_fifo(path)
        case 2:
            as_symlink_to_itself(path)
        case 3:
            path.rename(path.with_name("elsewhere"))
            path.symlink_to("elsewhere")
        case 4:
            path.write_bytes(b"")
        case 5:
            path.chmod(0)


def set_random_field(path: Path, chance: random.Random) -> None:
    field = chance.choice([field.name for field in dataclasses.fields(Record)])
    row = "position = (SELECT position FROM records ORDER BY random() LIMIT 1)" if chance.random() < 0.8 else "true"
    execute(path, f'UPDATE OR REPLACE records SET "{field}" = ? WHERE {row}', values=(chance.choice(JUNK),))


def set_random_bound(path: Path, chance: random.Random) -> None:
    field = chance.choice(["bound", "bound", "problem", "source"])
    execute(path, f"UPDATE OR IGNORE bounds SET {field} = ?", values=(chance.choice(JUNK),))


def change_tables(path: Path, chance: random.Random) -> None:
    field = chance.choice([field.name for field in dataclasses.fields(Record) if field.name != "key"])
    statement = chance.choice(
        [
            f'ALTER TABLE records DROP COLUMN "{field}"',
            f'ALTER TABLE records RENAME COLUMN "{field}" TO other',
            "ALTER TABLE records ADD COLUMN other",
            "DROP TABLE records",
            "DROP TABLE bounds",
            "CREATE TABLE other (a, b)",
            "CREATE VIEW other AS SELECT * FROM records",
            "CREATE INDEX other ON records (n)",
            "CREATE TRIGGER other AFTER INSERT ON records BEGIN DELETE FROM records; END",
            "DELETE FROM records",
            "UPDATE sqlite_sequence SET seq = 9223372036854775807",
            "UPDATE sqlite_sequence SET seq = 'abc'",
            f"PRAGMA user_version = {chance.choice([0, 3, 5, 2**31 - 1])}",
            f"PRAGMA application_id = {chance.choice([0, 1])}",
            "PRAGMA journal_mode = WAL",
        ]
    )
    execute(path, statement)


def change_schema(path: Path, chance: random.Random) -> None:
    change = chance.choice(
        [
            "UPDATE sqlite_master SET sql = 'junk' WHERE name = 'records'",
            "UPDATE sqlite_master SET sql = NULL WHERE name = 'records'",
            "UPDATE sqlite_master SET rootpage = 3 WHERE name = 'records'",
            "UPDATE sqlite_master SET rootpage = 99999 WHERE name = 'bounds'",
            "UPDATE sqlite_master SET sql = replace(sql, ', UNIQUE (key)', '') WHERE name = 'records'",
            "UPDATE sqlite_master SET type = 'view' WHERE name = 'records'",
            "DELETE FROM sqlite_master WHERE name = 'sqlite_autoindex_records_1'",
            "DELETE FROM sqlite_master",
        ]
    )
    execute(path, "PRAGMA writable_schema = ON", change)


def change_keys(path: Path, chance: random.Random) -> None:
    """Keys that are missing, or those of other rows."""
    mine, other = chance.sample(range(1, 22), 2)
    change = chance.choice(
        [
            "SET key = NULL",
            f"SET key = NULL WHERE position = {mine}",
            f"SET key = (SELECT key FROM records WHERE position = {other}) WHERE position = {mine}",
        ]
    )
    execute(path, f"UPDATE OR REPLACE records {change}")


BYTES = (flip_bytes, flip_bytes, flip_bytes, truncate, copy_pages, write_junk, add_neighbour, replace_file)
SQL = (*[set_random_field] * 8, set_random_bound, change_tables, change_tables, change_schema, change_keys)

RUN = ("run", "-s", "jv", "-p", "uniform", "-n", "8", "--budget", "1ms", "--timeout", "30s", "--to")


@pytest.fixture(scope="module")
def original(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store with a cell that can be measured again, and others."""
    path = tmp_path_factory.mktemp("original") / NAME
    assert lapmark(*RUN, path.parent) == 0
    with Store.open(path.parent) as store:
        for solver in ("jv", "jv-avx2", "scipy"):
            for n in range(3, 9):
                store.add(make_record(solver, n))
        store.add(make_record("sinkhorn:blur=0.1", exact=False, gap=0.01))
        store.add(make_record("lapjv", status="crash", message="died of SIGSEGV", samples=(), rounds=()))
        store.set_bound(BOUND, 1.5, "jv")
    return path


def lapmark(*arguments: object) -> int:
    """The exit status of a command, which must say what is wrong and not raise."""
    result = CliRunner().invoke(app, [str(argument) for argument in arguments])
    assert result.exception is None or isinstance(result.exception, SystemExit), repr(result.exception)
    assert result.exit_code in (0, 1, 2)
    assert result.output.strip()
    assert "Traceback" not in result.output
    return result.exit_code


def check_store(path: Path) -> None:
    """Read all of a store and write to it: each works, or is refused and leaves the file unchanged."""
    before, refusal = contents(path).get(NAME), ""
    try:
        with Store.open(path.parent, create=False) as store:
            keys = [record.key for record in store.records()]
            assert all(store.get(key) for key in keys)
            assert math.isfinite(store.bound(BOUND) or 0.0)
        assert contents(path)[NAME] == before
        with Store.open(path.parent) as store:
            store.add(make_record(n=77))
            assert store.get("jv 77") == make_record(n=77)
    except (StoreError, FileNotFoundError) as error:
        refusal = str(error)
    if refusal:
        assert str(path.parent) in refusal
        assert contents(path).get(NAME) == before


def check_commands(path: Path, folder: Path, with_charts: bool) -> None:
    before = contents(path)
    refused = lapmark("export", path.parent, "--to", folder / "results.csv") == 2
    assert (lapmark("compare", path.parent, path.parent, "--all") == 2) == refused
    lapmark("choose", "-p", "uniform", "-n", "8", "--from", path.parent)
    if with_charts:
        assert (lapmark("report", path.parent) == 2) == refused
    assert contents(path).get(NAME) == before.get(NAME)
    if lapmark(*RUN, path.parent) == 0:
        (cell,) = plan(["jv"], ["uniform"], [8])
        with Store.open(path.parent) as store:
            record = store.get(cell.key(machine()))
        assert record is not None
        assert record.status == "ok"
    else:
        assert contents(path).get(NAME) == before.get(NAME)


def test_run_with_a_damaged_cell_measures_it_again_and_leaves_other_damage(original: Path, tmp_path: Path) -> None:
    path = tmp_path / NAME
    shutil.copy(original, path)
    (cell,) = plan(["jv"], ["uniform"], [8])
    set_field(path, "samples", "abc", cell.key(machine()))
    set_field(path, "status", "okk", "jv 4")
    assert lapmark(*RUN, path.parent) == 0
    with Store.open(path.parent) as store:
        record = store.get(cell.key(machine()))
        assert record is not None
        assert record.samples
        with pytest.raises(StoreError, match="is damaged: status is 'okk'"):
            store.records()
    for verb in (["export"], ["report"], ["compare", path.parent], ["choose", "-p", "uniform", "-n", "8", "--from"]):
        assert lapmark(*verb, path.parent) == 2


SEEDS = [
    pytest.param(range(start, start + 50), marks=[pytest.mark.slow] * (start >= 100), id=str(start))
    for start in range(0, 500, 50)
]


@pytest.mark.parametrize("seeds", SEEDS)
def test_damaged_store_is_read_or_refused_and_never_overwritten(original: Path, tmp_path: Path, seeds: range) -> None:
    for seed in seeds:
        chance = random.Random(seed)
        mutate = chance.choice(BYTES if seed % 2 else SQL)
        path = tmp_path / str(seed) / NAME
        path.parent.mkdir()
        shutil.copy(original, path)
        try:
            mutate(path, chance)
            check_store(path)
            if seed % 20 < 2:
                check_commands(path, tmp_path, with_charts=seed % 100 < 2)
        except Exception as error:
            raise AssertionError(f"seed {seed}, {mutate.__name__}: {error!r}") from error
