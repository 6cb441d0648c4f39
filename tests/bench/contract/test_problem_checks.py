"""`lapmark check-problem`: the contract of families, which each fault breaks in its own check."""

from __future__ import annotations

from pathlib import Path

import pytest
from command import lapmark, unwrapped

from lapmark.bench import problems
from lapmark.bench.contract import runner
from lapmark.bench.contract.problem_checks import PROBLEM_CHECKS, Subject
from lapmark.bench.contract.problem_process import run_check
from lapmark.solvers import plugins
from lapmark.solvers.plugins import loading, source_files

#: A right family, and families with one fault each.
FAMILIES = """
import os, random, time
import numpy as np
import lapmark
from lapmark import Assignment, DenseCost, PointCost, Transport
from typing import Literal

def rng(seed):
    return np.random.default_rng(seed)

def matrix(n, seed=0):
    return rng(seed).random((n, n))

KEPT = {}

@lapmark.family("right", sizes=(4, 8), variants=({}, {"kind": "points"}))
def right(n: int, seed: int, kind: Literal["matrix", "points"] = "matrix", tall: bool = False) -> Assignment:
    if n == 1:
        raise ValueError("n = 1 is too small")
    if kind == "points":
        return Assignment(PointCost(rng(seed).random((n, 2)), rng(seed + 1).random((n, 2))))
    return Assignment(DenseCost(rng(seed).random((n, n + tall))))

@lapmark.family("another-kind", sizes=(4,))
def another_kind(n: int, seed: int) -> Transport:
    return Assignment(DenseCost(matrix(n, seed)))

@lapmark.family("no-problem", sizes=(4,))
def no_problem(n: int, seed: int) -> Assignment:
    return matrix(n, seed)

@lapmark.family("any-setting", sizes=(4,))
def any_setting(n: int, seed: int, **more: int) -> Assignment:
    return Assignment(DenseCost(matrix(n, seed)))

@lapmark.family("unannotated", sizes=(4,))
def unannotated(n: int, seed: int, height=3) -> Assignment:
    return Assignment(DenseCost(height * matrix(n, seed)))

@lapmark.family("bad-choice", sizes=(4,))
def bad_choice(n: int, seed: int, kind: Literal["a", "b"] = "a") -> Assignment:
    return Assignment(DenseCost({"a": matrix}[kind](n, seed)))

@lapmark.family("not-small", sizes=(4,))
def not_small(n: int, seed: int) -> Assignment:
    return Assignment(DenseCost(matrix(n, seed) / [0, 0, 0, 1][n - 1 if n < 4 else 3] if n > 3 else {}[n]))

@lapmark.family("other-size", sizes=(4,))
def other_size(n: int, seed: int) -> Assignment:
    return Assignment(DenseCost(matrix(n + 2, seed)))

@lapmark.family("not-this-size", sizes=(4, 9))
def not_this_size(n: int, seed: int) -> Assignment:
    if n == 9:
        raise ValueError("n must be even")
    return Assignment(DenseCost(matrix(n, seed)))

@lapmark.family("descending", sizes_of=lambda: (8, 4))
def descending(n: int, seed: int) -> Assignment:
    return Assignment(DenseCost(matrix(n, seed)))

@lapmark.family("no-seed", sizes=(4,))
def no_seed(n: int, seed: int) -> Assignment:
    return Assignment(DenseCost(matrix(n)))

@lapmark.family("unrepeatable", sizes=(4,))
def unrepeatable(n: int, seed: int) -> Assignment:
    return Assignment(DenseCost(matrix(n, None)))

@lapmark.family("uses-global", sizes=(4,))
def uses_global(n: int, seed: int) -> Assignment:
    return Assignment(DenseCost(matrix(n, seed) + KEPT.setdefault(str(random.getstate()), len(KEPT))))

@lapmark.family("changes-global", sizes=(4,))
def changes_global(n: int, seed: int) -> Assignment:
    np.random.seed(seed)
    return Assignment(DenseCost(np.random.rand(n, n)))

@lapmark.family("same-array", sizes=(4,))
def same_array(n: int, seed: int) -> Assignment:
    if (n, seed) not in KEPT:
        KEPT[n, seed] = matrix(n, seed)
    return Assignment(DenseCost(KEPT[n, seed]))

@lapmark.family("hashes", sizes=(4,))
def hashes(n: int, seed: int) -> Assignment:
    return Assignment(DenseCost(matrix(n, seed) + hash("a text") % 1000))

@lapmark.family("mixed", sizes=(4, 5))
def mixed(n: int, seed: int) -> Assignment:
    return Assignment(DenseCost(matrix(n, seed).astype("f4" if n % 2 else "f8")))

@lapmark.family("has-nan", sizes=(4,))
def has_nan(n: int, seed: int) -> Assignment:
    costs = matrix(n, seed)
    costs.flat[1:2] = np.nan
    return Assignment(DenseCost(costs))

@lapmark.family("fails-late", sizes=(4,))
def fails_late(n: int, seed: int) -> Assignment:
    return Assignment(DenseCost(matrix(n, {0: 0, 1: 1}[seed])))

@lapmark.family("refuses-all", sizes=(4,))
def refuses_all(n: int, seed: int) -> Assignment:
    raise ValueError("the data is not here")

@lapmark.family("infeasible", sizes=(4,))
def infeasible(n: int, seed: int) -> Assignment:
    costs = matrix(n, seed)
    costs[0] = np.inf
    return Assignment(DenseCost(costs))

@lapmark.family("other-optimum", sizes=(4,), optimum=lambda n, seed, level: n * level + 1)
def other_optimum(n: int, seed: int, level: int = 2) -> Assignment:
    return Assignment(DenseCost(np.full((n, n), float(level))))

@lapmark.family("hangs", sizes=(4,))
def hangs(n: int, seed: int) -> Assignment:
    if n == 16:
        time.sleep(60)
    return Assignment(DenseCost(matrix(n, seed)))

@lapmark.family("crashes", sizes=(4,))
def crashes(n: int, seed: int) -> Assignment:
    if n == 16:
        os.abort()
    return Assignment(DenseCost(matrix(n, seed)))

@lapmark.family("hoards", sizes=(4, 10**6))
def hoards(n: int, seed: int) -> Assignment:
    return Assignment(DenseCost(matrix(n, seed)))
"""

