"""The contract that every solver must keep, as checks that a test, a command or a plugin's author can run.

`assignment_checks` and `transport_checks` hold the checks, on the problems of `assignment_cases` and `transport_cases`;
`checks` holds their table and what both share. `runner` runs checks in a process of their own (`check_process`).
"""

from . import assignment_checks, transport_checks  # noqa: F401 - they fill the table
from .checks import CHECKS, Broken, Check, Verdict, check

__all__ = ["CHECKS", "Broken", "Check", "Verdict", "check"]
