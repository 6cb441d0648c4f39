"""The store of a history: what is added is read again, and damage is named."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from lapmark.bench.history.history_store import append, read
from lapmark.bench.history.measurement import Commit, Measurement, Snapshot, spread
from lapmark.bench.history.snapshot_file import SnapshotError, from_json, to_json

MACHINE = {"cpu": "a processor", "cores": 2, "architecture": "x86_64"}


def commit(number: int) -> Commit:
    return Commit(
        hash=f"{number:02x}" * 20, time=f"2026-01-{number:02}T12:00:00+01:00", subject="A “subject”", branch="main"
    )


def snapshot(number: int, *names: str, **facts: object) -> Snapshot:
    cells = [Measurement(name=name, **spread([1.0, 2.0, 4.0]), samples=3, counters={"scans": number}) for name in names]
    return Snapshot(commit=commit(number), source="lapmark", machine={**MACHINE, **facts}, measurements=tuple(cells))


def test_append_then_read_returns_the_same(tmp_path: Path) -> None:
    failed = Measurement(name="b", status="wrong", message="no [bold]permutation[/]")
    first = Snapshot(
        commit=commit(1),
        source="pytest",
        machine=MACHINE,
        versions={"python": "3.11"},
        measured="2026-01-01T12:00:00+00:00",
        measurements=(
            Measurement(name="a", unit="B", median=3, lower=2, upper=4, peak_memory=5, certified=True),
            failed,
        ),
    )
    path = append(tmp_path, first)
    assert path.parent == tmp_path
    assert read(tmp_path).snapshots == (first,)
    assert [file.name for file in tmp_path.iterdir()] == [path.name]


def test_append_to_the_same_commit_replaces_cells_of_the_same_name(tmp_path: Path) -> None:
    append(tmp_path, snapshot(1, "a", "b"))
    again = snapshot(1, "b", "c")
    append(tmp_path, again)
    (found,) = read(tmp_path).snapshots
    assert [each.name for each in found.measurements] == ["a", "b", "c"]


def test_append_of_other_commits_machines_and_tools_writes_files_of_their_own(tmp_path: Path) -> None:
    paths = {append(tmp_path, each) for each in (snapshot(1, "a"), snapshot(2, "a"), snapshot(1, "a", cores=64))}
    assert len(paths) == 3


def test_machine_key_ignores_the_kernel_and_the_case_of_letters() -> None:
    assert snapshot(1, system="Linux 6.1", architecture="X86_64").machine_key == snapshot(1, system="x").machine_key
    assert snapshot(1, cpu="").machine_key != snapshot(1, cpu="", host="builder").machine_key


def test_append_from_several_processes_loses_nothing(tmp_path: Path) -> None:
    script = """
