"""The verdict on what a worker came to: by proof, never by the solver's word."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass, field
from typing import Protocol

from solvers import Certificate, Infeasible, certify, registry
from solvers.infeasibility import fault_of_proof

from . import cell, protocol
from .cell import Limits, Outcome
from .plan import REFERENCES, Cell
from .protocol import BUILD_MATRIX
from .subject import Subject


class Bounds(Protocol):
    """Where certified lower bounds are kept, by the digests of problems; `bench.store.Store` is one."""

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
    _sought: set[str] = field(default_factory=set, init=False)  # problems whose bound was asked for
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
        found = certify(subject.problem, outcome.result, self.bounds.bound(subject.digest))
        if not found.valid:
            return "wrong", found.fault or "", found
        if found.optimal:
            self.bounds.set_bound(subject.digest, found.dual_bound, about.solver)
            return "ok", "", found
        bound = self._reference(about, subject)
        found = certify(subject.problem, outcome.result, bound)
        if found.optimal or not about.exact:
            return "ok", "", found
        if bound is None:
            return "unproven", "no reference solver proved a bound to judge the answer by", found
        return (
            "wrong",
            f"claims the optimum, but costs {found.cost:.12g} where {bound:.12g} is proven possible",
            found,
        )

    def _refusal(self, about: Cell, subject: Subject, refusal: Infeasible) -> tuple[str, str]:
        """Status and message where a solver says that there is no answer: by its own proof, or by that of another."""
        if refusal.rows is not None or refusal.columns is not None:
            if fault := fault_of_proof(subject.problem, refusal):
                return "wrong", f"says that there is no answer, which its proof does not show: {fault}"
            self._infeasible.setdefault(subject.digest, about.solver)
            return "ok", f"proven infeasible: {refusal}"
        bound = self._reference(about, subject)
        if prover := self._infeasible.get(subject.digest):
            return "ok", f"infeasible, as {prover} proves"
        if bound is None:
            return "unproven", "no reference solver proved that there is no answer"
        return "wrong", f"says that there is no answer, but one of cost {bound:.12g} is proven possible"

    def _reference(self, about: Cell, subject: Subject) -> float | None:
        """The optimum's certified bound, from one of our own solvers where no cell has proven it yet."""
        if subject.digest in self._sought:
            return self.bounds.bound(subject.digest)
        self._sought.add(subject.digest)
        with tempfile.TemporaryFile() as file:
            linear = subject.without_blur(file)
            for name in REFERENCES:
                if self.bounds.bound(subject.digest) is not None or subject.digest in self._infeasible:
                    break
                solver = registry.get(name)
                if name == about.name or solver.missing or solver.capabilities.refuses(linear.problem):
                    continue
                outcome = cell.run(name, linear.file, self.limits, budget=0)
                if isinstance(outcome.result, Infeasible):
                    if fault_of_proof(linear.problem, outcome.result) is None:
                        self._infeasible[subject.digest] = name
                elif outcome.result is not None:
                    found = certify(linear.problem, outcome.result)
                    if found.optimal:
                        self.bounds.set_bound(subject.digest, found.dual_bound, name)
        return self.bounds.bound(subject.digest)
