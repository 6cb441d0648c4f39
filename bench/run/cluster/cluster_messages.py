"""Messages from the workers of a cluster: JSON text, checked on arrival.

A worker is trusted to measure and to certify. It is not trusted to send what it was asked for: a text that is damaged,
belongs to another cell, or could not be read back from the store raises a `BadMessage`. What a record may hold is
decided by `lapmark.bench.results.record_check`; only sizes, and faults that only a worker can cause, are checked here.
"""

import dataclasses
import json
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from lapmark.bench.results.record import FIGURES, Record
from lapmark.bench.results.record_check import fault
from lapmark.bench.run.cells import Cell
from lapmark.bench.run.measure import unmeasured
from lapmark.bench.util.plain_text import plain
from lapmark.bench.worker.calls import MOST_SAMPLES

#: Most characters of a message, and of a name.
MOST_MESSAGE, MOST_NAME = 10_000, 500

#: Most entries of a table, such as the counters of a record or the versions of a place.
MOST_ENTRIES = 1_000


class BadMessage(ValueError):
    """A worker's text cannot be used; the message begins with a verb whose subject is the worker."""


@dataclass(frozen=True)
class Place:
    """A worker's description of its host: workers with the same `name` and `lock` share one."""

    name: str
    lock: str
    machine: Mapping[str, object]
    source: str
    versions: Mapping[str, Mapping[str, str]]


@dataclass(frozen=True)
class Answer:
    """Result of a round: the record, and the best bound on its problem that the worker has proven."""

    record: Record
    bound: float | None


def write_failure(error: Exception) -> str:
    """Return the text for an error at the worker."""
    return json.dumps({"failure": f"{type(error).__name__}: {error}"[:MOST_MESSAGE]})


def write_place(place: Place) -> str:
    return _dump(vars(place))


def write_answer(answer: Answer) -> str:
    record = {**vars(answer.record), "message": answer.record.message[:MOST_MESSAGE]}
    return _dump({"record": record, "bound": answer.bound})


def read_place(text: str) -> Place:
    """Read the description of a worker's host; raise a BadMessage for any other text."""
    try:
        values = _fields(_parse(text), {field.name for field in dataclasses.fields(Place)}, "description")
        return Place(
            name=_line(values["name"]),
            lock=_line(values["lock"]),
            machine=_table(_fact)(values["machine"]),
            source=_line(values["source"]),
            versions=_table(_table(_line))(values["versions"]),
        )
    except (_Unfit, RecursionError) as error:
        raise BadMessage(f"sent a description of its host that cannot be used: {error}") from None


def read_answer(text: str, cell: Cell, place: Place) -> Answer:
    """Read the result of a round of a cell from the worker at a place; raise a BadMessage for any other text."""
    try:
        values = _fields(_parse(text), {"record", "bound"}, "answer")
        record = _record(values["record"], cell, place)
        return Answer(record, _bound(values["bound"]))
    except (_Unfit, RecursionError) as error:
        raise BadMessage(f"sent no record of {cell.solver} on {cell.case}: {error}") from None


class _Unfit(ValueError):
    """A value cannot be used; the message says why."""


def _dump(values: Mapping[str, object]) -> str:
    def convert(value: Any) -> object:
        return dict(value) if isinstance(value, Mapping) else value.item()  # some counts and times are NumPy numbers

    return json.dumps(values, allow_nan=False, default=convert)


def _record(values: object, cell: Cell, place: Place) -> Record:
    """Return the record of a cell: its identity from this side, the measurements from the worker."""
    values = _fields(values, {field.name for field in dataclasses.fields(Record)}, "record")
    measured = {name: _measured(name, values[name]) for name in _MEASURED}
    expected = unmeasured(cell, "", "", place.machine)
    known = json.loads(_dump(vars(expected)))
    for name in known.keys() - _MEASURED:
        if values[name] != known[name]:
            raise _Unfit(f"its {name} is {_short(values[name])}, not {_short(known[name])}")
    if found := fault({**known, **measured}):  # as the store reads it: `known` went through JSON
        raise _Unfit(found)
    return _consistent(dataclasses.replace(expected, **measured))


