"""Plugin of pytest: the fixture `lapmark_benchmark`, and the option `--lapmark-history`.

Every run of pytest in the environment loads this module, so that it imports little.
"""

from __future__ import annotations

import dataclasses
import platform
import shutil
from collections.abc import Generator
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from .benchmark_fixture import LapmarkBenchmark
    from .measurement import Commit, Measurement

#: Seconds to sample a function, without and with a history to record it in.
BRIEF, THOROUGH = 0.1, 0.5

#: The attribute of a report with the measurement of its test; pytest-xdist passes it on to the main process.
ATTRIBUTE = "lapmark_measurement"

_BENCHMARK = pytest.StashKey["LapmarkBenchmark"]()


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("lapmark", "benchmarks with lapmark_benchmark")
    words = "add what lapmark_benchmark measured to this history, as of the commit that is checked out"
    group.addoption("--lapmark-history", metavar="DIR", default=None, help=words)


def pytest_configure(config: pytest.Config) -> None:
    folder = config.getoption("--lapmark-history", default=None)
    is_worker = hasattr(config, "workerinput")  # of pytest-xdist
    commit, path = None, None
    if folder and not is_worker:
        from .project_commit import head_commit

        path = config.invocation_params.dir / folder
        try:
            commit = head_commit(path, config.rootpath)
        except ValueError as error:
            raise pytest.UsageError(f"--lapmark-history: {error}") from None
    if not is_worker:
        config.pluginmanager.register(Recorder(path, commit), "lapmark-recorder")


@pytest.fixture
def lapmark_benchmark(request: pytest.FixtureRequest) -> LapmarkBenchmark:
    """Time a function in this test, and certify its answer: `result = lapmark_benchmark(function, argument)`."""
    from .benchmark_fixture import LapmarkBenchmark

    budget = THOROUGH if request.config.getoption("--lapmark-history", default=None) else BRIEF
    made = LapmarkBenchmark(request.node.nodeid, budget)
    request.node.stash[_BENCHMARK] = made
    return made


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[Any]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    benchmark = item.stash.get(_BENCHMARK, None)
    if benchmark is not None and call.when == "call":
        failure = None if call.excinfo is None else f"{call.excinfo.typename}: {call.excinfo.value}".split("\n", 1)[0]
        found = benchmark.measurement(failure)
        if found is not None:
            setattr(report, ATTRIBUTE, dataclasses.asdict(found))
    return report


class Recorder:
    """Collects the measurements of a session, shows them, and adds them to a history at its end."""

    def __init__(self, folder: Path | None, commit: Commit | None) -> None:
        self._folder, self._commit = folder, commit
        self._found: dict[str, Measurement] = {}
        self._notes: list[str] = []

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        values = getattr(report, ATTRIBUTE, None)
        if values is not None:
            from .measurement import Measurement

            self._found[report.nodeid] = Measurement(**values)

    def pytest_sessionfinish(self, session: pytest.Session, exitstatus: int) -> None:
        if self._folder is None or self._commit is None:
            return
        if exitstatus not in (pytest.ExitCode.OK, pytest.ExitCode.TESTS_FAILED):
            self._notes.append("the session did not end as usual: nothing is added to the history")
        elif not self._found:
            self._notes.append("no test used lapmark_benchmark: nothing is added to the history")
        else:
            try:
                path = self._append(self._folder, self._commit)
                self._notes.append(f"commit {self._commit.hash[:10]} is in {path}")
            except (OSError, ValueError) as error:
                self._notes.append(f"the history cannot be written: {error}")
                session.exitstatus = pytest.ExitCode.TESTS_FAILED

    def pytest_terminal_summary(self, terminalreporter: Any) -> None:
        if not self._found and not self._notes:
            return
        terminalreporter.section("lapmark")
        for measurement in sorted(self._found.values(), key=lambda each: each.name):
            for line in _lines(measurement, shutil.get_terminal_size().columns):
                terminalreporter.write_line(line)
        for note in self._notes:
            terminalreporter.write_line(note)

    def _append(self, folder: Path, commit: Commit) -> Path:
        from lapmark.bench.system.machine import machine

        from .history_store import append
        from .measurement import Snapshot

        facts = {name: value for name, value in machine().items() if name != "python"}
        snapshot = Snapshot(
            commit=commit,
            source="pytest",
            machine=facts,
            versions={"python": platform.python_version()},
            measured=datetime.now(UTC).isoformat(timespec="seconds"),
            measurements=tuple(self._found.values()),
        )
        return append(folder, snapshot)


def _lines(measurement: Measurement, width: int) -> list[str]:
    """Return a measurement as a line, or two where one is too long."""
    from lapmark.bench.util.units import show_duration

    if measurement.median is None or measurement.lower is None or measurement.upper is None:
        what = f"{measurement.status}: {measurement.message}"
    else:
        quartiles = f"{show_duration(measurement.lower)} – {show_duration(measurement.upper)}"
        what = f"{show_duration(measurement.median)} ({quartiles}, {measurement.samples} samples)"
        counters = "".join(f", {name} {value:,}" for name, value in sorted(measurement.counters.items()))
        what += counters + (", certified" if measurement.certified else "")
    line = f"{measurement.name}  {what}"
    return [line] if len(line) <= width else [measurement.name, f"    {what}"]
