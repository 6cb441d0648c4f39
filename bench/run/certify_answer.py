"""Verdict on a worker's outcome: by certificate, never by the solver's word."""

import dataclasses
import math
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np

from lapmark.bench.worker import isolated_run
from lapmark.bench.worker.measuring_loop import Outcome
from lapmark.bench.worker.problem_digest import digest_matrix
from lapmark.bench.worker.protocol import BUILD_MATRIX, Answer, BadAnswer
from lapmark.bench.worker.resource_limits import Limits
from lapmark.solvers import Certificate, Infeasible, Matching, Plan, certify, registry
from lapmark.solvers.certificate.hall_proof import fault_of_proof
from lapmark.solvers.certificate.matching import matching_fault
from lapmark.solvers.problem import Assignment, Problem, Transport
from lapmark.solvers.result import Result

from .built_case import BuiltCase
from .cells import REFERENCES, Cell

#: Of the two sides of a problem.
Duals = tuple[np.ndarray | None, np.ndarray | None]

#: Relative gap that the rounding of a bound explains.
ROUNDING_GAP = 1e-12

#: Relative difference of cost, up to which answers that all claim the optimum agree.
SAME_COST = 1e-9

#: Beginning of the message for answers that claim the optimum and do not agree.
_DIFFER = "claims the optimum, but its answers cost from"


class Bounds(Protocol):
    """Certified lower bounds by problem digest; `lapmark.bench.results.store.Store` is one."""

    def bound(self, problem: str) -> float | None: ...

    def set_bound(self, problem: str, bound: float, source: str) -> None: ...


class KnownBounds(dict[str, float]):
    """Bounds in memory."""

    def bound(self, problem: str) -> float | None:
        return self.get(problem)

    def set_bound(self, problem: str, bound: float, source: str) -> None:
        self[problem] = max(bound, self.get(problem, bound))


@dataclass
class Certifier:
    """Certifies answers by `bounds`, and adds to them; where none is known, runs a reference solver within `limits`."""

    bounds: Bounds
    limits: Limits
    _duals: dict[str, Duals | None] = field(default_factory=dict, init=False)  # by problem, once references have run
    _infeasible: dict[str, str] = field(default_factory=dict, init=False)  # by problem, the solver that proved it

    def verdict(self, cell: Cell, built: BuiltCase, outcome: Outcome) -> tuple[str, str, Certificate | None]:
        """Return status, message and certificate of an outcome."""
        if outcome.status is not None:
            return outcome.status, outcome.message + self._proven_instead(cell, built, outcome.message), None
        if cell.solver == BUILD_MATRIX:
            is_same = outcome.matrix == digest_matrix(built.problem.cost)
            return ("ok", "", None) if is_same else ("wrong", "the matrix is not the one of the points", None)
        assert outcome.result is not None
        if isinstance(outcome.result, Infeasible):
            return (*self._infeasible_verdict(cell, built, outcome.result), None)
        status, message, certificate = self._answer_verdict(cell, built, outcome.result)
        if status == "ok" and certificate.optimal and (fault := cell.case.fault_of_optimum(certificate.cost)):
            return "error", fault, certificate
        return status, message, certificate

    def _proven_instead(self, cell: Cell, built: BuiltCase, message: str) -> str:
        """Return what to add to the message that answers of a claimed optimum differ: the certified optimum."""
        if not message.startswith(_DIFFER):
            return ""
        if self.bounds.bound(built.digest) is None:
            self._reference_duals(cell, built)
        bound = self.bounds.bound(built.digest)
        return "" if bound is None else f"; {bound:.12g} is proven possible"

    def _answer_verdict(self, cell: Cell, built: BuiltCase, result: Result) -> tuple[str, str, Certificate]:
        """Certify an answer by its own duals and the known bound, then by a reference solver's duals."""
        problem, bound = built.problem, self.bounds.bound(built.digest)
        certificate = certify(problem, result, bound, search=False)
        if not certificate.valid:
            return "wrong", certificate.fault or "", certificate
        if certificate.optimal:
            self.bounds.set_bound(built.digest, certificate.dual_bound, cell.solver)
            return "ok", "", certificate
        if cell.exact or bound is None:
            duals = self._reference_duals(cell, built)
            bound = self.bounds.bound(built.digest)
            certificate = certify(problem, _with_duals(result, duals), bound, search=False)
        if certificate.optimal or not cell.exact:
            return "ok", "", certificate
        if bound is None:
            return "unproven", "no reference solver proved a bound to certify the answer by", certificate
        if certificate.gap <= ROUNDING_GAP:
            message = f"within {certificate.gap:.1g} of the optimum, which the known duals do not prove"
            return "unproven", message, certificate
        message = f"claims the optimum, but costs {certificate.cost:.12g}; {bound:.12g} is proven possible"
        return "wrong", message, certificate

    def _infeasible_verdict(self, cell: Cell, built: BuiltCase, claim: Infeasible) -> tuple[str, str]:
        """Check a solver's claim that no answer exists: by its own proof, or by a reference solver's."""
        if claim.rows is not None or claim.columns is not None:
            if fault := fault_of_proof(built.problem, claim):
                return "wrong", f"claims that no answer exists, but its proof is wrong: {fault}"
            self._infeasible.setdefault(built.digest, cell.solver)
            return "ok", f"proven infeasible: {claim}"
        self._reference_duals(cell, built)
        bound = self.bounds.bound(built.digest)
        if prover := self._infeasible.get(built.digest):
            return "ok", f"infeasible, as {prover} proves"
        if bound is None:
            return "unproven", "no reference solver proved that no answer exists"
        return "wrong", f"claims that no answer exists, but one of cost {bound:.12g} is proven possible"

    def _reference_duals(self, cell: Cell, built: BuiltCase) -> Duals | None:
        """Run reference solvers, once per problem, until one proves its optimum; return its duals, or None."""
        if built.digest in self._duals or built.digest in self._infeasible:
            return self._duals.get(built.digest)
        self._duals[built.digest] = None
        problem = built.without_blur()
        for name in REFERENCES:
            solver = registry.get(name)
            if name == cell.name or solver.missing or solver.capabilities.refuses(problem):
                continue
            answer = isolated_run.run(name, problem, self.limits, budget=0).result
            if isinstance(answer, Infeasible):
                if fault_of_proof(problem, answer) is None:
                    self._infeasible[built.digest] = name
                    break
            elif answer is not None and (certificate := certify(problem, answer, search=False)).optimal:
                self.bounds.set_bound(built.digest, certificate.dual_bound, name)
                self._duals[built.digest] = _duals_of(answer)
                break
        return self._duals[built.digest]