#: The check that each family fails, and a part of the message.
FAULTS = {
    "another-kind": (
        "kind",
        "another-kind:n=4,seed=0\nit returns Assignment in place of Transport; annotate it “-> lapmark.Assig",
    ),
    "no-problem": ("kind", "it returns ndarray in place of Assignment; return lapmark.Assignment(lapmark.DenseCost("),
    "any-setting": ("settings", "it takes **more: int: name the settings one by one"),
    "unannotated": ("settings", "the setting 'height' has no annotation, such as `height: int`"),
    "bad-choice": ("settings", "bad-choice:kind=b,n=4,seed=0\nKeyError: 'b' (families.py:"),
    "not-small": ("sizes", "not-small:n=1,seed=0\nKeyError: 1 (families.py:"),
    "other-size": ("sizes", "other-size:n=1,seed=0\nit is a problem of 3×3: neither side is n = 1"),
    "not-this-size": ("default-sizes", "not-this-size:n=9,seed=0\nraises ValueError: n must be even"),
    "descending": ("default-sizes", "descending\nhas the sizes (8, 4): they must ascend"),
    "no-seed": ("seed", "no-seed\nis the same problem for the seeds 0, 1, 2; use the seed, or refuse all but 0"),
    "unrepeatable": ("seed", "unrepeatable:n=4,seed=0\nis another problem when it is built again"),
    "uses-global": ("global-state", "uses-global:n=4,seed=0\ndepends on the global random state"),
    "changes-global": ("global-state", "changes-global:n=4,seed=0\nchanges the global random state"),
    "same-array": ("own-arrays", "same-array:n=4,seed=0\nreturns an array that it uses again; return a copy"),
    "hashes": ("processes", "hashes:n=4,seed=0\nis another problem in another process"),
    "mixed": ("consistent", "mixed:n=4,seed=0 has dense costs of float64\nmixed:n=5,seed=0 has dense costs of float32"),
    "has-nan": (
        "optimum",
        "has-nan:n=16,seed=0\nValueError: cost matrix contains invalid numeric entries: nan at [0, 1] (f",
    ),
    "fails-late": ("seed", "fails-late:n=4,seed=2\nKeyError: 2 (families.py:"),
    "infeasible": ("optimum", "infeasible:n=16,seed=0\nhas no answer: "),
    "other-optimum": (
        "optimum",
        "other-optimum:n=16,seed=0\nthe known optimum of this instance is 33, but 32 is proven optimal: it is another",
    ),
}


