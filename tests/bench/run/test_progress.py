from __future__ import annotations

import io

import pytest
from rich.console import Console

from lapmark.bench.problems import Case
from lapmark.bench.results.record import Record
from lapmark.bench.results.statuses import STATUSES
from lapmark.bench.run.cells import resolve
from lapmark.bench.run.progress import MOST_COLUMNS, Board, headings, line, show_errors, summary
from lapmark.bench.run.schedule import Finished, Round
from lapmark.bench.worker.protocol import BUILD_MATRIX


def record(solver: str = "jv", n: int = 8, status: str = "ok", **known: object) -> Record:
    case = str(Case("uniform", n))
    return Record(key=solver + case, solver=solver, case=case, problem="uniform", n=n, status=status, **known)  # type: ignore[arg-type]


def text(renderable: object, **settings: object) -> str:
    console = Console(file=io.StringIO(), width=100, **settings)  # type: ignore[arg-type]
    console.print(renderable)
    return console.file.getvalue()  # type: ignore[attr-defined]


def test_headings_of_cases_name_what_differs() -> None:
    cases = [Case("tsne-grid", n, 0, {"rows": rows}) for n in (256, 784) for rows in ("nodes", "points")]
    assert headings(cases) == ["nodes\nn=256", "points\nn=256", "nodes\nn=784", "points\nn=784"]
    assert headings([Case("uniform", 8), Case("product", 8, 1)]) == ["uniform\n0\nn=8", "product\n1\nn=8"]


@pytest.mark.parametrize(
    ("known", "shown"),
    [
        ({}, []),
        ({"gap": 0.0}, []),
        ({"gap": -1e-16}, []),
        ({"gap": 1e-12}, []),
        ({"gap": 2e-6}, ["gap 2.0e-06"]),
        ({"gap": 0.0123}, ["gap 1.23 %"]),
        ({"row_error": 1e-15, "column_error": 0.0}, []),
        (
            {"gap": 0.02, "row_error": 1e-3, "column_error": 0.0, "entropic_gap": 5e-5},
            ["gap 2 %", "marginal error 0.1 %", "entropic gap 5.0e-05"],
        ),
    ],
)
def test_show_errors_leaves_out_rounding(known: dict[str, float], shown: list[str]) -> None:
    assert show_errors(record(**known)) == shown


def test_line_of_a_record_shows_status_time_and_message() -> None:
    ok = text(line(record(samples=(0.1, 0.2, 0.3), gap=0.02, peak_memory=4096)))
    assert "ok       jv                   uniform n=8  200 ms × 3 · gap 2 % · 4 KiB" in ok
    crash = text(line(record(status="crash", message="died of SIGSEGV during call\nFatal Python error [in brackets]")))
    assert "crash    jv                   uniform n=8  died of SIGSEGV during call" in crash
    assert "Fatal" not in crash


def test_summary_of_few_cases_shows_time_or_status_of_every_cell() -> None:
    table = text(
        summary([record(samples=(0.25,)), record(n=16, status="timeout"), record("scipy", gap=0.5, samples=(1.0,))])
    )
    lines = [row.split() for row in table.splitlines() if row.strip()]
    assert ["solver", "n=8", "n=16"] in lines
    assert ["jv", "250", "ms", "timeout"] in lines
    assert ["scipy", "1", "s"] in lines
    assert ["50", "%"] in lines


def test_summary_of_many_cases_shows_the_fastest() -> None:
    sizes = range(1, MOST_COLUMNS + 2)
    records = [record(BUILD_MATRIX, n, samples=(0.01,)) for n in sizes]
    records += [record("jv", n, samples=(0.2,)) for n in sizes]
    records += [record("scipy", n, samples=(0.1 * n,)) for n in sizes]
    records += [record("sinkhorn", n, samples=(0.05,), exact=False, gap=0.1) for n in sizes]
    records += [record("lap", n, status="wrong", samples=(0.01,)) for n in sizes]
    records += [record("lapjv", n, status="skipped") for n in sizes]
    lines = [" ".join(row.split()) for row in text(summary(records)).splitlines()]
    assert "uniform 1 scipy 100 ms 2.0× jv 1 wrong" in lines
    assert "uniform 8 jv 200 ms 4.0× scipy 1 wrong" in lines
    alone = [record("jv", n, samples=(0.2,)) for n in sizes if n > 1] + [record("jv", 1, status="crash")]
    lines = [" ".join(row.split()) for row in text(summary(alone)).splitlines()]
    assert "uniform 1 1 crash" in lines
    assert "uniform 8 jv 200 ms" in lines


def test_summary_without_exact_answers_shows_the_smallest_gap() -> None:
    known = {"samples": (0.05,), "exact": False}
    sizes = range(1, MOST_COLUMNS + 2)
    records = [record(name, n, gap=gap, **known) for n in sizes for name, gap in (("sinkhorn", 0.1), ("other", 0.02))]
    lines = [" ".join(row.split()) for row in text(summary(records)).splitlines()]
    assert "uniform 3 other 50 ms gap 2 %" in lines


@pytest.mark.parametrize("terminal", [True, False])
def test_board_prints_each_new_cell_once(terminal: bool) -> None:
    console = Console(file=io.StringIO(), width=100, force_terminal=terminal)
    with Board(console, 3) as board:
        for n, status, resumed in ((8, "ok", False), (16, "crash", False), (32, "ok", True)):
            cell = resolve("jv", Case("uniform", n))
            board.show(Round(cell, 0))
            board.show(Finished(cell, record(n=n, status=status), resumed))
    output = console.file.getvalue()  # type: ignore[attr-defined]
    assert output.count("uniform n=8 ") == 1
    assert output.count("uniform n=16 ") == 1
    assert "uniform n=32 " not in output


def test_line_shows_every_status() -> None:
    for status in STATUSES:
        assert status in text(line(record(status=status)))