class CostCheck:
    """Computes the costs of the answers to one problem, and checks that those that claim the optimum agree."""

    def __init__(self, problem: Problem, exact: bool) -> None:
        self._problem, self._exact = problem, exact
        self._costs: list[float] = []

    def __call__(self, answer: Answer) -> float:
        """Return the cost of an answer's own pairs, or the sum of its potentials where it has no pairs.

        It is inf where the certificate has to say what is wrong. Raise a BadAnswer for an answer that is no matching,
        or whose cost differs from an optimum that was claimed before.
        """
        if isinstance(answer, Infeasible):
            return 0.0
        cost, size = self._cost_and_size(answer)
        if not math.isfinite(cost):
            return math.inf
        self._costs.append(cost)
        low, high = min(self._costs), max(self._costs)
        if self._exact and high - low > SAME_COST * size:
            raise BadAnswer(
                f"{_DIFFER} {low:.12g} to {high:.12g}, as each call gets the rows and columns in another order"
            )
        return cost

    def _cost_and_size(self, answer: Result) -> tuple[float, float]:
        """Return the cost, and the sum of the absolute values of its terms."""
        problem = self._problem
        if isinstance(answer, Matching):
            assert isinstance(problem, Assignment)
            fault, row_to_col = matching_fault(problem, answer.row_to_col)
            if fault:
                raise BadAnswer(fault)
            rows = np.flatnonzero(row_to_col >= 0)
            entries = problem.cost.entries(rows, row_to_col[rows])
            terms = -entries if problem.maximize else entries
        else:
            assert isinstance(problem, Transport)
            n, m = problem.shape
            if answer.mass is not None and answer.mass.shape == (n, m):
                coo = answer.mass.tocoo()
                terms = coo.data * problem.cost.entries(*coo.coords)
            elif answer.f is not None and answer.g is not None and (len(answer.f), len(answer.g)) == (n, m):
                terms = np.concatenate([problem.a * answer.f, problem.b * answer.g])
            else:
                return math.inf, 0.0
        return float(terms.sum()), float(np.abs(terms).sum())


def _duals_of(answer: Result) -> Duals:
    return (answer.u, answer.v) if isinstance(answer, Matching) else (answer.f, answer.g)


def _with_duals(answer: Result, duals: Duals | None) -> Result:
    """Return the answer with these duals; a plan given by its potentials keeps its own."""
    if duals is None or (isinstance(answer, Plan) and answer.mass is None):
        return answer
    if isinstance(answer, Matching):
        return dataclasses.replace(answer, u=duals[0], v=duals[1])
    return dataclasses.replace(answer, f=duals[0], g=duals[1])
