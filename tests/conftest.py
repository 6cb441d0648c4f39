"""Options of the contract suite, which pytest reads from the topmost conftest only, and what every test relies on."""

from __future__ import annotations

import os
import signal
import tempfile

import pytest

from bench import plugins


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("contract")
    group.addoption("--solver", action="append", metavar="NAME", help="contract of this solver only (repeatable)")
    group.addoption("--plugin", action="append", metavar="FILE", default=[], help="Python file that registers solvers")


def pytest_configure(config: pytest.Config) -> None:
    # A shell starts background jobs with SIGINT ignored, which children inherit: none of them would see Ctrl-C.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    # Tests assert no times, and need not wait for whoever measures on this machine.
    os.environ["LAPMARK_LOCK"] = tempfile.mkstemp(prefix="lapmark-tests-")[1]
    # What environments there are on this machine is no business of a test; those that it makes itself go with it.
    os.environ["LAPMARK_ENVIRONMENTS"] = tempfile.mkdtemp(prefix="lapmark-environments-")
    for path in config.getoption("--plugin"):
        try:
            plugins.load(path)
        except ValueError as error:
            raise pytest.UsageError(str(error)) from None
