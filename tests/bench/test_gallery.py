"""The gallery: what it draws, the page it makes, and what it says of mistakes."""

from __future__ import annotations

import json
import os
import re
import shlex
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from typer.testing import CliRunner

from bench import gallery, problems
from bench.cli import app
from bench.problems import Case, Family
from reports import pictures
from solvers import PointCost, Transport
from solvers.result import Result

SMALL = "images-emd:n=16"


def lapmark(*arguments: object) -> tuple[int, str]:
    result = CliRunner().invoke(app, [str(argument) for argument in arguments])
    assert result.exception is None or isinstance(result.exception, SystemExit), result.output
    return result.exit_code, " ".join(result.output.replace("│", " ").split())


@pytest.fixture
def blurred(monkeypatch: pytest.MonkeyPatch) -> None:
    """A family that is registered elsewhere, whose answers are entropic, and whose pictures have no captions."""
    problems.families()

    def build(n: int, seed: int = 0, reach: float = 0.0) -> Transport:
        x, y = np.random.default_rng(seed).random((2, n, 2))
        return Transport(PointCost(x, y), blur=0.1, reach=reach or None)

    def draw(problem: Transport, result: Result, folder: Path, n: int, seed: int = 0, reach: float = 0.0) -> list[Path]:
        Image.fromarray(np.eye(100, dtype=np.uint8) * 255).save(folder / "an-eye.png")
        return [folder / "an-eye.png"]

    monkeypatch.setitem(problems._families, "blurred", Family("blurred", build, "here & there", (9, 16), draw=draw))


def test_every_application_is_drawn_at_its_smallest_size() -> None:
    cases = gallery.cases()
    assert {"images-emd", "tsne-grid", "words"} <= {case.problem for case in cases}
    for case in cases:
        family = problems.get(case.problem)
        assert family.draw is not None
        assert case == Case(case.problem, family.sizes[0], 0, family.variants[0])


def test_settings_are_laid_over_the_first_variant() -> None:
    assert gallery.cases(["tsne-grid:cost=points,seed=3"], 49) == [
        Case("tsne-grid", 49, 3, {"rows": "nodes", "cost": "points"})
    ]


@pytest.mark.parametrize("text", ["words:n=20", "words:n=20,seed=4,vectors=my file.txt", "tsne-grid:n=49"])
def test_the_command_draws_the_case(text: str) -> None:
    (case,) = gallery.cases([text])
    program, verb, name, option, size = shlex.split(gallery.command(case))
    assert (program, verb, option) == ("lapmark", "gallery", "-n")
    assert gallery.cases([name], int(size)) == [case]


def test_one_application_and_its_page(tmp_path: Path) -> None:
    code, output = lapmark("gallery", SMALL, "--to", tmp_path)
    assert code == 0, output
    assert "16 × 16, solved by transport" in output
    assert "certified optimal" in output
    page = (tmp_path / "index.html").read_text(encoding="utf-8")
    assert "lapmark gallery images-emd -n 16" in page
    assert "The earth mover&#39;s distance between two grey images" in page
    assert problems.get("images-emd").captions["flow"] in page
    assert page.count('<img src="data:image/webp;base64,') == 2
    assert not re.search(r'(?:src|href)="(?!data:|#)', page)
    for path in tmp_path.glob("*/*.png"):
        assert len(Image.open(path).convert("RGB").getcolors(1 << 24)) > 10
    assert not list(tmp_path.glob(".*")), "nothing half drawn is left"


@pytest.mark.usefixtures("blurred")
def test_the_page_shows_all_that_was_drawn_there(tmp_path: Path) -> None:
    for arguments in ((SMALL,), ("blurred",), ("blurred:reach=0.5", "-n", 16), ("blurred",)):
        code, output = lapmark("gallery", *arguments, "--to", tmp_path)
        assert code == 0, output
    page = (tmp_path / "index.html").read_text(encoding="utf-8")
    titles = re.findall(r"<h2[^>]*>(.*?) <a", page)
    assert titles == ["blurred, n = 9", "blurred:reach=0.5, n = 16", "images-emd, n = 16"]
    assert "An eye." in page
    assert "here &amp; there" in page


@pytest.mark.usefixtures("blurred")
def test_an_entropic_answer_says_what_is_certain(tmp_path: Path) -> None:
    balanced = pictures.album(Case("blurred", 9), "auto", tmp_path).text
    assert re.search(r"marginal error .*, certified at most .* % above what it costs without blur", balanced), balanced
    loose = pictures.album(Case("blurred", 9, 0, {"reach": 0.5}), "auto", tmp_path).text
    assert re.search(r"with the penalty on what stays behind, .*, certified at most .* % above", loose), loose


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["wrods"], "no application is called 'wrods'; did you mean words"),
        (["uniform"], "uniform has no pictures; those that have: "),
        (["words:colour=red"], "no setting 'colour'"),
        (["words:n=few"], "n and seed are whole numbers"),
        (["-n", "0"], "Invalid value for '-n'"),
    ],
)
def test_a_mistake_is_named_and_costs_nothing(tmp_path: Path, arguments: list[str], message: str) -> None:
    code, output = lapmark("gallery", "--to", tmp_path, *arguments)
    assert code == 2
    assert message in output
    assert not list(tmp_path.iterdir())


def test_a_case_that_cannot_be_built_says_why_and_is_not_shown(tmp_path: Path) -> None:
    code, output = lapmark("gallery", "words:vectors=missing.txt", "--to", tmp_path)
    assert code == 1
    assert "no pictures: " in output
    assert "missing.txt" in output
    assert "<section" not in (tmp_path / "index.html").read_text(encoding="utf-8")


def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("dear diary")
    code, output = lapmark("gallery", SMALL, "--to", tmp_path / "file")
    assert code == 2
    assert "file" in output
    assert (tmp_path / "file").read_text() == "dear diary"


def test_ctrl_c_keeps_what_is_drawn(tmp_path: Path) -> None:
    process = subprocess.Popen(
        [sys.executable, "-m", "bench.cli", "gallery", SMALL, "words:n=300", "--to", str(tmp_path)],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env=os.environ,
    )
    assert process.stdout is not None
    first = process.stdout.readline()
    assert first.startswith("images-emd"), first + process.communicate()[0]
    process.send_signal(signal.SIGINT)
    output, _ = process.communicate(timeout=60)
    assert process.returncode == 130, output
    assert "Stopped after 1 of 2 applications, which are kept" in output
    assert "Traceback" not in output
    assert not list(tmp_path.glob(".*"))
    (about,) = tmp_path.glob("*/about.json")
    assert json.loads(about.read_text())["pictures"] == ["flow.png", "nearest.png"]
    assert "images-emd -n 16" in (tmp_path / "index.html").read_text(encoding="utf-8")
