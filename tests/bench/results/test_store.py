from __future__ import annotations

import dataclasses
import math
import os
import re
import sqlite3
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from lapmark.bench.results.record import Record
from lapmark.bench.results.store import NAME, SCHEMA, Store, StoreError

RECORD = Record(
    key="a",
    solver="jv",
    case="uniform:dtype=float32,n=3,seed=0",
    problem="uniform",
    n=3,
    m=3,
    params={"dtype": "float32"},
    status="ok",
    samples=(0.1, 1 / 3),
    counters={"row_scans": 7},
    cost=1.5,
    dual_bound=1.5,
    gap=0.0,
    peak_memory=4096,
    versions={"lapmark": "0.1.0"},
    machine={"cpu": "Zen 4", "cores": 2},
    commit="0123",
    finished="2025-01-01T00:00:00+00:00",
)


def test_records_gives_the_added_record(tmp_path: Path) -> None:
    with Store.open(tmp_path) as store:
        store.add(RECORD)
    with Store.open(tmp_path, create=False) as store:
        assert store.records() == [RECORD]
        assert store.get("a") == RECORD
        assert store.get("b") is None


def test_add_takes_numpy_numbers(tmp_path: Path) -> None:
    counters = {"scans": np.int64(3)}
    with Store.open(tmp_path) as store:
        store.add(dataclasses.replace(RECORD, counters=counters))  # type: ignore[arg-type]
        assert store.records()[0].counters == {"scans": 3}


def test_records_keep_their_order_and_the_newest_of_each_key(tmp_path: Path) -> None:
    with Store.open(tmp_path) as store:
        for key, status in (("c", "ok"), ("a", "timeout"), ("b", "ok"), ("a", "ok")):
            store.add(dataclasses.replace(RECORD, key=key, status=status))
        assert [(record.key, record.status) for record in store.records()] == [("c", "ok"), ("b", "ok"), ("a", "ok")]


def test_records_of_another_connection_has_a_new_record_at_once(tmp_path: Path) -> None:
    with Store.open(tmp_path) as writer, Store.open(tmp_path) as reader:
        writer.add(RECORD)
        assert reader.records() == [RECORD]


def test_set_bound_keeps_the_best(tmp_path: Path) -> None:
    with Store.open(tmp_path) as store:
        assert store.bound("p") is None
        for bound in (1.0, 2.0, -math.inf, 1.5):
            store.set_bound("p", bound, "jv")
        assert store.bound("p") == 2.0
        assert store.bound("q") is None


def test_open_for_reading_makes_no_folder(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match=r"no results in .*; make some with"):
        Store.open(tmp_path / "missing", create=False)
    assert not (tmp_path / "missing").exists()


def foreign_database(path: Path) -> None:
    connection = sqlite3.connect(path)
    connection.execute("CREATE TABLE records (key)")
    connection.close()


def newer_store(path: Path) -> None:
    Store.open(path.parent).close()
    connection = sqlite3.connect(path)
    connection.execute(f"PRAGMA user_version = {SCHEMA + 1}")
    connection.close()


def truncated_store(path: Path) -> None:
    with Store.open(path.parent) as store:
        for key in range(100):
            store.add(dataclasses.replace(RECORD, key=str(key)))
    path.write_bytes(path.read_bytes()[:20_000])


def overwritten_store(path: Path) -> None:
    with Store.open(path.parent) as store:
        for key in range(100):
            store.add(dataclasses.replace(RECORD, key=str(key)))
    content = bytearray(path.read_bytes())
    content[4096:12288] = b"\xff" * 8192
    path.write_bytes(content)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda path: path.write_text("solver,seconds\njv,1\n"), "is not a Lapmark store"),
        (foreign_database, "is a database of another program"),
        (newer_store, f"has tables of version {SCHEMA + 1}, not {SCHEMA}"),
        (truncated_store, "it is unchanged"),
        (overwritten_store, "it is unchanged"),
    ],
    ids=["text", "foreign", "newer", "truncated", "overwritten"],
)
def test_open_of_a_foreign_file_refuses_and_leaves_it(tmp_path: Path, make: object, message: str) -> None:
    path = tmp_path / NAME
    make(path)  # type: ignore[operator]
    before = path.read_bytes()
    with pytest.raises(StoreError, match=message):
        Store.open(tmp_path)
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]


#: In which another process finds this module.
HERE = {**os.environ, "PYTHONPATH": str(Path(__file__).parent)}


def run_python(code: str, *arguments: object) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", code, *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, timeout=120, env=HERE)


def test_store_with_many_writers_and_readers_keeps_every_record(tmp_path: Path) -> None:
    code = (
        "import dataclasses, sys; from lapmark.bench.results.store import Store; from test_store import RECORD\n"
        "with Store.open(sys.argv[1]) as store:\n"
        "    for i in range(20):\n"
        "        store.add(dataclasses.replace(RECORD, key=sys.argv[2] + str(i))); len(store.records())\n"
    )
    runs = [
        subprocess.Popen([sys.executable, "-c", code, str(tmp_path), name], stderr=subprocess.PIPE, env=HERE)
        for name in "abcd"
    ]
    assert [run.communicate(timeout=120)[1] for run in runs] == [b""] * 4
    with Store.open(tmp_path, create=False) as store:
        assert {record.key for record in store.records()} == {name + str(i) for name in "abcd" for i in range(20)}


def test_add_on_a_full_disk_says_so_and_keeps_earlier_records(tmp_path: Path) -> None:
    """A limit on the size of files stands in for a disk that is full."""
    code = (
        "import dataclasses, resource, signal, sys\n"
        "from lapmark.bench.results.store import Store, StoreError; from test_store import RECORD\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))\n"
        "with Store.open(sys.argv[1]) as store:\n"
        "    try:\n"
        "        for i in range(1000): store.add(dataclasses.replace(RECORD, key=str(i)))\n"
        "    except StoreError as error: print(i, error)\n"
    )
    run = run_python(code, tmp_path)
    count, message = run.stdout.split(" ", 1)
    assert re.search(r"cannot write .*; its contents are kept: .* the same command then continues", message)
    with Store.open(tmp_path) as store:
        assert [record.key for record in store.records()] == [str(i) for i in range(int(count))]
        store.add(dataclasses.replace(RECORD, key="more"))


def test_open_in_a_read_only_folder_names_it() -> None:
    with pytest.raises((OSError, StoreError), match=r"/proc/self"):
        Store.open("/proc/self")


def test_schema_number_changes_with_the_fields_of_a_record() -> None:
    """The tables follow the record's fields: a change of them must raise SCHEMA, and then this test follows."""
    assert (SCHEMA, len(dataclasses.fields(Record))) == (4, 34)
