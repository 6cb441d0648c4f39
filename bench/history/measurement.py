"""Measurements of a commit: what a history keeps of each cell, with the commit and the machine it was measured on."""

from __future__ import annotations

import hashlib
import re
import statistics
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

#: The tools that measure, by the name that a history uses; "lapmark" is `lapmark run` or the gate.
SOURCES = ("lapmark", "pytest", "pytest-benchmark", "asv", "google-benchmark", "hyperfine")

#: The facts that decide whether two measurements are of the same machine; `host` only where the processor is unknown.
_IDENTITY = ("cpu", "cores", "architecture")

#: What makers add to the name of a processor.
_DECORATION = re.compile(r"\((?:R|TM|C)\)|\bCPU\b|@.*|\b\d+-Core Processor\b|\bProcessor\b", re.IGNORECASE)


@dataclass(frozen=True, kw_only=True)
class Commit:
    """A commit: its full hash, the time of the commit in ISO 8601 with its zone, its subject and its branch."""

    hash: str
    time: str
    subject: str = ""
    branch: str = ""


@dataclass(frozen=True, kw_only=True)
class Measurement:
    """What a history keeps of a cell.

    `median`, `lower` and `upper` are the median and the quartiles of the samples, in `unit`: "s" for a time, "B" for
    memory, or what another tool names. They are None where the cell failed. `certified` says that the harness proved
    the answer. `counters` are exact, such as work counters; `instructions` were counted by `counted_by`, and
    `peak_memory` is in bytes.
    """

    name: str
    status: str = "ok"
    message: str = ""
    certified: bool = False
    unit: str = "s"
    median: float | None = None
    lower: float | None = None
    upper: float | None = None
    samples: int = 0
    rounds: int = 0
    counters: Mapping[str, float] = field(default_factory=dict)
    instructions: int | None = None
    counted_by: str = ""
    peak_memory: int | None = None


@dataclass(frozen=True, kw_only=True)
class Snapshot:
    """The measurements of a commit by one tool on one machine; `measured` is when, in ISO 8601 with its zone."""

    commit: Commit
    source: str
    machine: Mapping[str, object]
    versions: Mapping[str, str] = field(default_factory=dict)
    measured: str = ""
    measurements: Sequence[Measurement] = ()

    @property
    def machine_key(self) -> str:
        """Six digits that identify the kind of machine: processor, cores and architecture."""
        facts = [str(self.machine.get(name, "")).strip().lower() for name in _IDENTITY]
        if not facts[0]:
            facts.append(str(self.machine.get("host", "")))
        return hashlib.sha256("\0".join(facts).encode()).hexdigest()[:6]

    @property
    def machine_label(self) -> str:
        """The kind of machine in words: `AMD EPYC 7763, 4 cores`."""
        name = str(self.machine.get("cpu") or self.machine.get("host") or "unknown machine")
        name = " ".join(_DECORATION.sub("", name).split()) or name
        cores = self.machine.get("cores")
        return f"{name}, {cores} core{'' if str(cores) == '1' else 's'}" if cores else name


def spread(samples: Iterable[float]) -> dict[str, float]:
    """Return the median and the quartiles of samples as fields of a `Measurement`; of two or fewer, the extremes."""
    ordered = sorted(samples)
    if len(ordered) < 3:
        lower, upper = ordered[0], ordered[-1]
    else:
        lower, _, upper = statistics.quantiles(ordered, n=4, method="inclusive")
    return {"median": statistics.median(ordered), "lower": lower, "upper": upper}
