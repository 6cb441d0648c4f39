"""The notebooks in `examples` run, and what they show is what happens."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path

import pytest
import shown

notebooks = pytest.importorskip("notebooks", reason="nbclient is not installed (pip install nbclient ipykernel)")

#: Notebooks that take long: they build commits, measure solvers, or compare many texts.
SLOW = {"gate_in_ci", "your_own_solver", "word_movers_distance"}
#: Lines that may differ between machines in more than their numbers: verdicts on times, and what this Python's
#: documentation says.
VARIES = {
    "gate_in_ci": r"time |Worse|cells?\b",
    "word_movers_distance": "",
}
#: Largest notebook, in bytes: GitHub shows it at once, and a clone stays small.
LARGEST = 300_000
ESCAPES = re.compile(r"\x1b\[[0-9;]*m")


def lines(text: str) -> list[str]:
    """Return the lines of an output without colours."""
    return [line for line in ESCAPES.sub("", text).splitlines() if line.strip()]


@pytest.mark.parametrize("path", notebooks.NOTEBOOKS, ids=lambda path: path.stem)
def test_kept_notebook_ran_from_top_to_bottom_without_error(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    cells = [cell for cell in json.loads(text)["cells"] if cell["cell_type"] == "code"]
    assert [cell["execution_count"] for cell in cells] == list(range(1, len(cells) + 1)), "run make examples"
    outputs = [output for cell in cells for output in cell["outputs"]]
    assert any("image/png" in output.get("data", {}) or output.get("text") for output in outputs)
    assert not [output for output in outputs if output["output_type"] == "error" or output.get("name") == "stderr"]
    assert len(text) < LARGEST


@pytest.mark.parametrize(
    "path",
    [pytest.param(path, marks=[pytest.mark.slow] * (path.stem in SLOW), id=path.stem) for path in notebooks.NOTEBOOKS],
)
def test_notebook_runs_and_prints_what_it_shows(path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    environ = {name: value for name, value in os.environ.items() if not name.startswith("LAPMARK_")}
    environ |= {"LAPMARK_DATA": "", "LAPMARK_CACHE": str(tmp_path / "cache")}
    again = notebooks.executed(path, tmp_path, environ)
    kept = notebooks.printed(notebooks.read(path))
    varies = VARIES.get(path.stem)
    expected = [line for line in lines(kept) if varies is None or not re.match(f".*(?:{varies})", line)]
    assert not shown.missing(expected, "\n".join(lines(notebooks.printed(again))))


def test_notebook_that_raises_is_an_error(tmp_path: Path) -> None:
    path = tmp_path / "wrong.ipynb"
    text = notebooks.NOTEBOOKS[0].read_text(encoding="utf-8")
    notebook = json.loads(text)
    notebook["cells"] = [next(cell for cell in notebook["cells"] if cell["cell_type"] == "code")]
    notebook["cells"][0]["source"] = ["1 / 0"]
    path.write_text(json.dumps(notebook), encoding="utf-8")
    with pytest.raises(notebooks.CellExecutionError, match="ZeroDivisionError"):
        notebooks.executed(path, tmp_path, os.environ)
