"""Comparison: verdicts where they are certain, warnings, and the three output formats."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from command import lapmark, unwrapped
from comparisons import MACHINE, Rounds, compared_to, record

from lapmark.bench.compare import rendering
from lapmark.bench.compare.bootstrap import ratio
from lapmark.bench.compare.comparability import STARTED
from lapmark.bench.compare.comparison import Change
from lapmark.bench.results.record import Record
from lapmark.bench.results.store import Store


def changes(old: Record, new: Record, **criteria: Any) -> dict[str, Change]:
    (cell,) = compared_to(old, new, **criteria).cells
    return {change.what: change for change in cell.changes}


def noisy_pair(random: np.random.Generator, rounds: int, effect: float = 1.0) -> tuple[Rounds, Rounds]:
    """Samples of the same call on both sides, A B B A …, on a noisy machine.

    It drifts by up to a fifth, each process has its own level, sometimes a third higher, and the times of calls have
    a tail so heavy that its variance is infinite.
    """
    sides: tuple[Rounds, Rounds] = [], []
    drift = random.uniform(-0.2, 0.2)
    for k in range(rounds):
        for place, side in enumerate((0, 1) if k % 2 == 0 else (1, 0)):
            level = 1 + drift * (2 * k + place) / (2 * rounds)
            level *= np.exp(0.03 * random.standard_normal()) * (1.3 if random.random() < 0.05 else 1)
            samples = level * (1 + 0.02 * random.pareto(1.5, size=12))
            sides[side].append(list(samples * (effect if side else 1)))
    return sides


@pytest.mark.parametrize(("rounds", "paired"), [(3, True), (8, True), (8, False)])
def test_ratio_of_identical_pairs_excludes_one_no_more_often_than_stated(rounds: int, paired: bool) -> None:
    random, pairs, level = np.random.default_rng(rounds), 1000, 0.05
    found = [ratio(*noisy_pair(random, rounds), 1 - level, paired) for _ in range(pairs)]
    alarms = sum(not known.low < 1 < known.high for known in found if known is not None)
    assert len(found) == pairs
    assert alarms <= pairs * level + 3 * np.sqrt(pairs * level * (1 - level))


def test_compare_many_identical_cells_flags_none_beyond_the_stated_rate() -> None:
    random, gates, cells = np.random.default_rng(1), 50, 20
    flagged = 0
    for _ in range(gates):
        sides: tuple[list[Record], list[Record]] = [], []
        for n in range(1, cells + 1):
            for side, rounds in zip(sides, noisy_pair(random, 6), strict=True):
                side.append(record(n=n, rounds=rounds, conditions={STARTED: 0.0}))
        flagged += compared_to(*sides, threshold=0.001).worse
    assert flagged <= gates * 0.05 + 1


def test_compare_with_a_slowdown_of_a_tenth_finds_it() -> None:
    random = np.random.default_rng(2)
    verdicts = []
    for effect in (1.1, 1 / 1.1):
        for _ in range(50):
            old, new = (
                record(rounds=rounds, conditions={STARTED: 0.0}) for rounds in noisy_pair(random, 12, effect=effect)
            )
            verdicts.append((effect > 1, changes(old, new)["time"].word))
    assert not {(True, "faster"), (False, "slower")} & set(verdicts)
    assert sum(word == "slower" for slower, word in verdicts if slower) >= 25
    assert sum(word == "faster" for slower, word in verdicts if not slower) >= 25


def test_ratio_is_reproducible_and_counts_rounds_not_samples() -> None:
    random = np.random.default_rng(3)
    old, new = noisy_pair(random, 5)
    assert ratio(old, new, 0.95, paired=True) == ratio(old, new, 0.95, paired=True)
    few, many = (ratio([[1.0] * k, [1.1] * k, [1.2] * k], [[1.1] * k] * 3, 0.95, paired=False) for k in (2, 100))
    assert few is not None
    assert many is not None
    assert (many.low, many.high) == pytest.approx((few.low, few.high), rel=0.02)


def test_ratio_of_pairs_removes_common_drift() -> None:
    old: Rounds = [[1.0 * 2**k, 1.01 * 2**k] for k in range(5)]
    new = [[1.2 * seconds for seconds in samples] for samples in old]
    paired, unpaired = (ratio(old, new, 0.95, paired) for paired in (True, False))
    assert paired is not None
    assert unpaired is not None
    assert paired.value == pytest.approx(1.2) == unpaired.value
    assert 1.1 < paired.low < paired.high < 1.3
    assert unpaired.low < 1 < unpaired.high


def test_compare_with_a_single_round_is_inconclusive_and_names_the_option() -> None:
    comparison = compared_to(record(rounds=[[1.0] * 50]), record(rounds=[[9.0] * 50]))
    ((change,),) = [cell.changes for cell in comparison.cells]
    assert (change.verdict, change.note) == ("inconclusive", "one round: unknown")
    assert not comparison.worse
    assert any("--rounds" in warning for warning in comparison.warnings)


def test_compare_times_within_the_threshold_are_the_same() -> None:
    steady = [[1.0, 1.001, 1.002], [1.001, 1.0, 1.002], [1.0, 1.002, 1.001]]
    assert changes(record(rounds=steady), record(rounds=steady))["time"].verdict == "same"
    slightly = [[1.02 * seconds for seconds in samples] for samples in steady]
    assert changes(record(rounds=steady), record(rounds=slightly))["time"].verdict == "same"
    assert changes(record(rounds=steady), record(rounds=slightly), threshold=0.01)["time"].word == "slower"
    assert changes(record(rounds=slightly), record(rounds=steady), threshold=0.01)["time"].word == "faster"


@pytest.mark.parametrize(
    ("counters", "word", "worse"),
    [
        ({"row_scans": 1001, "reductions": 10}, "more work", True),
        ({"row_scans": 999, "reductions": 10}, "less work", False),
        ({"reductions": 10}, "moved", False),
    ],
)
def test_compare_counters_exactly(counters: Mapping[str, int], word: str, worse: bool) -> None:
    comparison = compared_to(record(), record(counters=counters))
    ((_, change),) = [found for verdict in ("worse", "better", "moved") for found in comparison.changes(verdict)]  # type: ignore[arg-type]
    assert (change.what, change.old, change.new) == ("row_scans", 1000, counters.get("row_scans"))
    assert (change.word, comparison.worse) == (word, worse)
    assert not compared_to(record(), record(counters=counters), reasons=("on purpose",)).worse


@pytest.mark.parametrize("status", ["wrong", "timeout", "memory", "crash", "error", "unproven", "skipped"])
def test_compare_a_lost_answer_is_broken(status: str) -> None:
    failed = record(status=status, message="it broke\nat length", rounds=[])
    change = changes(record(), failed)["status"]
    assert (change.word, change.new) == ("broken", f"{status}: it broke")
    assert changes(failed, record())["status"].word == "fixed"
    assert changes(failed, failed) == {}


def test_compare_a_missing_package_is_no_regression() -> None:
    missing = record(status="skipped", message="not installed", rounds=[], versions={"lapjv": "missing"})
    assert changes(record(), missing)["status"].verdict == "moved"


@pytest.mark.parametrize(
    ("old", "new", "what", "word"),
    [
        ({"peak_memory": 32 << 20}, {"peak_memory": 64 << 20}, "memory", "more memory"),
        ({"peak_memory": 64 << 20}, {"peak_memory": 32 << 20}, "memory", "less memory"),
        ({"gap": 0.02, "exact": False}, {"gap": 0.03, "exact": False}, "gap", "larger gap"),
        (
            {"row_error": 1e-3, "column_error": 0.0},
            {"row_error": 0.0, "column_error": 0.0},
            "marginal error",
            "smaller marginal error",
        ),
        ({"instructions": 10**6}, {"instructions": 2 * 10**6}, "instructions", "more work"),
    ],
)
def test_compare_memory_errors_and_instructions_by_the_threshold(
    old: dict[str, Any], new: dict[str, Any], what: str, word: str
) -> None:
    assert changes(record(**old), record(**new))[what].word == word


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ({"peak_memory": 4096}, {"peak_memory": 1 << 20}),
        ({"gap": 0.0}, {"gap": 1e-12}),
        ({"gap": None}, {"gap": 0.5}),
        ({"gap": 0.100}, {"gap": 0.101}),
    ],
)
def test_compare_negligible_differences_yield_no_change(old: dict[str, Any], new: dict[str, Any]) -> None:
    assert set(changes(record(exact=False, **old), record(exact=False, **new))) == {"time"}


def test_compare_a_changed_problem_only_reports_it() -> None:
    comparison = compared_to(record(), record(cost=6.0, counters={"row_scans": 10**6}))
    assert not comparison.worse
    assert [change.what for cell in comparison.cells for change in cell.changes] == ["problem"]
    assert any("the problem has changed" in warning for warning in comparison.warnings)


def test_compare_matches_solver_case_and_threads_and_lists_the_rest() -> None:
    old = [record("jv"), record("scipy"), record("cascade", threads=2)]
    new = [record("jv"), record("cascade", threads=1), record("jv", n=7)]
    comparison = compared_to(old, new)
    assert [cell.key for cell in comparison.cells] == [("jv", "uniform:n=100,seed=0", 1)]
    assert [(key[0], key[2]) for key in comparison.gone] == [("scipy", 1), ("cascade", 2)]
    assert [(key[0], key[2]) for key in comparison.added] == [("cascade", 1), ("jv", 1)]
    assert "Only in A: scipy on uniform n=100, cascade, 2 threads on uniform n=100." in rendering.markdown(comparison)


def test_compare_without_common_cells_raises_and_lists_both_contents() -> None:
    with pytest.raises(ValueError, match=r"no cell in common; A has 1 of 1 solvers on 1 cases, B has 2 of 2 solvers"):
        compared_to(record("jv"), [record("scipy"), record("lap")])


def test_compare_under_different_conditions_warns() -> None:
    def warnings(**known: Any) -> str:
        return " ".join(compared_to(record(conditions={STARTED: 0.0}), record(**known)).warnings)

    assert warnings(conditions={STARTED: 0.0}) == ""
    assert "not measured alternately" in warnings()
    elsewhere = warnings(machine={**MACHINE, "cpu": "another"})
    assert "Measured on different machines: cpu a processor and another" in elsewhere
    assert "with different packages: numpy unknown and 2.0" in warnings(versions={"numpy": "2.0"})
    mixed = compared_to([record(commit="a"), record(n=7, commit="b")], [record(), record(n=7)]).warnings
    assert any("A mixes measurements of 2 commits: a, b" in warning for warning in mixed)


def test_formats_agree_in_json_markdown_and_headline() -> None:
    steady = [[1.0, 1.001], [1.001, 1.0], [1.0, 1.002]]
    old = [record(rounds=steady), record(n=7, rounds=steady), record(n=8, rounds=steady)]
    new = [record(rounds=steady, counters={"row_scans": 1020, "reductions": 10}), record(n=7, rounds=steady)]
    new.append(record(n=8, rounds=[[2 * seconds for seconds in samples] for samples in steady]))
    comparison = compared_to(old, new)

    content = json.loads(rendering.as_json(comparison))
    assert (content["format"], content["worse"], content["threshold"]) == (1, True, 0.05)
    assert [len(cell["changes"]) for cell in content["cells"]] == [2, 1, 1]
    time, scans = content["cells"][0]["changes"]
    assert (scans["what"], scans["old"], scans["new"], scans["word"]) == ("row_scans", 1000, 1020, "more work")
    assert time["low"] <= time["value"] <= time["high"]

    text = rendering.markdown(comparison)
    assert text.startswith("**Worse in 2 of 3 cells: 1 with more work, 1 slower. Same: 2 times.**")
    assert "| `uniform n=100` | `jv` | row\\_scans | 1,000 | 1,020 | **worse: 2 % more work** |" in text
    assert "Counters are equal in 2 of 3 cells." in text
    assert "`uniform n=7`" not in text
    assert "`uniform n=7`" in rendering.markdown(comparison, every=True)


@pytest.fixture
def folders(tmp_path: Path) -> tuple[Path, Path]:
    """Two stores: one with two commits, and one worse than the first commit."""
    first, second = tmp_path / "first", tmp_path / "second"
    more = {"row_scans": 1001, "reductions": 10}
    with Store.open(first) as store:
        store.add(record(commit="a" * 40))
        store.add(record(commit="b" * 40, counters=more))
        store.add(record(commit="b" * 40 + "+12345678", n=7))
    with Store.open(second) as store:
        store.add(record(counters=more))
    return first, second


def test_compare_command_accepts_folders_commits_and_both(folders: tuple[Path, Path]) -> None:
    first, second = folders
    assert lapmark("compare", first, first)[0] == 0
    assert lapmark("compare", "aaaa", "b" * 40, "--in", first)[0] == 1
    assert lapmark("compare", f"{first}@{'a' * 40}", second)[0] == 1
    assert lapmark("compare", f"{first}@{'a' * 40}", second, "--allow-counters")[0] == 0
    code, output = lapmark("compare", f"{first}@aaaaa", second, "--format", "json")
    assert code == 1
    assert json.loads(output)["cells"][0]["solver"] == "jv"


@pytest.mark.parametrize(
    ("sides", "message"),
    [
        (["bbbb", "bbbb"], "bbbb is the start of 2 commits"),
        (["cccc", "aaaa"], "{first} has no record of cccc, which git does not know; it has aaaaaaaaaaaa (1 cell)"),
        (["aaaa", "aaaa", "--threshold", "5 percent"], "is not a share between 0 and 100 %"),
    ],
)
def test_compare_command_with_an_unknown_set_names_it(
    folders: tuple[Path, Path], sides: list[str], message: str
) -> None:
    code, output = lapmark("compare", *sides, "--in", folders[0])
    assert code == 2
    squeezed = "".join(output.replace("│", "").split())
    assert "".join(message.format(first=folders[0]).split()) in squeezed


def test_compare_command_without_a_folder_says_how_to_make_one(tmp_path: Path) -> None:
    code, output = lapmark("compare", "nothing", "nowhere", "--in", tmp_path)
    assert code == 2
    assert "make one with `lapmark run --to FOLDER`" in unwrapped(output)


def test_compare_uses_the_last_record_unless_its_solver_was_missing() -> None:
    missing = record(status="skipped", rounds=[], versions={"lapjv": "missing"})
    more = replace(record(), counters={"row_scans": 2000, "reductions": 10})
    assert changes(record(), more)["row_scans"].new == 2000
    assert not compared_to(more, [record(), more, missing]).worse
