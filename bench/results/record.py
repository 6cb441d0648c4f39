"""One measured cell: a solver on a case, what happened, and the proof."""

from __future__ import annotations

import itertools
import math
import reprlib
import types
import typing
import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields, replace
from datetime import datetime
from statistics import median
from typing import Any

from lapmark.bench.system.conditions import worst
from lapmark.bench.util import spec
from lapmark.solvers.certificate import TOLERANCE

from .statuses import STATUSES

#: What a record keeps of a certificate, by the names that both give it; None in a record where it is not finite.
FIGURES = (
    "cost",
    "feasible_cost",
    "dual_bound",
    "gap",
    "entropic_gap",
    "row_error",
    "column_error",
    "max_violation",
)


@dataclass(frozen=True)
class Metric:
    """A figure of a certificate by which answers are compared: an error, 0 at best and inf at worst.

    Attributes
    ----------
    name : str
        In a certificate, a record and the tables.
    title : str
    axis : str
        What it measures, for the axis of a chart.
    perfect : str
        What an answer is whose error is `negligible`.
    negligible : float
        Up to here an error is rounding, and would only distract.
    """

    name: str
    title: str
    axis: str
    perfect: str
    negligible: float = TOLERANCE

    def of(self, record: Record) -> float | None:
        """Its value, None where it is unknown or negligible."""
        value: float | None = getattr(record, self.name)
        return None if value is None or value <= self.negligible else value


#: The one that ranks comes first.
METRICS = (
    Metric("gap", "gap", "gap to the lower bound", "optimal"),
    Metric("marginal_error", "marginal error", "marginal error (L1, of the mass)", "met"),
    Metric("entropic_gap", "entropic gap", "gap of the entropic problem", "converged"),
)


@dataclass(frozen=True, kw_only=True)
class Record:
    """A row of the store. Times are in seconds, memory in bytes.

    `solver` and `case` are specs (`bench.util.spec`); `problem`, `n`, `m` and `params` repeat the case in parts, for tables.
    `digest` is the fingerprint of the problem: what is behind a case changes where it is read from a file that does.
    `given` is the kind of cost that the solver was handed; where the case has points and this says "dense", the harness
    built the matrix before the clock started.

    `samples` are the timed calls in order; the warm-up is not among them. `rounds` says how many of them each round
    took: a round is a process of its own, and between two rounds of a cell the other solvers of its case have theirs.
    `peak_memory` is the largest resident size of the worker over its baseline, taken once the problem is built and the
    solver warm. `instructions` is how many one call took, where they were counted, and `counted_by` who counted:
    counts of two do not compare. `environment` names the environment that the solver ran in, "" for the harness's own.
    `conditions` tells what else the machine did meanwhile (`lapmark.bench.system.conditions`).
    """

    key: str
    solver: str
    case: str
    problem: str
    n: int
    m: int | None = None
    seed: int = 0
    params: Mapping[str, object] = field(default_factory=dict)
    exact: bool = True
    digest: str | None = None
    given: str = "dense"
    status: str
    message: str = ""
    samples: tuple[float, ...] = ()
    rounds: tuple[int, ...] = ()
    counters: Mapping[str, int] = field(default_factory=dict)
    cost: float | None = None
    feasible_cost: float | None = None
    dual_bound: float | None = None
    gap: float | None = None
    entropic_gap: float | None = None
    row_error: float | None = None
    column_error: float | None = None
    max_violation: float | None = None
    peak_memory: int | None = None
    instructions: int | None = None
    counted_by: str = ""
    threads: int = 1
    environment: str = ""
    conditions: Mapping[str, float] = field(default_factory=dict)
    versions: Mapping[str, str] = field(default_factory=dict)
    machine: Mapping[str, object] = field(default_factory=dict)
    commit: str | None = None
    finished: str = ""

    @property
    def marginal_error(self) -> float | None:
        """The larger of the two errors of a plan."""
        if self.row_error is None or self.column_error is None:
            return None
        return max(self.row_error, self.column_error)

    @property
    def seconds(self) -> float | None:
        """Median of the samples."""
        return median(self.samples) if self.samples else None

    @property
    def by_round(self) -> list[tuple[float, ...]]:
        """The samples of each round."""
        ends = itertools.accumulate(self.rounds)
        return [self.samples[end - count : end] for end, count in zip(ends, self.rounds, strict=True)]

    def joined(self, later: Record) -> Record:
        """This record of a certified cell with a later round: the samples of both, and the worse of two answers."""
        worse = later if later.status != "ok" or (later.cost or 0.0) > (self.cost or 0.0) else self
        return replace(
            worse,
            samples=self.samples + later.samples,
            rounds=self.rounds + later.rounds,
            conditions=worst(self.conditions, later.conditions),
            instructions=self.instructions if later.instructions is None else later.instructions,
            counted_by=self.counted_by if later.instructions is None else later.counted_by,
            peak_memory=max(filter(None, (self.peak_memory, later.peak_memory)), default=worse.peak_memory),
            finished=later.finished,
        )


