"""Options of the contract suite; they live here because pytest reads options from the topmost conftest only."""

from __future__ import annotations

import pytest

from bench import plugins


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("contract")
    group.addoption("--solver", action="append", metavar="NAME", help="contract of this solver only (repeatable)")
    group.addoption("--plugin", action="append", metavar="FILE", default=[], help="Python file that registers solvers")


def pytest_configure(config: pytest.Config) -> None:
    for path in config.getoption("--plugin"):
        try:
            plugins.load(path)
        except ValueError as error:
            raise pytest.UsageError(str(error)) from None
