"""Fields of a JSON document of another tool, taken with a check of their types."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from lapmark.bench.results.record_check import is_finite
from lapmark.bench.util.plain_text import plain


class FieldError(ValueError):
    """A field is missing or of another type; the text names it."""


@dataclass(frozen=True)
class Fields:
    """A mapping of a document, and the path of its place in it."""

    values: dict[str, Any]
    path: str = ""

    @classmethod
    def of(cls, value: object, path: str = "") -> Fields:
        """Return the fields of a mapping; raise a FieldError for any other value."""
        if not isinstance(value, dict):
            raise _wrong(path or "the document", value, "a mapping")
        return cls(value, path)

    def get(self, name: str) -> Any:
        """Return a field, None where it is missing."""
        return self.values.get(name)

    def inner(self, name: str) -> Fields:
        """Return the fields of a mapping in a field."""
        return Fields.of(self.get(name), self._path(name))

    def each(self, name: str) -> Iterator[Fields]:
        """Yield the fields of each mapping in a list."""
        for place, value in enumerate(self.items(name)):
            yield Fields.of(value, f"{self._path(name)}[{place}]")

    def items(self, name: str) -> list[Any]:
        """Return a field that is a list."""
        value = self.get(name)
        if not isinstance(value, list):
            raise _wrong(self._path(name), value, "a list")
        return value

    def numbers(self, name: str) -> list[float]:
        """Return a field that is a list of finite numbers."""
        return [number(value, f"{self._path(name)}[{place}]") for place, value in enumerate(self.items(name))]

    def number(self, name: str) -> float:
        """Return a field that is a finite number."""
        return number(self.get(name), self._path(name))

    def text(self, name: str, default: str | None = None) -> str:
        """Return a field that is a text; `default` where it is missing or empty, if there is one."""
        value = self.get(name)
        if not value and default is not None:
            return default
        if not isinstance(value, str):
            raise _wrong(self._path(name), value, "a text")
        return plain(value)

    def _path(self, name: str) -> str:
        return f"{self.path}.{name}" if self.path else name


def number(value: object, path: str) -> float:
    """Return a finite number; raise a FieldError that names the path for any other value."""
    if not is_finite(value):
        raise _wrong(path, value, "a finite number")
    return value  # type: ignore[return-value]


def _wrong(path: str, value: object, words: str) -> FieldError:
    if value is None:
        return FieldError(f"{path} is missing: it should be {words}")
    return FieldError(f"{path} is {plain(repr(value))[:60]}: it should be {words}")
