"""Worker for a benchmark of a project: one round of a command line, or of a function marked by `lapmark.benchmark`.

    python -m lapmark.bench.gate.benchmark_worker FILE JOB

runs by the interpreter of a commit's build, and writes the fields of a record to the file as JSON. A function is called
in a process of its own, this module with `--call`, which is watched and ended like a command.
"""

from __future__ import annotations

import dataclasses
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import psutil

from lapmark.bench.system import host_lock, process_resources
from lapmark.bench.system.instruction_counts import HardwareCounter, counter_version
from lapmark.bench.util.atomic_write import write_atomically
from lapmark.bench.util.plain_text import plain
from lapmark.bench.util.units import show_duration, show_size

from .project_inventory import read_json

#: Most samples of a round.
MOST_SAMPLES = 100

#: Shortest time in seconds of one sample of a function: a shorter call is repeated within the sample.
SHORTEST = 0.001

#: Bytes of a command's output that are read, from the end.
MOST_OUTPUT = 1 << 20

#: Seconds between two looks at a running process, at first and at most.
FIRST_LOOK, LAST_LOOK = 0.001, 0.02


@dataclass(frozen=True, kw_only=True)
class Job:
    """A benchmark and its limits, in seconds and bytes. Without `words` it is the marked function of the name.

    `folder` has the files of the commit; a command runs in it, and finds programs of the build in `programs`.
    `warm_up` asks for one call beforehand that is not measured.
    """

    name: str
    words: tuple[str, ...]
    plugins: tuple[str, ...]
    folder: str
    programs: str
    budget: float
    timeout: float
    memory: int
    warm_up: bool

    @classmethod
    def read(cls, text: str) -> Job:
        """Read the text of `dump`."""
        return cls(**read_json(text))

    def dump(self) -> str:
        """Return the job as JSON."""
        return json.dumps(dataclasses.asdict(self))


class Failed(Exception):
    """A benchmark has failed; the arguments are the status of its record and a message."""


@dataclass(frozen=True)
class Process:
    """A process that has ended: its output, wall time in seconds, peak memory in bytes, and instructions if counted."""

    output: str
    seconds: float
    peak_memory: int
    instructions: int | None


def measure(job: Job) -> dict[str, Any]:
    """Return the fields of a record for one round of a benchmark."""
    try:
        with host_lock.hold():
            return _measure_command(job) if job.words else _measure_function(job)
    except Failed as failure:
        status, message = failure.args
        return {"status": status, "message": plain(message), "samples": ()}


def _measure_command(job: Job) -> dict[str, Any]:
    if job.warm_up:
        _run(job.words, job)
    runs: list[Process] = []
    while not runs or (sum(run.seconds for run in runs) < job.budget and len(runs) < MOST_SAMPLES):
        runs.append(_run(job.words, job))
    report = _last_object(runs[-1].output)
    fields = _fields_of_report(report, Path(job.folder))
    counted = [run.instructions for run in runs if run.instructions is not None]
    return {
        "status": "ok",
        "samples": [run.seconds for run in runs],
        "peak_memory": max(run.peak_memory for run in runs),
        "instructions": min(counted) if counted else None,
        "counted_by": counter_version("hardware") if counted else "",
        **fields,
    }


def _measure_function(job: Job) -> dict[str, Any]:
    words = (sys.executable, "-P", "-m", __spec__.name if __spec__ else __name__, "--call")
    # Loading the project is not part of the call, so that the limit of a call is not that of the process.
    run = _run((*words, job.dump()), job, timeout=job.timeout + job.budget + 60)
    report = _last_object(run.output)
    if "failed" in report:
        raise Failed(*report["failed"])
    if "samples" not in report:
        raise Failed("error", f"{job.name} ended the process before it was measured")
    return {"status": "ok", **report}


