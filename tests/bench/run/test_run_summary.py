"""The end of a run: its table, why cells failed, and its exit status."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
from command import lapmark
from rich.console import Console

from lapmark.bench.problems import Case
from lapmark.bench.results.record import Record
from lapmark.bench.run import run_summary
from lapmark.bench.run.run_summary import MOST_COLUMNS, exit_status, failures, headings, limits_reached, reasons
from lapmark.bench.worker.protocol import BUILD_MATRIX


def record(solver: str = "jv", n: int = 8, status: str = "ok", **known: object) -> Record:
    case = str(Case("uniform", n))
    return Record(key=solver + case, solver=solver, case=case, problem="uniform", n=n, status=status, **known)  # type: ignore[arg-type]


def summary(records: list[Record], width: int = 100, terminal: bool = True) -> list[str]:
    """Return the lines of the table, with single blanks."""
    console = Console(file=io.StringIO(), width=width, force_terminal=terminal, color_system=None)
    console.print(run_summary.table(records), crop=False, soft_wrap=not terminal)
    return [" ".join(line.split()) for line in console.file.getvalue().splitlines()]  # type: ignore[attr-defined]


def test_headings_of_cases_name_what_differs() -> None:
    cases = [Case("tsne-grid", n, 0, {"rows": rows}) for n in (256, 784) for rows in ("nodes", "points")]
    assert headings(cases) == ["nodes\nn=256", "points\nn=256", "nodes\nn=784", "points\nn=784"]
    assert headings([Case("uniform", 8), Case("product", 8, 1)]) == ["uniform\nseed=0\nn=8", "product\nseed=1\nn=8"]


def test_summary_of_few_cases_shows_time_or_status_of_every_cell() -> None:
    records = [record(samples=(0.25,)), record(n=16, status="timeout"), record("scipy", gap=0.5, samples=(1.0,))]
    lines = summary(records)
    for line in ("solver n=8 n=16", "jv 250 ms timeout", "scipy 1 s", "50 %"):
        assert line in lines
    assert summary(records, terminal=False)[1:] == ["solver n=8 n=16", "jv 250 ms timeout", "scipy 1 s; 50 % -"]


def test_summary_on_a_narrow_terminal_has_a_block_per_solver() -> None:
    records = [record(name, n, samples=(0.123,)) for name in ("jv", "scipy") for n in range(1, MOST_COLUMNS + 1)]
    lines = summary(records, width=40)
    assert lines[lines.index("jv") + 1] == "n=1: 123 ms"
    assert lines.count("n=8: 123 ms") == 2


def test_summary_of_many_cases_shows_the_fastest_and_the_approximate() -> None:
    sizes = range(1, MOST_COLUMNS + 2)
    records = [record(BUILD_MATRIX, n, samples=(0.01,)) for n in sizes]
    records += [record("jv", n, samples=(0.2,)) for n in sizes]
    records += [record("scipy", n, samples=(0.1 * n,)) for n in sizes]
    records += [record("sinkhorn", n, samples=(0.05,), exact=False, gap=0.1) for n in sizes]
    records += [record("lap", n, status="wrong", samples=(0.01,)) for n in sizes]
    records += [record("lapjv", n, status="skipped") for n in sizes]
    lines = summary(records, 120)
    assert "uniform 1 scipy 100 ms jv 2.0× sinkhorn 50 ms, gap 10 % 1 wrong" in lines
    assert "uniform 8 jv 200 ms scipy 4.0× sinkhorn 50 ms, gap 10 % 1 wrong" in lines
    assert "uniform 8 jv 200 ms 1 wrong" in summary(records, 45)
    alone = [record("jv", n, samples=(0.2,)) for n in sizes if n > 1] + [record("jv", 1, status="crash")]
    lines = summary(alone)
    assert "uniform 1 1 crash" in lines
    assert "uniform 8 jv 200 ms" in lines


def test_summary_without_exact_answers_shows_the_approximate_ones_by_time() -> None:
    sizes = range(1, MOST_COLUMNS + 2)
    names = (("a", 0.1), ("b", 0.02), ("c", 0.0), ("d", 0.01))
    records = [
        record(name, n, gap=gap, exact=False, samples=(0.05 + 0.01 * k,))
        for n in sizes
        for k, (name, gap) in enumerate(names)
    ]
    lines = summary(records)
    start = lines.index("uniform 3 a 50 ms, gap 10 %")
    assert lines[start + 1 : start + 4] == ["b 60 ms, gap 2 %", "c 70 ms, no gap", "and 1 more"]


def test_reasons_group_cells_with_the_same_message_the_worst_first() -> None:
    records = [
        record("jv", 8, samples=(0.1,)),
        *(record(name, n, "error", message="ValueError: no\nmore") for name in ("lap", "lapjv") for n in (8, 16)),
        record("mine", 16, "crash", message="died of SIGSEGV"),
        record("ott", 16, "skipped", message="missing"),
        record(BUILD_MATRIX, 16, "error", message="not a solver"),
    ]
    assert [line.plain for line in reasons(records)] == [
        "5 of 7 cells failed:",
        "  crash    mine on uniform n=16: died of SIGSEGV",
        "  error    lap, lapjv (4 cells): ValueError: no",
    ]
    assert failures(records) == ["error", "crash"]
    assert limits_reached(records) == []


def test_reasons_of_failures_without_a_message_or_with_a_long_one_are_readable() -> None:
    message = "RuntimeError: " + "word " * 100 + "(mine.py:8)"
    _, long, short = (
        line.plain for line in reasons([record(status="timeout"), record("b", 8, "error", message=message)])
    )
    assert long.startswith("  error    b on uniform n=8: RuntimeError: word")
    assert long.endswith("word (mine.py:8)")
    assert len(long) < 200
    assert short == "  timeout  jv on uniform n=8: stopped at the time limit"
    assert limits_reached([record(status="timeout"), record(status="memory")]) == ["memory", "time"]


def test_reasons_of_many_kinds_are_cut_with_their_number() -> None:
    *_, last = reasons([record("a", n, "error", message=f"no {n}") for n in range(1, 20)])
    assert last.plain == "  and 7 further reasons, which the report has"


def test_reasons_of_a_run_without_a_failure_are_none() -> None:
    assert not list(reasons([record(), record("ott", 8, "skipped", message="missing")]))


def test_reasons_of_a_run_that_measured_nothing_say_why_cells_were_skipped() -> None:
    first, second = reasons([record("ott", 8, "skipped", message="not installed"), record(BUILD_MATRIX)])
    assert first.plain == "Nothing was measured, since every cell was skipped:"
    assert second.plain == "  skipped  ott on uniform n=8: not installed"


@pytest.mark.parametrize(
    ("statuses", "status"),
    [
        (["ok", "crash", "skipped"], 0),
        (["crash", "skipped"], 1),
        (["timeout", "unproven"], 1),
        (["skipped"], 2),
        ([], 2),
    ],
)
def test_exit_status_of_a_run(statuses: list[str], status: int) -> None:
    records = [record(f"s{k}", 8, each) for k, each in enumerate(statuses)]
    assert exit_status([*records, record(BUILD_MATRIX)]) == status


PLUGIN = """
import ctypes
from lapmark import Capabilities, register