@pytest.fixture(scope="module", autouse=True)
def plugin(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("families") / "families.py"
    path.write_text(FAMILIES)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(loading, "_loaded", {})
        patch.setattr(source_files, "folders", [])
        problems.families()
        plugins.load(path)
        yield path
        plugins.forget()


def findings(name: str, *checks: str, timeout: float = 60) -> dict[str, runner.Finding]:
    shown: list[object] = []
    family = problems.get(name)
    runner.examine_family(family, family.variants, checks or list(PROBLEM_CHECKS), timeout, 1 << 30, shown.append)
    return {finding.check: finding for finding in shown if isinstance(finding, runner.Finding)}


def test_family_that_is_right_passes_every_check() -> None:
    assert {finding.status for finding in findings("right").values()} == {"pass"}


@pytest.mark.parametrize("name", FAULTS)
def test_family_with_a_fault_fails_the_check_of_it(name: str) -> None:
    check, message = FAULTS[name]
    family = problems.get(name)
    status, found = run_check(Subject(family, family.variants), check, {})
    assert status == "fail"
    assert message in found


def test_family_that_harms_the_process_fails_and_the_rest_runs() -> None:
    found = findings("crashes", "sizes", "seed")
    assert [finding.status for finding in found.values()] == ["fail", "pass"]
    assert "died of SIGABRT during the check" in found["sizes"].message
    assert "did not end within 3 s" in findings("hangs", "sizes", timeout=3)["sizes"].message
    found = findings("hoards", "default-sizes")
    assert "hoards:n=1000000,seed=0\nMemoryError: Unable to allocate" in found["default-sizes"].message


def test_family_that_always_fails_has_one_failure_and_the_other_checks_are_skipped() -> None:
    found = findings("no-problem")
    assert {name for name, finding in found.items() if finding.status == "fail"} == {"kind"}
    assert {finding.status for finding in found.values()} == {"fail", "skipped"}
    assert found["seed"].message == "fails as kind does"


def test_check_problem_command_of_a_family_that_builds_nothing_fails_with_the_reason(plugin: Path) -> None:
    parts = ("-k", "seed", "-k", "consistent", "-k", "optimum")
    code, output = lapmark("check-problem", "--plugin", plugin, "refuses-all", *parts)
    assert code == 1
    assert "skipped  optimum  1 of 1 cases refused: refuses-all:n=4,seed=0: the data is not here" in output
    assert "skipped  seed  3 of 3 cases refused: refuses-all:n=4,seed=0: the data is not here" in output
    assert output.endswith("refuses-all: no instance could be built, so that nothing was checked\n")
    assert "pass" not in output


def test_check_problem_command_shows_a_line_for_each_check(plugin: Path) -> None:
    code, output = lapmark("check-problem", "--plugin", plugin, "right", "same-array", "-k", "own", "-k", "settings")
    assert code == 1
    assert output == (
        "pass     settings\npass     own-arrays\nright: 2 pass\n"
        "skipped  settings  1 of 1 cases refused: has no settings\n"
        "fail     own-arrays\n         same-array:n=4,seed=0\n"
        "         returns an array that it uses again; return a copy\n"
        "same-array: 1 fail, 1 skipped\n"
    )
    assert lapmark("check-problem", "--plugin", plugin, "right:tall=true", "-k", "kind")[0] == 0


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["rihgt"], "no problem is called 'rihgt'; did you mean right"),
        (["right", "-k", "sed"], "no check is called 'sed'; did you mean seed"),
        (["right:n=4"], "right:n=4: leave n out: the checks choose them"),
        (["right:tal=true"], "no setting 'tal'; there is kind, tall"),
        (["right", "--plugin", "absent.py"], "no such file"),
    ],
)
def test_check_problem_command_of_what_is_not_there_is_a_usage_error(arguments: list[str], message: str) -> None:
    code, output = lapmark("check-problem", *arguments)
    assert code == 2
    assert message in unwrapped(output)


#: Families of Lapmark that need no data files and have an instance of every size.
OWN = [
    name for name in problems.families() if name not in ("orlib", "adversarial", "adversarial-transport")
]  # hostile on purpose


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=[] if name == "integers" else pytest.mark.slow) for name in OWN]
)
def test_own_family_keeps_the_contract(name: str) -> None:
    family = problems.get(name)
    subject = Subject(family, family.variants)
    checks = [check for check in PROBLEM_CHECKS if check != "default-sizes"]
    assert [(check, found) for check in checks if (found := run_check(subject, check, {}))[0] == "fail"] == []
