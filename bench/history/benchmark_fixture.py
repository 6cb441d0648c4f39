"""The fixture `lapmark_benchmark`: it times a function within a test, and certifies its answer."""

from __future__ import annotations

import functools
import inspect
import math
import numbers
import sys
from collections import UserDict
from collections.abc import Callable
from typing import Any

import pytest

from .measurement import Measurement, spread
from .timed_calls import time_calls


class Counters(UserDict[str, float]):
    """Counters by name; each must be a finite number."""

    def __setitem__(self, name: str, value: float) -> None:
        if isinstance(value, bool) or not isinstance(value, numbers.Real) or not math.isfinite(value):
            raise TypeError(f"lapmark_benchmark.counters[{name!r}] is {value!r}: it must be a finite number")
        super().__setitem__(str(name), int(value) if isinstance(value, numbers.Integral) else float(value))


class LapmarkBenchmark:
    """A benchmark of one test: call it with a function and its arguments.

    Attributes
    ----------
    counters : mapping of str to number
        Numbers of the work done, which the test may set; those of a `Matching` or `Plan` are added.
    gap : float
        Largest proven gap of an answer that passes; 0, the default, asks for the optimum.
    """

    def __init__(self, name: str, budget: float) -> None:
        self.counters = Counters()
        self.gap = 0.0
        self._name, self._budget = name, budget
        self._known: dict[str, Any] = {}

    def __call__(self, function: Callable[..., Any], *args: Any, problem: Any = None, **kwargs: Any) -> Any:
        """Time calls of a function, and return what the last one returned.

        Parameters
        ----------
        function : callable
            Called several times with the same arguments, which it must not change.
        problem : Assignment or Transport, optional
            The problem that a returned `Matching` or `Plan` answers: it is certified, and the test fails if it is
            wrong. By default the argument that is a problem, if there is one. A function with a parameter of this
            name gets it, too.
        """
        if self._known:
            raise TypeError("lapmark_benchmark measures one function per test: parametrise the test, or write another")
        if problem is not None and _takes(function, "problem"):
            kwargs["problem"] = problem
        timed = time_calls(functools.partial(function, *args, **kwargs), self._budget)
        self._known = {**spread(timed.samples), "samples": len(timed.samples), "rounds": 1, "certified": False}
        answer = timed.answers[-1]
        if problem is None:
            problem = next((each for each in (*args, *kwargs.values()) if _is_ours(each, "problem")), None)
        if _is_ours(answer, "result"):
            # A counter that differs between calls is not one.
            each = [frozenset(answer.counters.items()) for answer in timed.answers]
            self.counters.update(frozenset.intersection(*each))
            if problem is not None:
                self._certify(problem, answer)
        elif problem is not None and "problem" not in kwargs and not any(problem is each for each in args):
            raise TypeError(f"lapmark_benchmark certifies a Matching or a Plan, and got {type(answer).__name__}")
        return answer

    def measurement(self, failure: str | None) -> Measurement | None:
        """Return what was measured, None if nothing was; `failure` is that of the test."""
        if not self._known:
            return None
        status = self._known.get("status", "ok" if failure is None else "error")
        if failure is not None or status not in ("ok", "unproven"):
            return Measurement(name=self._name, status=status, message=self._known.get("message", failure or ""))
        return Measurement(name=self._name, **self._known, counters=dict(self.counters))

    def _certify(self, problem: Any, answer: Any) -> None:
        from lapmark import certify

        certificate = certify(problem, answer)
        fault = None if certificate.valid else certificate.fault or "it is not valid"
        if fault is None and not (certificate.optimal or getattr(problem, "blur", None)):
            if not math.isfinite(certificate.dual_bound):
                self._known["status"] = "unproven"
                return
            if not certificate.gap <= self.gap:
                fault = (
                    f"it costs {certificate.cost:.12g}, and {certificate.dual_bound:.12g} may be possible: "
                    f"a gap of {certificate.gap:.3g}, more than lapmark_benchmark.gap = {self.gap:g}"
                )
        if fault is not None:
            self._known |= {"status": "wrong", "message": fault}
            pytest.fail(f"the answer is wrong: {fault}", pytrace=False)
        self._known["certified"] = True


def _takes(function: Callable[..., Any], name: str) -> bool:
    try:
        return name in inspect.signature(function).parameters
    except (TypeError, ValueError):  # some functions in C have no signature
        return False


def _is_ours(value: object, module: str) -> bool:
    """Return whether a value is a problem, or a result, of Lapmark, without importing these."""
    known = sys.modules.get(f"lapmark.solvers.{module}")
    names = {"problem": ("Assignment", "Transport"), "result": ("Matching", "Plan")}[module]
    return known is not None and isinstance(value, tuple(getattr(known, name) for name in names))