def _run(words: Sequence[str], job: Job, timeout: float | None = None) -> Process:
    """Run a command to its end; raise `Failed` where it fails or passes a limit."""
    timeout = timeout or job.timeout
    path = os.pathsep.join([job.programs, str(Path(sys.executable).parent), os.environ.get("PATH", "")])
    # A script's folder and the current one would come before the build on Python's path.
    variables = {**os.environ, "PATH": path, "PYTHONSAFEPATH": "1"}
    with tempfile.TemporaryFile() as output, tempfile.TemporaryFile() as errors:
        counter = _counter()
        started = time.perf_counter()
        try:
            child = subprocess.Popen(
                list(words), cwd=job.folder, env=variables, stdin=subprocess.DEVNULL, stdout=output, stderr=errors
            )
        except OSError as error:
            raise Failed("error", f"{words[0]} cannot be started: {error.strerror or error}") from None
        try:
            status, usage = _wait(child, started, timeout, job.memory)
        finally:
            seconds = time.perf_counter() - started
            counted = counter()
        if status < 0:
            raise Failed("crash", f"{Path(words[0]).name} died of {signal.Signals(-status).name}")
        if status > 0:
            lines = (_tail(errors) or _tail(output)).strip().splitlines()
            raise Failed("error", f"exit status {status}: {lines[-1] if lines else 'it said nothing'}")
        return Process(_tail(output), seconds, process_resources.peak(usage), counted)


def _wait(child: subprocess.Popen[bytes], started: float, timeout: float, memory: int) -> tuple[int, Any]:
    """Wait for a process; return its exit status and its use of resources. Kill it at a limit."""
    pause = FIRST_LOOK
    while True:
        pid, status, usage = os.wait4(child.pid, os.WNOHANG)
        if pid:
            child.returncode = os.waitstatus_to_exitcode(status)
            return child.returncode, usage
        late, taken = time.perf_counter() - started > timeout, _memory_of(child.pid)
        if late or taken > memory:
            _kill(child)
            if late:
                raise Failed("timeout", f"took more than {show_duration(timeout)}")
            raise Failed("memory", f"took {show_size(taken)}, over the limit of {show_size(memory)}")
        time.sleep(pause)
        pause = min(1.2 * pause, LAST_LOOK)


def _memory_of(pid: int) -> int:
    try:
        process = psutil.Process(pid)
        return sum(each.memory_info().rss for each in (process, *process.children(recursive=True)))
    except psutil.Error:
        return 0


def _kill(child: subprocess.Popen[bytes]) -> None:
    try:
        members = [psutil.Process(child.pid), *psutil.Process(child.pid).children(recursive=True)]
    except psutil.Error:
        members = []
    for member in members:
        try:
            member.kill()
        except psutil.Error:
            continue
    child.wait()


def _counter() -> Callable[[], int | None]:
    """Start the processor's counter, which child processes inherit; return a function that stops and reads it."""
    try:
        counter = HardwareCounter()
    except OSError:
        return lambda: None
    counter.__enter__()

    def stop() -> int | None:
        counter.__exit__()
        return counter.count

    return stop


def _tail(file: IO[bytes]) -> str:
    size = file.seek(0, os.SEEK_END)
    file.seek(max(size - MOST_OUTPUT, 0))
    return file.read().decode(errors="replace")


def _last_object(output: str) -> dict[str, Any]:
    """Return the JSON object in the last line of a text, empty if there is none."""
    lines = output.strip().splitlines()
    try:
        found = json.loads(lines[-1]) if lines else {}
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def _fields_of_report(report: Mapping[str, Any], folder: Path) -> dict[str, Any]:
    """Return the fields of a record that a command's last line states.

    `counters` are counters; without that key, all whole numbers are. `costs` names a file of costs, and `row_to_col` or
    `plan`, a list or a sparse file, the answer to certify.
    """
    counters = report.get("counters", report)
    fields: dict[str, Any] = {"counters": _counters(counters) if isinstance(counters, dict) else {}}
    if "costs" in report:
        from lapmark.bench.data import cost_file

        try:
            problem = cost_file.read(folder / str(report["costs"]))
            fields |= _certified(problem, _answer(problem, report, folder))
        except (ValueError, TypeError, OSError) as error:
            raise Failed("error", f"its answer cannot be certified: {error}") from None
    return fields


