from __future__ import annotations

import io

import pytest
from rich.console import Console

from lapmark.bench.problems import Case
from lapmark.bench.results.record import Record
from lapmark.bench.results.statuses import STATUSES
from lapmark.bench.run.cells import resolve
from lapmark.bench.run.progress import Board, _Line, line, show_errors
from lapmark.bench.run.schedule import Finished, Round, Waiting


def record(solver: str = "jv", n: int = 8, status: str = "ok", **known: object) -> Record:
    case = str(Case("uniform", n))
    return Record(key=solver + case, solver=solver, case=case, problem="uniform", n=n, status=status, **known)  # type: ignore[arg-type]


def text(renderable: object, **settings: object) -> str:
    console = Console(file=io.StringIO(), width=100, **settings)  # type: ignore[arg-type]
    console.print(renderable)
    return console.file.getvalue()  # type: ignore[attr-defined]


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


@pytest.mark.parametrize("width", [30, 40, 60, 80, 120, 200])
def test_bar_at_any_width_shows_whole_parts_only(width: int) -> None:
    console = Console(file=io.StringIO(), width=width, force_terminal=True, color_system=None)
    board = Board(console, 1234)
    cell = resolve("jv", Case("geometric", 1000, 0, {"cost": "points"}))
    for _ in range(1000):
        board.show(Finished(cell, record(), True))
    board.show(Round(cell, 1))
    (task,) = board._bar.tasks
    shown = _Line(console).render(task).plain
    assert len(shown) < width
    known = {"━" * 24, "1,000/1,234", "0:00:00", "1000 ok", "jv", f"jv on {cell.case}, round 2"}
    assert "1,000/1,234" in shown
    assert {part for part in shown.split(" · ") if not part.startswith("left ")} <= known
    assert (str(cell.case) in shown) == (width >= 80)


def test_bar_of_a_waiting_run_says_what_for() -> None:
    console = Console(file=io.StringIO(), width=100, force_terminal=True, color_system=None)
    board = Board(console, 3)
    board.show(Waiting("another run has ended its round"))
    (task,) = board._bar.tasks
    assert "waiting until another run has ended its round" in _Line(console).render(task).plain
