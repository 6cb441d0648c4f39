"""A case built in this process: its problem and the problem's digest."""

import dataclasses
from dataclasses import dataclass

from lapmark.bench.problems import Case
from lapmark.bench.worker.problem_digest import digest_problem
from lapmark.solvers.problem import Problem, Transport


@dataclass(frozen=True)
class BuiltCase:
    """A built problem, with its digest (`lapmark.bench.worker.problem_digest`)."""

    problem: Problem
    digest: str

    def without_blur(self) -> Problem:
        """Return the problem without its blur: the gap of an entropic plan is measured against the exact optimum."""
        if not isinstance(self.problem, Transport) or self.problem.blur == 0:
            return self.problem
        return dataclasses.replace(self.problem, blur=0.0)


def digest_of_file(case: Case) -> str | None:
    """Return the digest of the problem in a file, which a user may change; None for an instance of a family.

    Raise a ValueError for a file that is damaged or has another size by now.
    """
    return None if case.file is None else digest_problem(case.build())


def build(case: Case) -> BuiltCase | str:
    """Build a case, or return the reason why that fails, for example missing data."""
    try:
        problem = case.build()
        return BuiltCase(problem, digest_problem(problem))
    except (ValueError, OSError, MemoryError) as error:
        return f"the case cannot be built: {error}"