def _answer(problem: Any, report: Mapping[str, Any], folder: Path) -> Any:
    import numpy as np
    import scipy.sparse

    from lapmark.solvers import Assignment, Matching, Plan

    if isinstance(problem, Assignment):
        return Matching.of(problem, np.asarray(report.get("row_to_col"), dtype=np.intp))
    return Plan.of(problem, scipy.sparse.csr_array(scipy.sparse.load_npz(folder / str(report.get("plan")))))


def _counters(found: Mapping[str, Any]) -> dict[str, int]:
    """Return the whole numbers among values by name."""
    return {plain(str(name)): value for name, value in found.items() if type(value) is int}


def _certified(problem: Any, answer: Any) -> dict[str, Any]:
    """Return the fields of a certificate; raise `Failed` where the answer is not valid."""
    import math

    from lapmark.bench.results.record import FIGURES
    from lapmark.solvers import certify

    certificate = certify(problem, answer)
    if not certificate.valid:
        raise Failed("wrong", certificate.fault or "the answer is not valid")
    values = {name: getattr(certificate, name, math.nan) for name in FIGURES}
    return {name: value for name, value in values.items() if value is not None and math.isfinite(value)}


def call(job: Job) -> dict[str, Any]:
    """Call a marked function of the project in this process; return the fields of its record."""
    from statistics import median

    from lapmark.solvers import plugins

    from .benchmarks import marked

    for plugin in job.plugins:
        plugins.load(plugin)
    found = marked().get(job.name)
    if found is None:
        return {"failed": ("skipped", f"this commit has no benchmark {job.name}")}

    def sample(repeats: int) -> tuple[float, Any]:
        arguments = [(found.setup(),) if found.setup else () for _ in range(repeats)]
        started = time.perf_counter()
        for each in arguments:
            result = found.function(*each)
        return (time.perf_counter() - started) / repeats, result

    before = process_resources.start_peak()
    first, result = sample(1)  # it loads what is loaded on first use
    peak = process_resources.growth(before)
    repeats = min(max(round(SHORTEST / max(median(sample(1)[0] for _ in range(3)), 1e-9)), 1), 1000)
    if first > job.timeout:
        return {"failed": ("timeout", f"took {show_duration(first)}, over the limit of {show_duration(job.timeout)}")}
    samples: list[float] = []
    while not samples or (sum(samples) * repeats < job.budget and len(samples) < MOST_SAMPLES):
        seconds, result = sample(repeats)
        samples.append(seconds)
    counter = _counter()
    sample(1)
    counted = counter()
    fields = {
        "samples": samples,
        "peak_memory": peak,
        "instructions": counted,
        "counted_by": "" if counted is None else counter_version("hardware"),
    }
    if isinstance(result, Mapping):
        fields["counters"] = _counters(result)
    if isinstance(result, tuple) and len(result) == 2 and hasattr(result[1], "counters"):
        try:
            fields |= {"counters": _counters(result[1].counters), **_certified(*result)}
        except Failed as failure:
            return {"failed": failure.args}
    return fields


def main(arguments: Sequence[str]) -> None:
    """Run as the worker, or with `--call` as the process of a function."""
    if arguments[0] != "--call":
        write_atomically(Path(arguments[0]), json.dumps(measure(Job.read(arguments[1]))).encode())
        return
    try:
        report = call(Job.read(arguments[1]))
    except Exception as error:
        report = {"failed": ("error", f"{type(error).__name__}: {error}")}
    print(f"\n{json.dumps(report)}")


if __name__ == "__main__":
    main(sys.argv[1:])
