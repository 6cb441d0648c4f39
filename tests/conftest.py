"""Options of the contract suite, which pytest reads from the topmost conftest only, and what every test relies on."""

from __future__ import annotations

import os
import shutil
import signal
import tempfile
from collections.abc import Iterator
from typing import Any

import pytest
from browsers import CHROMIUM

# Read when a library is loaded: threads that spin for each other make a busy machine's tests take minutes.
os.environ.setdefault("OMP_NUM_THREADS", "1")

from lapmark.solvers import plugins


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("contract")
    group.addoption("--solver", action="append", metavar="NAME", help="contract of this solver only (repeatable)")
    group.addoption("--plugin", action="append", metavar="FILE", default=[], help="Python file that registers solvers")


def pytest_configure(config: pytest.Config) -> None:
    # A shell starts background jobs with SIGINT ignored, which children inherit: none of them would see Ctrl-C.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    folder = tempfile.mkdtemp(prefix="lapmark-tests-")
    config.add_cleanup(lambda: shutil.rmtree(folder, ignore_errors=True))
    # Tests assert no times, and need not wait for whoever measures on this machine.
    os.environ["LAPMARK_LOCK"] = os.path.join(folder, "lock")
    # A narrow terminal breaks the paths that messages name, each where its length has it.
    os.environ["COLUMNS"] = "300"
    # What environments there are on this machine is no business of a test; those that it makes itself go with it.
    os.environ["LAPMARK_ENVIRONMENTS"] = os.path.join(folder, "environments")
    for path in config.getoption("--plugin"):
        try:
            plugins.load(path)
        except ValueError as error:
            raise pytest.UsageError(str(error)) from None


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    """Chromium without a window. Not for longer than a module: its event loop would be in the way of others."""
    api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed (pip install playwright)")
    if CHROMIUM is None:
        pytest.skip("neither Chromium nor Chrome is installed")
    with api.sync_playwright() as playwright:
        # A container often runs as root, where Chromium's sandbox does not.
        chromium = playwright.chromium.launch(
            executable_path=CHROMIUM, args=["--no-sandbox", "--disable-dev-shm-usage"]
        )
        yield chromium
        chromium.close()
