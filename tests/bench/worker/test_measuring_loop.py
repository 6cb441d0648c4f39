"""Whatever a worker writes where it reports, the harness lives, and what it keeps of it can be stored and shown."""

from __future__ import annotations

import io
import json
import math
import socket
import sys
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import pytest
from mutation import mutated

from lapmark import Assignment, DenseCost, solve
from lapmark.bench.system.process_tree import ProcessTree
from lapmark.bench.worker import protocol
from lapmark.bench.worker.calls import AnswerReader, Calls
from lapmark.bench.worker.measuring_loop import REPORTED_FAILURES, MeasuringLoop, Outcome
from lapmark.bench.worker.problem_digest import digest_problem
from lapmark.bench.worker.problem_handover import Handover
from lapmark.bench.worker.resource_limits import Limits

PROBLEM = Assignment(DenseCost(np.random.default_rng(0).random((20, 20))))
LIMITS = Limits(timeout=60.0, memory=1 << 30)

_CALL: list[dict[str, Any]] = [
    {"event": "loaded", "digest": None},
    {"event": "answered", "seconds": 0.02, "peak": 4096},
    {"event": "written"},
]
_FIRST = {**_CALL[0], "digest": digest_problem(PROBLEM)}
_DONE = {"event": "done", "conditions": {"load": 0.5}, "counters": {"scans": 3}, "instructions": 12, "matrix": None}
#: Events of an honest worker with a budget of 0.1 s.
HONEST = [{"event": "warm-up"}, {"event": "ready"}, _FIRST, *_CALL[1:], *(5 * _CALL), _DONE]

JUNK = [None, True, -1, 1e400, math.nan, 10**400, "x" * 5000, "\x1b[2J\udc80", [], [[1]], {}, {"a": {}}, "wrong", 1e300]


def damaged(rng: np.random.Generator) -> list[bytes]:
    """Return the events of an honest worker, a few of them changed, removed, repeated or moved."""
    events = [dict(event) for event in HONEST]
    lines: list[bytes] | None = None
    for _ in range(rng.integers(1, 4)):
        at = int(rng.integers(len(events)))
        match rng.integers(6):
            case 0:
                key = str(rng.choice(list(events[at])))
                events[at][key] = JUNK[rng.integers(len(JUNK))]
            case 1:
                events.insert(at, dict(events[rng.integers(len(events))]))
            case 2 if len(events) > 1:
                del events[at]
            case 3:
                events[at] = {"event": "failed", "status": JUNK[rng.integers(len(JUNK))], "message": "\x1b]0;x\x07"}
            case 4:
                events[at]["\x1b[31m"] = JUNK[rng.integers(len(JUNK))]
            case _:
                lines = [json.dumps(event).encode() for event in events]
                lines[at] = mutated(lines[at], rng)
    return lines or [json.dumps(event).encode() for event in events]


def followed(tree: ProcessTree, answer: io.BytesIO, lines: Sequence[bytes]) -> Outcome:
    """Return the outcome of a worker that writes these lines, whatever the orders."""
    ours, theirs = socket.socketpair()
    with ours, theirs, Handover(PROBLEM) as handed:
        calls = Calls(
            ours, handed, 0.1, AnswerReader(answer, handed, LIMITS.memory, lambda _: 0.0), digest_problem(PROBLEM)
        )
        watch = MeasuringLoop(tree, -1, LIMITS, calls, None, False)
        for line in lines:
            for part in line.split(b"\n"):
                if not watch.finished:
                    watch._on_line(part)
    return watch.outcome


@pytest.fixture(scope="module")
def tree() -> Iterator[ProcessTree]:
    with ProcessTree([sys.executable, "-I", "-S", "-c", "import time; time.sleep(3600)"], {}) as tree:
        yield tree


@pytest.fixture(scope="module")
def answer() -> io.BytesIO:
    file = io.BytesIO()
    protocol.write_answer(solve(PROBLEM), file, 1 << 20)
    return file


def follow_damage(tree: ProcessTree, answer: io.BytesIO, count: int) -> None:
    rng = np.random.default_rng(5)
    statuses = set()
    while count > 0:
        lines = damaged(rng)
        count -= len(lines)
        outcome = followed(tree, answer, lines)
        statuses.add(outcome.status)
        assert outcome.status is None or outcome.status in REPORTED_FAILURES
        assert all(0 <= seconds < math.inf for seconds in outcome.samples)
        assert outcome.peak_memory is None or 0 <= outcome.peak_memory < 1 << 63
        assert outcome.instructions is None or 0 <= outcome.instructions < 1 << 63
        assert all(isinstance(value, int) for value in outcome.counters.values())
        json.dumps([outcome.counters, outcome.conditions], allow_nan=False)
        for text in (outcome.message, outcome.matrix or "", *outcome.counters, *outcome.conditions):
            assert "\x1b" not in text
            text.encode()
    assert {None, "error", "wrong"} <= statuses  # it was damage of every kind


def test_loop_on_honest_events_ends_without_a_failure(tree: ProcessTree, answer: io.BytesIO) -> None:
    outcome = followed(tree, answer, [json.dumps(event).encode() for event in HONEST])
    assert (outcome.status, outcome.message) == (None, "")
    assert outcome.samples == [0.02] * 5
    assert outcome.counters == {"scans": 3}


def test_loop_on_damaged_events_never_raises(tree: ProcessTree, answer: io.BytesIO) -> None:
    follow_damage(tree, answer, 3000)


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_loop_on_a_hundred_thousand_damaged_events_never_raises(tree: ProcessTree, answer: io.BytesIO) -> None:
    follow_damage(tree, answer, 100_000)
