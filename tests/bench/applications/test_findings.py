"""What an answer gains over a simpler method: the numbers, and the words for them."""

from __future__ import annotations

import re

import numpy as np
import pytest

from lapmark import solve
from lapmark.bench.applications import findings
from lapmark.bench.data import documentation_vectors
from lapmark.bench.problems import Case
from lapmark.bench.problems.applied import images_emd


def found(case: Case) -> str:
    problem = case.build()
    return findings.finding(case, problem, solve(problem))


def test_finding_of_digits_says_that_the_distance_does_not_help() -> None:
    text = found(Case("images-emd", 16))
    share = images_emd.accuracy("digits", 1, findings.DRAWS)
    right = {name: round(each * findings.DRAWS * images_emd.QUERIES) for name, each in share.items()}
    assert right["EMD"] < right["L2"]
    assert "does not help" in text
    assert f"right digit for {right['EMD']}, fewer than the {right['L2']}" in text


@pytest.mark.parametrize("rows", ["nodes", "points"])
def test_finding_of_a_grid_compares_the_sums_of_squares(rows: str) -> None:
    case = Case("tsne-grid", 64, 0, {"source": "digits", "rows": rows})
    problem = case.build()
    optimum = solve(problem)
    text = findings.finding(case, problem, optimum)
    points = findings.sample_of_grid(case).points
    order = sorted(range(64), key=lambda k: points[k, 1])
    order = [k for row in range(8) for k in sorted(order[8 * row : 8 * row + 8], key=lambda k: points[k, 0])]
    matrix = np.asarray(problem.cost.matrix, np.float64)
    rank = np.arange(64)
    simple = (matrix[rank, order] if rows == "nodes" else matrix[order, rank]).sum()
    assert f"is {100 * (simple / optimum.cost - 1):.0f} % more than the optimum" in text


def test_finding_of_masses_moves_all_mass_greedily() -> None:
    more = float(re.findall(r"costs ([\d.]+) times the optimum", found(Case("masses", 256)))[0])
    assert 1 < more < 10
    assert found(Case("masses", 9, 0, {"layout": "random"})) == ""


def test_finding_of_label_transfer_counts_points_without_a_label() -> None:
    count = re.findall(r"^(\d+) of 200 points are so far", found(Case("label-transfer", 200, 0, {"reach": 0.2})))
    assert 0 < int(count[0]) < 100
    assert found(Case("label-transfer", 200)).startswith("All mass has to move: 0 of 200")


def test_finding_of_a_flow_gives_its_first_and_last_distance() -> None:
    first, last = re.findall(r"falls from ([\d.]+) to ([\d.]+)\.$", found(Case("gmm-flow", 3)))[0]
    assert float(last) < 0.1 * float(first)


@pytest.mark.slow
def test_finding_of_words_counts_related_topics() -> None:
    text = found(Case("words", 12))
    total, moved, counted = map(int, re.findall(r"of (\d+) topics.* for (\d+); .* for (\d+)\.", text)[0])
    assert 0 < moved <= total
    assert 0 < counted <= total
    assert ("does not help" in text) == (moved <= counted)


def test_related_topics_are_symmetric_topics_of_the_manual() -> None:
    library = documentation_vectors.python_topics()
    related = findings.related_topics(library)
    assert related.keys() <= library.keys()
    assert all(name in related[other] and name != other for name, others in related.items() for other in others)


def test_finding_of_a_family_without_a_comparison_is_empty() -> None:
    assert found(Case("uniform", 8)) == ""
