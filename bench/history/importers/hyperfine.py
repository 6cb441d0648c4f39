"""Results of hyperfine: `hyperfine --export-json FILE`."""

from __future__ import annotations

from lapmark.bench.history.measurement import Measurement, Snapshot, spread

from .fields import Fields
from .origin import Origin, facts_of


def matches(document: object) -> bool:
    """Return whether a document is of this format."""
    results = document.get("results") if isinstance(document, dict) else None
    return isinstance(results, list) and all(
        isinstance(each, dict) and {"command", "mean"} <= each.keys() for each in results
    )


def read(document: Fields, origin: Origin) -> Snapshot:
    """Return the snapshot of a document, which names neither commit nor machine: HEAD and this machine by default."""
    named: dict[str, Fields] = {}
    for each in document.each("results"):
        command, parameters = each.text("command"), Fields.of(each.get("parameters") or {}, f"{each.path}.parameters")
        label = ", ".join(f"{name}={value}" for name, value in parameters.values.items())
        name = f"{command} [{label}]" if command in named and label else command
        same = sum(known == name or known.startswith(f"{name} (") for known in named)
        named[f"{name} ({same + 1})" if same else name] = each
    return Snapshot(
        commit=origin.commit(),
        source="hyperfine",
        machine=facts_of(),
        measurements=tuple(_measurement(name, each) for name, each in named.items()),
    )


def _measurement(name: str, each: Fields) -> Measurement:
    times = each.numbers("times") if each.get("times") else [each.number("mean")]
    memory = each.numbers("memory_usage_byte") if each.get("memory_usage_byte") else []
    return Measurement(
        name=name,
        **spread(times),  # type: ignore[arg-type]
        samples=len(times),
        rounds=len(times),  # each run is a process
        peak_memory=int(max(memory)) if memory else None,
    )
