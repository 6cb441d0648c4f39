"""Check of a record's values: the one place that says what each field may hold."""

import math
import re
import reprlib
import types
import typing
import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import fields
from datetime import datetime
from typing import Any

from lapmark.bench.util import spec

from .record import Record
from .statuses import STATUSES


def fault(values: Mapping[str, Any]) -> str | None:
    """Return the first value, by field, that a record may not hold, and what is allowed instead; None if all fit."""
    for name, hint in _HINTS.items():
        value = values[name]
        if not _fits(hint, value):
            return f"{name} is {_SHORT.repr(value)}: it must be {_words(hint)}"
        is_valid, words = _RULES.get(name, (None, ""))
        if is_valid and value is not None and not is_valid(value):
            return f"{name} is {_SHORT.repr(value)}: it must be {words}"
    parts = {**values["params"], "n": values["n"], "seed": values["seed"]}
    if values["case"] != spec.show(values["problem"], parts):
        return f"case is {_SHORT.repr(values['case'])}: it must agree with problem, n, seed and params"
    if values["rounds"] and sum(values["rounds"]) != len(values["samples"]):
        return f"rounds is {_SHORT.repr(values['rounds'])}: it must add up to the {len(values['samples'])} samples"
    return None


def _fits(hint: Any, value: Any) -> bool:
    """Return whether a value has the type of a field; whole numbers are real numbers, too."""
    if hint in _IS:
        return _IS[hint](value)
    origin, parts = typing.get_origin(hint), typing.get_args(hint)
    if origin is tuple:
        return isinstance(value, tuple) and all(map(_IS[parts[0]], value))
    if origin is Mapping:
        return isinstance(value, dict) and all(map(_is_text, value)) and all(map(_IS[parts[1]], value.values()))
    assert origin is types.UnionType
    return any(_fits(part, value) for part in parts)


def _words(hint: Any) -> str:
    """Return the type of a field in words."""
    origin, parts = typing.get_origin(hint), typing.get_args(hint)
    if origin is tuple:
        return f"a list, each item {_WORDS[parts[0]]}"
    if origin is Mapping:
        return f"a mapping, each value {_WORDS[parts[1]]}"
    return " or ".join(map(_words, parts)) if origin else _WORDS[hint]


def _is_text(value: object) -> bool:
    # Names may come from solvers, whose line breaks are kept; file names contain no-break spaces and the like.
    return isinstance(value, str) and (
        value.isprintable()
        or all(letter in "\n\t" or unicodedata.category(letter) not in ("Cc", "Cs") for letter in value)
    )


def is_whole(value: object) -> bool:
    """Return whether a value is a whole number of 64 bits."""
    # Tables hold 64 bits.
    return type(value) is int and -(2**63) <= value < 2**63


def is_finite(value: object) -> bool:
    """Return whether a value is a finite number that fits into 64 bits."""
    return math.isfinite(value) if isinstance(value, float) else is_whole(value)


def _is_spec(text: str) -> bool:
    try:
        return bool(spec.parse(text)[0])
    except ValueError:
        return False


def is_moment(value: object) -> bool:
    """Return whether a value is a date and time with its zone, as text."""
    try:
        return isinstance(value, str) and datetime.fromisoformat(value).tzinfo is not None
    except ValueError:
        return False


def _are_amounts(values: Mapping[str, float]) -> bool:
    return all(0 <= value <= 1e18 for value in values.values())


#: Checks by type of a field, or of its parts.
_IS: Mapping[Any, Callable[[Any], bool]] = {
    str: _is_text,
    int: is_whole,
    float: is_finite,
    bool: lambda value: isinstance(value, bool),
    object: lambda value: isinstance(value, float | bool) or is_whole(value) or _is_text(value),
    types.NoneType: lambda value: value is None,
}
_WORDS = {
    str: "a text without control characters",
    int: "a whole number of at most 64 bits",
    float: "a finite number",
    bool: "0 or 1",
    object: "a number, a text, true or false",
    types.NoneType: "null",
}

_POSITIVE = (lambda value: value >= 1), "at least 1"
_NOT_NEGATIVE = (lambda value: value >= 0), "at least 0"
_SPEC = _is_spec, "written as name:key=value,key=value"
_KINDS = ("dense", "grid", "points", "sparse")

#: Rules of a field beyond its type: a check, and the rule in words.
_RULES: Mapping[str, tuple[Callable[[Any], bool], str]] = {
    "key": (bool, "not empty"),
    "solver": _SPEC,
    "case": _SPEC,
    "n": _POSITIVE,
    "m": _POSITIVE,
    "digest": (lambda digest: bool(re.fullmatch("[0-9a-f]{8,64}", digest)), "8 to 64 hexadecimal digits"),
    "given": (_KINDS.__contains__, f"one of {', '.join(_KINDS)}"),
    "status": (STATUSES.__contains__, f"one of {', '.join(STATUSES)}"),
    # The limits of what a worker may report, see `lapmark.bench.worker.measuring_loop`.
    "samples": (lambda samples: all(0 <= seconds < 1e18 for seconds in samples), "a list of seconds, each at least 0"),
    "rounds": (lambda rounds: all(count >= 1 for count in rounds), "a list of counts, each at least 1"),
    "peak_memory": _NOT_NEGATIVE,
    "instructions": _NOT_NEGATIVE,
    "conditions": (_are_amounts, "a mapping, each value at least 0"),
    "threads": _POSITIVE,
    "finished": (
        lambda text: not text or is_moment(text),
        "a date and time with its zone, as 2026-01-31T12:00:00+00:00",
    ),
}

_HINTS = {field.name: typing.get_type_hints(Record)[field.name] for field in fields(Record)}

#: Escapes terminal control sequences, and shortens long or deep values.
_SHORT = reprlib.Repr()
_SHORT.maxstring = _SHORT.maxother = 60
