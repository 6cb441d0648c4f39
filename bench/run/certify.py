"""The verdict on what a worker came to: by proof, never by the solver's word."""

from __future__ import annotations

import dataclasses
import math
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np

from lapmark.bench.worker import cell, protocol
from lapmark.bench.worker.cell import Limits, Outcome
from lapmark.bench.worker.protocol import BUILD_MATRIX, Answer, BadAnswer
from lapmark.solvers import Certificate, Infeasible, Matching, Plan, certify, registry
from lapmark.solvers.certificate.hall_proof import fault_of_proof
from lapmark.solvers.certificate.matching import matching_fault
from lapmark.solvers.problem import Assignment, Problem, Transport
from lapmark.solvers.result import Result

from .built_case import Subject
from .cells import REFERENCES, Cell

#: Of the two sides of a problem.
Duals = tuple[np.ndarray | None, np.ndarray | None]

#: A gap that the rounding of a bound explains; and by what part of their sizes answers may differ that are all optimal.
ROUNDED, SAME = 1e-12, 1e-9


class Bounds(Protocol):
    """Where certified lower bounds are kept, by the digests of problems; `lapmark.bench.results.store.Store` is one."""

    def bound(self, problem: str) -> float | None: ...

    def set_bound(self, problem: str, bound: float, source: str) -> None: ...


@dataclass
class Judge:
    """Certifies answers, and has a solver of ours prove a bound where none is known.

    Attributes
    ----------
    bounds : Bounds
        Read, and filled.
    limits : Limits
        Under which a bound is sought.
    """

    bounds: Bounds
    limits: Limits
    _duals: dict[str, Duals | None] = field(default_factory=dict, init=False)  # by problem, once they were asked for
    _infeasible: dict[str, str] = field(default_factory=dict, init=False)  # problems without an answer: who proved it

    def verdict(self, about: Cell, subject: Subject, outcome: Outcome) -> tuple[str, str, Certificate | None]:
        """Status, message and proof of an outcome."""
        if outcome.status is not None:
            return outcome.status, outcome.message, None
        if about.solver == BUILD_MATRIX:
            same = outcome.matrix == protocol.digest_matrix(subject.problem.cost)
            return ("ok", "", None) if same else ("wrong", "the matrix is not the one of the points", None)
        assert outcome.result is not None
        if isinstance(outcome.result, Infeasible):
            return (*self._refusal(about, subject, outcome.result), None)
        return self._weighed(about, subject, outcome.result)

    def _weighed(self, about: Cell, subject: Subject, result: Result) -> tuple[str, str, Certificate]:
        """Status, message and proof of an answer, by its own duals, a bound that is known, and duals of ours."""
        problem, known = subject.problem, self.bounds.bound(subject.digest)
        found = certify(problem, result, known, search=False)
        if not found.valid:
            return "wrong", found.fault or "", found
        if found.optimal:
            self.bounds.set_bound(subject.digest, found.dual_bound, about.solver)
            return "ok", "", found
        if about.exact or known is None:
            duals = self._duals_of_ours(about, subject)
            known = self.bounds.bound(subject.digest)
            found = certify(problem, _with(duals, result), known, search=False)
        if found.optimal or not about.exact:
            return "ok", "", found
        if known is None:
            return "unproven", "no reference solver proved a bound to judge the answer by", found
        if found.gap <= ROUNDED:
            return (
                "unproven",
                f"within {found.gap:.1g} of the optimum, which the duals that are known do not show",
                found,
            )
        return "wrong", f"claims the optimum, but costs {found.cost:.12g} where {known:.12g} is proven possible", found

    def _refusal(self, about: Cell, subject: Subject, refusal: Infeasible) -> tuple[str, str]:
        """Status and message where a solver says that there is no answer: by its own proof, or by that of another."""
        if refusal.rows is not None or refusal.columns is not None:
            if fault := fault_of_proof(subject.problem, refusal):
                return "wrong", f"says that there is no answer, which its proof does not show: {fault}"
            self._infeasible.setdefault(subject.digest, about.solver)
            return "ok", f"proven infeasible: {refusal}"
        self._duals_of_ours(about, subject)
        bound = self.bounds.bound(subject.digest)
        if prover := self._infeasible.get(subject.digest):
            return "ok", f"infeasible, as {prover} proves"
        if bound is None:
            return "unproven", "no reference solver proved that there is no answer"
        return "wrong", f"says that there is no answer, but one of cost {bound:.12g} is proven possible"

    def _duals_of_ours(self, about: Cell, subject: Subject) -> Duals | None:
        """Run solvers of ours, once for each problem, until one proves its optimum; return its duals, or None."""
        if subject.digest in self._duals or subject.digest in self._infeasible:
            return self._duals.get(subject.digest)
        self._duals[subject.digest] = None
        linear = subject.without_blur()
        for name in REFERENCES:
            solver = registry.get(name)
            if name == about.name or solver.missing or solver.capabilities.refuses(linear):
                continue
            answer = cell.run(name, linear, self.limits, budget=0).result
            if isinstance(answer, Infeasible):
                if fault_of_proof(linear, answer) is None:
                    self._infeasible[subject.digest] = name
                    break
            elif answer is not None and (found := certify(linear, answer, search=False)).optimal:
                self.bounds.set_bound(subject.digest, found.dual_bound, name)
                self._duals[subject.digest] = _duals(answer)
                break
        return self._duals[subject.digest]


