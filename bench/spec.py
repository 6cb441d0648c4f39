"""Names with settings, as commands and records write them: `sinkhorn:blur=0.1`, `tsne-grid:rows=points,seed=3`."""

from __future__ import annotations

from collections.abc import Mapping

Value = int | float | str | bool


def parse(text: str) -> tuple[str, dict[str, Value]]:
    """Split `name:key=value,key=value`; numbers and true/false are read as such."""
    name, colon, rest = text.partition(":")
    settings: dict[str, Value] = {}
    for part in rest.split(",") if colon else ():
        key, equals, value = part.partition("=")
        if not (name and key and equals):
            raise ValueError(f"cannot read {text!r}: write it as name:key=value,key=value")
        settings[key.strip()] = _value(value.strip())
    return name, settings


def show(name: str, settings: Mapping[str, Value]) -> str:
    """The inverse of `parse`, with the settings in alphabetical order."""
    if not settings:
        return name
    return name + ":" + ",".join(f"{key}={_text(settings[key])}" for key in sorted(settings))


def _value(text: str) -> Value:
    if text in ("true", "false"):
        return text == "true"
    for read in (int, float):
        try:
            return read(text)
        except ValueError:
            continue
    return text


def _text(value: Value) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
