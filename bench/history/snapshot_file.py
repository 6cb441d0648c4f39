"""The file of a snapshot: JSON with a line per cell, so that git stores and merges it well, and its check."""

from __future__ import annotations

import dataclasses
import json
import re
from collections.abc import Callable, Mapping
from typing import Any

from lapmark.bench.results.record_check import is_finite, is_moment, is_whole
from lapmark.bench.results.statuses import STATUSES
from lapmark.bench.util.plain_text import plain

from .measurement import SOURCES, Commit, Measurement, Snapshot

#: The version of the format; raised when a field changes its meaning or is removed.
FORMAT = 1

#: A hash of git, SHA-1 or SHA-256.
HASH = re.compile("[0-9a-f]{40}|[0-9a-f]{64}")

#: A cell as JSON leaves these fields out where they have their default.
_DEFAULTS = {each.name: each.default for each in dataclasses.fields(Measurement) if each.name != "counters"}


class SnapshotError(ValueError):
    """The content of a file is no snapshot; the text names the field."""


def to_json(snapshot: Snapshot) -> str:
    """Return the content of a snapshot's file."""
    head: dict[str, object] = {"format": FORMAT, "source": snapshot.source, "measured": snapshot.measured}
    head |= {"commit": dataclasses.asdict(snapshot.commit), "machine": dict(snapshot.machine)}
    head |= {"versions": dict(snapshot.versions)}
    cells = ",\n".join(_dump(_short(each)) for each in sorted(snapshot.measurements, key=lambda each: each.name))
    # The cells last, each on a line of its own.
    return f'{_dump(head)[:-1]}, "cells": [\n{cells}\n]}}\n'


def from_json(content: bytes | str) -> Snapshot:
    """Return the snapshot that a file holds; raise a SnapshotError that names the field which is wrong."""
    try:
        values = json.loads(content)
    except (ValueError, RecursionError) as error:
        raise SnapshotError(f"it is not JSON ({error})") from None
    if not isinstance(values, dict) or "format" not in values:
        raise SnapshotError("it is not a file of a history: the field format is missing")
    if values["format"] != FORMAT:
        raise SnapshotError(
            f"format is {values['format']!r}, and this version of Lapmark reads {FORMAT}: upgrade Lapmark"
        )
    commit = _take(values, "commit", _is_mapping, "a mapping")
    cells = _take(values, "cells", lambda value: isinstance(value, list), "a list")
    return Snapshot(
        commit=Commit(
            hash=_take(commit, "hash", _is_hash, "the full hash of a commit", "commit."),
            time=_take(commit, "time", is_moment, "a date and time with its zone", "commit."),
            subject=plain(_take(commit, "subject", _is_text, "a text", "commit.", "")),
            branch=plain(_take(commit, "branch", _is_text, "a text", "commit.", "")),
        ),
        source=_take(values, "source", SOURCES.__contains__, f"one of {', '.join(SOURCES)}"),
        machine=_take(values, "machine", _is_mapping, "a mapping"),
        versions=_take(values, "versions", _are_texts, "a mapping of names to texts", "", {}),
        measured=_take(values, "measured", lambda value: value == "" or is_moment(value), "a date and time", "", ""),
        measurements=tuple(_measurement(cell, f"cells[{place}]") for place, cell in enumerate(cells)),
    )


def _measurement(values: Any, place: str) -> Measurement:
    if not isinstance(values, dict):
        raise SnapshotError(f"{place} must be a mapping")
    unknown = values.keys() - _RULES.keys()
    if unknown:
        raise SnapshotError(f"{place} has an unknown field {min(unknown)!r}")
    known = {}
    for name, (is_valid, words) in _RULES.items():
        if name in values or name == "name":
            known[name] = _take(values, name, is_valid, words, f"{place}.")
    for name in ("name", "message", "unit"):
        if name in known:
            known[name] = plain(known[name])
    numbers = [known.get(name) for name in ("lower", "median", "upper")]
    if any(number is None for number in numbers) and any(number is not None for number in numbers):
        raise SnapshotError(f"{place} must have median, lower and upper, or none of them")
    return Measurement(**known)


def _take(
    values: Mapping[str, Any],
    name: str,
    is_valid: Callable[[Any], bool],
    words: str,
    place: str = "",
    default: Any = ...,
) -> Any:
    """Return a field; raise a SnapshotError where it is missing without a default, or not valid."""
    if name not in values and default is not ...:
        return default
    if name not in values:
        raise SnapshotError(f"{place}{name} is missing: it must be {words}")
    value = values[name]
    try:
        fits = is_valid(value)
    except TypeError:  # a list or a mapping in place of a text
        fits = False
    if not fits:
        raise SnapshotError(f"{place}{name} is {plain(repr(value)[:60])}: it must be {words}")
    return value


def _short(measurement: Measurement) -> dict[str, object]:
    values = {name: getattr(measurement, name) for name in _DEFAULTS}
    kept = {name: value for name, value in values.items() if value != _DEFAULTS[name]}
    return kept | ({"counters": dict(measurement.counters)} if measurement.counters else {})


def _dump(values: object) -> str:
    return json.dumps(values, ensure_ascii=False, allow_nan=False, default=lambda number: number.item())


def _is_hash(value: object) -> bool:
    return isinstance(value, str) and HASH.fullmatch(value) is not None


def _is_text(value: object) -> bool:
    return isinstance(value, str)


def _is_name(value: object) -> bool:
    return isinstance(value, str) and bool(value.strip())


def _is_mapping(value: object) -> bool:
    return isinstance(value, dict)


def _are_texts(value: Any) -> bool:
    return isinstance(value, dict) and all(map(_is_text, value.values()))


def _is_count(value: Any) -> bool:
    return is_whole(value) and value >= 0


def _are_numbers(value: Any) -> bool:
    return isinstance(value, dict) and all(map(is_finite, value.values()))


_NUMBER = is_finite, "a finite number"
_COUNT = _is_count, "a whole number of at least 0"

#: The rule of each field of a cell, and the rule in words.
_RULES: Mapping[str, tuple[Callable[[Any], bool], str]] = {
    "name": (_is_name, "a text that is not empty"),
    "status": (STATUSES.__contains__, f"one of {', '.join(STATUSES)}"),
    "message": (_is_text, "a text"),
    "certified": (lambda value: isinstance(value, bool), "true or false"),
    "unit": (_is_text, "a text"),
    "median": _NUMBER,
    "lower": _NUMBER,
    "upper": _NUMBER,
    "samples": _COUNT,
    "rounds": _COUNT,
    "counters": (_are_numbers, "a mapping of names to finite numbers"),
    "instructions": _COUNT,
    "counted_by": (_is_text, "a text"),
    "peak_memory": _COUNT,
}