@register("dies", Capabilities(exact=True))
def dies(problem):
    ctypes.string_at(0)
"""


def test_run_in_which_every_cell_fails_exits_1_and_says_why_and_how_to_try_again_each_time(tmp_path: Path) -> None:
    plugin, to = tmp_path / "mine.py", tmp_path / "a folder"
    plugin.write_text(PLUGIN)
    run = ["run", "--plugin", plugin, "-s", "dies", "-p", "uniform", "-n", 8, "--to", to]
    again = f"  lapmark run --plugin {plugin} -s dies -p uniform -n 8 --to '{to}' --retry crash\n"
    for more in ([], [], ["--retry", "timeout", "--fresh"]):
        code, output = lapmark(*run, *more)
        assert code == 1
        assert "1 of 1 cell failed:\n  crash    dies on uniform n=8: died of SIGSEGV" in output
        assert again in output
    assert "1 from an earlier run" not in output


def test_run_in_which_every_cell_is_skipped_exits_2(tmp_path: Path) -> None:
    code, output = lapmark("run", "-s", "pot-bsp", "-p", "uniform", "-n", 8, "--to", tmp_path / "r")
    assert code == 2
    assert "Nothing was measured, since every cell was skipped:\n  skipped  pot-bsp" in output


def test_run_in_which_one_solver_succeeds_exits_0(tmp_path: Path) -> None:
    plugin = tmp_path / "mine.py"
    plugin.write_text(PLUGIN.replace('"dies"', '"dies-too"'))
    solvers = ["-s", "dies-too", "-s", "jv", "--plugin", plugin]
    code, output = lapmark("run", *solvers, "-p", "uniform", "-n", 8, "--budget", "1ms", "--to", tmp_path / "r")
    assert code == 0
    assert "1 of 2 cells failed:" in output
