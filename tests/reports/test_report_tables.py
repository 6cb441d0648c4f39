"""From records to tables."""

from __future__ import annotations

import io
import json

import numpy as np
import pandas as pd
import pytest
from report_records import make_record

from lapmark.bench.problems import Case
from lapmark.bench.results.record import Record
from lapmark.bench.worker.protocol import BUILD_MATRIX
from lapmark.reports import format, tables
from lapmark.reports.charts import slowdown
from lapmark.reports.verdicts import verdict


def timed(solver: str, n: int, *samples: float, **known: object) -> Record:
    return make_record(solver, Case("uniform", n), samples=samples, gap=0.0, **known)


def test_frame_has_a_row_per_cell_with_the_values_of_its_record(records: list[Record]) -> None:
    cells = tables.frame(records)
    assert len(cells) == len(records)
    by_key = cells.set_index(["solver", "case"])
    for record in records:
        row = by_key.loc[(record.solver, record.case)]
        assert row["status"] == record.status
        assert row["message"] == record.message
        assert row["samples"] == len(record.samples)
        assert row["label"] == f"uniform:dtype={record.params['dtype']}"
        if record.samples:
            assert row["seconds"] == record.seconds
            assert (row["seconds_min"], row["seconds_max"]) == (min(record.samples), max(record.samples))
        for name, count in record.counters.items():
            assert row[f"counter_{name}"] == count


def test_csv_and_parquet_are_read_back(records: list[Record]) -> None:
    cells = tables.frame(records)
    csv = pd.read_csv(io.StringIO(tables.csv(cells)))
    parquet = pd.read_parquet(io.BytesIO(cells.to_parquet(None, index=False)))
    assert len(csv) == len(parquet) == len(records)
    assert list(csv.columns) == list(parquet.columns) == list(cells.columns)
    assert csv["status"].tolist() == parquet["status"].tolist() == cells["status"].tolist()
    assert [json.loads(text) for text in csv["times"]] == [list(times) for times in parquet["times"]]


def test_compared_has_certified_cells_only(records: list[Record]) -> None:
    cells = tables.frame(records)
    assert set(tables.compared(cells)["solver"]) == {"jv", "scipy", "sinkhorn:blur=0.1", "sinkhorn:blur=0.03"}
    # The cell that was refuted has by far the shortest time.
    assert cells["seconds"].idxmin() == cells.index[cells["status"] == "wrong"][0]
    assert cells.loc[cells["status"] != "ok", "relative"].isna().all()
    assert cells["relative"].where(cells["exact"]).min() == 1


def test_speedups_are_ratios_of_medians_within_their_interval() -> None:
    slow, fast = (4.0, 5.0, 6.0, 5.0), (2.0, 2.5, 3.0, 2.5)
    cells = tables.frame([timed("jv", 8, *slow), timed("jv-avx2", 8, *fast), timed("jv-avx2", 16, 1.0)])
    (found,) = tables.speedups(cells).itertuples()
    assert (found.pair, found.n, found.ratio) == ("jv-avx2 over jv", 8, 2.0)
    assert 1 < found.low < 2 < found.high < 3
    assert cells.set_index(["solver", "n"])["speedup"].dropna().to_dict() == {("jv-avx2", 8): 2.0}


def on_grid(solver: str, problem: str, seconds: float, source: str = "digits", **known: object) -> Record:
    case = Case(problem, 64, 0, {"rows": "nodes", "source": source})
    return make_record(solver, case, samples=(seconds,), gap=0.0, **known)


def test_slowdowns_compare_a_solver_with_itself_on_the_easier_family() -> None:
    cells = tables.frame(
        [
            on_grid("jv", "tsne-grid", 1.0, source="auto"),
            on_grid("jv", "lle-grid", 4.0),
            on_grid("scipy", "lle-grid", 9.0),
            on_grid("cascade", "tsne-grid", 2.0, source="auto"),
            on_grid("cascade", "lle-grid", 3.0),
            on_grid("lap", "tsne-grid", 1.0, source="auto"),
            on_grid("lap", "lle-grid", 1.0, status="timeout"),
        ]
    )
    assert cells.set_index(["solver", "problem"])["slowdown"].dropna().to_dict() == {
        ("jv", "lle-grid"): 4.0,
        ("cascade", "lle-grid"): 1.5,
    }
    said = verdict(cells[cells["problem"] == "lle-grid"])
    assert "Against tsne-grid at n = 64, jv takes 4.0× as long, the most, and cascade 1.5×, the least." in said
    numbers = slowdown.numbers(cells)
    assert numbers.index.get_level_values("Solver").tolist() == ["jv", "cascade"]
    assert numbers["n = 64"].tolist() == ["4.0×", "1.5×"]
    assert slowdown.CHART.draw(cells) is not None
    assert slowdown.CHART.draw(cells[cells["problem"] == "tsne-grid"]) is None


def test_quartile_ratio_of_single_samples_is_a_point() -> None:
    assert tables.quartile_ratio([3.0], [2.0]) == (1.5, 1.5, 1.5)


def test_current_is_the_later_record_of_a_cell() -> None:
    cells = tables.frame([timed("jv", 8, 1.0, commit="old"), timed("jv", 8, 2.0, commit="new"), timed("scipy", 8, 3.0)])
    assert len(cells) == 3
    assert tables.compared(cells)["seconds"].tolist() == [2.0, 3.0]
    assert cells.set_index("commit")["current"].to_dict() == {"old": False, "new": True, "0123456789": True}
    assert cells.set_index("solver").loc["scipy", "relative"] == 1.5


