"""Transport on a line: certified plans, and values that are theirs."""

import dataclasses

import pytest

from lapmark.bench.asv_benchmarks import line


def test_line_values_are_those_of_the_certified_plans() -> None:
    given = line.problem(60)
    assert len(line.values(given)) >= 1
    line.check(given)


def test_line_another_value_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    given = line.problem(60)
    other = line.values(dataclasses.replace(given, a=given.b, b=given.a))
    monkeypatch.setattr(line, "values", lambda given: other)
    with pytest.raises(ValueError, match="the value by SciPy is"):
        line.check(given)
