"""Results of pytest-benchmark: `pytest --benchmark-json FILE`, or a file of `--benchmark-autosave`."""

from __future__ import annotations

from lapmark.bench.history.measurement import Commit, Measurement, Snapshot
from lapmark.bench.results.record_check import is_finite

from .fields import Fields
from .origin import Origin, facts_of, moment_of


def matches(document: object) -> bool:
    """Return whether a document is of this format."""
    return isinstance(document, dict) and {"machine_info", "commit_info", "benchmarks"} <= document.keys()


def read(document: Fields, origin: Origin) -> Snapshot:
    """Return the snapshot of a document."""
    machine = document.inner("machine_info")
    cpu = Fields.of(machine.get("cpu") or {}, "machine_info.cpu")
    return Snapshot(
        commit=_commit(document.inner("commit_info"), origin),
        source="pytest-benchmark",
        machine=facts_of(
            machine.text("node", ""),
            cpu.text("brand_raw", "") or cpu.text("brand", ""),
            cpu.get("count"),
            machine.text("machine", ""),
        ),
        versions={
            "python": machine.text("python_version", "unknown"),
            "pytest-benchmark": document.text("version", "unknown"),
        },
        measured=moment_of(document.text("datetime", "")),
        measurements=tuple(_measurement(each) for each in document.each("benchmarks")),
    )


def _commit(info: Fields, origin: Origin) -> Commit:
    hash = info.text("id", "unversioned")
    if hash == "unversioned":  # outside of a repository
        return origin.commit()
    branch = info.text("branch", "").strip("()")  # "(unknown)", "(detached head)"
    time = moment_of(info.text("time", ""))
    return origin.named(
        hash, time, "" if branch.startswith(("unknown", "detached")) else branch, bool(info.get("dirty"))
    )


def _measurement(each: Fields) -> Measurement:
    stats, extra = each.inner("stats"), Fields.of(each.get("extra_info") or {}, f"{each.path}.extra_info")
    return Measurement(
        name=each.text("fullname", "") or each.text("name"),
        median=stats.number("median"),
        lower=stats.number("q1"),
        upper=stats.number("q3"),
        samples=int(stats.number("rounds")),
        rounds=1,
        counters={name: value for name, value in extra.values.items() if is_finite(value) and value == round(value)},
    )
