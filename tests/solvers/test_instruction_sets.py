"""The choice of the instruction set: LAPMARK_ISA, what a record says of it, and the same answers from all."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest

from lapmark.bench.cli.catalogue_tables import solver_table
from lapmark.bench.problems import Case
from lapmark.bench.run.cells import resolve
from lapmark.bench.system.machine import machine
from lapmark.solvers import names, registry
from lapmark.solvers.native._kernels import INSTRUCTION_SETS, up_to

ANSWERS = """
import hashlib, json
import numpy as np
from lapmark import Assignment, DenseCost, PointCost, SparseCost, Transport, linear_sum_assignment, solve
from lapmark.bench.system.machine import machine
from lapmark.solvers import names
from scipy import sparse

rng = np.random.default_rng(3)
x, y = rng.random((2, 150, 2))
few = sparse.random_array((90, 90), density=0.2, rng=rng) + sparse.eye_array(90)
matchings = [
    solve(Assignment(DenseCost(rng.random((120, 120), dtype=np.float32)))),
    solve(Assignment(DenseCost(rng.integers(0, 9, (90, 140)).astype(float))), "auction"),
    solve(Assignment(PointCost(x, y)), "cascade"),
    solve(Assignment(SparseCost(few)), "cascade"),
]
plan = solve(Transport(PointCost(x, y, p=1), rng.random(150), rng.random(150), partial=True))
counters = [dict(answer.counters) for answer in (*matchings, plan)]
arrays = [array for m in matchings for array in (m.row_to_col, m.u, m.v)] + [plan.f, plan.g, plan.mass.toarray()]
arrays += linear_sum_assignment(rng.random((40, 60)))
digest = hashlib.sha256(b"".join(np.ascontiguousarray(array).tobytes() for array in arrays)).hexdigest()
print(json.dumps({"names": names(), "isa": machine()["instruction_set"], "answers": [digest, counters]}))
"""


def python(code: str, isa: str | None) -> subprocess.CompletedProcess[str]:
    others = {name: value for name, value in os.environ.items() if name != "LAPMARK_ISA"}
    given = others if isa is None else {**others, "LAPMARK_ISA": isa}
    return subprocess.run([sys.executable, "-c", code], env=given, capture_output=True, text=True, timeout=300)


@pytest.fixture(scope="module")
def by_default() -> dict[str, object]:
    return json.loads(python(ANSWERS, None).stdout)


@pytest.mark.parametrize("isa", INSTRUCTION_SETS)
def test_lapmark_isa_forces_an_instruction_set_with_the_same_answers(by_default, isa):
    forced = json.loads(python(ANSWERS, isa).stdout)
    assert forced["isa"] == isa
    assert forced["answers"] == by_default["answers"]
    builds = {name for name in forced["names"] if name == "jv" or name.startswith("jv-")}
    assert builds == {"jv", *(f"jv-{each}" for each in up_to(isa)[1:])}


def test_empty_lapmark_isa_is_the_default(by_default):
    assert json.loads(python(ANSWERS, "").stdout)["isa"] == by_default["isa"] == machine()["instruction_set"]


def test_unknown_lapmark_isa_is_an_error_that_names_the_possible_ones():
    failed = python("from lapmark import solve", "sse9")
    assert failed.returncode == 1
    last = failed.stderr.strip().splitlines()[-1]
    assert last == f"ImportError: LAPMARK_ISA: instruction set 'sse9': it must be {' or '.join(INSTRUCTION_SETS)} here"


def test_unknown_lapmark_isa_is_one_line_on_the_command_line():
    failed = python("import sys; sys.argv = ['lapmark', 'solvers']; from lapmark.bench.cli import main; main()", "sse9")
    assert failed.returncode == 2
    assert "LAPMARK_ISA: instruction set 'sse9': it must be" in failed.stderr
    assert "Traceback" not in failed.stderr


def test_results_of_another_instruction_set_are_not_reused():
    cell = resolve("jv", Case("uniform", 8))
    assert cell.key(machine()) != cell.key({**machine(), "instruction_set": "another"})


def test_every_vector_build_is_registered_and_says_what_it_needs():
    for name, solver in registry.solvers().items():
        if solver.capabilities.variant_of == "jv":
            isa = name.removeprefix("jv-")
            assert (isa in INSTRUCTION_SETS) == (name in names())
            assert solver.missing is None or solver.missing.startswith(f"it needs {isa.upper()}; ")


def test_list_of_solvers_names_the_instruction_set():
    assert solver_table([]).note.endswith(f"kernels here: {INSTRUCTION_SETS[-1]}.")
