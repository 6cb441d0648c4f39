"""The charts, and how they look."""

from __future__ import annotations

import itertools
import xml.etree.ElementTree as ET

import numpy as np
import pytest
from matplotlib.figure import Figure
from report_records import blurred, failed, make_record

from lapmark.bench.problems import Case
from lapmark.bench.results.record import METRICS, Record
from lapmark.bench.results.statuses import STATUSES
from lapmark.reports import charts, style, tables
from lapmark.reports.charts import accuracy, axes, status_matrix, time_and_memory
from lapmark.solvers import registry


@pytest.mark.parametrize("chart", charts.ALL, ids=lambda chart: chart.name)
def test_chart_is_drawn_as_png_and_svg(chart: charts.Chart, records: list[Record]) -> None:
    twins = [make_record(name, Case("uniform", n), samples=(n * 1e-6,)) for name in ("jv", "jv-avx2") for n in (8, 16)]
    more = [make_record("cascade", Case("uniform", 8), samples=(1.0,), threads=threads) for threads in (1, 2)]
    more += [make_record("jv", Case("integers", n), samples=(n * 1e-6,)) for n in (16, 32, 64)]  # a family to hide
    more += [make_record("jv", Case(grid, 16), samples=(1e-6,)) for grid in ("tsne-grid", "lle-grid")]
    more += [make_record("jv", Case("layered", 16), samples=(1e-6,), peak_memory=2**20)]  # a case of one size
    figure = chart.draw(tables.frame([*records, *twins, *more, *blurred()]))
    assert figure is not None
    assert axes.png(figure).startswith(b"\x89PNG")
    svg = axes.svg(figure)
    assert ET.fromstring(svg).tag.endswith("svg")
    assert b"prefers-color-scheme:dark" in svg


def test_svg_of_equal_cells_gives_equal_bytes(records: list[Record]) -> None:
    one, other = (axes.svg(status_matrix.draw(tables.frame(records))) for _ in range(2))  # type: ignore[arg-type]
    assert one == other


def test_charts_of_failed_cells_are_the_status_matrix_only() -> None:
    cells = tables.frame(failed())
    assert [chart.name for chart in charts.ALL if chart.draw(cells) is not None] == ["status"]


def test_time_chart_draws_certified_cells_with_the_exponent() -> None:
    law = [make_record("jv", Case("uniform", n), samples=(1e-9 * n**2.5,)) for n in (100, 200, 400)]
    wrong = make_record("liar", Case("uniform", 100), status="wrong", samples=(1e-9,))
    figure = time_and_memory.TIME.draw(tables.frame([*law, wrong]))
    assert figure is not None
    texts = [text.get_text() for text in figure.axes[0].texts]
    assert texts == ["jv  n²·⁵⁰"]


def test_time_chart_has_a_panel_per_case(records: list[Record]) -> None:
    figure = time_and_memory.TIME.draw(tables.frame(records))
    assert figure is not None
    titles = [ax.get_title(loc="left") for ax in figure.axes]
    assert titles == ["uniform:dtype=float32", "uniform:dtype=float64"]


def test_status_matrix_has_a_text_for_every_status(records: list[Record]) -> None:
    figure = status_matrix.draw(tables.frame(records))
    assert figure is not None
    shown = {text.get_text() for text in figure.axes[0].texts}
    assert {each.label for each in STATUSES.values()} <= shown


def test_status_order_ranks_wrong_worst_and_every_rank_once() -> None:
    assert status_matrix.ORDER[-1].name == "wrong"
    assert [each.rank for each in status_matrix.ORDER] == list(range(len(STATUSES)))


def test_time_chart_labels_of_many_solvers_do_not_overlap() -> None:
    names = [f"solver-{k}" for k in range(25)]
    rows = [make_record(name, Case("uniform", n), samples=(n * 1e-5,)) for name in names for n in (8, 16, 32)]
    figure = time_and_memory.TIME.draw(tables.frame(rows))
    assert figure is not None
    assert len(figure.axes[0].texts) == 25
    assert_apart(figure)


def test_gap_chart_labels_do_not_overlap(records: list[Record]) -> None:
    more = [
        make_record(f"s{k}", Case("uniform", 64, 0, {"dtype": "float32"}), samples=(k + 1,), gap=0.0) for k in range(9)
    ]
    figure = accuracy.CHARTS[0].draw(tables.frame([*records, *more]))
    assert figure is not None
    assert_apart(figure)


def test_accuracy_charts_of_transport_need_its_errors(records: list[Record]) -> None:
    for metric, chart in zip(METRICS[1:], accuracy.CHARTS[1:], strict=True):
        assert chart.draw(tables.frame(records)) is None
        figure = chart.draw(tables.frame([*records, *blurred()]))
        assert figure is not None
        assert [ax.get_title(loc="left") or ax.get_title() for ax in figure.axes if ax.get_visible()]
        low, high = figure.axes[0].get_ylim()
        values = [getattr(record, metric.name) for record in blurred()]
        assert low < min(values) < max(values) < high


def assert_apart(figure: Figure) -> None:
    figure.canvas.draw()
    for ax in figure.axes:
        boxes = [text.get_window_extent().shrunk(0.9, 0.9) for text in ax.texts]
        assert not any(one.overlaps(other) for one, other in itertools.combinations(boxes, 2))
        assert all(figure.bbox.x0 <= box.x0 and box.x1 <= figure.bbox.x1 for box in boxes)


def test_spread_keeps_order_and_distance_and_moves_only_what_must() -> None:
    places = axes.spread([0.1, 0.5, 0.5, 0.5, 0.9], 0.1, 0.0, 1.0)
    assert places == pytest.approx([0.1, 0.4, 0.5, 0.6, 0.9])
    assert np.diff(axes.spread([0.99, 1.0, 1.2], 0.1, 0.0, 1.0)) == pytest.approx([0.1, 0.1])
    assert axes.spread([0.99, 1.0, 1.2], 0.1, 0.0, 1.0)[-1] <= 1


def test_style_of_each_solver_is_unique() -> None:
    seen = [(look.colour, look.marker, look.dashes) for look in map(style.style, registry.solvers())]
    assert len(set(seen)) == len(seen)


def test_style_of_our_solvers_is_thick_and_shares_the_colour_of_its_vector_build() -> None:
    ours, twin, theirs = map(style.style, ("jv", "jv-avx2", "scipy"))
    assert ours.colour == twin.colour
    assert ours.dashes != twin.dashes
    assert ours.width == twin.width > theirs.width


def test_charts_of_hostile_names_draw_plain_text() -> None:
    assert style.plain("$x$\n" + "y" * 99) == r"\$x\$" + "\N{REPLACEMENT CHARACTER}" + "y" * 35 + "…"
    hostile = [make_record("$\\frac$<script>", Case("uniform", n), samples=(1.0,), gap=0.0) for n in (8, 16, 32)]
    for chart in charts.ALL:
        figure = chart.draw(tables.frame(hostile))
        if figure is not None:
            ET.fromstring(axes.svg(figure))
