"""The contract of a solver, as functions that a test, a command or a plugin's author can call."""

from .checks import CHECKS, Broken, Verdict, check

__all__ = ["CHECKS", "Broken", "Verdict", "check"]
