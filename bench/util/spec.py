"""Specs, which are names with settings: `sinkhorn:blur=0.1`, `tsne-grid:rows=points,seed=3`."""

import inspect
import types
import typing
from collections.abc import Callable, Mapping
from typing import Any

from lapmark.solvers import registry

Value = int | float | str | bool

#: The words of messages for the types of a setting.
_WORDS = {bool: "true or false", int: "a whole number", float: "a number", str: "a word"}

_UNIONS = (types.UnionType, typing.Union)


def parse(text: str) -> tuple[str, dict[str, Value]]:
    """Split `name:key=value,key=value`, with numbers, true and false converted."""
    name, colon, rest = text.partition(":")
    settings: dict[str, Value] = {}
    for part in rest.split(",") if colon else ():
        key, equals, value = part.partition("=")
        if not (name and key and equals):
            raise ValueError(f"cannot read {text!r}: write it as name:key=value,key=value")
        settings[key.strip()] = _value(value.strip())
    return name, settings


def show(name: str, settings: Mapping[str, Value]) -> str:
    """Return the spec of a name and settings, in alphabetical order: the inverse of `parse`."""
    if not settings:
        return name
    return name + ":" + ",".join(f"{key}={_text(settings[key])}" for key in sorted(settings))


def check(text: str, function: Callable[..., Any], positional: int, settings: Mapping[str, Value]) -> None:
    """Raise a ValueError for a setting that a function does not have or whose value its annotations do not allow.

    `text` is the spec, for the message, and `positional` the number of leading parameters that are not settings. What a
    function takes as `**options` or without an annotation is not checked.
    """
    parameters = parameters_of(function, positional)
    if any(parameter.kind is parameter.VAR_KEYWORD for parameter in parameters):
        return
    known = [parameter.name for parameter in parameters]
    for name, value in settings.items():
        if name not in known:
            hint = registry.nearest(name, known)
            raise ValueError(
                f"{text}: no setting {name!r}; there is {', '.join(known) or 'none'}{'; ' * bool(hint)}{hint}"
            )
        if choices := _unmet(_hints(function).get(name, Any), value):
            raise ValueError(f"{text}: {name} = {value!r}; it must be {' or '.join(choices)}")


def parameters_of(function: Callable[..., Any], positional: int) -> list[inspect.Parameter]:
    """Return the parameters that are settings: all but the leading ones."""
    return list(inspect.signature(function).parameters.values())[positional:]


def choices(function: Callable[..., Any], name: str) -> list[str]:
    """Return the values that the annotation of a setting lists, as in a spec; empty where it lists none."""
    hint = _hints(function).get(name)
    parts = typing.get_args(hint) if typing.get_origin(hint) in _UNIONS else (hint,)
    listed: list[Value] = []
    for part in parts:
        if part is bool:
            listed += (True, False)
        elif typing.get_origin(part) is typing.Literal:
            listed += typing.get_args(part)
    return [_text(value) for value in listed]


def allowed(function: Callable[..., Any], name: str) -> list[str]:
    """Return in words what a setting may be, `["a number", "auto"]`; empty where its annotation does not say."""
    return _unmet(_hints(function).get(name, Any), object())


def _hints(function: Callable[..., Any]) -> Mapping[str, Any]:
    try:
        return typing.get_type_hints(function)
    except (NameError, TypeError):  # a plugin may import its types only for a type checker
        return {}


def _unmet(hint: Any, value: object) -> list[str]:
    """Return what a type allows in place of a value; empty if the value is allowed."""
    origin = typing.get_origin(hint)
    if origin in _UNIONS:
        unmet = [_unmet(part, value) for part in typing.get_args(hint) if part is not type(None)]
        return [] if not all(unmet) else [choice for choices in unmet for choice in choices]
    if origin is typing.Literal:
        return [] if value in typing.get_args(hint) else [str(choice) for choice in typing.get_args(hint)]
    fits = hint not in _WORDS or type(value) is hint or (hint is float and type(value) is int)
    return [] if fits else [_WORDS[hint]]


def _value(text: str) -> Value:
    if text.lower() in ("true", "false"):
        return text.lower() == "true"
    for read in (int, float):
        try:
            return read(text)
        except ValueError:
            continue
    return text


def _text(value: Value) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
