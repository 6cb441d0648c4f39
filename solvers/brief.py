"""Values that show themselves in a few lines, however many numbers they hold."""

from __future__ import annotations

import html
from collections.abc import Iterator, Mapping
from dataclasses import fields
from typing import Any

import numpy as np

#: Numbers of an array that are shown at either end.
ENDS = 3


class Brief:
    """A dataclass with `repr=False` that shows a line for each field; of arrays their shape and ends.

    What is unknown, None or NaN, is left out. Notebooks show the same lines as a table.
    """

    def __repr__(self) -> str:
        lines = list(self._lines())
        width = max(len(name) for name, _ in lines)
        return "\n".join([type(self).__name__, *(f"  {name:<{width}}  {text}" for name, text in lines)])

    def _repr_html_(self) -> str:
        rows = (f"<tr><th>{name}</th><td>{html.escape(text)}</td></tr>" for name, text in self._lines())
        return f"<table><caption>{type(self).__name__}</caption>{''.join(rows)}</table>"

    def _lines(self) -> Iterator[tuple[str, str]]:
        for field in fields(self):  # type: ignore[arg-type]
            text = _shown(getattr(self, field.name)) if field.metadata.get("shown", True) else ""
            if text:
                yield field.name, text


def _shown(value: Any) -> str:
    """Return a value as text on one line; empty if it is unknown."""
    if value is None or (isinstance(value, float) and np.isnan(value)):
        return ""
    if isinstance(value, np.ndarray):
        ends = np.array2string(value.ravel(), threshold=2 * ENDS, edgeitems=ENDS, precision=4, max_line_width=200)
        return f"{'×'.join(map(str, value.shape))} {value.dtype}: {ends}"
    if isinstance(value, Mapping):
        return ", ".join(f"{name} {number}" for name, number in value.items())
    if isinstance(value, Brief):
        return ", ".join(f"{name} {text}" for name, text in value._lines() if ":" not in text)
    if hasattr(value, "nnz"):
        return f"{'×'.join(map(str, value.shape))} {value.dtype}, {value.nnz} entries"
    if isinstance(value, list):
        return f"{len(value)} arrays"
    return f"{value:.12g}" if isinstance(value, float) else str(value)
