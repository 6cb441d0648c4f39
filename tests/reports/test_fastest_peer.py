"""One solver against the fastest package."""

from __future__ import annotations

from pathlib import Path

import pytest
from report_records import make_record

from lapmark.bench.problems import Case
from lapmark.bench.results.record import Record
from lapmark.bench.util.atomic_write import write_atomically
from lapmark.reports import tables
from lapmark.reports.export import fastest_peer


def timed(solver: str, n: int, *samples: float, **known: object) -> Record:
    return make_record(solver, Case("uniform", n), samples=samples, gap=0.0, **known)


RECORDS = [
    timed("cascade", 10, 1.0, 2.0, 3.0),
    timed("jv", 10, 0.1),  # ours: no peer
    timed("scipy", 10, 8.0),
    timed("lapjv", 10, 5.0, 7.0, 6.0),
    timed("pot-sinkhorn", 10, 0.01, exact=False),  # not exact: no peer
    timed("lap", 10, 0.02, status="wrong"),  # no answer: no peer
    timed("cascade", 20, 4.0),
    timed("scipy", 20, 1.0),
    timed("cascade", 40, 4.0),
    timed("scipy", 40, 9.0, status="timeout"),
]


def test_compare_takes_the_fastest_exact_package_as_peer() -> None:
    found = fastest_peer.compare_with_fastest_peer(tables.frame(RECORDS), "cascade").set_index("n")
    assert found["peer"].tolist()[:2] == ["lapjv", "scipy"]
    assert found["ratio"].tolist()[:2] == [3.0, 0.25]
    assert found.loc[40, ["peer", "peer_seconds", "ratio"]].isna().all()


def test_markdown_shows_lost_cases_in_bold(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_atomically(tmp_path / "results.csv", tables.csv(tables.frame(RECORDS)).encode())
    assert fastest_peer.main([str(tmp_path), "cascade"]) == 0
    printed = capsys.readouterr().out
    assert "| `uniform` | 2 s | lapjv 6 s | 3× | 4 s | scipy 1 s | **0.25×** | 4 s | none in time |  |" in printed
    assert "| all | 0 lost | median | 3.0× | 1 lost | median | 0.2× | 0 lost | median |  |" in printed


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["{folder}", "casacde"], "no cell of 'casacde'; there are cascade"),
        (["{folder}/none", "cascade"], "lapmark report"),
    ],
)
def test_main_with_a_mistake_names_the_remedy(
    arguments: list[str], message: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_atomically(tmp_path / "results.csv", tables.csv(tables.frame(RECORDS)).encode())
    assert fastest_peer.main([argument.format(folder=tmp_path) for argument in arguments]) == 1
    assert message in capsys.readouterr().err


def test_main_without_arguments_prints_the_docstring(capsys: pytest.CaptureFixture[str]) -> None:
    assert fastest_peer.main([]) == 2
    assert "python -m lapmark.reports.export.fastest_peer" in capsys.readouterr().err
