"""The contract of a solver, as functions that a test, a command or a plugin's author can call."""

from . import assignment_checks, transport_checks  # noqa: F401 - they fill the table
from .core import CHECKS, Broken, Check, Verdict, check

__all__ = ["CHECKS", "Broken", "Check", "Verdict", "check"]
