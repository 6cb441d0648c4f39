"""Certificates: how good an answer is, by LP duality, from the problem and the answer alone.

`lapmark.solvers.certify` is the entry point; `matching` and `plan` judge the two kinds of answer. Nothing here trusts a
solver: what an answer states is compared with what is computed here, and its duals are proposals from which bounds are
computed anew. No file here imports a solver.
"""

from .certificate import TOLERANCE, Certificate

__all__ = ["TOLERANCE", "Certificate"]
