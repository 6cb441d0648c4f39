"""`lapmark check -p`: the answers of a solver to a user's own problems, certified."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from command import lapmark, unwrapped

from lapmark.solvers import registry

#: Right up to two rows, and wrong beyond.
PLUGIN = """
import numpy as np
from lapmark import Assignment, Capabilities, Matching, register, solve

@register("hasty", Capabilities(exact=True, dtypes={"float64"}))
def hasty(problem: Assignment) -> Matching:
    if problem.shape[0] <= 2:
        return solve(problem, "jv")
    if problem.shape[0] > 9:
        raise RuntimeError("too large for me")
    return Matching.of(problem, np.arange(problem.shape[0]))
"""


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(registry, "_solvers", dict(registry.solvers()))
    Path("hasty.py").write_text(PLUGIN)
    rng = np.random.default_rng(0)
    for n in (2, 6, 12):
        np.save(f"costs{n}.npy", rng.random((n, n)))
    np.savez("masses.npz", x=rng.random((3, 2)), y=rng.random((4, 2)), a=np.ones(3), b=np.full(4, 0.75))
    return tmp_path


def test_check_of_own_problems_certifies_each_answer() -> None:
    code, output = lapmark("check", "jv", "transport", "-p", ".", "-p", "uniform:n=5")
    assert code == 0, output
    for line in ("pass     costs6.npy n=6", "pass     uniform n=5", "skipped  masses.npz 3×4  does not solve"):
        assert line in output
    assert "pass     masses.npz 3×4" in output
    assert "jv: 4 pass, 1 skipped" in output


def test_check_of_own_problems_fails_on_a_wrong_answer_and_an_error() -> None:
    code, output = lapmark("check", "--plugin", "hasty.py", "hasty", "-p", "costs2.npy", "-p", "costs6.npy")
    assert code == 1
    assert "pass     costs2.npy n=2" in output
    assert "fail     costs6.npy n=6" in output
    assert "wrong: " in output
    assert "hasty: 1 pass, 1 fail" in output
    code, output = lapmark("check", "--plugin", "hasty.py", "hasty", "-p", "costs12.npy")
    assert code == 1
    assert "too large for me" in output


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["-p", "absent.npy"], "absent.npy: no such file or folder"),
        (["-p", "masses.npz"], "nothing was certified: jv answered none of the problems"),
        (["-p", "costs2.npy", "-k", "duals"], "-k chooses among the checks of the contract"),
    ],
)
def test_check_of_own_problems_with_a_mistake_names_it(arguments: list[str], message: str) -> None:
    code, output = lapmark("check", "jv", *arguments)
    assert code == 2
    assert message in unwrapped(output)