import sys
from pathlib import Path
from lapmark.bench.history.history_store import append
from lapmark.bench.history.snapshot_file import from_json
append(Path(sys.argv[1]), from_json(sys.argv[2]))
"""
    names = "abcd"
    running = [subprocess.Popen([sys.executable, "-c", script, tmp_path, to_json(snapshot(1, name))]) for name in names]
    assert [each.wait() for each in running] == [0] * len(names)
    (found,) = read(tmp_path).snapshots
    assert [each.name for each in found.measurements] == list(names)


def test_read_sorts_by_the_time_of_the_commit_in_any_zone(tmp_path: Path) -> None:
    early = Commit(hash="f" * 40, time="2026-01-02T00:30:00+05:00")  # the 1st in UTC
    append(tmp_path, snapshot(2, "a"))
    append(tmp_path, Snapshot(commit=early, source="lapmark", machine=MACHINE))
    assert [each.commit.hash[:2] for each in read(tmp_path).snapshots] == ["ff", "02"]


def test_read_names_damaged_files_and_returns_the_others(tmp_path: Path) -> None:
    good, bad = append(tmp_path, snapshot(1, "a")), append(tmp_path, snapshot(2, "a"))
    bad.write_bytes(bad.read_bytes()[:-20])
    (tmp_path / "index.html").write_text("a page")
    (tmp_path / "badge.json").write_text("{}")
    history = read(tmp_path)
    assert [each.commit for each in history.snapshots] == [commit(1)]
    (fault,) = history.faults
    assert str(bad) in fault
    assert str(good) not in fault


def test_append_to_a_damaged_file_is_refused_and_keeps_it(tmp_path: Path) -> None:
    path = append(tmp_path, snapshot(1, "a"))
    path.write_text("<<<<<<< HEAD\n")
    with pytest.raises(SnapshotError, match=r"is damaged: it is not JSON .*; restore or delete it"):
        append(tmp_path, snapshot(1, "b"))
    assert path.read_text() == "<<<<<<< HEAD\n"


def test_read_of_a_folder_without_a_history_says_how_to_begin(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"has no history yet: `lapmark run --history"):
        read(tmp_path)
    with pytest.raises(ValueError, match=r"none is not a folder; `lapmark run --history .*none` makes it"):
        read(tmp_path / "none")


@pytest.mark.parametrize(
    ("place", "value", "message"),
    [
        (("format",), 2, "format is 2, and this version of Lapmark reads 1: upgrade Lapmark"),
        (("commit",), None, "commit is None: it must be a mapping"),
        (("commit", "hash"), "abc", "commit.hash is 'abc': it must be the full hash of a commit"),
        (("commit", "time"), "2026-01-01", "commit.time is '2026-01-01': it must be a date and time with its zone"),
        (("source",), ["lapmark"], "source is ['lapmark']: it must be one of lapmark, pytest"),
        (("versions",), {"python": 3}, "versions is {'python': 3}: it must be a mapping of names to texts"),
        (("cells", 0), "a", "cells[0] must be a mapping"),
        (("cells", 0, "name"), " ", "cells[0].name is ' '"),
        (("cells", 0, "median"), "1", "cells[0].median is '1': it must be a finite number"),
        (("cells", 0, "median"), float("nan"), "cells[0].median is nan: it must be a finite number"),
        (("cells", 0, "upper"), 10**400, "cells[0].upper is 1000"),
        (("cells", 0, "status"), "fine", "cells[0].status is 'fine': it must be one of ok, unproven"),
        (("cells", 0, "samples"), -1, "cells[0].samples is -1: it must be a whole number"),
        (("cells", 0, "counters"), {"scans": "7"}, "cells[0].counters is {'scans': '7'}"),
        (("cells", 0, "mediann"), 1, "cells[0] has an unknown field 'mediann'"),
    ],
)
def test_file_with_a_wrong_value_is_refused_by_the_name_of_the_field(place: tuple, value: object, message: str) -> None:
    content = json.loads(to_json(snapshot(1, "a")))
    inner = content
    for name in place[:-1]:
        inner = inner[name]
    inner[place[-1]] = value
    with pytest.raises(SnapshotError) as found:
        from_json(json.dumps(content))
    assert str(found.value).startswith(message)


def test_file_without_a_field_or_with_half_a_spread_is_refused() -> None:
    content = json.loads(to_json(snapshot(1, "a")))
    del content["cells"][0]["lower"]
    with pytest.raises(SnapshotError, match=r"cells\[0\] must have median, lower and upper, or none"):
        from_json(json.dumps(content))
    del content["commit"]["time"]
    with pytest.raises(SnapshotError, match=r"commit\.time is missing"):
        from_json(json.dumps(content))


def test_file_with_control_characters_is_read_without_them() -> None:
    content = to_json(snapshot(1, "a")).replace("“subject”", r"\u001b[31mred")
    assert from_json(content).commit.subject == "A \N{REPLACEMENT CHARACTER}[31mred"


def test_append_of_a_value_out_of_range_is_refused(tmp_path: Path) -> None:
    large = Snapshot(
        commit=commit(1),
        source="lapmark",
        machine=MACHINE,
        measurements=[Measurement(name="a", counters={"scans": 2**70})],
    )
    with pytest.raises(SnapshotError, match=r"cells\[0\]\.counters"):
        append(tmp_path, large)
    assert list(tmp_path.iterdir()) == []
