"""A case as the harness holds it: the problem, its fingerprint, and the file from which workers read it."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import IO

from solvers.problem import Problem, Transport

from . import protocol
from .problems import Case


@dataclass(frozen=True)
class Subject:
    """A problem that was built here, `digest` its fingerprint (`bench.protocol.digest`)."""

    problem: Problem
    digest: str
    file: IO[bytes]

    def without_blur(self, file: IO[bytes]) -> Subject:
        """What the cost of a plan is measured against: an entropic plan is a plan like any other."""
        if not isinstance(self.problem, Transport) or self.problem.blur == 0:
            return self
        linear = dataclasses.replace(self.problem, blur=0.0)
        protocol.write_problem(linear, file)
        return Subject(linear, self.digest, file)


def build(case: Case, file: IO[bytes]) -> Subject | str:
    """The subject, written to `file`, or why the case cannot be built: data may be missing here."""
    try:
        problem = case.build()
        protocol.write_problem(problem, file)
        return Subject(problem, protocol.digest(problem), file)
    except (ValueError, OSError, MemoryError) as error:
        return f"the case cannot be built: {error}"