class Scales:
    """Weighs the answers to one problem, and notices where those that claim the optimum differ."""

    def __init__(self, problem: Problem, exact: bool) -> None:
        self._problem, self._exact = problem, exact
        self._seen: list[float] = []

    def __call__(self, answer: Answer) -> float:
        """Return the cost of an answer's own pairs, or the sum of its potentials where it has no pairs.

        The higher, the worse; inf where a judge has to say what is wrong.

        Raises
        ------
        protocol.BadAnswer
            Where it is no matching, or another than the optimum that was claimed before.
        """
        if isinstance(answer, Infeasible):
            return 0.0
        cost, size = self._weighed(answer)
        if not math.isfinite(cost):
            return math.inf
        self._seen.append(cost)
        low, high = min(self._seen), max(self._seen)
        if self._exact and high - low > SAME * size:
            raise BadAnswer(f"claims the optimum, but its answers cost from {low:.12g} to {high:.12g}")
        return cost

    def _weighed(self, answer: Result) -> tuple[float, float]:
        """The cost, and the sum of what its parts are without their signs."""
        problem = self._problem
        if isinstance(answer, Matching):
            assert isinstance(problem, Assignment)
            fault, row_to_col = matching_fault(problem, answer.row_to_col)
            if fault:
                raise BadAnswer(fault)
            rows = np.flatnonzero(row_to_col >= 0)
            paid = problem.cost.entries(rows, row_to_col[rows])
            parts = -paid if problem.maximize else paid
        else:
            assert isinstance(problem, Transport)
            n, m = problem.shape
            if answer.mass is not None and answer.mass.shape == (n, m):
                coo = answer.mass.tocoo()
                parts = coo.data * problem.cost.entries(*coo.coords)
            elif answer.f is not None and answer.g is not None and (len(answer.f), len(answer.g)) == (n, m):
                parts = np.concatenate([problem.a * answer.f, problem.b * answer.g])
            else:
                return math.inf, 0.0
        return float(parts.sum()), float(np.abs(parts).sum())


def _duals(answer: Result) -> Duals:
    return (answer.u, answer.v) if isinstance(answer, Matching) else (answer.f, answer.g)


def _with(duals: Duals | None, answer: Result) -> Result:
    """Return the answer with these duals; a plan given by its potentials as it is."""
    if duals is None or (isinstance(answer, Plan) and answer.mass is None):
        return answer
    if isinstance(answer, Matching):
        return dataclasses.replace(answer, u=duals[0], v=duals[1])
    return dataclasses.replace(answer, f=duals[0], g=duals[1])
