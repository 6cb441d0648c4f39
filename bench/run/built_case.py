"""A case as the harness holds it: the problem and its fingerprint."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass

from lapmark.bench.problems import Case
from lapmark.bench.worker import protocol
from lapmark.solvers.problem import Problem, Transport


@dataclass(frozen=True)
class Subject:
    """A problem that was built here, `digest` its fingerprint (`lapmark.bench.worker.protocol.digest`)."""

    problem: Problem
    digest: str

    def without_blur(self) -> Problem:
        """What the cost of a plan is measured against: an entropic plan is a plan like any other."""
        if not isinstance(self.problem, Transport) or self.problem.blur == 0:
            return self.problem
        return dataclasses.replace(self.problem, blur=0.0)


def build(case: Case) -> Subject | str:
    """The subject, or why the case cannot be built: data may be missing here."""
    try:
        problem = case.build()
        return Subject(problem, protocol.digest(problem))
    except (ValueError, OSError, MemoryError) as error:
        return f"the case cannot be built: {error}"