def _measured(name: str, value: Any) -> Any:
    """Check the size of a measured value, and return it as a record holds it."""
    if isinstance(value, str | list | dict) and len(value) > (most := _MOST.get(name, MOST_ENTRIES)):
        raise _Unfit(f"{name} is {_short(value)}: its length must be at most {most:,}")
    if isinstance(value, dict) and not all(map(_is_line, value)):
        raise _Unfit(f"{name} is {_short(value)}: each name must be a single line")
    if isinstance(value, str):
        return plain(value)
    return tuple(value) if isinstance(value, list) else value


def _consistent(record: Record) -> Record:
    """Return a record if it is complete; a cell without samples would be asked for again forever."""
    if bool(record.samples) != bool(record.rounds):
        raise _Unfit(f"{len(record.samples)} samples in rounds of {_short(record.rounds)}")
    if record.status == "ok" and not (record.samples and record.digest):
        raise _Unfit("status ok without a sample, or without the problem's digest")
    if not record.finished:
        raise _Unfit("finished is empty")
    return record


def _parse(text: str) -> object:
    def refuse(word: str) -> None:
        raise _Unfit(f"{word} is not a JSON number")

    try:
        return json.loads(text, parse_constant=refuse)
    except _Unfit:
        raise
    except (ValueError, RecursionError) as error:
        raise _Unfit(f"not JSON ({error})") from None


def _fields(value: object, names: set[str], what: str) -> dict[str, Any]:
    """Check that a value is an object with exactly these keys, and return it."""
    if not isinstance(value, dict):
        raise _Unfit(f"the {what} must be an object, not {_short(value)}")
    if value.keys() == {"failure"}:
        raise _Unfit(f"it failed with {plain(str(value['failure']))[:MOST_MESSAGE]}")
    if value.keys() != names:
        wrong = ", ".join(sorted(plain(str(key))[:50] for key in value.keys() ^ names)[:5])
        raise _Unfit(f"missing or unknown in the {what}: {wrong}")
    return value


def _short(value: object) -> str:
    """Return a value for a message, shortened."""
    shown = plain(json.dumps(value, default=str)) if len(str(value)) < 10_000 else f"a long {type(value).__name__}"
    return shown if len(shown) <= 100 else f"{shown[:100]}…"


def _is_line(value: object) -> bool:
    return isinstance(value, str) and len(value) <= MOST_NAME and plain(value).isprintable()


def _line(value: object) -> str:
    if not isinstance(value, str) or not _is_line(value):
        raise _Unfit(f"is {_short(value)}: it must be a single line of at most {MOST_NAME} characters")
    return plain(value)


def _bound(value: object) -> float | None:
    """Return a finite number as a float, or None."""
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float) or abs(value) > 1e308 or not math.isfinite(value):
        raise _Unfit(f"its bound is {_short(value)}: it must be a finite number")
    return float(value)


def _fact(value: object) -> object:
    """Return a fact about a machine: a text or a count."""
    if type(value) is int and 0 <= value < 2**63:
        return value
    return _line(value)


def _table(check: Callable[[object], Any]) -> Callable[[object], dict[str, Any]]:
    def read(values: object) -> dict[str, Any]:
        if not isinstance(values, dict) or len(values) > MOST_ENTRIES:
            raise _Unfit(f"is {_short(values)}: it must be an object of at most {MOST_ENTRIES} entries")
        return {_line(name): check(value) for name, value in values.items()}

    return read


#: The fields of a record that a worker measures. All others identify the cell and the machine.
_MEASURED = {
    *("m", "digest", "given", "status", "message", "samples", "rounds", "counters", *FIGURES, "peak_memory"),
    *("instructions", "counted_by", "conditions", "finished"),
}

#: Largest lengths of measured values, where not MOST_ENTRIES.
_MOST = {"message": MOST_MESSAGE, "samples": 2 * MOST_SAMPLES, "rounds": 1, "counted_by": MOST_NAME}