def fault(values: Mapping[str, Any]) -> str | None:
    """Return what keeps values, by field, from being a record, and what is due instead; None where nothing does."""
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
    """Whether a value is of the type of a field; a whole number is one of real numbers, too."""
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
    """How a message calls the type of a field."""
    origin, parts = typing.get_origin(hint), typing.get_args(hint)
    if origin is tuple:
        return f"a list, each item {_WORDS[parts[0]]}"
    if origin is Mapping:
        return f"a mapping, each value {_WORDS[parts[1]]}"
    return " or ".join(map(_words, parts)) if origin else _WORDS[hint]


def _is_text(value: object) -> bool:
    # Names may come from solvers, whose line breaks are kept; no-break spaces and the like are in names of files.
    return isinstance(value, str) and (
        value.isprintable()
        or all(letter in "\n\t" or unicodedata.category(letter) not in ("Cc", "Cs") for letter in value)
    )


def _is_whole(value: object) -> bool:
    # What tables hold has 64 bits.
    return type(value) is int and -(2**63) <= value < 2**63


def _is_finite(value: object) -> bool:
    return math.isfinite(value) if isinstance(value, float) else _is_whole(value)


def _is_spec(text: str) -> bool:
    try:
        return bool(spec.parse(text)[0])
    except ValueError:
        return False


def _is_moment(text: str) -> bool:
    try:
        return not text or datetime.fromisoformat(text).tzinfo is not None
    except ValueError:
        return False


#: By type of a field, or of what is in it.
_IS: Mapping[Any, Callable[[Any], bool]] = {
    str: _is_text,
    int: _is_whole,
    float: _is_finite,
    bool: lambda value: isinstance(value, bool),
    object: lambda value: isinstance(value, float | bool) or _is_whole(value) or _is_text(value),
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

#: What a field must be beyond its type, and how a message says it.
_RULES: Mapping[str, tuple[Callable[[Any], bool], str]] = {
    "key": (bool, "not empty"),
    "solver": _SPEC,
    "case": _SPEC,
    "n": _POSITIVE,
    "m": _POSITIVE,
    "status": (STATUSES.__contains__, f"one of {', '.join(STATUSES)}"),
    # What a worker may tell, see `lapmark.bench.worker.cell`.
    "samples": (lambda samples: all(0 <= seconds < 1e18 for seconds in samples), "a list of seconds, each at least 0"),
    "rounds": (lambda rounds: all(count >= 1 for count in rounds), "a list of counts, each at least 1"),
    "peak_memory": _NOT_NEGATIVE,
    "instructions": _NOT_NEGATIVE,
    "threads": _POSITIVE,
    "finished": (_is_moment, "a date and time with its zone, as 2026-01-31T12:00:00+00:00"),
}

_HINTS = {field.name: typing.get_type_hints(Record)[field.name] for field in fields(Record)}

#: Escapes what steers a terminal, and cuts what is long or deep.
_SHORT = reprlib.Repr()
_SHORT.maxstring = _SHORT.maxother = 60