def test_current_ignores_environments_without_the_solver() -> None:
    there = timed("lapx-lapjvr", 8, 1.0, versions={"lapx": "0.11.1"})
    absent = make_record(
        "lapx-lapjvr", Case("uniform", 8), status="skipped", versions={"lapx": "missing"}, finished="x"
    )
    for records in ([there, absent], [absent, there]):
        cells = tables.frame(records)
        assert cells.set_index("status")["current"].to_dict() == {"ok": True, "skipped": False}
    assert tables.frame([absent])["current"].all()


def test_frame_separates_numbers_of_threads() -> None:
    cells = tables.frame([timed("jv", 8, 1.0), timed("jv", 8, 0.5, threads=4)])
    assert cells["current"].all()
    assert cells["series"].tolist() == ["jv", "jv, 4 threads"]


def test_compared_leaves_out_the_harness() -> None:
    cells = tables.frame([timed(BUILD_MATRIX, 8, 1e-9), timed("jv", 8, 1.0)])
    assert tables.certified(cells)["solver"].tolist() == [BUILD_MATRIX, "jv"]
    assert tables.compared(cells)["solver"].tolist() == ["jv"]
    assert "jv is the only exact solver" in verdict(cells)


def test_group_of_each_kind_of_solver_is_its_origin() -> None:
    names = ("jv", "sinkhorn:blur=0.1", "scipy", "scipy@older", "nobody's")
    assert [tables.group(name) for name in names] == ["ours", "ours", "wrapped", "wrapped", "plugin"]


def test_ranking_puts_the_fastest_at_the_largest_size_first() -> None:
    times = {"a": (1.0, 9.0), "b": (2.0, 3.0), "c": (0.5, None)}
    cells = tables.frame(
        [
            timed(solver, n, seconds) if seconds else timed(solver, n, status="timeout")
            for solver, pair in times.items()
            for n, seconds in zip((8, 16), pair, strict=True)
        ]
    )
    medians = tables.ranking(cells)
    assert medians.index.tolist() == ["b", "a", "c"]
    assert medians.columns.tolist() == [8, 16]
    assert np.isnan(medians.loc["c", 16])


def test_verdict_names_the_fastest_the_runner_up_and_the_best_of_the_others() -> None:
    cells = tables.frame(
        [
            timed("jv-avx2", 16, 1.0),
            timed("jv", 16, 2.0),
            timed("scipy", 16, 5.0),
            timed("lap", 16, status="crash"),
            timed("jv", 99, status="timeout"),
        ]
    )
    assert verdict(cells) == (
        "At n = 16, jv-avx2 is the fastest exact solver: 1 s, proven optimal. jv is next and takes 2.0× as long; "
        "the fastest of the others, scipy, takes 5.0×. None has a certified answer at n = 99. "
        "Without a certified answer: 1 of 4 (crash 1)."
    )


def test_verdict_does_not_call_a_difference_within_the_spread_a_win() -> None:
    cells = tables.frame([timed("jv", 8, 1.0, 1.4, 1.5), timed("scipy", 8, 1.45, 1.6, 1.7)])
    assert "1.1× as long, which is within the spread of the samples" in verdict(cells)


def test_verdict_without_an_exact_answer_names_the_closest() -> None:
    cells = tables.frame([make_record("guess", Case("uniform", 8), exact=False, samples=(0.5,), gap=0.02)])
    assert verdict(cells) == (
        "No exact solver has a certified answer. At n = 8, guess is closest, with a gap of 2 % in 500 ms."
    )
    quick = make_record("quick", Case("uniform", 8), exact=False, samples=(0.1,), gap=0.05)
    cells = tables.frame([make_record("guess", Case("uniform", 8), exact=False, samples=(0.5,), gap=0.02), quick])
    assert verdict(cells).endswith("in 500 ms; quick is the fastest, with a gap of 5 % in 100 ms.")


@pytest.mark.parametrize(
    ("value", "text"), [(1.0, "1.0×"), (2.14, "2.1×"), (9.96, "10×"), (1234.5, "1,234×"), (0.5, "0.5×"), (np.nan, "")]
)
def test_ratio_has_two_digits(value: float, text: str) -> None:
    assert format.ratio(value) == text


@pytest.mark.parametrize(
    ("value", "text"), [(0.0, "0 %"), (0.0123, "1.2 %"), (1e-9, "1e-7 %"), (3.0, "300 %"), (np.inf, "unknown")]
)
def test_gap_is_in_per_cent_with_two_digits(value: float, text: str) -> None:
    assert format.gap(value) == text


def test_verdict_with_blur_names_the_fastest_converged_solver() -> None:
    def blurred(name: str, seconds: float, off: float) -> Record:
        case = Case("label-transfer", 8)
        return make_record(name, case, exact=False, samples=(seconds,), gap=0.3, entropic_gap=off)

    early = blurred("early", 0.1, 0.2)
    assert verdict(tables.frame([early])) == (
        "At n = 8, early is closest to the optimum with blur: 20 % above it in 100 ms."
    )
    cells = tables.frame([early, blurred("fast", 0.5, 1e-4), blurred("slow", 2.0, 1e-6)])
    assert verdict(cells) == (
        "At n = 8, fast is the fastest within 0.1 % of the optimum with blur: 500 ms; slow is next and takes 4.0× "
        "as long. early takes 100 ms, but stops 20 % above it."
    )
