"""Reports of a gate as files for CI systems."""

from __future__ import annotations

import json
import re
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest
from comparisons import compared_to, record, scaled

from lapmark.bench.compare import rendering
from lapmark.bench.compare.comparison import Comparison
from lapmark.bench.gate import ci_reports

STEADY = [[1.0, 1.001], [1.001, 1.0], [1.0, 1.002]]
UNSAFE = "it broke </failure> & \x1b[31m \ufffe ]]> \n::error::no"


@pytest.fixture
def comparison() -> Comparison:
    """Every outcome of a cell: worse in three ways, inconclusive, steady, on one side alone, without an answer."""
    old = [record(n=n, rounds=STEADY) for n in (1, 2, 3, 5)]
    old += [record(n=4, rounds=[[1.0], [2.0]]), record('gone "<&>"', n=6), record(n=8, status="error", rounds=[])]
    new = [record(n=1, rounds=scaled(STEADY, 3)), record(n=2, rounds=STEADY, counters={"row_scans": 2000})]
    new += [record(n=3, status="error", message=UNSAFE, rounds=[]), record(n=5, rounds=STEADY)]
    new += [record(n=4, rounds=[[1.0], [2.0]]), record("added", n=7)]
    new += [record(n=8, status="error", message="no module", rounds=[])]
    return compared_to(old, new)


def test_write_reports_writes_every_file_whole(comparison: Comparison, tmp_path: Path) -> None:
    paths = ci_reports.write_reports(comparison, tmp_path / "out")
    assert sorted(paths) == sorted((tmp_path / "out").iterdir())
    content = json.loads((tmp_path / "out" / "gate.json").read_text())
    assert content["worse"] is True
    assert (tmp_path / "out" / "gate.md").read_text() == rendering.markdown(comparison) + "\n"


def test_junit_has_a_case_for_each_cell_and_fails_what_is_worse(comparison: Comparison) -> None:
    root = ET.fromstring(ci_reports.junit(comparison))
    (suite,) = root
    cases = {case.get("name"): case for case in suite.iter("testcase")}
    outcomes = {name: [child.tag for child in case] for name, case in cases.items()}
    assert outcomes == {
        "jv on uniform n=1": ["failure"],
        "jv on uniform n=2": ["failure", "system-out"],
        "jv on uniform n=3": ["failure"],
        "jv on uniform n=4": ["system-out"],
        "jv on uniform n=5": ["system-out"],
        'gone "<&>" on uniform n=6': ["skipped"],
        "added on uniform n=7": ["skipped"],
        "jv on uniform n=8": ["skipped"],
    }
    for element in (root, suite):
        assert [element.get(name) for name in ("tests", "failures", "errors")] == ["8", "3", "0"]
    assert suite.get("skipped") == "3"
    assert suite.get("timestamp") == "2026-01-01T00:00:00"
    failure = cases["jv on uniform n=1"].find("failure")
    assert failure is not None
    assert failure.get("message") == "time worse: 3× slower"
    assert float(cases["jv on uniform n=1"].get("time", "")) == pytest.approx(3.0, rel=0.01)
    output = cases["jv on uniform n=4"].findtext("system-out")
    assert output is not None
    assert "too few rounds to tell: 2" in output


def test_junit_of_texts_from_elsewhere_is_valid(comparison: Comparison) -> None:
    text = ci_reports.junit(comparison)
    failure = ET.fromstring(text).find(".//testcase[@name='jv on uniform n=3']/failure")
    assert failure is not None
    assert "it broke </failure> &" in (failure.text or "")
    assert not re.search("[\x00-\x08\x0b-\x1f\ufffe]", text)


def test_open_metrics_lists_what_is_exact_and_escapes_labels() -> None:
    text = ci_reports.open_metrics([record('a "b"\\', n=3, instructions=17), record(n=4, counters={})])
    assert text.splitlines() == [
        "# TYPE lapmark_gap gauge",
        'lapmark_gap{solver="a \\"b\\"\\\\",case="uniform:n=3,seed=0",threads="1"} 0.0',
        'lapmark_gap{solver="jv",case="uniform:n=4,seed=0",threads="1"} 0.0',
        "# TYPE lapmark_instructions gauge",
        'lapmark_instructions{solver="a \\"b\\"\\\\",case="uniform:n=3,seed=0",threads="1"} 17',
        "# TYPE lapmark_reductions gauge",
        'lapmark_reductions{solver="a \\"b\\"\\\\",case="uniform:n=3,seed=0",threads="1"} 10',
        "# TYPE lapmark_row_scans gauge",
        'lapmark_row_scans{solver="a \\"b\\"\\\\",case="uniform:n=3,seed=0",threads="1"} 1000',
        "# EOF",
    ]
