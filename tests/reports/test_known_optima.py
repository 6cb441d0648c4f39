"""Certified optima beside known ones."""

from __future__ import annotations

from report_records import make_record

from lapmark.bench.problems import Case
from lapmark.bench.results.record import Record
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


def test_markdown_shows_what_is_known_and_certified() -> None:
    assert known_optima.markdown(known_optima.collect_optima(tables.frame(RECORDS))).splitlines()[2:] == [
        "| `orlib:cost=sparse` | 800 | 2 239 | none | 0 |",
        "| `product` | 100 | 171 700 | 171 700 | 2 |",
        "| `uniform` | 30 |  | 1.25 | 1 |",
    ]
