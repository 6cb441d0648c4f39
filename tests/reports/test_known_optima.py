"""Certified optima beside known ones."""

from __future__ import annotations

from pathlib import Path

import pytest
from report_records import make_record

from lapmark.bench.problems import Case
from lapmark.bench.results.record import Record
from lapmark.bench.util.atomic_write import write_atomically
from lapmark.reports import tables
from lapmark.reports.export import known_optima


def certified(solver: str, case: Case, cost: float, **known: object) -> Record:
    return make_record(solver, case, samples=(1.0,), gap=0.0, cost=cost, **known)


RECORDS = [
    certified("cascade", Case("product", 100), 171_700),
    certified("scipy", Case("product", 100), 171_700),
    certified("pot-sinkhorn", Case("product", 100), 171_701, exact=False),
    certified("cascade", Case("uniform", 30), 1.25),
    certified("scipy", Case("orlib", 800, 0, {"cost": "sparse"}), 2240, status="error"),
]


def test_collect_optima_takes_certified_answers_of_exact_solvers() -> None:
    found = known_optima.collect_optima(tables.frame(RECORDS)).set_index("label")
    assert found["solvers"].to_dict() == {"orlib:cost=sparse": 0, "product": 2, "uniform": 1}
    assert found.loc["product", ["known", "optimum"]].tolist() == [171_700, 171_700]
    assert found["known"].isna().tolist() == [False, False, True]
    assert found["optimum"].isna().tolist() == [True, False, False]


def test_main_prints_the_table(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_atomically(tmp_path / "results.csv", tables.csv(tables.frame(RECORDS)).encode())
    assert known_optima.main([str(tmp_path)]) == 0
    assert capsys.readouterr().out.splitlines()[2:] == [
        "| `orlib:cost=sparse` | 800 | 2 239 | none | 0 |",
        "| `product` | 100 | 171 700 | 171 700 | 2 |",
        "| `uniform` | 30 |  | 1.25 | 1 |",
    ]


@pytest.mark.parametrize(("arguments", "status"), [([], 2), (["none"], 1)])
def test_main_with_a_mistake_names_the_remedy(
    arguments: list[str], status: int, capsys: pytest.CaptureFixture[str]
) -> None:
    assert known_optima.main(arguments) == status
    assert ("known_optima standard" if not arguments else "lapmark report none") in capsys.readouterr().err
