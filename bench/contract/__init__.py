"""The contract that every solver and every family of problems must keep, as checks that a test or a command can run.

`assignment_checks` and `transport_checks` hold the checks, on the problems of `assignment_cases` and `transport_cases`;
`checks` holds their table and what both share; `problem_checks` are those of families. `runner` runs checks in a
process of their own (`check_process`, `problem_process`).
"""

from . import assignment_checks, transport_checks  # noqa: F401 - they fill the table
from .checks import CHECKS, Broken, Check, Verdict, check

__all__ = ["CHECKS", "Broken", "Check", "Verdict", "check"]
